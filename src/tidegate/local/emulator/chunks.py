"""Bodies that are signed chunk by chunk, each signature over the one before."""

from __future__ import annotations

import hashlib
import hmac

STREAMED = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
_NOTHING = hashlib.sha256(b"").hexdigest()
_SIGNED_BY = b";chunk-signature="
_TRAILER_SIGNED_BY = b"x-amz-trailer-signature:"


def chunks_match(body: bytes, key: bytes, time: str, scope: str, seed: str) -> bool:
    """Tell whether each chunk of a body, and what follows the last, was signed with a key.

    Parameters
    ----------
    body
        As it came: ``SIZE;chunk-signature=SIGNATURE``, the bytes, and so on to a chunk of no bytes.
    key
        The signing key.
    time, scope
        Of the request.
    seed
        The request's own signature, which the first chunk's is made over.
    """
    previous, at = seed, 0
    while (end := body.find(b"\r\n", at, at + 200)) >= 0:
        size_text, separator, given = body[at:end].partition(_SIGNED_BY)
        try:
            size = int(size_text, 16)
        except ValueError:
            return False
        chunk = body[end + 2 : end + 2 + size]
        previous = _sign(key, "PAYLOAD", time, scope, previous, f"{_NOTHING}\n{_digest(chunk)}")
        if not separator or size < 0 or len(chunk) != size or not _same(previous, given):
            return False
        at = end + 2 + size
        if size == 0:
            return _trailer_matches(body[at:], key, time, scope, previous)
        if body[at : at + 2] != b"\r\n":
            return False
        at += 2
    return False


def _trailer_matches(rest: bytes, key: bytes, time: str, scope: str, previous: str) -> bool:
    lines = [line for line in rest.split(b"\r\n") if line]
    if not lines:
        return True
    *fields, last = lines
    if not last.startswith(_TRAILER_SIGNED_BY):
        return False
    content = b"".join(line.strip() + b"\n" for line in fields)
    expected = _sign(key, "TRAILER", time, scope, previous, _digest(content))
    return _same(expected, last[len(_TRAILER_SIGNED_BY) :].strip())


def _sign(key: bytes, kind: str, time: str, scope: str, previous: str, digests: str) -> str:
    text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", time, scope, previous, digests])
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _same(expected: str, given: bytes) -> bool:
    return hmac.compare_digest(expected.encode(), given)
