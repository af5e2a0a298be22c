"""docs/emulator.md names every workaround, its module and a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "emulator.md").read_text()
ROOM = ROOT / "src" / "tidegate" / "local" / "emulator"
ROWS = re.findall(r"^\| (.+) \| `(\w+(?:\.py|/))` \| `([^`]+)` \|$", PAGE, re.M)


def test_everything_that_is_put_in_the_emulator_s_place_is_in_the_table():
    places = [*ROOM.glob("*.py"), *ROOM.glob("*/__init__.py")]
    hooks = {
        path.name if path.parent == ROOM else f"{path.parent.name}/"
        for path in places
        if "\ndef install(" in path.read_text()
    }
    listed = [module for _, module, _ in ROWS]
    assert hooks <= set(listed), "docs/emulator.md: say what the module mends, and which test shows it"
    assert len(listed) == len(set(listed)), "one workaround, one module"
    assert all((ROOM / module).exists() for module in listed)


@pytest.mark.parametrize(("module", "test"), [row[1:] for row in ROWS])
def test_the_test_of_a_difference_is_there(module, test):
    file, _, name = test.partition("::")
    assert (ROOT / file).exists()
    assert not name or f"\ndef {name}(" in (ROOT / file).read_text()
