"""An execution as a tree of states: how far each is, how long it took, what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

RUNNING, SUCCEEDED, FAILED, CAUGHT, STOPPED = "running", "succeeded", "failed", "caught", "stopped"


@dataclass
class Branch:
    """One iteration of a Map, or one branch of a Parallel (which has no label)."""

    label: str
    index: int
    started: datetime
    status: str = RUNNING
    ended: datetime | None = None
    steps: list[Step] = field(default_factory=list)


@dataclass
class Step:
    """One visit of a state; keys are the ids of the events that began it, ended it and tried it again."""

    key: int
    name: str
    kind: str
    started: datetime
    status: str = RUNNING
    ended: datetime | None = None
    end_key: int = 0
    retry_keys: list[int] = field(default_factory=list)
    retry_errors: list[str] = field(default_factory=list)
    error: str = ""
    cause: str = ""
    branches: list[Branch] = field(default_factory=list)

    @property
    def retries(self) -> int:
        """How often it was tried again."""
        return len(self.retry_keys)

    def end(self, status: str, event: Mapping[str, Any]) -> None:
        """Mark it as over with this event."""
        self.status, self.ended, self.end_key = status, event["timestamp"], int(event["id"])

    def try_again(self, event: Mapping[str, Any]) -> None:
        """Mark it as begun once more with this event."""
        self.status, self.branches = RUNNING, []
        self.retry_keys.append(int(event["id"]))
        self.retry_errors.append(self.error)

    def seconds(self, now: datetime) -> float:
        """Tell how long it took, or has taken until now."""
        return max(0.0, ((self.ended or now) - self.started).total_seconds())


@dataclass
class View:
    """A whole execution."""

    steps: list[Step] = field(default_factory=list)
    status: str = RUNNING
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""
    cause: str = ""

    def walk(self) -> Iterator[tuple[tuple[str, ...], Step]]:
        """Give every step with the labels of the branches it is in, in the order of their start."""
        yield from sorted(walk_steps(self.steps, ()), key=lambda pair: pair[1].key)


def walk_steps(steps: list[Step], labels: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Step]]:
    """Give these steps, and those of their branches, with the labels of the branches they are in."""
    for step in steps:
        yield labels, step
        for branch in step.branches:
            yield from walk_steps(branch.steps, (*labels, branch.label) if branch.label else labels)
