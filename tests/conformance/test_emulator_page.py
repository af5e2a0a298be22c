"""docs/emulator.md names every workaround, its module and a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "emulator.md").read_text()
ROOM = ROOT / "src" / "tidegate" / "local" / "emulator"
ROWS = re.findall(r"^\| (.+) \| `(\w+\.py)` \| `([^`]+)` \|$", PAGE, re.M)


def test_every_module_is_in_the_table_or_said_to_mend_nothing():
    modules = {path.name for path in ROOM.glob("*.py")} - {"__init__.py"}
    others = PAGE.split("The other modules", 1)[1]
    assert {module for _, module, _ in ROWS} | set(re.findall(r"`(\w+\.py)`", others)) == modules
    assert len(ROWS) == len({module for _, module, _ in ROWS}), "one workaround, one module"


@pytest.mark.parametrize(("module", "test"), [row[1:] for row in ROWS])
def test_the_test_of_a_difference_is_there(module, test):
    file, _, name = test.partition("::")
    assert (ROOT / file).exists()
    assert not name or f"\ndef {name}(" in (ROOT / file).read_text()
