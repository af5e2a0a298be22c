"""Numbers in sentences: read at a glance, never as a power of ten where that can be helped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.figures import apart, figure
from tidegate.table.compare.violations import percents


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (124_500.0, "124,500"),
        (-1_234_567.8, "-1,234,568"),
        (9_999.7, "10,000"),
        (2019.0, "2019"),
        (0.25, "0.25"),
        (0.0, "0"),
        (3e-7, "3e-07"),
        (2e300, "2e+300"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_is_written_as_people_read_it(value, written):
    assert figure(value) == written


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(numbers, numbers | st.floats(0.999, 1.001))
def test_two_numbers_in_one_sentence_are_told_apart_by_their_digits(one, other):
    written = apart(one, other)
    assert (written[0] != written[1]) == (one != other)


@given(st.floats(0, 1), st.floats(0, 1))
def test_two_shares_in_one_sentence_are_told_apart_by_their_digits(one, other):
    written = percents(one, other)
    assert one * 100 == other * 100 or written[0] != written[1]
    assert all(each.endswith(" %") for each in written)
