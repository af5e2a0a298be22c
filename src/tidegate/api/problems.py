"""What the API answers when it cannot do what was asked: problem documents after RFC 9457."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tidegate.core.errors import TidegateError

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request: in which record (counted from 1) and field, and what."""

    problem: str
    record: int | None = None
    field: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form; what is not known is left out."""
        named = {"record": self.record, "field": self.field, "problem": self.problem}
        return {key: value for key, value in named.items() if value is not None}


class Problem(TidegateError):
    """A request that is answered with a problem document.

    Parameters
    ----------
    status : int
        The HTTP status.
    detail : str
        One sentence for the caller: what was wrong and how to mend it. Nothing about the inside.
    faults : sequence of Fault
        Each thing that is wrong, where it is known; the first `MOST_ERRORS` are told.
    retry_after_seconds : int, optional
        When asking again may help.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.retry_after_seconds = retry_after_seconds

    def to_dict(self, request_id: str) -> dict[str, Any]:
        """Give the document; its `type` is the status alone, as RFC 9457 puts it for ``about:blank``."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.faults:
            document["errors"] = [fault.to_dict() for fault in self.faults[:MOST_ERRORS]]
        return document

    def to_body(self, request_id: str) -> str:
        """Write the document; text that no encoding can carry is written in escapes."""
        return json.dumps(self.to_dict(request_id))


def summed_up(faults: Sequence[Fault]) -> str:
    """Put faults into one sentence: the first, and how many more there are."""
    first = faults[0]
    where = ", ".join(
        part
        for part in (
            f"record {first.record}" if first.record is not None else "",
            f"field '{first.field}'" if first.field is not None else "",
        )
        if part
    )
    more = len(faults) - 1
    rest = f" ({more} more {'fault' if more == 1 else 'faults'})" if more else ""
    return f"{where}: {first.problem}{rest}" if where else f"{first.problem}{rest}"
