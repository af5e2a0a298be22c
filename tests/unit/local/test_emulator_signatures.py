"""Signatures of requests: AWS's own examples hold, and nothing that was signed can be changed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

import pytest
from botocore.auth import (
    HmacV1Auth,
    HmacV1QueryAuth,
    S3SigV4Auth,
    S3SigV4QueryAuth,
    SigV4Auth,
    SigV4QueryAuth,
)
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from tidegate.local.emulator.signatures import Refused, Request, check, read_claim
from tidegate.local.emulator.signatures_of_old import check_of_old

# The examples of AWS's documentation ("Signature Calculations", "Signing requests with SigV4").
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # pragma: allowlist secret
IAM_KEY, IAM_SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # pragma: allowlist secret
EMPTY = hashlib.sha256(b"").hexdigest()
MAY_2013 = datetime(2013, 5, 24, tzinfo=UTC)
AUGUST_2015 = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)

GET_OBJECT = Request(
    "GET",
    "/test.txt",
    "",
    {
        "host": "examplebucket.s3.amazonaws.com",
        "range": "bytes=0-9",
        "x-amz-content-sha256": EMPTY,
        "x-amz-date": "20130524T000000Z",
        "authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    },
)
PRESIGNED = Request(
    "GET",
    "/test.txt",
    f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={KEY}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    {"host": "examplebucket.s3.amazonaws.com"},
)
CHUNKED = Request(
    "PUT",
    "/examplebucket/chunkObject.txt",
    "",
    {
        "host": "s3.amazonaws.com",
        "x-amz-date": "20130524T000000Z",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "content-length": "66824",
        "authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-decoded-content-length;x-amz-storage-class,"
        "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    },
    b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"
    + b"a" * 65536
    + b"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n"
    + b"a" * 1024
    + b"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
)
LIST_USERS = Request(
    "GET",
    "/",
    "Action=ListUsers&Version=2010-05-08",
    {
        "host": "iam.amazonaws.com",
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-amz-date": "20150830T123600Z",
        "authorization": f"AWS4-HMAC-SHA256 Credential={IAM_KEY}/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    },
)
EXAMPLES = {"header": GET_OBJECT, "address": PRESIGNED, "chunks": CHUNKED}


def refusal(request: Request, now: datetime, secret: str = SECRET) -> str | None:
    """The code that a request is refused with, or None."""
    try:
        claim = read_claim(request)
        if claim is None:
            return "unsigned" if check_of_old(request, lambda *_: secret, now) is None else None
        check(request, claim, lambda *_: secret, now)
    except Refused as refused:
        return refused.code
    return None


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_aws_hold(example: str) -> None:
    assert refusal(EXAMPLES[example], MAY_2013) is None
    assert refusal(EXAMPLES[example], MAY_2013, "another secret") == "SignatureDoesNotMatch"


def test_the_example_of_a_service_other_than_s3_holds() -> None:
    assert refusal(LIST_USERS, AUGUST_2015, IAM_SECRET) is None
    assert refusal(LIST_USERS, AUGUST_2015, SECRET) == "SignatureDoesNotMatch"
    changed = replace(LIST_USERS, body=b"Action=DeleteUser")
    assert refusal(changed, AUGUST_2015, IAM_SECRET) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("example", ["header", "chunks"])
@pytest.mark.parametrize(("minutes", "code"), [(14, None), (-14, None), (16, "skew"), (-16, "skew")])
def test_a_signature_is_good_for_a_quarter_of_an_hour(example: str, minutes: int, code: str | None) -> None:
    now = MAY_2013 + timedelta(minutes=minutes)
    assert refusal(EXAMPLES[example], now) == (code and "RequestTimeTooSkewed")


def test_an_address_is_good_until_it_expires() -> None:
    assert refusal(PRESIGNED, MAY_2013 + timedelta(hours=23)) is None
    assert refusal(PRESIGNED, MAY_2013 + timedelta(hours=25)) == "RequestExpired"
    assert refusal(PRESIGNED, MAY_2013 - timedelta(minutes=16)) == "RequestTimeTooSkewed"
    for seconds in ("0", "-1", "604801", "x", ""):
        longer = replace(PRESIGNED, query=PRESIGNED.query.replace("Expires=86400", f"Expires={seconds}"))
        assert refusal(longer, MAY_2013) == "IncompleteSignature"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("Signature=f0e8", "Signature=0", "SignatureDoesNotMatch"),
        ("Signature=", "Sig=", "IncompleteSignature"),
        ("/20130524/us", "/us", "IncompleteSignature"),
        ("/20130524/", "/20130525/", "CredentialDateMismatch"),
        ("aws4_request", "aws5_request", "IncompleteSignature"),
        ("SignedHeaders=host;range", "SignedHeaders=range", "SignatureDoesNotMatch"),
        (";x-amz-date,", ",", "UnsignedHeaders"),
    ],
)
def test_a_signature_of_half_is_none(old: str, new: str, code: str) -> None:
    changed = {
        **GET_OBJECT.headers,
        "authorization": GET_OBJECT.headers["authorization"].replace(old, new, 1),
    }
    assert refusal(replace(GET_OBJECT, headers=changed), MAY_2013) == code


@pytest.mark.parametrize(
    "changed",
    [
        replace(GET_OBJECT, path="/other.txt"),
        replace(GET_OBJECT, method="DELETE"),
        replace(GET_OBJECT, query="versionId=1"),
        replace(GET_OBJECT, headers={**GET_OBJECT.headers, "range": "bytes=0-99"}),
        replace(GET_OBJECT, headers={**GET_OBJECT.headers, "host": "another.s3.amazonaws.com"}),
        replace(PRESIGNED, query=PRESIGNED.query + "&response-content-type=text%2Fhtml"),
        replace(PRESIGNED, path="/other.txt"),
        replace(CHUNKED, body=CHUNKED.body.replace(b"aaaa", b"aaab", 1)),
        replace(CHUNKED, body=CHUNKED.body.partition(b"\r\n400;")[0]),
        replace(CHUNKED, body=CHUNKED.body.replace(b"400;chunk-signature=0", b"400;chunk-signature=1")),
        replace(CHUNKED, body=b""),
        replace(CHUNKED, body=b"zz;chunk-signature=\r\n\r\n"),
    ],
)
def test_what_was_signed_cannot_be_changed(changed: Request) -> None:
    assert refusal(changed, MAY_2013) == "SignatureDoesNotMatch"


def test_a_body_that_is_not_the_one_of_its_digest_is_refused() -> None:
    assert refusal(replace(GET_OBJECT, body=b"x"), MAY_2013) == "XAmzContentSHA256Mismatch"


CREDENTIALS = Credentials(KEY, SECRET)
SESSION = Credentials(KEY, SECRET, "the/token+of=a session")
names = st.text("abcXYZ019-_.~ /%+é", min_size=1, max_size=12)


def as_received(signed: AWSRequest) -> Request:
    prepared = signed.prepare()
    split = urlsplit(prepared.url)
    headers = {name.lower(): str(value) for name, value in prepared.headers.items()}
    headers = {name: value[2:-1] if value.startswith("b'") else value for name, value in headers.items()}
    body = prepared.body if isinstance(prepared.body, bytes) else (prepared.body or "").encode()
    return Request(signed.method, split.path or "/", split.query, {**headers, "host": split.netloc}, body)


@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]),
    st.lists(names, max_size=4),
    st.dictionaries(names, names, max_size=3),
    st.binary(max_size=200),
    st.sampled_from([CREDENTIALS, SESSION]),
    st.sampled_from([S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth]),
)
def test_whatever_botocore_signs_holds_and_only_with_its_secret(
    method: str, path: list[str], query: dict[str, str], body: bytes, credentials: Credentials, signer: type
) -> None:

    is_s3 = signer in (S3SigV4Auth, S3SigV4QueryAuth)
    url = "http://127.0.0.1:4566/" + "/".join(quote(each, safe="-_.~") for each in path if each != "..")
    extra = {"params": query} if signer in (S3SigV4QueryAuth, SigV4QueryAuth) else {}
    if query and not extra:
        url += "?" + urlencode(query, quote_via=lambda value, *_: quote(value, safe="-_.~"))
    # In an address a body is not signed, and botocore takes one for a form to be moved there.
    data = b"" if extra else body
    headers = {"x-amz-meta-a": "b  c"}
    request = AWSRequest(method=method, url=url, data=data, headers=headers, **extra)
    signer(credentials, "s3" if is_s3 else "sqs", "us-east-1").add_auth(request)
    received = replace(as_received(request), body=body if is_s3 else data)
    now = datetime.now(UTC)
    assert refusal(received, now) is None
    assert refusal(received, now, "another") == "SignatureDoesNotMatch"
    if received.path != "/":
        assert refusal(replace(received, path=received.path + "x"), now) == "SignatureDoesNotMatch"
    if not (is_s3 and signer is S3SigV4QueryAuth):
        assert refusal(replace(received, body=body + b"x"), now) is not None


@pytest.mark.parametrize("credentials", [CREDENTIALS, SESSION])
@pytest.mark.parametrize("signer", [HmacV1Auth, HmacV1QueryAuth])
def test_s3_s_signatures_of_old_hold_too(credentials: Credentials, signer: type) -> None:
    request = AWSRequest(
        "PUT", url="http://127.0.0.1:4566/bucket/a%20b?versionId=7", headers={"x-amz-meta-a": "b"}
    )
    if signer is HmacV1Auth:
        del request.headers["x-amz-meta-a"]
    signer(credentials).add_auth(request)
    received = as_received(request)
    if signer is HmacV1Auth:
        assert "date" in received.headers
    now = datetime.now(UTC)
    assert refusal(received, now) is None
    assert refusal(received, now, "another") == "SignatureDoesNotMatch"
    assert refusal(replace(received, path="/bucket/c"), now) == "SignatureDoesNotMatch"
    late = now + timedelta(hours=2)
    assert refusal(received, late) in ("RequestTimeTooSkewed", "RequestExpired")
