"""docs/compatibility.md says what is so: the operations served now, and scripts of clients as they are now."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.conformance.clients.conftest import OUTCOMES, SCRIPTS, digest
from tidegate.local.sagemaker.service import all_rooms

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import compatibility  # noqa: E402

RENEW = "run `python scripts/compatibility.py`"


def test_the_page_is_what_the_script_makes() -> None:
    made = compatibility.page(json.loads(OUTCOMES.read_text()))
    assert compatibility.PAGE.read_text() == made, f"docs/compatibility.md is out of date: {RENEW}"


def test_every_script_was_run_as_it_is_now_and_passed() -> None:
    outcomes = json.loads(OUTCOMES.read_text())
    kept = [
        path for path in SCRIPTS.rglob("*") if path.suffix in (".py", ".sh") and path.parent.name != "waits"
    ]
    scripts = {str(path.relative_to(SCRIPTS)): digest(path) for path in kept}
    assert {script: outcome["digest"] for script, outcome in outcomes.items()} == scripts, (
        f"scripts of clients changed since they were last run: run `pytest -m clients`, then {RENEW}"
    )
    assert all(outcome["passed"] for outcome in outcomes.values())


def test_what_is_missing_is_said_of_operations_that_are_served() -> None:
    assert set(compatibility.PARTIAL) <= {*all_rooms().operations, *compatibility.RUNTIME}
