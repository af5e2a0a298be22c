"""Reading SageMaker's data capture: JSON Lines of requests with their answers, taken apart into rows.

A line holds one request, which may ask for several rows. CSV has no names, so whoever reads gives them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.core import bounds
from tidegate.core.bounds import MOST_CELL_BYTES, cell_is_too_long
from tidegate.core.errors import BadDrop
from tidegate.core.grammar import JSON_BLANKS, Malformed, csv_text
from tidegate.core.own_names import beside
from tidegate.core.sentences import listed, of_the_data, say, told
from tidegate.table.profile.table import Profile
from tidegate.table.scan.json_lines import lines_of
from tidegate.table.scan.records import as_text, parsed, profile_records

PREDICTION = "prediction"
_ANSWERS = ("score", "predicted_label", "prediction")


@dataclass(frozen=True)
class CapturedRow:
    """One row that an endpoint was asked.

    Attributes
    ----------
    event_id : str
        The request's id, by which ground truth finds it.
    inference_id : str or None
        The id that the caller gave, if any.
    number : int
        The row's place in its request, counted from 0.
    cells : mapping
        The row's values by column, as they were sent.
    prediction : object
        What was answered to it; None where answers are not captured.
    """

    event_id: str
    inference_id: str | None
    at: str
    number: int
    cells: Mapping[str, Any]
    prediction: Any


def read_capture(
    path: Path,
    columns: Sequence[str] | None = None,
    *,
    progress: Callable[[int], None] | None = None,
    bad: Callable[[BadDrop], None] | None = None,
) -> Iterator[CapturedRow]:
    """Read the rows of a capture file.

    Parameters
    ----------
    columns : sequence of str, optional
        The names of a CSV request's fields, in their order; otherwise they are called `_c0`, `_c1`, …
    bad : callable, optional
        Told of each line that cannot be read, which is then left out: one request that was made to be
        unreadable must not take those beside it along. Otherwise the first such line ends it all.

    Raises
    ------
    BadDrop
        For a line that is no capture record, or a row of another width.
    """
    for number, content in lines_of(path, progress, most=bounds.MOST_CAPTURE_LINE_BYTES, bad=bad):
        try:
            rows = list(_captured_rows(content, columns, f"{path.name}, line {number}", number))
        except BadDrop as refusal:
            if bad is None:
                raise
            bad(refusal)
            continue
        yield from rows


def _captured_rows(
    content: Any, columns: Sequence[str] | None, where: str, number: int
) -> Iterator[CapturedRow]:
    try:
        data, meta = content["captureData"], content["eventMetadata"]
        rows = _rows(data.get("endpointInput"), columns, where)
        answers = _answers(data.get("endpointOutput"))
        event = str(meta["eventId"])
    except Malformed as error:
        raise BadDrop(
            say(
                "{where}: the CSV in it cannot be read: {reason}",
                where=told(where),
                reason=error.reason,
            ),
            row=number,
        ) from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadDrop(
            say(
                "{where}: this is no capture record of SageMaker ({kind}: {error})",
                where=told(where),
                kind=told(type(error).__name__),
                error=of_the_data(error),
            ),
            row=number,
        ) from None
    # A flat list may have been a row a number, not a row.
    if answers and len(rows) == 1 != len(answers) == len(rows[0]):
        rows = [{"_c0": value} for value in rows[0].values()]
    if answers and rows and len(answers) != len(rows):
        raise BadDrop(
            say(
                "{where}: {asked} rows were asked and {answered} answers captured",
                where=told(where),
                asked=len(rows),
                answered=len(answers),
            ),
            row=number,
        )
    for place in range(max(len(rows), len(answers))):
        yield CapturedRow(
            event,
            meta.get("inferenceId"),
            str(meta.get("inferenceTime", "")),
            place,
            rows[place] if rows else {},
            answers[place] if answers else None,
        )


def profile_capture(
    paths: Iterable[Path],
    columns: Sequence[str] | None = None,
    *,
    prediction: str = PREDICTION,
    progress: Callable[[int], None] | None = None,
) -> Profile:
    """Profile captured rows with their predictions, which become a column of their own."""
    return profile_records(
        {**row.cells, beside([prediction], row.cells)[prediction]: row.prediction}
        if row.prediction is not None
        else row.cells
        for path in paths
        for row in read_capture(path, columns, progress=progress)
    )


def _text(side: Mapping[str, Any]) -> tuple[str, str]:
    """Give a side's text and kind: CSV or JSON."""
    text, encoding = str(side["data"]), str(side.get("encoding", "")).upper()
    kind = str(side.get("observedContentType", "")).lower()
    if encoding == "BASE64":
        try:
            text = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError(f"its base64 holds no text: {error}") from None
    return text, "JSON" if encoding == "JSON" or (encoding != "CSV" and "json" in kind) else "CSV"


def _rows(side: Mapping[str, Any] | None, columns: Sequence[str] | None, where: str) -> list[dict[str, Any]]:
    if not side:
        return []
    text, kind = _text(side)
    found = _json_rows(text) if kind == "JSON" else [row for _, row in csv_text(text)]
    return [_named(row, columns, where) for row in found]


def _json_rows(text: str) -> list[Any]:
    try:
        content = parsed(text)
    except ValueError:
        content = [parsed(line) for line in text.split("\n") if line.strip(JSON_BLANKS)]
    # A column may be called so, too.
    if isinstance(content, dict) and isinstance(content.get("instances"), list):
        content = content["instances"]
    if isinstance(content, list) and content and not isinstance(content[0], list | dict):
        content = [content]
    return content if isinstance(content, list) else [content]


def _named(row: Any, columns: Sequence[str] | None, where: str) -> dict[str, Any]:
    if isinstance(row, dict) and isinstance(row.get("features"), list):
        row = row["features"]
    cells = row.values() if isinstance(row, dict) else row
    if any(isinstance(cell, str) and cell_is_too_long(cell) for cell in cells):
        raise BadDrop(
            say("{where}: a text has more than {most:,} bytes", where=told(where), most=MOST_CELL_BYTES)
        )
    if isinstance(row, dict):
        return row
    if columns is not None and len(row) != len(columns):
        raise BadDrop(
            say(
                "{where}: a row has {found} fields; expected {wanted}: {names}",
                where=told(where),
                found=len(row),
                wanted=len(columns),
                names=listed(columns),
            )
        )
    return dict(zip(columns or [f"_c{at}" for at in range(len(row))], row, strict=True))


def _answers(side: Mapping[str, Any] | None) -> list[Any]:
    if not side:
        return []
    text, kind = _text(side)
    if kind == "CSV":
        return [row[0] if len(row) == 1 else ",".join(row) for _, row in csv_text(text)]
    try:
        content = parsed(text)
    except ValueError:
        content = [parsed(line) for line in text.split("\n") if line.strip(JSON_BLANKS)]
    if isinstance(content, dict) and isinstance(content.get("predictions"), list):
        content = content["predictions"]
    return [_score(each) for each in (content if isinstance(content, list) else [content])]


def _score(answer: Any) -> Any:
    if isinstance(answer, dict):
        for name in _ANSWERS:
            if name in answer:
                return as_text(answer[name])
    return as_text(answer)
