"""A recipe applied to raw rows by the standard library alone; this travels inside every endpoint.

The training side encodes the same recipe with NumPy (`tidegate.table.recipe`); a property test holds the two
to identical doubles. Python 3.8 suffices to run it: the container chooses the interpreter.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Callable, Sequence

if __package__:
    from tidegate.serving.cells import BadCell, encoder_of, sparse_text_of
else:  # inside a container the files of this folder lie side by side
    from cells import BadCell, encoder_of, sparse_text_of  # type: ignore[import-not-found,no-redef]

CSV_TYPES = ("text/csv",)
LINES_TYPES = ("application/jsonlines", "application/x-jsonlines", "application/json-lines")
JSON_TYPES = ("application/json",)

MANY_ROWS = 64
_LOOKED_UP = {str, int, float, bool, type(None)}

Record = Sequence[Any]


class BadRequest(ValueError):
    """The rows of a request cannot be encoded; the text says which record and field, and how to mend it."""

    http_status = 400


class UnsupportedContent(ValueError):
    """The request's content type is not one that the recipe reads."""

    http_status = 415


class Recipe:
    """One recipe, ready to encode requests.

    Parameters
    ----------
    recipe : dict
        The JSON that training fitted (`recipe.json`).
    strict : bool
        Refuse fields that the recipe does not know; otherwise they are left aside.

    Examples
    --------
    >>> recipe = Recipe({"version": 1, "inputs": ["KM"], "outputs": ["KM"],
    ...     "columns": [{"name": "KM", "type": "numeric", "impute": 5.0, "indicator": False, "scale": None}]})
    >>> recipe.encode("46986\\nNA", "text/csv")
    '46986.0\\n5.0'
    """

    def __init__(self, recipe: dict[str, Any], *, strict: bool = True) -> None:
        if recipe.get("version") not in (1, 2):
            raise ValueError(
                f"recipe version {recipe.get('version')!r} is unknown here; this code reads 1 and 2"
            )
        self._strict = strict
        self.inputs: list[str] = list(recipe["inputs"])
        self.outputs: list[str] = list(recipe["outputs"])
        self._encoders = [encoder_of(column) for column in recipe["columns"]]
        self.content_type: str = recipe.get("content_type", "text/csv")
        self._texts: list[Callable[[Any], str]] = [encoder.text for encoder in self._encoders]
        self._mark = ","
        if self.content_type != "text/csv":
            self._texts, self._mark = _sparse_texts(recipe["columns"], len(self.outputs) - 1), " "
        self._places = {name: place for place, name in enumerate(self.inputs)}

    def encode(self, body: str | bytes, content_type: str) -> str:
        """Encode a request in the recipe's `content_type`, one line a record, for the algorithm's container.

        Raises
        ------
        BadRequest
            Naming the record and the field that cannot be read.
        UnsupportedContent
            For a content type other than CSV, JSON or JSON Lines.
        """
        records = self.records(body, content_type)
        if len(records) >= MANY_ROWS:
            try:
                columns = [_read_once(text, cells) for text, cells in zip(self._texts, zip(*records))]
                return "\n".join(map(self._mark.join, zip(*columns)))
            except BadCell:
                pass  # row by row it is found again, and told with its record and field
        return "\n".join([self.line(record, number) for number, record in enumerate(records, 1)])

    def floats(self, body: str | bytes, content_type: str) -> list[list[float]]:
        """Encode a request as numbers: one list of `outputs` a record."""
        rows = []
        for number, record in enumerate(self.records(body, content_type), 1):
            row: list[float] = []
            for place, encoder in enumerate(self._encoders):
                try:
                    row += encoder.floats(record[place])
                except BadCell as bad:
                    raise self._refusal(number, place, bad) from None
            rows.append(row)
        return rows

    def line(self, record: Record, number: int = 1) -> str:
        """Encode one record, its cells in the order of `inputs`, as one line."""
        try:
            return self._mark.join([text(cell) for text, cell in zip(self._texts, record)])
        except BadCell:
            return self._explain(record, number)

    def records(self, body: str | bytes, content_type: str) -> list[Record]:
        """Read the rows of a request, their cells in the order of `inputs`."""
        kind = (content_type or "").split(";", 1)[0].strip().lower()
        text = _decoded(body)
        if kind in CSV_TYPES:
            records = self._from_csv(text)
        elif kind in LINES_TYPES:
            records = self._from_lines(text)
        elif kind in JSON_TYPES:
            records = self._from_json(text)
        else:
            raise UnsupportedContent(
                f"content type '{content_type}' is not read here; send text/csv, application/json "
                "or application/jsonlines"
            )
        if not records:
            raise BadRequest(f"the request holds no rows; send at least one with: {', '.join(self.inputs)}")
        return records

    def _from_csv(self, text: str) -> list[Record]:
        if '"' in text:
            try:
                rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
            except csv.Error as error:
                raise BadRequest(
                    f"the body is not CSV ({error}); is a quotation mark never closed?"
                ) from None
        else:
            # csv.reader ends a row at these three and nowhere else; str.splitlines knows more line ends.
            plain = text.replace("\r\n", "\n").replace("\r", "\n")
            rows = [line.split(",") for line in plain.split("\n") if line]
        if rows and [cell.strip() for cell in rows[0]] == self.inputs:
            raise BadRequest("record 1 is a header row; send the rows alone, without the columns' names")
        width = len(self.inputs)
        for number, row in enumerate(rows, 1):
            if len(row) != width:
                raise BadRequest(
                    f"record {number} has {_count(len(row), 'field')}, expected {width}: "
                    + ", ".join(self.inputs)
                )
        return list(rows)

    def _from_lines(self, text: str) -> list[Record]:
        lines = [line for line in text.split("\n") if line.strip()]
        return [self._of_json(_parsed(line, f"record {n}"), n) for n, line in enumerate(lines, 1)]

    def _from_json(self, text: str) -> list[Record]:
        if not text.strip():
            return []
        content = _parsed(text, "the body")
        if isinstance(content, dict) and "instances" in content and "instances" not in self._places:
            content = content["instances"]
        if isinstance(content, dict):
            content = [content]
        if not isinstance(content, list):
            raise BadRequest('the body is neither a JSON object, a list of them nor {"instances": [...]}')
        return [self._of_json(each, number) for number, each in enumerate(content, 1)]

    def _of_json(self, record: Any, number: int) -> Record:
        if isinstance(record, dict):
            for field in record if self._strict else ():
                if field not in self._places:
                    raise BadRequest(f"record {number} has an unknown field '{field}'; {self._hint(field)}")
            return [record.get(name) for name in self.inputs]
        if isinstance(record, list):
            if len(record) != len(self.inputs):
                raise BadRequest(
                    f"record {number} has {_count(len(record), 'value')}, expected {len(self.inputs)}: "
                    + ", ".join(self.inputs)
                )
            return record
        raise BadRequest(f"record {number} is not a JSON object; send fields with values")

    def _hint(self, field: str) -> str:
        import difflib

        lowered = {name.lower(): name for name in self.inputs}
        close = difflib.get_close_matches(field.lower(), list(lowered), 1)
        return f"did you mean '{lowered[close[0]]}'?" if close else "known are: " + ", ".join(self.inputs)

    def _explain(self, record: Record, number: int) -> str:
        for place, text in enumerate(self._texts):
            try:
                text(record[place])
            except BadCell as bad:
                raise self._refusal(number, place, bad) from None
        raise AssertionError("a cell was refused once and accepted the second time")

    def _refusal(self, number: int, place: int, bad: Exception) -> BadRequest:
        return BadRequest(f"record {number}, field '{self.inputs[place]}': {bad}")


