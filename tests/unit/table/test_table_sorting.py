"""Numbers and hashes are sorted alike with the kernel and without it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.table import native, sorting
from tidegate.table.sorting import FEW, sorted_numbers, sorted_unsigned

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture(autouse=True)
def however_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "FEW", 0)


@given(st.lists(NUMBERS, max_size=200))
def test_numbers_are_in_the_order_of_python_s_own_and_have_no_negative_zero(values: list[float]) -> None:
    found = sorted_numbers(np.array(values, dtype=np.float64))
    assert found.tolist() == sorted(values)
    assert not np.signbit(found[found == 0]).any()


@given(st.lists(st.integers(0, 2**64 - 1), max_size=200))
def test_hashes_are_in_the_order_of_whole_numbers(hashes: list[int]) -> None:
    assert sorted_unsigned(np.array(hashes, dtype=np.uint64)).tolist() == sorted(hashes)


@pytest.mark.parametrize("few", [0, FEW])
def test_what_is_sorted_is_left_as_it_was(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "FEW", few)
    values = np.array([3.0, -0.0, -2.5, 1e300, 5e-324])
    assert sorted_numbers(values[::-1]).tolist() == [-2.5, 0.0, 5e-324, 3.0, 1e300]
    assert values.tolist() == [3.0, -0.0, -2.5, 1e300, 5e-324]


def test_without_the_kernel_the_order_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).standard_cauchy(10_000)
    by_kernel = sorted_numbers(values)
    monkeypatch.setattr(native, "load", lambda: None)
    assert np.array_equal(sorted_numbers(values), by_kernel)


def test_numbers_that_differ_in_their_last_bits_alone_are_sorted_too() -> None:
    # One that is far away moves the digits that are looked at first away from all the others.
    near = 1.0 + np.arange(5_000)[::-1] * 2.0**-52
    values = np.concatenate([[-1e300], near, near[::7], [1e300]])
    assert np.array_equal(sorted_numbers(values), np.sort(values))
