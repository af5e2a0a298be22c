"""The field's own tool reads our sketches."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.table.profile import Cells, ColumnProfile
from tidegate.table.profile.datasketches import to_datasketches
from tidegate.table.profile.frequencies import Numerals
from tidegate.table.profile.kll import RANK_ERROR
from tidegate.table.profile.value_types import ValueTypes

datasketches = pytest.importorskip("datasketches", reason="datasketches is not installed")


@pytest.mark.parametrize("blocks", [1, 30])
@pytest.mark.parametrize("rows", [0, 1, 2, 2048, 2049, 60_000, 400_000])
def test_apache_datasketches_reads_counts_ranks_and_ends(rows, blocks):
    values = np.random.default_rng(rows).lognormal(size=rows)
    parts = np.array_split(values, blocks)
    column = ColumnProfile.sum_of(
        [ColumnProfile.of(Cells(ValueTypes(fractional=len(part)), part, Numerals(None))) for part in parts]
    )
    found = datasketches.kll_doubles_sketch.deserialize(to_datasketches(column))
    assert found.n == rows
    if not rows:
        return
    assert (found.get_min_value(), found.get_max_value()) == (values.min(), values.max())
    for share in (0.1, 0.5, 0.9):
        point = float(np.quantile(values, share, method="inverted_cdf"))
        assert found.get_rank(point, True) == pytest.approx((values <= point).mean(), abs=RANK_ERROR)