def _sparse_texts(columns: list[dict[str, Any]], last: int) -> list[Callable[[Any], str]]:
    texts, at = [], 0
    for column in columns:
        text, width = sparse_text_of(column, at, last)
        texts.append(text)
        at += width
    return texts


def _read_once(text: Callable[[Any], str], cells: Sequence[Any]) -> list[str]:
    """Read a column's cells, each different one once: in a batch most occur again and again."""
    kinds = set(map(type, cells))
    # True is equal to 1 and does not read like it; lists and objects cannot be looked up, and are refused.
    if kinds <= _LOOKED_UP and not (bool in kinds and kinds & {int, float}):
        distinct = set(cells)
        if 2 * len(distinct) < len(cells):
            known = {cell: text(cell) for cell in distinct}
            return [known[cell] for cell in cells]
    return list(map(text, cells))


def _decoded(body: str | bytes) -> str:
    if isinstance(body, str):
        return body[1:] if body.startswith("\ufeff") else body
    try:
        return bytes(body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8 text (byte {error.start + 1}); send it as UTF-8") from None


def _parsed(text: str, what: str) -> Any:
    try:
        # NaN and the infinities are no JSON, yet many writers emit them for a gap.
        content = json.loads(text, parse_constant=lambda word: None if word == "NaN" else word)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{what} is not JSON: {error}") from None
    if "\\u" in text:
        try:
            json.dumps(content, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(error.object[error.start]):04x}"
            raise BadRequest(
                f"{what} holds {half}, which is half of a character; send whole characters"
            ) from None
    return content


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
