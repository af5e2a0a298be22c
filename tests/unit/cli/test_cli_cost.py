"""`tidegate cost`: the table of prices, and what people see of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tidegate.cli.cost import PARTS, PRICES, dollars

MODEL = str(Path(__file__).parents[3] / "models" / "used-car-price" / "model.yaml")


def test_every_price_has_a_source_with_an_address_a_unit_and_a_date() -> None:
    known = json.loads(PRICES.read_text())
    assert {"us-east-1", "eu-west-1"} <= set(known["regions"])
    for prices in known["regions"].values():
        for name, (price, source) in prices.items():
            assert price > 0
            assert known["sources"][source]["url"].startswith("https://")
            assert name.startswith("ml.") or name in known["units"]
    assert known["looked_up"] > "2026-01-01"


def test_people_see_each_part_the_month_and_what_is_assumed(tidegate: Any) -> None:
    shown = tidegate("cost", MODEL, "--requests", "5000").stdout
    for part in ("a training run", "a scoring run", "a check", "real time, a month", "idle, a month"):
        assert part in shown
    assert "730 checks and 5,000 requests" in shown
    assert "from memory of AWS's public price list" in shown
    assert "$83.95" in shown  # an ml.m5.large for 730 hours at 0.115


def test_json_has_every_line_with_the_source_of_its_price(tidegate: Any) -> None:
    document = json.loads(tidegate("cost", MODEL, "--json", "--region", "eu-west-1").stdout)
    assert document["region"] == "eu-west-1"
    lines = document["real_time_month"]["lines"]
    assert document["real_time_month"]["cost"] == pytest.approx(sum(line["cost"] for line in lines))
    for line in lines:
        assert document["prices"][line["priced_by"]]["source"] in document["sources"]


def test_a_price_of_one_s_own_counts_and_is_called_given(tidegate: Any) -> None:
    document = json.loads(tidegate("cost", MODEL, "--json", "--price", "ml.m5.large=1").stdout)
    assert document["prices"]["ml.m5.large"]["source"] == "given"
    assert document["idle_month"]["lines"][0]["cost"] == 730


def test_the_costs_in_the_documents_are_those_that_the_command_computes(tidegate: Any) -> None:
    document = json.loads(tidegate("cost", MODEL, "--json").stdout)
    page = (Path(__file__).parents[3] / "docs" / "aws.md").read_text()
    for name, words in PARTS.items():
        assert f"| {words} | {dollars(document[name]['cost'])} |" in page


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--region", "mars-north-1"], "There is no price table for mars-north-1"),
        (["--price", "ml.m5.large"], "'ml.m5.large' is no price"),
        (["--price", "ml.m5.large=-1"], "Write NAME=DOLLARS"),
    ],
)
def test_what_cannot_be_priced_is_told_with_what_to_do(tidegate: Any, options: list[str], words: str) -> None:
    done = tidegate("cost", MODEL, *options)
    assert done.exit_code in (1, 2)
    assert words in done.stderr


def test_an_instance_that_is_not_listed_is_asked_for(tidegate: Any, tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(Path(MODEL).read_text().replace("ml.m5.large", "ml.r7i.large"))
    done = tidegate("cost", str(file))
    assert "--price ml.r7i.large=DOLLARS (an hour of an instance" in done.stderr
