"""The profile of one column: a sum of states, and its entry in Model Monitor's `statistics.json`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.hashing import Hashes, number_hashes
from tidegate.table.profile.distinct import ANY, Distinct
from tidegate.table.profile.frequencies import MOST_NUMERALS, Frequencies, Numerals
from tidegate.table.profile.kll import C, K, Sketch
from tidegate.table.profile.moments import Moments
from tidegate.table.profile.succession import Succession
from tidegate.table.profile.value_types import ValueTypes

BUCKETS = 10
MOST_CATEGORIES = (
    120  # Deequ's ColumnProfiler calls more than this a high cardinality, and lists none of them
)
NOTHING = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True)
class Cells:
    """What the cells of one column hold, as a reader finds it in a block of a file.

    Attributes
    ----------
    values : array of float64
        The finite numbers, in the order of the rows.
    hashes : array of uint64
        Of each different text that is no number.
    number_hashes : array of uint64, optional
        Of each different number, where the reader has them already.
    succession : Succession, optional
        Of the texts, where the reader knows their order; that of the numbers is seen in `values`.
    gaps : Succession, optional
        Of the cells that hold no value of their column's type, where the reader knows which those are.
    markers : mapping of str to int
        How often words such as NA and null occur, which `types` counts nowhere.
    """

    types: ValueTypes
    values: Floats = field(default_factory=lambda: np.empty(0))
    numerals: Numerals = field(default_factory=Numerals)
    hashes: Hashes = field(default_factory=lambda: NOTHING)
    texts: Frequencies = field(default_factory=Frequencies)
    number_hashes: Hashes | None = None
    succession: Succession | None = None
    markers: Mapping[str, int] = field(default_factory=dict)
    gaps: Succession = field(default_factory=Succession)


@dataclass(frozen=True)
class ColumnProfile:
    """All states of one column.

    Attributes
    ----------
    numerals : Numerals
        How often each number occurs as it is written, while they are few.
    frequencies : Frequencies
        How often each other text occurs.
    succession : Succession
        How much alike consecutive values are.
    gaps : Succession
        How much alike consecutive rows are in having no value of the column's type.
    markers : mapping of str to int
        How often words such as NA and null occur. Among texts they are texts, a country or a surname, and
        among numbers alone they say that one is missing: `types` counts them so, as far as is known.
    """

    types: ValueTypes = field(default_factory=ValueTypes)
    moments: Moments = field(default_factory=Moments)
    sketch: Sketch = field(default_factory=Sketch)
    distinct: Distinct = field(default_factory=lambda: Distinct(NOTHING))
    numerals: Numerals = field(default_factory=Numerals)
    frequencies: Frequencies = field(default_factory=Frequencies)
    succession: Succession = field(default_factory=Succession)
    markers: Mapping[str, int] = field(default_factory=dict)
    gaps: Succession = field(default_factory=Succession)

    @classmethod
    def of(cls, cells: Cells, below: int = ANY) -> ColumnProfile:
        """Profile cells.

        Parameters
        ----------
        below : int
            See `Distinct.of`.
        """
        values, numbers = cells.values, cells.number_hashes
        if numbers is None:
            few = cells.numerals.counts is not None and len(values) > MOST_NUMERALS
            numbers = number_hashes(np.unique(values) if few else values)
        return cls(
            _with_markers(cells.types, cells.markers),
            Moments.of(values),
            Sketch.of(values),
            Distinct.of((numbers, cells.hashes), below),
            cells.numerals,
            cells.texts,
            cells.succession or (Succession.of(values) if below == ANY else Succession()),
            cells.markers,
            cells.gaps,
        )

    @classmethod
    def sum_of(cls, parts: Sequence[ColumnProfile]) -> ColumnProfile:
        """Profile the values of all: equal to profiling them in one go, up to the sketches' bounds."""
        markers: Counter[str] = Counter()
        for part in parts:
            markers.update(part.markers)
        return cls(
            _with_markers(ValueTypes.sum_of(part.types_without_markers for part in parts), markers),
            Moments.sum_of(part.moments for part in parts),
            Sketch.sum_of(part.sketch for part in parts),
            Distinct.sum_of(part.distinct for part in parts),
            Numerals.sum_of(part.numerals for part in parts),
            Frequencies.sum_of(part.frequencies for part in parts),
            Succession.sum_of(part.succession for part in parts),
            dict(markers),
            Succession.sum_of(part.gaps for part in parts),
        )

    def __add__(self, other: ColumnProfile) -> ColumnProfile:
        """Profile the values of both."""
        return ColumnProfile.sum_of((self, other))

    @property
    def types_without_markers(self) -> ValueTypes:
        """The types of the other cells."""
        known = sum(self.markers.values())
        if self.texts_among_markers:
            return replace(self.types, string=self.types.string - known)
        return replace(self.types, missing=self.types.missing - known)

    @property
    def texts_among_markers(self) -> Mapping[str, int]:
        """The markers, where they are texts."""
        return self.markers if self.types.string or self.types.boolean else {}

    def beside(self, baseline: ColumnProfile) -> ColumnProfile:
        """Return this column with words such as NA read as its baseline has them.

        A word that the baseline holds as a text is one, as the code of a country; any other says that a value
        is missing.
        """
        gaps = {word: n for word, n in self.texts_among_markers.items() if word not in baseline.texts.counts}
        if not gaps:
            return self
        count = sum(gaps.values())
        types = replace(self.types, string=self.types.string - count, missing=self.types.missing + count)
        return replace(
            self, types=types, markers={word: n for word, n in self.markers.items() if word not in gaps}
        )

    @property
    def texts(self) -> Frequencies:
        """How often each text occurs that is no number."""
        markers = self.texts_among_markers
        if not markers:
            return self.frequencies
        return Frequencies({**self.frequencies.counts, **markers}, self.frequencies.lost)

    @property
    def distinct_count(self) -> int:
        """How many different values there are, about."""
        return self.distinct.count + len(self.texts_among_markers)

    def categories(self) -> dict[str, int] | None:
        """Give the counts by text, numbers as written among them; None where they are not all known."""
        if self.numerals.counts is None or self.frequencies.lost:
            return None
        merged = {**self.texts.counts, **self.numerals.counts}
        return dict(sorted(merged.items(), key=lambda item: (-item[1], item[0])))

    def domain(self) -> list[str] | None:
        """Give the texts of a column that holds few different ones, the most frequent first."""
        found = self.categories() if self.types.inferred == "String" else None
        return list(found) if found and len(found) <= MOST_CATEGORIES else None

    def statistics(self, name: str) -> dict[str, Any]:
        """Give the column's entry in `statistics.json`."""
        common = {"num_present": self.types.present, "num_missing": self.types.missing}
        entry: dict[str, Any] = {"name": name, "inferred_type": self.types.inferred}
        if self.types.inferred in ("Integral", "Fractional"):
            entry["numerical_statistics"] = {"common": common, **self._numerical()}
        else:
            entry["string_statistics"] = {"common": common, **self._textual()}
        return entry

    def histogram(self) -> list[dict[str, float]]:
        """Give the buckets of equal width from the least to the greatest number, counted by the sketch."""
        least, most = self.moments.least, self.moments.most
        edges = [least + (most - least) * step / BUCKETS for step in range(BUCKETS + 1)]
        counts = self.sketch.counts(edges)
        return [
            {"lower_bound": low, "upper_bound": high, "count": count}
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ]

    def _numerical(self) -> dict[str, Any]:
        return {
            "mean": _number(self.moments.mean),
            "sum": _number(self.moments.total),
            "std_dev": _number(self.moments.deviation),
            "min": self.moments.least,
            "max": self.moments.most,
            "approximate_num_distinct_values": self.distinct.count,
            "completeness": self.types.completeness,
            "distribution": {
                "kll": {
                    "buckets": self.histogram(),
                    "sketch": {
                        "parameters": {"c": C, "k": float(K)},
                        "data": [level.tolist() for level in self.sketch.levels],
                    },
                }
            },
        }

    def _textual(self) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "distinct_count": float(self.distinct_count),
            "completeness": self.types.completeness,
        }
        found = self.categories()
        if found and len(found) <= MOST_CATEGORIES:
            buckets = [{"value": text, "count": count} for text, count in found.items()]
            entry["distribution"] = {"categorical": {"buckets": buckets}}
        return entry


def _with_markers(types: ValueTypes, markers: Mapping[str, int]) -> ValueTypes:
    known = sum(markers.values())
    if types.string or types.boolean:
        return replace(types, string=types.string + known)
    return replace(types, missing=types.missing + known)


def _number(value: float) -> float | str:
    """Write what JSON has no number for, such as the sum of two of 1e308, as Model Monitor does."""
    return value if math.isfinite(value) else "NaN"
