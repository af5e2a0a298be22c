"""The body of a request for predictions: read into records that a model's `Form` accepts, or refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tidegate.api.exchange import CSV, JSON, media_type
from tidegate.api.form import MOST_FAULTS, Form
from tidegate.api.model import MOST_RECORDS
from tidegate.api.problems import Fault, Problem, summed_up
from tidegate.core.grammar import Malformed, csv_text, json_text, other_separator, separators_said

REPLACED = "\ufffd"
CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")

Record = dict[str, Any]


def read_records(body: bytes, content_type: str, form: Form, most: int = MOST_RECORDS) -> list[Record]:
    """Read the records of a request.

    Parameters
    ----------
    body : bytes
        The request's body.
    content_type : str
        JSON (one record, a list of them, or ``{"records": [...]}``) or CSV, with or without a header row.
    form : Form
        What a record may hold.
    most : int
        How many records are answered at once.

    Raises
    ------
    Problem
        400 for what cannot be read, 415 for other types, 422 for records that do not fit or are too many,
        with each fault.

    Examples
    --------
    >>> form = Form({"km": "numeric", "make": "categorical"}, None, "price")
    >>> read_records(b"make,km\\nfiat,9", "text/csv", form)
    [{'make': 'fiat', 'km': '9'}]
    """
    kind, parameters = media_type(content_type or JSON)
    charset = parameters.get("charset", "utf-8")
    if kind not in (JSON, CSV) or charset not in CHARSETS:
        raise Problem(415, f"'{content_type[:80]}' is not read here; send {JSON} or {CSV} in UTF-8")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(400, f"the body is not UTF-8 text (byte {error.start + 1}); send it as UTF-8") from None
    # API Gateway puts this character where it found bytes that are no UTF-8.
    if REPLACED in text:
        raise Problem(
            400, f"the body is not UTF-8 text (character {text.index(REPLACED) + 1}); send it as UTF-8"
        )
    typed = kind == JSON
    records = _of_json(text, form) if typed else _of_csv(text, form, parameters.get("header"))
    if not records:
        raise Problem(422, "the request holds no records; send at least one")
    if len(records) > most:
        raise Problem(
            422,
            f"the request holds {len(records):,} records, and at most {most:,} are answered at once; "
            "send them in parts, or drop them as a file for batch scoring",
        )
    _refuse(_faults(records, form, typed))
    return records


def _faults(records: Sequence[Record], form: Form, typed: bool) -> list[Fault]:
    faults: list[Fault] = []
    for number, record in enumerate(records, 1):
        if not record:
            faults.append(Fault("the record is empty; give at least one field", number))
        faults += form.faults_of_record(record, number, typed=typed)
        if len(faults) >= MOST_FAULTS:
            break
    return faults


def _of_json(text: str, form: Form) -> list[Record]:
    try:
        content = json_text(text, _DECODER, halves=True)
    except ValueError as error:
        raise Problem(400, f"the body is not JSON: {error}") from None
    if isinstance(content, dict) and "records" in content and "records" not in form.known:
        others = [name for name in content if name != "records"]
        _refuse([Fault("unknown beside 'records'; leave it out", None, name[:60]) for name in others])
        content = content["records"]
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise Problem(422, 'the body is neither a record, a list of records nor {"records": [...]}')
    if len(content) <= MOST_RECORDS:
        _refuse(
            [
                Fault("expected an object with fields and values", number)
                for number, record in enumerate(content, 1)
                if not isinstance(record, dict)
            ]
        )
    return content


def _of_csv(text: str, form: Form, header: str | None) -> list[Record]:
    try:
        rows = [row for _, row in csv_text(text)]
    except Malformed as error:
        raise Problem(400, f"the body is not CSV: line {error.line}: {error.reason}") from None
    if not rows:
        return []
    if len(form.known) > 1 and (words := other_separator(rows[0])):
        raise Problem(422, f"the body {separators_said(words, 'send it again')}")
    first = [cell.strip() for cell in rows[0]]
    known = form.known | {form.target}
    has_header = header == "present" or (header != "absent" and any(cell in known for cell in first))
    names = first if has_header else list(form.features)
    if has_header:
        rows = rows[1:]
        _refuse([fault for name in names[: 2 * MOST_FAULTS] for fault in form.faults_of_name(name)])
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        _refuse([Fault("the header names it twice", None, name) for name in twice])
    _refuse(_wrong_widths(rows, len(names), has_header))
    return [dict(zip(names, row, strict=True)) for row in rows]


def _wrong_widths(rows: Iterable[Sequence[str]], width: int, has_header: bool) -> list[Fault]:
    wanted = (
        f"expected {width}, as the header has" if has_header else f"expected {width}: one for each feature"
    )
    return [
        Fault(f"the row has {len(row):,} {'cell' if len(row) == 1 else 'cells'}, {wanted}", number)
        for number, row in enumerate(rows, 1)
        if len(row) != width
    ]


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise Problem(422, summed_up(faults), faults=faults)


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON; write null for a missing value")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
