"""How many events waiting puts into an execution's history, of which AWS allows 25,000: it ends runs beyond.

The train machine's own states are walked here, its Choices decided and its pauses computed by its expressions.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonata
import pytest

from tests.conformance.asl import read_machine, states

pytestmark = pytest.mark.conformance

MACHINE = read_machine(Path(__file__).parents[2] / "statemachines" / "train.asl.yaml")
STATES = {state.path[-1]: state.body for state in states(MACHINE)}
MOST_EVENTS = 25_000
# Entered, scheduled, started, succeeded and exited; and what does nothing is entered and exited.
EVENTS = {"Task": 5, "Choice": 2, "Wait": 2, "Pass": 2, "Succeed": 2}


class Walk:
    """Goes from state to state as the machine does, with variables that stand for what its calls answer."""

    def __init__(self, start: str, **variables: Any) -> None:
        self.state, self.variables = start, variables
        self.events, self.seconds = 0, 0.0

    def value(self, text: str) -> Any:
        engine = jsonata.Jsonata(text.strip().removeprefix("{%").removesuffix("%}"))
        for name, value in self.variables.items():
            engine.assign(name, value)
        return engine.evaluate(None)

    def step(self) -> str:
        """Pass one state; return its name."""
        name, body = self.state, STATES[self.state]
        self.events += EVENTS[body["Type"]]
        if body["Type"] == "Wait":
            self.seconds += self.value(body["Seconds"])
        if body["Type"] == "Choice":
            taken = next((rule for rule in body["Choices"] if self.value(rule["Condition"])), None)
            self.state = taken["Next"] if taken else body["Default"]
            return name
        for variable in ("turns", "looks", "called_off"):
            if variable in body.get("Assign", {}):
                self.variables[variable] = self.value(body["Assign"][variable])
        self.state = body.get("Next", "")
        return name


def waiting_in_line(when_busy: str) -> Walk:
    line = {
        "joined": True, "mine": False, "free": False, "before": 1, "newer": 0, "serves": False,
        "holder": "ticket 1", "ahead": "ticket 1", "ahead_execution": "arn:1", "seen": "ticket 1",
    }  # fmt: skip
    return Walk(
        "Look along the line",
        line=line,
        turns=0,
        called_off="nobody",
        prepared={"when_busy": when_busy},
        ahead_status="RUNNING",
        model="cars",
    )


def turns_of(walk: Walk, until: str) -> Iterator[Walk]:
    """Go on until a state is reached, stopping after each pause."""
    while walk.state != until:
        if walk.step().startswith("Wait"):
            yield walk


@pytest.mark.slow
@pytest.mark.parametrize("when_busy", ["queue", "supersede"])
def test_an_hour_of_waiting_in_line_is_some_hundred_events_and_days_of_it_leave_room_for_the_run(when_busy):
    walk, by_hour = waiting_in_line(when_busy), dict[int, int]()
    for paused in turns_of(walk, "Gather the failure"):
        by_hour[int(paused.seconds // 3600)] = paused.events
    assert by_hour[0] <= 1000
    later = [events for hour, events in sorted(by_hour.items()) if hour >= 2]
    assert max(after - before for before, after in itertools.pairwise(later)) <= 100
    assert walk.seconds > 4 * 24 * 3600  # as its end says: days
    # Both algorithms look at their endpoints for an hour, and do what else they do, twice of everything.
    rest = 2 * (events_of_the_endpoints() + 2 * sum(EVENTS.get(body["Type"], 20) for body in STATES.values()))
    assert walk.events + rest < MOST_EVENTS


@pytest.mark.slow
def test_the_older_run_is_called_off_once():
    walk, called = waiting_in_line("supersede"), 0
    for _ in range(200):
        called += walk.step() == "Call the older run off"
    assert called == 1
    walk.variables["line"]["holder"] = "ticket 2"
    for _ in range(200):
        called += walk.step() == "Call the older run off"
    assert called == 2


@pytest.mark.slow
def test_a_turn_comes_soon_after_the_one_before_has_ended():
    walk = waiting_in_line("queue")
    before = 0.0
    for paused in turns_of(walk, "Gather the failure"):
        pause = paused.seconds - before
        assert pause <= max(15, 0.2 * before)  # a share of what was waited anyway
        assert pause <= 600
        before = paused.seconds


def events_of_the_endpoints() -> int:
    plan = {"endpoint": "tg-cars-xgboost", "algorithm": "xgboost"}
    walk = Walk(
        "Look at the endpoint", looks=0, endpoint_status="Updating", endpoint_config="old", config="new",
        plan=plan, evaluation={}, gate={},
    )  # fmt: skip
    for _ in turns_of(walk, "Roll back the endpoint"):
        pass
    assert 3000 < walk.seconds < 4000
    return walk.events
