"""The line in which a model's training runs stand, and which content of a file may serve.

`statemachines/train.asl.yaml` decides so in JSONata; a test holds the two to each other.

EventBridge keeps no order. Of one object's events S3 says the order itself, by a `sequencer`: a hexadecimal
text in the events that create or delete; the shorter of two is padded with zeros on the right, then they
compare as texts, and between different objects they mean nothing (Amazon S3 User Guide, "Event message
structure"). So contents of one file count in the order in which they were written, and different files in the
order of the times at which they were dropped, as far as their runs are in line together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tidegate.core.names import FILE_ID_LENGTH

SEQUENCER_LENGTH = 64
QUEUE, SUPERSEDE = "queue", "supersede"


def padded(sequencer: str | None) -> str:
    """Write a sequencer so that it compares as a text; empty for an event that has none.

    >>> padded("0055aed6dcd9") < padded("0055AED6DCD90281E5")
    True
    """
    return sequencer.upper().ljust(SEQUENCER_LENGTH, "0") if sequencer else ""


def file_id(bucket: str, key: str, sequencer: str | None, version: str) -> str:
    """Name the file whose contents a sequencer orders; an event without one is of a file of its own."""
    place = f"{bucket}/{key}" if sequencer else f"{bucket}/{key}/{version}"
    return hashlib.sha256(place.encode()).hexdigest()[:FILE_ID_LENGTH]


@dataclass(frozen=True, order=True)
class Ticket:
    """A run's place in the line.

    Attributes
    ----------
    dropped, joined : str
        When its file was dropped, and when its execution started, ISO 8601 in UTC.
    file : str
        Which file it is of; see `file_id`.
    sequencer : str
        Which of the file's contents it is of; see `padded`.
    """

    dropped: str
    joined: str
    file: str
    sequencer: str

    def __str__(self) -> str:
        return f"ticket {self.dropped} {self.joined} {self.file} {self.sequencer}"


def ordered(tickets: Iterable[Ticket]) -> list[Ticket]:
    """Put a line in its order.

    By the time of the drop, then of joining; but contents of one file share the places that their times give
    them out among themselves by the order in which they were written. So whoever looks sees the same order,
    and it is one: comparing two by sequencer and two others by time would lead round in circles.
    """
    line = sorted(tickets)
    numbered = {
        file: iter(sorted((each for each in line if each.file == file), key=lambda each: each.sequencer))
        for file in {each.file for each in line}
    }
    return [next(numbered[each.file]) for each in line]


def may_train(
    mine: Ticket, line: Collection[Ticket], holder: Ticket | None, served: str, when_busy: str
) -> str:
    """Decide what a run does that looks along the line.

    Parameters
    ----------
    mine : Ticket
        Its own ticket, which is in the line.
    line : collection of Ticket
        All that stand in it, the holder of the turn too.
    holder : Ticket or None
        Whose turn it is.
    served : str
        The newest content of its file that began to serve, as a padded sequencer; empty for none.
    when_busy : str
        The model's rule, ``queue`` or ``supersede``.

    Returns
    -------
    str
        ``give way``, ``wait``, ``call off`` (the holder, in favour of this one) or ``train``.
    """
    order = ordered(line)
    at = order.index(mine)
    if holder != mine:
        if when_busy == SUPERSEDE and at < len(order) - 1:
            return "give way"
        if holder is not None or at > 0:
            return "call off" if when_busy == SUPERSEDE and holder is not None else "wait"
    # It is its turn; but newer content of this very file may serve, where this one's event came late.
    return "give way" if served > mine.sequencer else "train"
