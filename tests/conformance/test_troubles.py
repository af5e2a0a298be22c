"""Every Task state of every shipped machine against every error it can meet, read off the definitions.

What passes by itself is tried again with growing, jittered pauses; what lasts is caught and leads to people being
told, in a sentence that names the state. `tests/e2e/test_fault_matrix.py` does the same to running machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.asl import read_machine
from tests.conformance.troubles import troubles_of

pytestmark = pytest.mark.conformance

MACHINES = Path(__file__).parents[2] / "statemachines"
# What AWS lets no wildcard catch; ours are free of them, as every expression is tested.
TELLS = ("${NotifyFunction}", "${NotificationTopicArn}")
# Tasks whose failure does not matter to how the run ends, each with the reason.
HARMLESS = {
    "Stop the older run": "the newer one waits until the older has ended, or given way",
    "Let it scale": "the model serves; the outcome says that it does not scale",
    "Say when it scales": "the model serves; the outcome says that it does not scale",
    "Fix the number of instances": "the model serves; the outcome says that it may scale as before",
    "Recall the wish": "a check is made all the same, which does no harm",
    "Cross off what was told": "the next check sends it again, and each message goes out once by its id",
    "Leave the line": "the next in line finds that this execution has ended",
}


@dataclass(frozen=True)
class Place:
    """A state, the states beside it, and the place of the Map or Parallel state around it."""

    name: str
    beside: dict[str, Any]
    around: Place | None

    @property
    def body(self) -> dict[str, Any]:
        return dict(self.beside[self.name])

    @property
    def path(self) -> tuple[str, ...]:
        return (*(self.around.path if self.around else ()), self.name)

    def at(self, name: str) -> Place:
        return Place(name, self.beside, self.around)


def places(states: dict[str, Any], around: Place | None = None) -> Iterator[Place]:
    """Give every state of a machine, wherever it is nested."""
    for name, body in states.items():
        here = Place(name, states, around)
        yield here
        for part in parts(body):
            yield from places(part["States"], here)


def parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the machines inside a Map or Parallel state."""
    return [body["ItemProcessor"]] if "ItemProcessor" in body else list(body.get("Branches", []))


def matches(names: list[str], error: str) -> bool:
    """Tell whether an ErrorEquals list covers an error, as AWS reads it."""
    if error in names or "States.ALL" in names:
        return True
    return "States.TaskFailed" in names and error != "States.Timeout"


def first(rules: list[dict[str, Any]], error: str) -> dict[str, Any] | None:
    """Give the first rule that covers an error."""
    return next((rule for rule in rules if matches(rule["ErrorEquals"], error)), None)


def caught(place: Place | None, error: str) -> tuple[Place, dict[str, Any]] | None:
    """Find what catches an error of a state: its own Catch, or that of a state around it."""
    while place is not None:
        if rule := first(place.body.get("Catch", []), error):
            return place, rule
        place = place.around
    return None


def ways_on(place: Place) -> Iterator[Place]:
    """Give the states that may come after a state, whatever happens in it."""
    body = place.body
    rules = [*body.get("Choices", []), *body.get("Catch", [])]
    for name in [body.get("Next"), body.get("Default"), *(rule["Next"] for rule in rules)]:
        if name:
            yield place.at(name)
    if body.get("End") and place.around:
        yield from ways_on(place.around)


def is_told(start: Place) -> bool:
    """Tell whether every way from a state to the end of the machine comes past a state that tells people."""
    seen, ahead = set(), [start]
    while ahead:
        place = ahead.pop()
        if place.path in seen or tells(place.body):
            continue
        seen.add(place.path)
        following = list(ways_on(place))
        if not following:
            return False
        ahead += following
    return True


def tells(body: dict[str, Any]) -> bool:
    """Tell whether a state tells people."""
    return any(word in str(body.get("Arguments")) for word in TELLS)


def told_before(machine: dict[str, Any], place: Place) -> bool:
    """Tell whether no way leads from the start to a state without people being told."""
    root = Place(machine["StartAt"], machine["States"], None)
    seen, ahead = set(), [root]
    while ahead:
        at = ahead.pop()
        if at.path in seen:
            continue
        seen.add(at.path)
        if at.path == place.path:
            return False
        if tells(at.body):
            continue
        ahead += ways_on(at)
        ahead += [Place(part["StartAt"], part["States"], at) for part in parts(at.body)]
    return True


def tasks() -> list[Any]:
    """Give every Task state with its machine."""
    found = []
    for path in sorted(MACHINES.glob("*.asl.yaml")):
        machine = read_machine(path)
        for place in places(machine["States"]):
            if place.body["Type"] == "Task":
                name = f"{path.name.split('.')[0]}: {place.name}"
                found.append(pytest.param(machine, place, id=name))
    return found


each_task = pytest.mark.parametrize(("machine", "place"), tasks())


@each_task
def test_what_passes_by_itself_is_tried_again_with_growing_and_jittered_pauses(machine, place):
    for trouble in troubles_of(place.name, place.body):
        rule = first(place.body["Retry"], trouble.error)
        if trouble.passes:
            assert rule, f"{place.name} does not retry {trouble.error}"
        if rule:
            assert rule["MaxAttempts"] >= 2, rule
            assert rule["BackoffRate"] > 1, rule
            assert rule["JitterStrategy"] == "FULL", rule
            assert rule["MaxDelaySeconds"] >= rule["IntervalSeconds"], rule


@each_task
def test_what_lasts_is_caught_and_people_are_told_of_the_state(machine, place):
    for trouble in troubles_of(place.name, place.body):
        found = caught(place, trouble.error)
        assert found, f"nothing catches {trouble.error} of {place.name}"
        catcher, rule = found
        if place.name in HARMLESS or tells(place.body):
            continue
        target = catcher.at(rule["Next"])
        if told_before(machine, place):
            # Whoever was told that it went well hears that it did not: a failed execution closes its run.
            assert "failed" in target.name or rule["Assign"]["outcome"], place.name
            continue
        assert is_told(target), f"{place.name}: {trouble.error} may end without a word"
        named = str({key: value for key, value in rule.items() if key in ("Assign", "Output")})
        assert any(name in named for name in place.path), f"{place.name}: what is told names no state"


@pytest.mark.slow
def test_what_is_said_to_be_harmless_is_there():
    assert set(HARMLESS) <= {param.values[1].name for param in tasks()}
