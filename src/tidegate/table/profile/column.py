"""The profile of one column: a sum of states, and the entries of Model Monitor's files read off it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tidegate.table.columns import Floats, floats_of
from tidegate.table.hashing import text_hash
from tidegate.table.profile.distinct import Distinct
from tidegate.table.profile.frequencies import MOST_TEXTS, Frequencies
from tidegate.table.profile.kll import C, K, Sketch
from tidegate.table.profile.moments import Moments
from tidegate.table.profile.value_types import (
    BOOLEAN_PATTERN,
    INTEGRAL_PATTERN,
    NUMBER_PATTERN,
    ValueTypes,
)
from tidegate.table.read.values import MISSING

BUCKETS = 10


@dataclass(frozen=True)
class ColumnProfile:
    """All states of one column."""

    types: ValueTypes
    moments: Moments
    sketch: Sketch
    distinct: Distinct
    frequencies: Frequencies

    @classmethod
    def of(cls, texts: Any) -> ColumnProfile:
        """Profile a pyarrow array of texts.

        Values are typed one by one by their text; what the recipe calls a gap is missing here too.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        trimmed = pc.utf8_trim_whitespace(texts)
        gaps = pc.or_kleene(
            pc.is_null(trimmed), pc.is_in(pc.utf8_lower(trimmed), pa.array(sorted(MISSING), pa.string()))
        )
        present = trimmed.filter(pc.invert(gaps))
        numeric = pc.match_substring_regex(present, NUMBER_PATTERN)
        others = present.filter(pc.invert(numeric))
        written = present.filter(numeric)
        values = floats_of(pc.cast(pc.utf8_ltrim(written, characters="+"), pa.float64()))
        finite = np.isfinite(values)  # 1e999 is written like a number and is none
        whole = floats_of(pc.cast(pc.match_substring_regex(written, INTEGRAL_PATTERN), pa.float64()))
        integral = int(whole[finite].sum())
        boolean = int(pc.sum(pc.match_substring_regex(others, BOOLEAN_PATTERN)).as_py() or 0)
        counted = pc.value_counts(present)
        names = pc.unique(others).to_pylist()
        return cls(
            types=ValueTypes(
                integral=integral,
                fractional=int(finite.sum()) - integral,
                boolean=boolean,
                string=len(present) - int(finite.sum()) - boolean,
                missing=len(texts) - len(present),
            ),
            moments=Moments.of(values[finite]),
            sketch=Sketch.of(values[finite]),
            distinct=Distinct.of(
                np.unique(values[finite]), np.array([text_hash(name) for name in names], dtype=np.uint64)
            ),
            frequencies=Frequencies(
                {pair["values"]: pair["counts"] for pair in counted.to_pylist()}
                if len(counted) <= MOST_TEXTS
                else None
            ),
        )

    def __add__(self, other: ColumnProfile) -> ColumnProfile:
        """Profile the values of both."""
        return ColumnProfile(
            self.types + other.types,
            self.moments + other.moments,
            self.sketch + other.sketch,
            self.distinct + other.distinct,
            self.frequencies + other.frequencies,
        )

    def statistics(self, name: str) -> dict[str, Any]:
        """Give the column's entry in `statistics.json`."""
        common = {"num_present": self.types.present, "num_missing": self.types.missing}
        entry: dict[str, Any] = {"name": name, "inferred_type": self.types.inferred}
        if self.types.inferred in ("Integral", "Fractional"):
            entry["numerical_statistics"] = {"common": common, **self._numerical()}
        elif self.types.inferred == "String":
            entry["string_statistics"] = {"common": common, **self._textual()}
        else:
            entry["string_statistics"] = {
                "common": common,
                "distinct_count": 0.0,
                "completeness": self.types.completeness,
            }
        return entry

    def constraints(self, name: str) -> dict[str, Any]:
        """Give the column's entry in `constraints.json`."""
        entry: dict[str, Any] = {
            "name": name,
            "inferred_type": self.types.inferred,
            "completeness": self.types.completeness,
        }
        if self.types.inferred in ("Integral", "Fractional"):
            entry["num_constraints"] = {"is_non_negative": self.moments.least >= 0}
        elif self.frequencies.counts:
            entry["string_constraints"] = {"domains": [text for text, _ in self.frequencies.ranked()]}
        return entry

    def _numerical(self) -> dict[str, Any]:
        least, most = self.moments.least, self.moments.most
        edges = [least + (most - least) * step / BUCKETS for step in range(BUCKETS + 1)]
        counts = self.sketch.counts(edges)
        return {
            "mean": self.moments.mean,
            "sum": self.moments.total,
            "std_dev": self.moments.deviation,
            "min": least,
            "max": most,
            "approximate_num_distinct_values": self.distinct.count,
            "completeness": self.types.completeness,
            "distribution": {
                "kll": {
                    "buckets": [
                        {"lower_bound": low, "upper_bound": high, "count": count}
                        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
                    ],
                    "sketch": {
                        "parameters": {"c": C, "k": float(K)},
                        "data": [_listed(level) for level in self.sketch.levels],
                    },
                }
            },
        }

    def _textual(self) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "distinct_count": float(self.distinct.count),
            "completeness": self.types.completeness,
        }
        if self.frequencies.counts is not None:
            buckets = [{"value": text, "count": count} for text, count in self.frequencies.ranked()]
            entry["distribution"] = {"categorical": {"buckets": buckets}}
        return entry


def _listed(level: Floats) -> list[float]:
    return [float(value) for value in level]
