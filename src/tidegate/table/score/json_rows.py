"""Reading JSON Lines block by block: one object a line, its values judged as an endpoint judges them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.bounds import MOST_CELL_BYTES, cell_is_too_long
from tidegate.core.grammar import json_lines, json_text
from tidegate.core.own_names import listed
from tidegate.core.sentences import Sentence, say, told
from tidegate.serving.texts import identity_text
from tidegate.table.columns import Categories, Codes
from tidegate.table.read.convert import (
    Cells,
    categories,
    identities,
    read_numbers,
    read_texts,
    split_dictionary,
)
from tidegate.table.read.names import find_columns
from tidegate.table.read.opening import open_bytes
from tidegate.table.score.rows import Reject, Rows, Wanted, sort_out

BLOCK_ROWS = 16_384
_PLAIN = ("numeric", "integer")
_NUMBERS = {int, float, type(None)}
_DECODER = json.JSONDecoder(parse_constant=lambda word: None if word == "NaN" else word)
Shape = Callable[[dict[str, Any]], dict[str, Any] | Sentence]
Line = tuple[int, bytes, dict[str, Any]]


def json_rows(
    path: Path, wanted: Wanted, name: str, gzipped: bool, shape: Shape | None = None
) -> Iterator[Rows]:
    """Read a JSON Lines file that `look` found to be text.

    A member that a row lacks is a gap, as in a request; a column that every row lacks is missing.

    Parameters
    ----------
    shape : callable, optional
        Makes each line's object one of the wanted columns, or says why it cannot.

    Raises
    ------
    BadDrop
        For a column that no row has.
    """
    seen: dict[str, None] = {}
    texts = [column for column in wanted.names if wanted.columns.get(column, "categorical") == "categorical"]
    with open_bytes(path, gzipped) as file:
        for block in _blocks(json_lines(file)):
            good, others = _parsed(block, texts, shape)
            for _, _, document in good:
                if document.keys() - seen.keys():
                    seen.update(dict.fromkeys(document))
            yield _rows(good, others, wanted)
    if seen:
        find_columns(list(seen), wanted.names, name, header_line=None)


def _blocks(lines: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    while block := list(islice(lines, BLOCK_ROWS)):
        yield block


def _parsed(
    block: list[tuple[int, bytes]], texts: list[str], shape: Shape | None
) -> tuple[list[Line], list[Reject]]:
    good: list[Line] = []
    others: list[Reject] = []
    for number, line in block:
        try:
            document = json_text(line.decode(), _DECODER)
        except ValueError as error:
            others.append(
                Reject(number, "", say("this is not JSON: {error}", error=told(error)), line.decode())
            )
            continue
        if not isinstance(document, dict):
            others.append(
                Reject(number, "", say("this is not a JSON object with names and values"), line.decode())
            )
            continue
        shaped = shape(document) if shape else document
        if isinstance(shaped, Sentence):
            others.append(Reject(number, "", shaped, line.decode()))
            continue
        document = shaped
        if nested := [column for column in texts if type(document.get(column)) in (dict, list)]:
            others.append(
                Reject(number, listed(nested, ", "), say("a text is expected there"), line.decode())
            )
        elif long := _too_long(line, document):
            reason = say("a text has more than {most:,} bytes", most=MOST_CELL_BYTES)
            others.append(
                Reject(number, listed(long, ", "), reason, line[:MOST_CELL_BYTES].decode(errors="ignore"))
            )
        else:
            good.append((number, line, document))
    return good, others


def _too_long(line: bytes, document: dict[str, Any]) -> list[str]:
    if len(line) <= MOST_CELL_BYTES:
        return []
    return [name for name, value in document.items() if isinstance(value, str) and cell_is_too_long(value)]


def _rows(good: list[Line], others: list[Reject], wanted: Wanted) -> Rows:
    columns = {
        column: _column(
            [document.get(column) for _, _, document in good], kind, wanted.missing.get(column, ())
        )
        for column, kind in wanted.columns.items()
    }
    ids = None
    if wanted.id is not None:
        codes, cells = _encoded([document.get(wanted.id) for _, _, document in good])
        ids = identities(codes, cells, wanted.missing.get(wanted.id, ()))
    return sort_out(
        np.array([number for number, _, _ in good], dtype=np.int64),
        columns,
        ids,
        wanted,
        lambda row: good[row][1].decode(),
        others,
    )


def _column(values: Sequence[Any], kind: str, missing: Sequence[str]) -> Cells | Categories:
    if kind in _PLAIN and set(map(type, values)) <= _NUMBERS:
        try:
            return read_numbers(np.array(values, dtype=np.float64), kind, missing, values)
        except OverflowError:
            pass  # a whole number beyond the largest double is told as a text that is no number
    codes, texts = _encoded(values)
    if kind == "categorical":
        return categories(codes, texts, missing)
    return read_texts(codes, texts, kind, missing)


def _encoded(values: Sequence[Any]) -> tuple[Codes, list[str]]:
    import pyarrow as pa

    return split_dictionary(pa.array([_text(value) for value in values], pa.string()).dictionary_encode())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else identity_text(value)
