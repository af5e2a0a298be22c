"""S3's signatures of version 2: boto3 still presigns addresses with them unless it is told otherwise."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from botocore.auth import HmacV1Auth
from botocore.awsrequest import HTTPHeaders
from botocore.credentials import Credentials

from tidegate.local.emulator.signatures import MISMATCH, SKEW, Refused, Request

_IN_ADDRESS = ("AWSAccessKeyId", "Signature", "Expires")
_SIGNED_HEADERS = ("content-md5", "content-type")


def check_of_old(
    request: Request, secret_of: Callable[[str, str], str], now: datetime | None = None
) -> str | None:
    """Check a signature of version 2.

    Returns
    -------
    str or None
        The id of the key; None where the request has no such signature.

    Raises
    ------
    Refused
        When it has one, and it does not hold.
    """
    time = now or datetime.now(UTC)
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    authorization = request.headers.get("authorization", "")
    headers = dict(request.headers)
    if authorization.startswith("AWS "):
        key_id, _, given = authorization[4:].partition(":")
        token = headers.get("x-amz-security-token", "")
        date = "" if headers.get("x-amz-date") else headers.get("date", "")
        _check_date(headers.get("x-amz-date") or date, time)
    elif all(query.get(name) for name in _IN_ADDRESS):
        key_id, given, date = (query.pop(name) for name in _IN_ADDRESS)
        if not date.isdigit() or len(date) > 12 or int(date) < time.timestamp():
            raise Refused("RequestExpired", "Request has expired", "s3")
        token = query.get("x-amz-security-token", "")
        headers |= {name: value for name, value in query.items() if _is_signed(name)}
    else:
        return None
    signer = _Signer(Credentials(key_id, secret_of(key_id, token), token or None), date)
    resource = "&".join(
        f"{quote(name)}={quote(value)}" if value else quote(name) for name, value in query.items()
    )
    expected = [
        signer.get_signature(
            request.method, urlsplit(f"http://host{path}?{resource}"), _as_botocore_s(headers)
        )
        for path in _paths(request)
    ]
    if not any(hmac.compare_digest(each.encode(), given.encode()) for each in expected):
        raise Refused("SignatureDoesNotMatch", MISMATCH, "s3")
    return key_id


class _Signer(HmacV1Auth):
    def __init__(self, credentials: Credentials, date: str) -> None:
        super().__init__(credentials)
        self._signed_date = date

    def _get_date(self) -> str:
        return self._signed_date


def _is_signed(name: str) -> bool:
    return name.startswith("x-amz-") or name in _SIGNED_HEADERS


def _paths(request: Request) -> list[str]:
    """What may have been signed as the path: where the host names the bucket, with it."""
    name = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    bucket = name.removesuffix("localhost").rstrip(".").partition(".s3")[0].removesuffix(".s3")
    named = bucket and name.endswith("localhost") and bucket != "s3"
    return [request.path, *([f"/{bucket}{request.path}"] if named else [])]


def _as_botocore_s(headers: Mapping[str, str]) -> Any:
    found = HTTPHeaders()
    for name, value in headers.items():
        found[name] = value
    return found


def _check_date(date: str, now: datetime) -> None:
    try:
        signed = parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        raise Refused("IncompleteSignature", "The request has no date that can be read.", "s3") from None
    if abs(signed - now) > SKEW:
        raise Refused(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            "s3",
        )
