"""What batch transform does with records: filter what goes in, join and filter what comes out."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tidegate.local.sagemaker.jobs.filters import NotThere, Path, parse
from tidegate.local.sagemaker.jobs.members import ANSWER, Choice

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

    @cached_property
    def _choice(self) -> Choice | None:
        return Choice.of(self.input_filter, self.output_filter) if self.join and self.format != CSV else None

    def divide(self, record: bytes) -> tuple[bytes, bytes]:
        """Give what the model gets of a record, and what of it is kept for its output."""
        if self._choice is not None:
            try:
                divided = self._choice.divide(record)
            except ValueError as error:
                raise BadRecord(f"A record is not JSON: {error}.") from error
            if divided is not None:
                return divided
            # A filter does not fit the record; reading it whole tells which and why.
            self._request(record)
            self._output(record, b"null")
        return self._request(record), record if self.changes_output else b""

    def _request(self, record: bytes) -> bytes:
        if self.input_filter.everything:
            return record
        try:
            if self.format == CSV:
                return _write_row(self.input_filter.choose_fields(_read_row(record)))
            return _write_json(self.input_filter.choose(_read_json(record, "A record")))
        except NotThere as error:
            raise BadRecord(f"InputFilter {error}") from error

    def outputs(self, kept: list[bytes], answer: bytes) -> list[bytes]:
        """Return the output of each record for the model's answer to all of them; `kept` as `divide` gave."""
        parts = [answer] if self.format == JSON else _lines(answer)
        if len(parts) != len(kept):
            raise BadRecord(
                f"The model gave {len(parts)} answers for {len(kept)} records, so that they cannot be "
                "joined or filtered. BatchStrategy SingleRecord sends one record at a time."
            )
        if self._choice is not None:
            try:
                return [self._choice.output(one, part) for one, part in zip(kept, parts, strict=True)]
            except ValueError as error:
                raise BadRecord(f"An answer is not JSON: {error}.") from error
        return [self._output(record, part) for record, part in zip(kept, parts, strict=True)]

    def _output(self, record: bytes, answer: bytes) -> bytes:
        try:
            if self.format == CSV:
                row = [*(_read_row(record) if self.join else ()), *_read_row(answer)]
                return _write_row(self.output_filter.choose_fields(row))
            value = _read_json(answer, "An answer")
            if self.join:
                value = _joined(_read_json(record, "A record"), value)
            return _write_json(self.output_filter.choose(value))
        except NotThere as error:
            raise BadRecord(f"OutputFilter {error}") from error


def _joined(record: Any, answer: Any) -> dict[str, Any]:
    if isinstance(record, dict):
        return {**record, ANSWER: answer}
    return {"SageMakerInput": record, ANSWER: answer}


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
