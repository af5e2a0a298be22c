"""What one check of one algorithm works on: its manifest, written once when the window is opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tidegate.core import names
from tidegate.core.bookmark import Found, Proposal
from tidegate.core.monitor import Monitor

MOST_FILES = 20_000  # a check takes so much; what is left waits for the next
MOST_BYTES = 1 << 30
PART_FILES = 500  # what one task of a large window's job reads
PART_BYTES = 64 << 20
TRUTH_DAYS = 30  # how long a label waits for its prediction, and a prediction for its label


@dataclass(frozen=True)
class Manifest:
    """A window that was opened.

    Attributes
    ----------
    objects : list of dict
        The captured and scored objects (`core.bookmark.Taken`), oldest first.
    labels : list of dict
        The ground truth that came.
    state : str or None
        Where the state that the window before left lies.
    champion : str
        The model that served, against whose baseline the window is compared.
    baseline : str
        The folder of the champion's run and algorithm.
    columns : dict of str to str
        The inputs of the champion, in order, each with its type.
    target, identity : str
        Of the model's declaration; the identity may be empty.
    endpoint : str
        The endpoint's name, for metrics.
    least_rows : int
        Fewer give no verdict.
    left : int
        How many new objects wait for the next check.
    seen : dict
        What to remember once the window is kept.
    newest : str or None
        The newest change of any object taken so far.
    waiting : str or None
        Where the labels lie that have found no prediction yet.
    home : str
        The folder in which this run keeps what it makes of the window.
    every : str
        How often the model is checked, which says how rarely a check may alarm falsely.
    metrics : str
        Which metrics the check publishes: the verdict's, or each column's too.
    season : str
        Whether its rows are compared with their like, see `core.monitor.SEASONS`.
    opened : str
        When the window was opened, an ISO time.
    missing : dict of str to list of str
        For some of the columns, the words that stand for a missing value.
    replaced : bool
        Whether another champion serves by now.
    """

    model: str
    algorithm: str
    run: str
    window: int
    objects: list[dict[str, Any]]
    labels: list[dict[str, Any]]
    state: str | None
    champion: str
    baseline: str
    columns: dict[str, str]
    target: str
    identity: str
    endpoint: str
    least_rows: int
    left: int
    seen: dict[str, Any]
    newest: str | None
    waiting: str | None
    home: str
    every: str = Monitor.every
    metrics: str = Monitor.metrics
    season: str = Monitor.season
    opened: str = ""
    missing: dict[str, list[str]] = field(default_factory=dict)
    replaced: bool = False

    @property
    def place(self) -> str:
        """Where the manifest itself is kept."""
        return f"{self.home}/manifest.json"

    @property
    def bytes(self) -> int:
        """How much there is to read."""
        return sum(int(each["size"]) for each in self.objects)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Manifest:
        """Read the JSON form."""
        return cls(**document)

    def plan(self) -> dict[str, Any]:
        """Give what the machine carries of it."""
        return {
            "model": self.model,
            "algorithm": self.algorithm,
            "bookmark": names.bookmark_id(self.model, self.algorithm),
            "window": self.window,
            "manifest": self.place,
            "objects": len(self.objects),
            "bytes": self.bytes,
            "labels": len(self.labels),
            "labels_waiting": self.waiting is not None,
            "left": self.left,
        }


def parts_of(objects: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Cut a window's objects into parts that one task can read each, in their order.

    >>> [len(part) for part in parts_of([{"size": 60 << 20}, {"size": 9 << 20}, {"size": 1}])]
    [1, 2]
    """
    parts: list[list[Mapping[str, Any]]] = []
    room = 0
    for each in objects:
        size = int(each["size"])
        if not parts or size > room or len(parts[-1]) == PART_FILES:
            parts.append([])
            room = PART_BYTES
        parts[-1].append(each)
        room -= size
    return parts


def served_by(
    listed: Iterable[Found], before: str | None, now: str, changed: str | None
) -> tuple[str, list[Found]]:
    """Say which champion a window is about, and which of the listed objects may belong to it.

    A window never mixes what two champions served: what was written before the change is checked first,
    against the one that served then.

    Parameters
    ----------
    listed : iterable of Found
        New objects.
    before, now : str
        The champion of the window before, and the present one.
    changed : str or None
        When the present one took over.
    """
    found = list(listed)
    if before is None or before == now or changed is None:
        return now, found
    earlier = [each for each in found if each.modified < changed]
    return (before, earlier) if earlier else (now, found)


def newest_of(proposal: Proposal, listed: Iterable[Found], before: str | None) -> str | None:
    """Tell the newest change among the objects that were ever taken."""
    taken = {each.key for each in proposal.taken}
    times = [each.modified for each in listed if each.key in taken and each.source != "truth"]
    return max([*times, *([before] if before else [])], default=None)
