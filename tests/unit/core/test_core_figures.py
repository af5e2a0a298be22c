"""Numbers in sentences: read at a glance, never as a power of ten where that can be helped."""

import pytest

from tidegate.core.figures import figure


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
