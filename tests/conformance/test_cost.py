"""What costs are computed from is what the template deploys."""

from __future__ import annotations

import pytest

from tests.conformance.synthesis import template, texts
from tidegate.core.cost import MEMORY_MB

pytestmark = pytest.mark.conformance


@pytest.mark.parametrize("name", MEMORY_MB)
def test_a_function_has_the_memory_that_is_counted(name):
    function = template()["Resources"][f"{name}Function"]["Properties"]
    assert list(texts(function["MemorySize"])) == [str(MEMORY_MB[name])]
