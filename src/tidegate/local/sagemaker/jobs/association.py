"""What batch transform does with records: filter what goes in, join and filter what comes out."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from tidegate.local.sagemaker.jobs.filters import NotThere, Path, parse

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
FORMATS = (CSV, JSON, JSON_LINES)


class BadRecord(ValueError):
    """A record, or the answer to it, cannot be used; the message says why."""


def media_type(content_type: str | None) -> str:
    """Return a content type without its parameters.

    Examples
    --------
    >>> media_type("Text/CSV; charset=utf-8")
    'text/csv'
    """
    return (content_type or "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Association:
    """DataProcessing of a transform job.

    Parameters
    ----------
    format
        The media type of the records.
    input_filter, output_filter
        What of a record goes to the model; what of the (joined) answer goes to the output.
    join
        Whether the answer is joined to the whole input record.
    """

    format: str
    input_filter: Path
    output_filter: Path
    join: bool

    @classmethod
    def of(cls, content_type: str | None, processing: dict[str, Any]) -> Association:
        """Read a request's DataProcessing; `filters.BadPath` when a filter cannot be used."""
        return cls(
            media_type(content_type),
            parse(processing.get("InputFilter", "$")),
            parse(processing.get("OutputFilter", "$")),
            processing.get("JoinSource", "None") == "Input",
        )

    @property
    def changes_output(self) -> bool:
        """True when answers have to be taken apart record by record."""
        return self.join or not self.output_filter.everything

    def request(self, record: bytes) -> bytes:
        """Return what the model gets for a record."""
        if self.input_filter.everything:
            return record
        try:
            if self.format == CSV:
                return _write_row(self.input_filter.choose_fields(_read_row(record)))
            return _write_json(self.input_filter.choose(_read_json(record, "A record")))
        except NotThere as error:
            raise BadRecord(f"InputFilter {error}") from error

    def outputs(self, records: list[bytes], answer: bytes) -> list[bytes]:
        """Return the output of each record for the model's answer to all of them."""
        parts = [answer] if self.format == JSON else _lines(answer)
        if len(parts) != len(records):
            raise BadRecord(
                f"The model gave {len(parts)} answers for {len(records)} records, so that they cannot be "
                "joined or filtered. BatchStrategy SingleRecord sends one record at a time."
            )
        try:
            return [self._output(record, part) for record, part in zip(records, parts, strict=True)]
        except NotThere as error:
            raise BadRecord(f"OutputFilter {error}") from error

    def _output(self, record: bytes, answer: bytes) -> bytes:
        if self.format == CSV:
            row = [*(_read_row(record) if self.join else ()), *_read_row(answer)]
            return _write_row(self.output_filter.choose_fields(row))
        value = _read_json(answer, "An answer")
        if self.join:
            value = _joined(_read_json(record, "A record"), value)
        return _write_json(self.output_filter.choose(value))


def _joined(record: Any, answer: Any) -> dict[str, Any]:
    if isinstance(record, dict):
        return {**record, "SageMakerOutput": answer}
    return {"SageMakerInput": record, "SageMakerOutput": answer}


def _lines(body: bytes) -> list[bytes]:
    return [line for line in body.replace(b"\r\n", b"\n").split(b"\n") if line.strip()]


def _read_row(record: bytes) -> list[str]:
    try:
        return next(csv.reader([record.decode("utf-8")], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRecord(f"A record is not a line of CSV in UTF-8: {error}.") from error


def _write_row(fields: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue().encode()


def _read_json(text: bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadRecord(f"{what} is not JSON: {error}.") from error


def _write_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
