"""Checks the signature of a request as AWS does: botocore's own signer says what it ought to be.

Pure: who asks brings the request as it came over the wire, the time, and the secrets.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest, HTTPHeaders
from botocore.credentials import Credentials

from tidegate.local.emulator.chunks import STREAMED, chunks_match

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
_MOST_EXPIRES = 7 * 24 * 3600
_TIME = "%Y%m%dT%H%M%SZ"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
# What S3 does not ask to be signed.
_FREE_OF_SIGNATURE = ("x-amz-content-sha256", "x-amz-user-agent")
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details."
)


class Refused(Exception):
    """A request whose signature does not hold.

    Parameters
    ----------
    code
        What the emulator calls it; each service has its own name for it.
    message
        AWS's words.
    service
        The service that the request was signed for, where that is known.
    """

    def __init__(self, code: str, message: str, service: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.service = service


@dataclass(frozen=True)
class Request:
    """A request as it came.

    Parameters
    ----------
    method, path, query
        As on the wire, nothing decoded.
    headers
        Names in lower case; values of one name joined by commas.
    body
        All of it, chunks and all.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Claim:
    """What a request says of its signature.

    Parameters
    ----------
    key_id, token
        Whose it is.
    service, region, date
        What it is good for.
    signed_headers
        The headers that it covers.
    signature
        The signature itself.
    time
        When it was made, as it is written.
    expires
        For how many seconds it holds, of an address; None of a header.
    """

    key_id: str
    token: str
    service: str
    region: str
    date: str
    signed_headers: tuple[str, ...]
    signature: str
    time: str
    expires: int | None = None


def read_claim(request: Request) -> Claim | None:
    """Return what a request says of its signature, None where it says nothing of version 4.

    Raises
    ------
    Refused
        When it says only half of it.
    """
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if request.headers.get("authorization", "").startswith(ALGORITHM):
        return _in_header(request)
    if query.get("X-Amz-Algorithm") == ALGORITHM:
        return _in_address(query)
    return None


def check(
    request: Request, claim: Claim, secret_of: Callable[[str, str], str], now: datetime | None = None
) -> None:
    """Raise `Refused` unless the request was signed with the secret of the key that it names.

    Parameters
    ----------
    request
        The request.
    claim
        What it says of its signature.
    secret_of
        Returns the secret of a key, given its id and the session token; raises `Refused` where there is none.
    now
        The time; by default this machine's.
    """
    _check_time(claim, now or datetime.now(UTC))
    try:
        secret = secret_of(claim.key_id, claim.token)
    except Refused as refusal:
        raise Refused(refusal.code, refusal.message, claim.service) from refusal
    is_s3 = claim.service.startswith("s3")
    declared = request.headers.get("x-amz-content-sha256", "")
    _check_headers(request, claim, is_s3)
    if claim.expires is not None and is_s3:
        content = "UNSIGNED-PAYLOAD"
    elif is_s3 and (declared in _UNSIGNED or declared in STREAMED):
        content = declared
    else:
        content = hashlib.sha256(request.body).hexdigest()
        if is_s3 and declared and declared != content:
            raise Refused(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                claim.service,
            )
    kind = _ExpectedOfS3 if is_s3 else _ExpectedOfAll
    signer = kind(secret, claim, content, request.headers)
    expected = signer.expected(request)
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise Refused("SignatureDoesNotMatch", MISMATCH, claim.service)
    if content in STREAMED and not chunks_match(
        request.body,
        signing_key(secret, claim.date, claim.region, claim.service),
        claim.time,
        signer.credential,
        expected,
    ):
        raise Refused("SignatureDoesNotMatch", MISMATCH, claim.service)


@lru_cache(maxsize=256)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Return the key of one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


