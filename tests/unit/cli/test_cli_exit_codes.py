"""What an exit code says is written in one place, and README says the same."""

from __future__ import annotations

import re
from pathlib import Path

from tidegate.cli import exit_codes
from tidegate.cli.records import ENDED

README = Path(__file__).parents[3] / "README.md"


def test_readme_has_the_table_of_exit_codes():
    rows = re.findall(r"^\| (\d) \| (.+) \|$", README.read_text("utf-8"), re.M)
    assert {int(code): meaning for code, meaning in rows} == exit_codes.MEANINGS


def test_every_way_a_run_ends_has_an_exit_code_and_only_those_that_went_well_have_none_of_their_own():
    assert ENDED - set(exit_codes.OF_STATUS) == {"SUCCEEDED"}
    codes = {*exit_codes.OF_STATUS.values(), *exit_codes.OF_VERDICT.values()}
    assert codes <= set(exit_codes.MEANINGS)
    assert exit_codes.OF_STATUS["REFUSED"] not in {exit_codes.FAILED, exit_codes.NOT_TAKEN}
