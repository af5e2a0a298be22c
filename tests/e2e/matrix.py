"""The fault matrix: every Task state of the shipped machines times everything that can go wrong in it.

What passes by itself is put into one run at all its states at once, a round for each kind of trouble. What lasts
gets a run, or an attempt at one, of its own; the attempts at one state follow each other in one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.conformance.asl import read_machine, states
from tests.conformance.troubles import Trouble, troubles_of

MACHINES = Path(__file__).parents[2] / "statemachines"
FOREVER = 10_000
PACE = 0.005  # the pauses before retries, which are minutes, are made this much shorter

# Where a run comes to these states: all others it comes to in any case.
ELSEWHERE = {
    "Score with the champion": "again",
    "Fix the number of instances": "again",
    "Tune the hyperparameters": "tuned",
    "Save the model without its recipe": "serverless",
    "Let it scale": "scaled",
    "Say when it scales": "scaled",
    "Look at the run ahead": "behind",
    "Take it out of the line": "behind",
    "Call the older run off": "superseding",
    "Stop the older run": "superseding",
    "Roll back the endpoint": "undone",
    "Tell people plainly": "untold",
    "Profile the large window": "large",
    "Recall the wish": "truth",
}
# A run that is brought to these states has failed already, whatever becomes of them.
FAILED_BEFORE = ("undone", "untold")
# Lasting trouble in these states does not fail a run.
HARMLESS = (
    "Stop the older run",
    "Let it scale",
    "Say when it scales",
    "Fix the number of instances",
    "Leave the line",
    "Recall the wish",
    "Cross off what was told",
)
BROKEN = {"error": "Broken", "cause": "out of order", "times": FOREVER, "pace": PACE}
NOT_IN_SERVICE = {"EndpointStatus": "Failed", "EndpointConfigName": "c", "FailureReason": "it never pinged"}
PRELUDES: dict[str, list[dict[str, Any]]] = {
    "undone": [{"state": "Look at the endpoint", "answer": NOT_IN_SERVICE, "times": FOREVER}],
    "untold": [{"state": state, **BROKEN} for state in ("Tell people", "Send the message")],
}


@dataclass
class Cell:
    """One state times one trouble, and how a run ended that met it."""

    machine: str
    path: tuple[str, ...]
    trouble: Trouble
    ended: str = ""
    wrong: str = "it was not come to"
    seconds: float = field(default=0.0, compare=False)

    @property
    def state(self) -> str:
        return self.path[-1]

    @property
    def where(self) -> str:
        """The setting in which a run comes to the state."""
        # Only the train machine has two states that score with the champion.
        plain = self.machine == "score" and self.state == "Score with the champion"
        return "plain" if plain else ELSEWHERE.get(self.state, "plain")

    @property
    def expected(self) -> str:
        """How the run has to end."""
        if self.where in FAILED_BEFORE:
            return "FAILED"
        return "SUCCEEDED" if self.trouble.passes or self.state in HARMLESS else "FAILED"

    def fault(self, model: str, number: int) -> dict[str, Any]:
        """Give the fault for the local cloud; the number keeps it apart from all others."""
        times = 1 if self.trouble.passes else FOREVER
        return {
            "state": self.state,
            "model": model,
            **self.trouble.fault,
            "times": times,
            "pace": PACE,
            "number": number,
        }

    def __str__(self) -> str:
        how = "once" if self.trouble.passes else "lasting"
        return f"{self.machine}: {self.state}: {self.trouble.kind}, {how} ({self.trouble.error})"


@dataclass
class Row:
    """Cells that one runner goes through, one run after the other: each run meets the cells of one group."""

    machine: str
    where: str
    groups: list[list[Cell]]
    number: int

    @property
    def model(self) -> str:
        return f"fault-{self.machine}-{self.number}"


# What was gone through, for the table at the end.
DONE: list[Cell] = []


def cells() -> list[Cell]:
    """Make the matrix from the machines' definitions."""
    return [
        Cell(path.name.split(".")[0], state.path, trouble)
        for path in sorted(MACHINES.glob("*.asl.yaml"))
        for state in states(read_machine(path))
        if state.body["Type"] == "Task"
        for trouble in troubles_of(state.path[-1], state.body)
    ]


def rows(wanted: list[Cell]) -> list[Row]:
    """Deal cells out to runners: what passes by rounds of each setting, what lasts by state."""
    numbers = count(1)
    found = []
    for machine in sorted({cell.machine for cell in wanted}):
        own = [cell for cell in wanted if cell.machine == machine]
        for where in sorted({cell.where for cell in own}):
            passing = [cell for cell in own if cell.where == where and cell.trouble.passes]
            if passing:
                found.append(Row(machine, where, list(_rounds(passing)), next(numbers)))
        for state in dict.fromkeys(cell.state for cell in own):
            lasting = [[cell] for cell in own if cell.state == state and not cell.trouble.passes]
            if lasting:
                found.append(Row(machine, lasting[0][0].where, lasting, next(numbers)))
    # The longest first, so that none is left alone at the end.
    return sorted(found, key=lambda row: -len(row.groups))


def _rounds(passing: list[Cell]) -> Iterator[list[Cell]]:
    by_state: dict[str, list[Cell]] = {}
    for cell in passing:
        by_state.setdefault(cell.state, []).append(cell)
    for place in range(max(map(len, by_state.values()))):
        yield [own[place] for own in by_state.values() if place < len(own)]


def table(done: list[Cell]) -> list[str]:
    """Write the matrix as a Markdown table: kinds of trouble and how runs ended, as counts of cells."""
    kinds = sorted({cell.trouble.kind for cell in done})
    lines = ["| machine and state | " + " | ".join(kinds) + " |", "| --- |" + " --- |" * len(kinds)]
    for machine, state in dict.fromkeys((cell.machine, cell.state) for cell in done):
        own = [cell for cell in done if (cell.machine, cell.state) == (machine, state)]
        lines.append(f"| {machine}: {state} | " + " | ".join(_told(own, kind) for kind in kinds) + " |")
    return lines


def _told(own: list[Cell], kind: str) -> str:
    found = []
    for cell in own:
        if cell.trouble.kind == kind:
            how = "passes" if cell.trouble.passes else "lasts"
            found.append("WRONG" if cell.wrong else f"{how}: {cell.ended.lower()}")
    return ", ".join(dict.fromkeys(found))
