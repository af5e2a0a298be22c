"""Captured requests by column.

Nearly all of them are plain: rows of CSV without quotation marks, or lists of JSON objects whose values are
of the types that the model declares. Those are read all at once; an object with one that is not is read row
by row (`tidegate.table.scan.capture`), which also says what is wrong with it. Both ways read the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from tidegate.core import bounds
from tidegate.core.bounds import MOST_CELL_BYTES
from tidegate.core.errors import BadDrop
from tidegate.table.read.opening import marked
from tidegate.table.scan.capture import CapturedRow, read_capture
from tidegate.table.scan.json_lines import lines_of
from tidegate.table.watch.parts import Part, number_of, refuse_halves, texts_of

LEAST_ROWS = 32  # of fewer, reading one by one is as quick
SHORT = MOST_CELL_BYTES // 4  # characters that are no more bytes than a cell may have
NUMBERS = ("numeric", "integer")
_ODD = ('"', "\r", "\0")


@dataclass(frozen=True)
class _Requests:
    """The requests of an object, one entry a request.

    Attributes
    ----------
    answers : list of list of str
        One text a row; empty where answers are not captured.
    """

    encoding: str
    texts: list[str]
    answers: list[list[str]]
    events: list[str]
    asked: list[str]
    at: list[str]


def read_captured(
    path: Path, columns: Mapping[str, str], identity: str, bad: Callable[[BadDrop], None]
) -> Part:
    """Read an object of captured requests.

    Parameters
    ----------
    columns : mapping of str to str
        The model's inputs, in order, each with its type.
    identity : str
        The model's id column; empty where it has none.
    bad : callable
        Told of each line that cannot be read: what is no capture record, or has a row of another width.

    Raises
    ------
    BadDrop
        For an object that cannot be unpacked.
    """
    requests = _requests(path)
    if requests is not None:
        read = _csv_cells if requests.encoding == "CSV" else _json_cells
        found = read(requests.texts, columns, identity)
        if found is not None and _one_each(found[1], requests.answers):
            return _part(requests, *found, identity)
    return _row_by_row(list(read_capture(path, list(columns), bad=bad)), columns, identity)


def _requests(path: Path) -> _Requests | None:
    """Read the lines of a file; None where one of them is not plain, or they are few."""
    texts, answers, events, asked, at = [], [], [], [], []
    encodings = set()
    bad: list[BadDrop] = []
    try:
        for _, content in lines_of(path, most=bounds.MOST_CAPTURE_LINE_BYTES, bad=bad.append):
            data, meta = content["captureData"], content["eventMetadata"]
            question, answer = data["endpointInput"], data.get("endpointOutput")
            encodings.add(question["encoding"])
            texts.append(question["data"])
            if answer is not None:
                if answer["encoding"] != "CSV":
                    return None
                answers.append(answer["data"])
            events.append(str(meta["eventId"]))
            asked.append(str(meta.get("inferenceId") or events[-1]))
            at.append(str(meta.get("inferenceTime", "")))
    except (KeyError, TypeError, AttributeError):
        return None
    if bad or len(encodings) != 1 or len(answers) not in (0, len(texts)):
        return None
    encoding = encodings.pop()
    lines = _plain(answers)
    if encoding not in ("CSV", "JSON") or lines is None or not all(map(_is_text, texts)):
        return None
    if max(map(len, texts), default=0) > SHORT and any(map(_has_long_line, texts)):
        return None  # a cell may be too long; the slow reader has the words for it
    return _Requests(encoding, texts, lines, events, asked, at)


def _plain(texts: Sequence[Any]) -> list[list[str]] | None:
    """Give the lines of CSV that are no more than they look; None where one of the texts is."""
    if not all(map(_is_text, texts)):
        return None
    joined = "\n".join(texts)
    if any(each in joined for each in _ODD):
        return None
    return [
        [line for line in text.split("\n") if line] if "\n" in text else [text] * bool(text) for text in texts
    ]


def _has_long_line(text: str) -> bool:
    return any(len(line) > SHORT for line in text.split("\n"))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _one_each(rows: Sequence[int], answers: Sequence[Sequence[str]]) -> bool:
    return not answers or all(len(each) == count for each, count in zip(answers, rows, strict=True))


def _csv_cells(
    texts: list[str], columns: Mapping[str, str], _identity: str
) -> tuple[dict[str, Any], list[int]] | None:
    import pyarrow as pa
    import pyarrow.csv as pacsv

    requests = _plain(texts)
    if requests is None or not all(requests):
        return None
    rows = list(chain.from_iterable(requests))
    commas = len(columns) - 1
    if len(rows) < LEAST_ROWS or not all(row and row.count(",") == commas for row in rows):
        return None
    try:
        whole = marked("\n".join(rows).encode())
    except UnicodeEncodeError:
        return None
    table = pacsv.read_csv(
        pa.py_buffer(whole),
        pacsv.ReadOptions(use_threads=False, column_names=list(columns), block_size=len(whole) + 1),
        pacsv.ParseOptions(quote_char=False),
        pacsv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False),
    )
    return {name: _joined(table.column(name)) for name in columns}, list(map(len, requests))


def _json_cells(
    texts: list[str], columns: Mapping[str, str], identity: str
) -> tuple[dict[str, Any], list[int]] | None:
    """Read lists of objects; a value of another type than its column's makes pyarrow give up, and so do we.

    A line `{"r": <text>}` a request: a text that is JSON only in there, such as `[],"x":[]`, shows as another
    column, or as a line that holds two objects.
    """
    import pyarrow as pa
    import pyarrow.json as pajson

    known = {name: _stored(kind) for name, kind in columns.items()}
    if identity:
        known.setdefault(identity, pa.string())
    try:
        whole = "".join([f'{{"r":{text}}}\n' for text in texts]).encode()
        table = pajson.read_json(
            pa.py_buffer(whole),
            pajson.ReadOptions(use_threads=False, block_size=len(whole) + 1),
            pajson.ParseOptions(explicit_schema=pa.schema([("r", pa.list_(pa.struct(list(known.items()))))])),
        )
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return None
    if table.column_names != ["r"] or table.num_rows != len(texts):
        return None
    requests = _joined(table.column("r"))
    objects = requests.flatten()
    others = {field.name: field.type for field in objects.type}
    if requests.null_count or objects.null_count or pa.types.is_list(others.get("features", pa.null())):
        return None
    cells = {name: objects.field(name) for name in known}
    rows = requests.value_lengths().to_pylist()
    if len(objects) < LEAST_ROWS or not all(rows) or not all(map(_is_finite, cells.values())):
        return None
    return {name: _words(array) for name, array in cells.items()}, rows


def _stored(kind: str) -> Any:
    import pyarrow as pa

    return pa.float64() if kind in NUMBERS else pa.bool_() if kind == "boolean" else pa.string()


def _is_finite(array: Any) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    return not pa.types.is_floating(array.type) or bool(pc.all(pc.is_finite(array), min_count=0).as_py())


def _words(array: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(array, "true", "false") if pa.types.is_boolean(array.type) else array


def _joined(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _part(requests: _Requests, cells: dict[str, Any], rows: list[int], identity: str) -> Part:
    places = list(chain.from_iterable(map(range, rows)))
    events = _repeated(requests.events, rows)
    asked = _repeated(requests.asked, rows)
    answers = chain.from_iterable(requests.answers) if requests.answers else [None] * len(places)
    named = cells[identity] if identity and identity in cells else None
    return _named(
        events,
        asked,
        places,
        named.to_pylist() if named is not None else [None] * len(places),
        _repeated(requests.at, rows),
        cells,
        list(map(number_of, answers)),
    )


def _repeated(values: Sequence[str], times: Sequence[int]) -> list[str]:
    return [value for value, count in zip(values, times, strict=True) for _ in range(count)]


def _named(
    events: Sequence[str],
    asked: Sequence[str],
    places: Sequence[int],
    names: Sequence[str | None],
    at: Sequence[str],
    cells: Mapping[str, Any],
    predictions: Sequence[float | None],
) -> Part:
    """Give each row its names: its place in its request, and the request's own where it is the only one."""
    for values in (events, asked, at, [each or "" for each in names]):
        refuse_halves("\n".join(values))
    sizes: dict[str, int] = {}
    for event, place in zip(events, places, strict=True):
        if place >= sizes.get(event, 0):
            sizes[event] = place + 1
    return Part(
        [f"{event}/{place}" for event, place in zip(events, places, strict=True)],
        [f"{each}/{place}" for each, place in zip(asked, places, strict=True)],
        [each if sizes[event] == 1 else None for each, event in zip(asked, events, strict=True)],
        names,
        at,
        cells,
        predictions,
    )


def _row_by_row(rows: list[CapturedRow], columns: Mapping[str, str], identity: str) -> Part:
    return _named(
        [row.event_id for row in rows],
        [str(row.inference_id or row.event_id) for row in rows],
        [row.number for row in rows],
        list(_identities(rows, identity)),
        [row.at for row in rows],
        {name: texts_of([row.cells.get(name) for row in rows]) for name in columns},
        [number_of(row.prediction) for row in rows],
    )


def _identities(rows: list[CapturedRow], identity: str) -> Iterator[str | None]:
    for row in rows:
        sent = row.cells.get(identity) if identity else None
        yield None if sent is None else str(sent)
