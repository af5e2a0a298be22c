"""What really happened: dropped ground truth read as pairs of id and target, or refused in words."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import joined, listed, of_the_data, say, told

ID_NAMES = ("prediction_id", "inference_id", "event_id", "id")
TARGET_NAMES = ("target", "label", "ground_truth")
SHOWN_NAMES = 12

Label = tuple[str, float]
Line = tuple[int, str]


@dataclass(frozen=True)
class _Wanted:
    """What is looked for in a file: the names that head ids and targets."""

    filename: str
    identities: tuple[str, ...]
    targets: tuple[str, ...]


def read_labels(lines: Iterable[str], filename: str, *, identity: str | None, target: str) -> Iterator[Label]:
    """Read a drop of ground truth, CSV with a header or JSON Lines, told by its first character.

    Parameters
    ----------
    lines : iterable of str
        The file's lines.
    filename : str
        What people call the file.
    identity, target : str
        The model's id column (None where it has none) and its target, which may head the columns; so may
        ``prediction_id`` (or ``inference_id``, ``event_id``, ``id``) and ``target`` (or ``label``).
        JSON Lines are SageMaker's ground truth records, or objects with those names.

    Raises
    ------
    BadDrop
        For the first thing that cannot be read, with its line.

    Examples
    --------
    >>> list(read_labels(["listing,price", "c-1,9500"], "may.csv", identity="listing", target="price"))
    [('c-1', 9500.0)]
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        raise BadDrop(
            say(
                "{file} is empty; put an id and the true {target} of each row in it",
                file=told(filename),
                target=told(target),
            )
        )
    identities = tuple(name for name in (identity, *ID_NAMES) if name)
    wanted = _Wanted(filename, identities, (target, *TARGET_NAMES))
    read = _from_json if first[1].lstrip("\ufeff \t").startswith("{") else _from_csv
    yield from read(first, numbered, wanted)


def _from_csv(first: Line, rest: Iterator[Line], wanted: _Wanted) -> Iterator[Label]:
    filename = wanted.filename
    at, line = first
    header = [cell.strip() for cell in next(csv.reader([line.lstrip("\ufeff")]))]
    id_place = _place(header, wanted.identities, filename, at, "id")
    target_place = _place(header, wanted.targets, filename, at, "target")
    count = 0
    for number, text in rest:
        cells = next(csv.reader([text]))
        if len(cells) != len(header):
            raise BadDrop(
                say(
                    "{file} has {found} cells in line {number} and {wanted} columns; mend the line and "
                    "drop the file again",
                    file=told(filename),
                    found=len(cells),
                    number=number,
                    wanted=len(header),
                ),
                row=number,
            )
        count += 1
        yield _label(cells[id_place], cells[target_place], filename, number)
    if not count:
        raise BadDrop(
            say(
                "{file} has column names and no rows; add the rows and drop it again",
                file=told(filename),
            )
        )


def _place(header: list[str], wanted: tuple[str, ...], filename: str, line: int, what: str) -> int:
    for name in wanted:
        if name in header:
            return header.index(name)
    raise BadDrop(
        say(
            "{file} has no {what} column: line {line} names {names}; one of them must be {either}",
            file=told(filename),
            what=told(what),
            line=line,
            names=joined(map(of_the_data, header[:SHOWN_NAMES])),
            either=joined(map(told, wanted), " or "),
        ),
        row=line,
    )


def _from_json(first: Line, rest: Iterator[Line], wanted: _Wanted) -> Iterator[Label]:
    filename = wanted.filename
    for number, text in (first, *rest):
        try:
            record = json.loads(text.lstrip("\ufeff"))
        except ValueError as error:
            raise BadDrop(
                say(
                    "{file}, line {number}, is not JSON: {error}",
                    file=told(filename),
                    number=number,
                    error=told(error),
                ),
                row=number,
            ) from None
        if not isinstance(record, dict):
            raise BadDrop(
                say("{file}, line {number}, is not a JSON object", file=told(filename), number=number),
                row=number,
            )
        if "groundTruthData" in record:
            truth, metadata = record["groundTruthData"], record.get("eventMetadata")
            data = truth.get("data") if isinstance(truth, dict) else None
            event = metadata.get("eventId") if isinstance(metadata, dict) else None
            if data is None or event is None:
                raise BadDrop(
                    say(
                        "{file}, line {number}, lacks groundTruthData.data or eventMetadata.eventId",
                        file=told(filename),
                        number=number,
                    ),
                    row=number,
                )
            yield _label(event, data, filename, number)
        else:
            yield _label(
                _member(record, wanted.identities, filename, number),
                _member(record, wanted.targets, filename, number),
                filename,
                number,
            )


def _member(record: dict[str, Any], wanted: tuple[str, ...], filename: str, line: int) -> Any:
    for name in wanted:
        if name in record:
            return record[name]
    raise BadDrop(
        say(
            "{file}, line {line}, has none of {names}",
            file=told(filename),
            line=line,
            names=listed(wanted),
        ),
        row=line,
    )


def _label(identity: Any, target: Any, filename: str, line: int) -> Label:
    name = str(identity).strip()
    if not name:
        raise BadDrop(
            say(
                "{file} has no id in line {line}; every label needs one",
                file=told(filename),
                line=line,
            ),
            row=line,
        )
    try:
        value = math.nan if isinstance(target, bool) else float(target)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise BadDrop(
            say(
                "{file} holds {found!r} in line {line}; expected a number",
                file=told(filename),
                found=of_the_data(str(target)[:40]),
                line=line,
            ),
            row=line,
        )
    return name, value
