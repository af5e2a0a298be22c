"""What really happened: dropped ground truth read as pairs of id and target, or refused in words.

It is read as every other drop is: CSV, JSON Lines (both also gzipped) or Parquet, by the same grammar, with
the same ids. JSON Lines may also be SageMaker's ground truth records.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.errors import BadDrop
from tidegate.core.grammar import json_lines
from tidegate.core.sentences import Sentence, joined, listed, of_the_data, say, told
from tidegate.table.columns import Numbers
from tidegate.table.read.csv_trouble import read_header
from tidegate.table.read.look import Look, look
from tidegate.table.read.names import quoted
from tidegate.table.read.opening import open_bytes
from tidegate.table.read.parquet_file import open_parquet
from tidegate.table.score.csv_rows import csv_rows
from tidegate.table.score.json_rows import json_rows
from tidegate.table.score.parquet_rows import parquet_rows
from tidegate.table.score.prepare import HEAD_BYTES
from tidegate.table.score.rows import Rows, Wanted

ID_NAMES = ("prediction_id", "inference_id", "event_id", "id")
TARGET_NAMES = ("target", "label", "ground_truth")
MOST_TOLD = 8  # lines of a refused file that are told

Label = tuple[str, float]


def truth_columns(path: Path, name: str, *, identity: str | None, target: str) -> tuple[str, str]:
    """Say which columns of a drop that `read_truth` takes are read: the id's, and the target's.

    Of JSON Lines, whose lines may differ, those of the first one.
    """
    identities, targets = _names(identity, target)
    seen = look(path, name)
    if seen.parquet:
        with open_parquet(path, name) as parquet:
            heads: Sequence[str] = [each.strip() for each in parquet.schema_arrow.names]
    elif _is_json(path, seen):
        with open_bytes(path, seen.gzipped) as file:
            heads = list(json.loads(next(json_lines(file))[1]))
        if "groundTruthData" in heads:
            return "eventMetadata.eventId", "groundTruthData.data"
    else:
        heads = read_header(path, [*identities, *targets], name, seen).cells
    found = _wanted(heads, identities, targets, name, None)
    return str(found.id), next(iter(found.columns))


def read_truth(path: Path, name: str, *, identity: str | None, target: str) -> Iterator[Label]:
    """Read a drop of ground truth.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What people call it.
    identity, target : str
        The model's id column (None where it has none) and its target, which may head the columns; so may
        ``prediction_id`` (or ``inference_id``, ``event_id``, ``id``) and ``target`` (or ``label``).

    Raises
    ------
    BadDrop
        For a file that cannot be read, with every column that does not fit and the first lines at fault.
    """
    identities, targets = _names(identity, target)
    wrong = _Wrong(name)
    count = 0
    for rows in _read(path, name, identities, targets):
        wrong.add(rows)
        if not wrong.count:
            yield from _labels(rows)
        count += rows.count
    wrong.refuse()
    if not count:
        raise BadDrop(
            say("{file} has column names and no rows; add the rows and drop it again", file=told(name))
        )


def _names(identity: str | None, target: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the names that may head the ids and the targets, the model's own first."""
    identities = tuple(dict.fromkeys(each for each in (identity, *ID_NAMES) if each))
    return identities, tuple(dict.fromkeys((target, *TARGET_NAMES)))


def _read(path: Path, name: str, identities: Sequence[str], targets: Sequence[str]) -> Iterator[Rows]:
    seen = look(path, name)
    if seen.parquet:
        with open_parquet(path, name) as file:
            names = [each.strip() for each in file.schema_arrow.names]
        return parquet_rows(path, _wanted(names, identities, targets, name, None), name)
    if _is_json(path, seen):
        shape = _Shape(identities, targets)
        return json_rows(path, Wanted({targets[0]: "numeric"}, shape.id), name, seen.gzipped, shape.of)
    head = read_header(path, [*identities, *targets], name, seen)
    return csv_rows(path, _wanted(head.cells, identities, targets, name, head.line), name, seen)


