"""A profile read back from `statistics.json`, whoever wrote it: enough of one to compare windows with.

What the file does not tell is taken at its plainest: every value is of the inferred type, and a count of
distinct values is as told. Categories that it does not list count as unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tidegate.core.errors import BadConstraints
from tidegate.core.sentences import of_the_data, say
from tidegate.table.columns import Floats
from tidegate.table.profile.column import NOTHING, ColumnProfile
from tidegate.table.profile.distinct import Distinct
from tidegate.table.profile.frequencies import Frequencies, Numerals
from tidegate.table.profile.kll import Sketch
from tidegate.table.profile.moments import Moments
from tidegate.table.profile.table import Profile
from tidegate.table.profile.value_types import ValueTypes


def read_statistics(document: Mapping[str, Any]) -> Profile:
    """Read the contents of a `statistics.json`.

    Raises
    ------
    BadConstraints
        For a document of another form, naming the column.
    """
    try:
        rows = int(document["dataset"]["item_count"])
        features = document["features"]
        names = [str(entry["name"]) for entry in features]
    except (KeyError, TypeError, ValueError) as error:
        raise BadConstraints(
            say(
                "this is no statistics.json: dataset.item_count and features are expected ({error})",
                error=of_the_data(repr(error)),
            )
        ) from None
    columns = {}
    for name, entry in zip(names, features, strict=True):
        try:
            columns[name] = _column(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise BadConstraints(
                say(
                    "statistics.json, column '{name}': {error} is missing or odd",
                    name=of_the_data(name),
                    error=of_the_data(repr(error)),
                )
            ) from None
    return Profile(rows, columns)


def _column(entry: Mapping[str, Any]) -> ColumnProfile:
    kind = entry["inferred_type"]
    body = entry.get("numerical_statistics") or entry["string_statistics"]
    present, missing = int(body["common"]["num_present"]), int(body["common"]["num_missing"])
    if kind in ("Integral", "Fractional"):
        levels = _levels(body.get("distribution", {}).get("kll", {}))
        moments = Moments(
            present, body["sum"], present * float(body["std_dev"]) ** 2, body["min"], body["max"]
        )
        told = int(body.get("approximate_num_distinct_values") or len(np.unique(np.concatenate(levels))))
        counted = {kind.lower(): present, "missing": missing}
        return ColumnProfile(
            ValueTypes(**counted), moments, Sketch(levels), Distinct(NOTHING, told), Numerals(None)
        )
    buckets = body.get("distribution", {}).get("categorical", {}).get("buckets", [])
    counts = {str(bucket["value"]): int(bucket["count"]) for bucket in buckets}
    unknown = max(0, present - sum(counts.values()))
    return ColumnProfile(
        ValueTypes(string=present, missing=missing),
        distinct=Distinct(NOTHING, round(float(body.get("distinct_count", len(counts))))),
        frequencies=Frequencies(counts, unknown),
    )


def _levels(kll: Mapping[str, Any]) -> tuple[Floats, ...]:
    """Take the sketch, or else the histogram, a bucket's count spread over its width."""
    if data := kll.get("sketch", {}).get("data"):
        return tuple(np.array(level, dtype=np.float64) for level in data)
    buckets = kll.get("buckets", [])
    spread = [
        np.linspace(bucket["lower_bound"], bucket["upper_bound"], round(bucket["count"]))
        for bucket in buckets
    ]
    return (np.concatenate(spread) if spread else np.empty(0),)