class _Expected:
    """What our overrides of botocore's signers have in common: all as the request says, nothing made anew."""

    def __init__(self, secret: str, claim: Claim, content: str, headers: Mapping[str, str]) -> None:
        super().__init__(Credentials(claim.key_id, secret), claim.service, claim.region)  # type: ignore[call-arg]
        self._secret = secret
        self._claim = claim
        self._content = content
        self._headers = headers

    @property
    def credential(self) -> str:
        """What the signature is good for."""
        claim = self._claim
        return f"{claim.date}/{claim.region}/{claim.service}/aws4_request"

    def expected(self, request: Request) -> str:
        """Return the signature that the request ought to have."""
        query = sorted(
            (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
            for name, value in parse_qsl(request.query, keep_blank_values=True)
            if self._claim.expires is None or name != "X-Amz-Signature"
        )
        url = f"http://host{request.path}?{'&'.join(f'{name}={value}' for name, value in query)}"
        # botocore takes the digest of the body from there.
        aws = AWSRequest(method=request.method, url=url, headers={"x-amz-content-sha256": self._content})
        aws.context["timestamp"] = self._claim.time
        signer: Any = self
        text = signer.string_to_sign(aws, signer.canonical_request(aws))
        return str(signer.signature(text, aws))

    def headers_to_sign(self, _request: Any) -> Any:
        """Return those that the request says it has signed."""
        headers = HTTPHeaders()
        for name in self._claim.signed_headers:
            headers[name] = self._headers.get(name, "")
        return headers

    def signature(self, text: str, _request: Any) -> str:
        """Sign; the key of a day is made once."""
        claim = self._claim
        key = signing_key(self._secret, claim.date, claim.region, claim.service)
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class _ExpectedOfAll(_Expected, SigV4Auth):
    pass


class _ExpectedOfS3(_Expected, S3SigV4Auth):
    pass


def _in_header(request: Request) -> Claim:
    authorization = request.headers["authorization"]
    fields = dict(part.strip().partition("=")[::2] for part in authorization[len(ALGORITHM) :].split(","))
    time = request.headers.get("x-amz-date", "") or _in_basic_format(request.headers.get("date", ""))
    return _claim(
        fields.get("Credential", ""),
        fields.get("SignedHeaders", ""),
        fields.get("Signature", ""),
        time,
        request.headers.get("x-amz-security-token", ""),
        None,
    )


def _in_basic_format(date: str) -> str:
    try:
        return parsedate_to_datetime(date).astimezone(UTC).strftime(_TIME)
    except ValueError:
        return ""


def _in_address(query: Mapping[str, str]) -> Claim:
    expires = query.get("X-Amz-Expires", str(int(SKEW.total_seconds())))
    if not expires.isdigit() or len(expires) > 6 or not 0 < int(expires) <= _MOST_EXPIRES:
        raise Refused("IncompleteSignature", f"X-Amz-Expires must be between 1 and {_MOST_EXPIRES} seconds.")
    return _claim(
        query.get("X-Amz-Credential", ""),
        query.get("X-Amz-SignedHeaders", ""),
        query.get("X-Amz-Signature", ""),
        query.get("X-Amz-Date", ""),
        query.get("X-Amz-Security-Token", ""),
        int(expires),
    )


def _claim(
    credential: str, signed_headers: str, signature: str, time: str, token: str, expires: int | None
) -> Claim:
    scope = credential.split("/")
    service = scope[3] if len(scope) == 5 else ""
    given = {"Credential": credential, "SignedHeaders": signed_headers, "Signature": signature, "date": time}
    if missing := [name for name, value in given.items() if not value]:
        raise Refused("IncompleteSignature", f"The signature lacks {', '.join(missing)}.", service)
    if len(scope) != 5 or scope[4] != "aws4_request" or not all(scope):
        raise Refused(
            "IncompleteSignature",
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/term, got '{credential}'",
            service,
        )
    if scope[1] != time[:8]:
        raise Refused(
            "CredentialDateMismatch",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.",
            service,
        )
    names = tuple(signed_headers.lower().split(";"))
    return Claim(scope[0], token, service, scope[2], scope[1], names, signature, time, expires)


def _check_time(claim: Claim, now: datetime) -> None:
    try:
        signed = datetime.strptime(claim.time, _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise Refused(
            "IncompleteSignature", f"'{claim.time}' is no date like 20260102T030405Z.", claim.service
        ) from None
    if signed > now + SKEW:
        raise Refused(
            "RequestTimeTooSkewed",
            f"Signature not yet current: {claim.time} is still later than {(now + SKEW).strftime(_TIME)} "
            f"({now.strftime(_TIME)} + 15 min.)",
            claim.service,
        )
    if claim.expires is not None and now > signed + timedelta(seconds=claim.expires):
        raise Refused("RequestExpired", "Request has expired", claim.service)
    if claim.expires is None and signed < now - SKEW:
        raise Refused(
            "RequestTimeTooSkewed",
            f"Signature expired: {claim.time} is now earlier than {(now - SKEW).strftime(_TIME)} "
            f"({now.strftime(_TIME)} - 15 min.)",
            claim.service,
        )


def _check_headers(request: Request, claim: Claim, is_s3: bool) -> None:
    """What decides where a request goes and what it does must be signed with it."""
    if "host" not in claim.signed_headers:
        raise Refused(
            "SignatureDoesNotMatch",
            "'Host' must be a 'SignedHeader' in the AWS Authorization.",
            claim.service,
        )
    if not is_s3:
        return
    left = [
        name
        for name in request.headers
        if name.startswith("x-amz-") and name not in claim.signed_headers and name not in _FREE_OF_SIGNATURE
    ]
    if left:
        raise Refused(
            "UnsignedHeaders",
            f"There were headers present in the request which were not signed: {', '.join(sorted(left))}",
            claim.service,
        )