def _is_json(path: Path, seen: Look) -> bool:
    with open_bytes(path, seen.gzipped) as file:
        return file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"["))


def _wanted(
    names: Sequence[str], identities: Sequence[str], targets: Sequence[str], name: str, line: int | None
) -> Wanted:
    found = [next((each for each in wanted if each in names), None) for wanted in (identities, targets)]
    if found[0] is not None and found[1] is not None:
        return Wanted({found[1]: "numeric"}, found[0])
    lacking = [
        say(
            "no {what} column: one must be {either}",
            what=told(what),
            either=joined(map(told, wanted), " or "),
        )
        for what, wanted, place in zip(("id", "target"), (identities, targets), found, strict=True)
        if place is None
    ]
    where = say("line {line} names", line=line) if line is not None else say("it has")
    raise BadDrop(
        say(
            "{file} has {lacking}; {where} {names}",
            file=told(name),
            lacking=joined(lacking, ", and "),
            where=where,
            names=quoted(map(of_the_data, names)),
        ),
        row=line,
    )


class _Shape:
    """Documents of JSON, whatever their names, made into one id and one target."""

    def __init__(self, identities: Sequence[str], targets: Sequence[str]) -> None:
        self._identities, self._targets = identities, targets
        self.id = "id" if targets[0] != "id" else "its id"

    def of(self, document: dict[str, Any]) -> dict[str, Any] | Sentence:
        if "groundTruthData" in document:
            truth, metadata = document["groundTruthData"], document.get("eventMetadata")
            data = truth.get("data") if isinstance(truth, dict) else None
            event = metadata.get("eventId") if isinstance(metadata, dict) else None
            if data is None or event is None:
                return say("it lacks groundTruthData.data or eventMetadata.eventId")
            return {self.id: event, self._targets[0]: data}
        found = {}
        for place, wanted in ((self.id, self._identities), (self._targets[0], self._targets)):
            name = next((each for each in wanted if each in document), None)
            if name is None:
                return say("it has none of {names}", names=listed(wanted))
            found[place] = document[name]
        return found


class _Wrong:
    """The rows of a file that do not fit: how many, and the first of them in words."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.count = 0
        self._first: list[tuple[int, str, Sentence]] = []

    def add(self, rows: Rows) -> None:
        for reject in rows.rejects:
            self._tell(reject.row, reject.column, reject.reason)
        [(target, column)] = rows.columns.items()
        assert isinstance(column, Numbers)
        assert rows.ids is not None
        nameless, empty = rows.ids.codes < 0, np.isnan(column.values)
        for place in np.flatnonzero(nameless | empty).tolist():
            line = int(rows.numbers[place])
            if nameless[place]:
                self._tell(line, "id", say("there is no id, and every label needs one"))
            if empty[place]:
                self._tell(line, target, say("there is no target; expected a number"))

    def _tell(self, line: int, column: str, reason: Sentence) -> None:
        self.count += 1
        if len(self._first) < MOST_TOLD:
            self._first.append((line, column, reason))

    def refuse(self) -> None:
        """Refuse the file if anything in it does not fit."""
        if not self.count:
            return
        said = [
            say(
                "line {line}{column}: {reason}",
                line=line,
                column=say(", column '{name}'", name=told(column)) if column else Sentence(),
                reason=reason,
            )
            for line, column, reason in self._first
        ]
        more = self.count - len(said)
        line, column, _ = self._first[0]
        raise BadDrop(
            say(
                "{file}, {said}{more}; correct the file and drop it again",
                file=told(self._name),
                said=joined(said, "; "),
                more=say("; and {more:,} more", more=more) if more else Sentence(),
            ),
            row=line,
            column=column or None,
        )


def _labels(rows: Rows) -> Iterator[Label]:
    [column] = rows.columns.values()
    assert isinstance(column, Numbers)
    assert rows.ids is not None
    for name, value in zip(rows.ids.texts(), column.values.tolist(), strict=True):
        assert name is not None
        yield name, value
