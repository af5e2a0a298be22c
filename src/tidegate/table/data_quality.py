"""The data-quality baseline: a profile as Model Monitor's `statistics.json` and `constraints.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import say, told
from tidegate.table.constraints.suggest import suggest
from tidegate.table.profile import Profile
from tidegate.table.scan import profile_file


def data_quality(path: Path, *, header: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """Profile a file and derive what later data must keep to.

    Parameters
    ----------
    path : Path
        CSV, Parquet or JSON Lines; it is read in blocks.
    header : bool
        Whether the first line of CSV names the columns; otherwise they are called `_c0`, `_c1`, …

    Returns
    -------
    tuple of dict
        The contents of `statistics.json` and `constraints.json`.

    Raises
    ------
    BadDrop
        For a file that cannot be read, or holds no rows.
    """
    profile = whole_profile(path, header=header)
    return profile.statistics(), suggest(profile)


def whole_profile(path: Path, *, header: bool = True) -> Profile:
    """Profile a file that holds rows; see `data_quality`."""
    profile = profile_file(path, header=header)
    if not profile.rows:
        raise BadDrop(say("{file} has no rows; there is nothing to profile", file=told(path.name)))
    return profile
