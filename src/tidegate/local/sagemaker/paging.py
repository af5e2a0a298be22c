"""Every List operation of the local SageMaker: filters, sorting, and pages joined by an opaque token."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from tidegate.local.sagemaker.errors import ValidationException

Record = dict[str, Any]
Request = Mapping[str, Any]

_DEFAULT_PAGE = 10


def list_page(
    records: Iterable[Record],
    request: Request,
    *,
    answer: str,
    name: str,
    summarize: Callable[[Record], Record],
    status: str | None = None,
    order: Literal["Ascending", "Descending"] = "Descending",
    sort_values: Mapping[str, Callable[[Record], str]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Answer a List request with one page.

    Parameters
    ----------
    records
        All records of the kind.
    request
        The request, already validated: ``NameContains``, ``CreationTimeAfter``, ``CreationTimeBefore``,
        ``LastModifiedTimeAfter``, ``LastModifiedTimeBefore``, ``StatusEquals``, ``SortBy``, ``SortOrder``,
        ``MaxResults`` and ``NextToken`` are honoured.
    answer
        The answer's key for the summaries, such as ``"Models"``.
    name, status
        The record's keys that hold its name and its status.
    summarize
        Makes the summary of one record.
    order
        The sort order when the request names none; AWS's differs from operation to operation.
    sort_values
        For each further ``SortBy`` what to sort by, as text.

    Returns
    -------
    dict
        The summaries under `answer`, and ``NextToken`` when there are more.
    """
    sort_by = request.get("SortBy", "CreationTime")
    descending = request.get("SortOrder", order) == "Descending"

    def position(record: Record) -> tuple[str, str]:
        # The name makes the order total: no two records share a position, so that no page skips one.
        own = sort_values.get(sort_by)
        return own(record) if own else _sort_value(record, sort_by, name, status), record[name]

    listing = _listing_id(answer, request)
    chosen = sorted(
        (record for record in records if _matches(record, request, name, status)),
        key=position,
        reverse=descending,
    )
    if "NextToken" in request:
        last = _read_token(request["NextToken"], listing)
        chosen = [
            record
            for record in chosen
            if (position(record) < last if descending else position(record) > last)
        ]
    size = request.get("MaxResults", _DEFAULT_PAGE)
    page: dict[str, Any] = {answer: [summarize(record) for record in chosen[:size]]}
    if len(chosen) > size:
        page["NextToken"] = _make_token(listing, position(chosen[size - 1]))
    return page


def sortable(value: float) -> str:
    """Return a number as text that sorts as the number does.

    >>> sorted([2.5, -1.0, 10.0, -30.0], key=sortable)
    [-30.0, -1.0, 2.5, 10.0]
    """
    bits = int.from_bytes(struct.pack(">d", value), "big")
    # The sign bit of a double comes first: flip it, and all bits of a negative one.
    return f"{bits ^ ((1 << 64) - 1 if bits >> 63 else 1 << 63):016x}"


def pick(*keys: str) -> Callable[[Record], Record]:
    """Return a summary maker that keeps the given keys where a record has them."""
    return lambda record: {key: record[key] for key in keys if key in record}


def _matches(record: Record, request: Request, name: str, status: str | None) -> bool:
    if request.get("NameContains", "").lower() not in record[name].lower():
        return False
    if "StatusEquals" in request and status is not None and record[status] != request["StatusEquals"]:
        return False
    for key in ("CreationTime", "LastModifiedTime"):
        time = record.get(key) or record["CreationTime"]
        if f"{key}After" in request and not time > request[f"{key}After"]:
            return False
        if f"{key}Before" in request and not time < request[f"{key}Before"]:
            return False
    return True


def _sort_value(record: Record, sort_by: str, name: str, status: str | None) -> str:
    if sort_by == "Name":
        return str(record[name])
    if sort_by == "Status" and status is not None:
        return str(record[status])
    time: datetime = record["CreationTime"]
    return f"{time.timestamp():020.6f}"


def _listing_id(answer: str, request: Request) -> str:
    """Tell one listing from another: a token continues only the listing that it came from."""
    shape = {key: value for key, value in request.items() if key not in ("NextToken", "MaxResults")}
    text = json.dumps([answer, shape], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _make_token(listing: str, position: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([listing, *position]).encode()).decode()


def _read_token(token: str, listing: str) -> tuple[str, str]:
    try:
        origin, value, name = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError) as error:
        raise ValidationException(
            "NextToken is not one that this operation gave. Use the token of the previous answer unchanged."
        ) from error
    if origin != listing:
        raise ValidationException(
            "NextToken belongs to a listing with other filters or another order. "
            "Repeat the parameters of the first call, or begin again without NextToken."
        )
    return str(value), str(name)
