"""The data-quality baseline: a profile as Model Monitor's `statistics.json` and `constraints.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import say, told
from tidegate.table.constraints.suggest import suggest
from tidegate.table.profile import Profile
from tidegate.table.scan import profile_file
from tidegate.table.watch.declared import profile_declared


def data_quality(
    path: Path, *, header: bool = True, kinds: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Profile a file and derive what later data must keep to.

    Parameters
    ----------
    path : Path
        CSV, Parquet or JSON Lines; it is read in blocks.
    header : bool
        Whether the first line of CSV names the columns; otherwise they are called `_c0`, `_c1`, …
    kinds : mapping of str to str, optional
        The declared type of each column of a CSV with a header: a category of digits is a text then, and a
        number that happens to be whole throughout may have a fraction later. Otherwise types are inferred.

    Returns
    -------
    tuple of dict
        The contents of `statistics.json` and `constraints.json`.

    Raises
    ------
    BadDrop
        For a file that cannot be read, or holds no rows.
    """
    profile = whole_profile(path, header=header, kinds=kinds)
    return profile.statistics(), suggest(profile)


def whole_profile(path: Path, *, header: bool = True, kinds: Mapping[str, str] | None = None) -> Profile:
    """Profile a file that holds rows; see `data_quality`."""
    profile = profile_file(path, header=header) if kinds is None else profile_declared(path, kinds)
    if not profile.rows:
        raise BadDrop(say("{file} has no rows; there is nothing to profile", file=told(path.name)))
    return profile
