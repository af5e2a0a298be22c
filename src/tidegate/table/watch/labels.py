"""Labels as people dropped them: each with the name they called its prediction by, and when it came."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Label(NamedTuple):
    """What somebody says was true.

    Attributes
    ----------
    came : str
        When its file was dropped, and after a blank which file that was (`names.truth_came`).
    row : int
        Where in the file. Of two labels about one prediction that of the greater file and row holds, in
        whatever order they are read.
    """

    came: str
    row: int
    target: float


@dataclass
class Labels:
    """Labels by the name that people gave them; most names have one, ids that recur have several.

    Attributes
    ----------
    new : set of str
        The files that came with this check; all other labels have been looked for before.
    repeated : Counter
        How often a file says something again of a name.
    """

    values: dict[str, list[Label]] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    repeated: Counter[str] = field(default_factory=Counter)

    def add(self, path: Path, came: str | None = None) -> int:
        """Read a file of ``id,target`` that `came` now, or what `write` wrote; gives how many it holds."""
        count = 0
        if came:
            self.new.add(came)
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                count += 1
                place = count if came else int(row.get("row") or 0)
                label = Label(came or row["since"], place, float(row["target"]))
                said = self.values.setdefault(row["id"], [])
                if said and said[-1].came == label.came:  # a later row of one file corrects an earlier one
                    said.pop()
                    self.repeated[label.came] += 1
                said.append(label)
        return count

    def __iter__(self) -> Iterator[tuple[str, Label]]:
        """Give each name with each of its labels."""
        for name, said in self.values.items():
            for label in said:
                yield name, label

    def __len__(self) -> int:
        """How many labels there are."""
        return sum(map(len, self.values.values()))

    def leave(self, left: list[tuple[str, Label]]) -> None:
        """Keep these alone."""
        self.values = {}
        for name, label in left:
            self.values.setdefault(name, []).append(label)

    def expire(self, before: str) -> int:
        """Give up labels that came before a day; gives how many."""
        had = len(self)
        self.leave([(name, label) for name, label in self if label.came >= before])
        return had - len(self)

    def write(self, path: Path) -> None:
        """Write what is left, for a later check."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["id", "target", "since", "row"])
            writer.writerows((name, repr(label.target), label.came, label.row) for name, label in self)
