"""The line of a model's runs: contents of one file count in the order in which they were written."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.test_core_names import MACHINE, evaluate_as_step_functions

from tidegate.core import names
from tidegate.core.attempts import event_again
from tidegate.core.closing import drop_of
from tidegate.core.line import QUEUE, SUPERSEDE, Ticket, file_id, may_train, ordered, padded
from tidegate.core.outcome import finish_training

RULES = (QUEUE, SUPERSEDE)
TIMES = [f"2026-03-01T09:30:{second:02d}Z" for second in range(4)]
sequencers = st.text("0123456789ABCDEF", min_size=1, max_size=20)
tickets = st.builds(
    Ticket,
    dropped=st.sampled_from(TIMES),
    joined=st.integers(0, 999).map(lambda ms: f"2026-03-01T09:31:00.{ms:03d}Z"),
    file=st.sampled_from(["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"]),
    sequencer=sequencers.map(padded),
)
lines = st.lists(tickets, min_size=1, max_size=8, unique_by=(lambda t: (t.file, t.sequencer), str))


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6"),
        ("0055AED6DCD9", "0055AED6DCD90281E5"),  # as 0055AED6DCD9000000
        ("0055AED6DCD90281E5", "0055AED6DD"),
        ("0055aed6dcd90281e5", "0055AED6DCD90281E6"),
    ],
)
def test_the_shorter_of_two_sequencers_is_padded_on_the_right(older: str, newer: str) -> None:
    assert padded(older) < padded(newer)


@given(lines)
def test_a_line_has_one_order_in_which_a_file_s_contents_stand_as_they_were_written(
    line: list[Ticket],
) -> None:
    order = ordered(line)
    assert sorted(order) == sorted(line)
    for file in {each.file for each in line}:
        contents = [each.sequencer for each in order if each.file == file]
        assert contents == sorted(contents)
    if len({each.file for each in line}) == len(line):
        assert order == sorted(line)  # different files: by the time of the drop
    shuffled = random.Random(1).sample(line, len(line))
    assert ordered(shuffled) == order


def machine_sees(line: list[Ticket], mine: Ticket, holder: Ticket | None) -> dict[str, Any]:
    """Evaluate the machine's own expression for what a run sees of the line."""
    item = {str(each): {"S": f"arn:{each}"} for each in line}
    item["run"] = {"S": "queue/cars"}
    if holder:
        item["holder"] = {"S": str(holder)}
    expression = MACHINE["States"]["Look along the line"]["Assign"]["line"]
    found = evaluate_as_step_functions(expression, {}, {"ticket": str(mine)}, {"Item": item})
    return dict(found)  # type: ignore[call-overload]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(lines, st.data())
def test_the_machine_and_the_code_see_the_same_line(line: list[Ticket], data: st.DataObject) -> None:
    mine = data.draw(st.sampled_from(line))
    holder = data.draw(st.none() | st.sampled_from(line))
    seen = machine_sees(line, mine, holder)
    order = ordered(line)
    at = order.index(mine)
    ahead = order[at - 1] if at else holder
    assert seen["joined"] is True
    assert (seen["before"], seen["newer"]) == (at, len(order) - at - 1)
    assert seen["free"] is (holder is None and at == 0)
    assert seen["mine"] is (holder == mine)
    assert seen["ahead"] == (str(ahead) if ahead else None)
    assert seen["ahead_execution"] == (f"arn:{ahead}" if ahead else None)
    assert seen["holder_execution"] == (f"arn:{holder}" if holder else None)


def test_a_ticket_of_an_earlier_release_stands_where_it_stood() -> None:
    mine = Ticket(TIMES[1], TIMES[1], "aaaaaaaaaaaa", padded("1"))
    old = "ticket 2026-03-01T09:30:00Z 2026-03-01T09:30:00.000Z"
    item = {str(mine): {"S": "arn:mine"}, old: {"S": "arn:old"}}
    expression = MACHINE["States"]["Look along the line"]["Assign"]["line"]
    seen: Any = evaluate_as_step_functions(expression, {}, {"ticket": str(mine)}, {"Item": item})
    assert (seen["before"], seen["newer"], seen["ahead_execution"]) == (1, 0, "arn:old")


@pytest.mark.parametrize("sequencer", ["0055AED6DCD90281E5", "0055aed6", None])
def test_the_machine_and_the_code_write_the_same_ticket(sequencer: str | None) -> None:
    stored = {"key": "cars/train/ü b.csv", "etag": "e1", "version-id": "v1"}
    event = {"time": TIMES[0], "detail": {"bucket": {"name": "data"}, "object": stored}}
    if sequencer:
        stored["sequencer"] = sequencer
    named = MACHINE["States"]["Name the run"]["Assign"]
    assigned = {
        name: evaluate_as_step_functions(named[name], event) for name in ("sequencer", "file", "placed")
    }
    assert assigned["sequencer"] == padded(sequencer)
    assert assigned["file"] == file_id("data", stored["key"], sequencer, "v1")
    written = MACHINE["States"]["Write the ticket"]["Assign"]["ticket"]
    ticket: Any = evaluate_as_step_functions(written, {}, assigned)
    assert ticket == str(Ticket(*assigned["placed"].split(" "), assigned["file"], assigned["sequencer"]))
    drop = drop_of(json.dumps(event))
    assert drop is not None
    assert drop.sequencer == padded(sequencer)


def test_a_retried_run_keeps_its_content_s_place_in_the_order() -> None:
    record = {
        "key": "cars/train/a.csv",
        "model": "cars",
        "bucket": "data",
        "version": "v1",
        "sequencer": padded("0055AE"),
    }
    again = event_again(record, {"attempt": 1})
    assert padded(again["detail"]["object"]["sequencer"]) == record["sequencer"]
    drop = drop_of(
        json.dumps(
            {**again, "detail": {**again["detail"], "object": {**again["detail"]["object"], "etag": "e"}}}
        )
    )
    assert drop is not None
    assert drop.facts["sequencer"] == record["sequencer"]


class World:
    """A model whose runs look along its line, one look at a time, in whatever order."""

    def __init__(self, when_busy: str) -> None:
        self.when_busy = when_busy
        self.line: list[Ticket] = []
        self.holder: Ticket | None = None
        self.training: Ticket | None = None
        self.newest: dict[str, str] = {}
        self.served: list[Ticket] = []
        self.ended: list[Ticket] = []

    def look(self, mine: Ticket) -> None:
        """Have a run look along the line and do what it shall; the holder trains, serves and leaves."""
        if mine == self.training:
            if self.newest.get(mine.file, "") <= mine.sequencer:
                self.newest[mine.file] = mine.sequencer
                self.served.append(mine)
            return self.leave(mine)
        does = may_train(mine, self.line, self.holder, self.newest.get(mine.file, ""), self.when_busy)
        if does == "give way":
            return self.leave(mine)
        if does == "train":
            self.holder = self.training = mine
        if does == "call off" and self.holder is not None:
            self.leave(self.holder)
        return None

    def leave(self, ticket: Ticket) -> None:
        """Take a run out of the line; nobody's turn is that of one that has left."""
        self.line.remove(ticket)
        self.ended.append(ticket)
        if self.holder == ticket:
            self.holder = self.training = None


@pytest.mark.slow
@settings(max_examples=400)
@given(lines, st.sampled_from(RULES), st.randoms(use_true_random=False))
def test_whatever_the_order_of_events_and_looks_the_newest_content_of_a_file_is_what_serves(
    line: list[Ticket], when_busy: str, dice: random.Random
) -> None:
    world = World(when_busy)
    to_come = list(line)
    dice.shuffle(to_come)
    looks = 0
    while to_come or world.line:
        looks += 1
        assert looks < 500, "the line stands still"
        if to_come and (not world.line or dice.random() < 0.4):
            world.line.append(to_come.pop())
        else:
            world.look(dice.choice(world.line))
    assert sorted(world.ended) == sorted(line)  # nobody waits for ever
    assert world.served
    for file in {each.file for each in line}:
        served = [each.sequencer for each in world.served if each.file == file]
        assert served == sorted(served)  # never an older one over a newer
        newest = max(each.sequencer for each in line if each.file == file)
        if when_busy == QUEUE or len({each.file for each in line}) == 1:
            assert served[-1] == newest


def test_a_run_overtaken_by_newer_content_says_so_and_what_to_do() -> None:
    raw = {"run": "a" * 12, "model": "cars", "key": "cars/train/a.csv", "superseded": True}
    plain = finish_training(raw)
    overtaken = finish_training({**raw, "overtaken_by": "b" * 12})
    assert plain["status"] == overtaken["status"] == "SUPERSEDED"
    assert "newer content of cars/train/a.csv" in overtaken["reason"]
    assert f"run {'b' * 12}" in overtaken["reason"]
    assert "overtaken" not in plain["reason"]


def test_items_that_are_no_runs_have_names_that_no_run_has() -> None:
    assert "/" in names.served_id("cars", "a" * 12)
    item = MACHINE["States"]["Look for newer content"]["Arguments"]["Key"]["run"]["S"]
    variables = {"model": "cars", "file": "a" * 12}
    assert evaluate_as_step_functions(item, {}, variables) == names.served_id("cars", "a" * 12)
