"""Which requests come from a web page rather than from a program on this machine; they are refused.

A page on the web can make a browser send requests to 127.0.0.1 (cross-site), and can point a name of its own
at 127.0.0.1 (DNS rebinding). The first carries the page's origin, the second its host name. A page from
another port of this machine counts as one of the web: it may be anybody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Only what a URL's authority may be: whoever reads a host leniently reads "evil.example\@127.0.0.1" as ours.
# Names under .localhost are this machine by definition (RFC 6761): buckets and APIs have hosts there.
_HOST = re.compile(
    rb"(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9_](?:[a-z0-9_.-]{0,250}[a-z0-9_])?\.)?localhost)(?::([0-9]{1,5}))?",
    re.I,
)
# What a browser says of a request that a person made, or the page that it goes to.
_OWN_SITE = (b"none", b"same-origin")

Headers = Iterable[tuple[bytes, bytes]]


def refusal(headers: Headers, port: int | None = None, *, pages: bool = True) -> str | None:
    """Return why a request is refused, or None.

    Parameters
    ----------
    headers
        Names in any case, and values, as they came.
    port
        The port that its host must name; None takes any.
    pages
        Whether pages of the very address that is asked may ask.

    Examples
    --------
    >>> refusal([(b"host", b"127.0.0.1:4566")])
    >>> refusal([(b"host", b"evil.example:4566")])
    "The local cloud answers to 127.0.0.1 and localhost, not to 'evil.example:4566'."
    >>> refusal([(b"host", b"127.0.0.1:4566"), (b"origin", b"http://127.0.0.1:8000")])
    "The local cloud takes no requests from web pages of 'http://127.0.0.1:8000'."
    """
    fields = [(name.lower(), value) for name, value in headers]
    hosts = [value for name, value in fields if name == b"host"]
    host = hosts[0] if hosts else b""
    found = _HOST.fullmatch(host)
    if found is None or len(hosts) > 1 or (port is not None and int(found[1] or 80) != port):
        return f"The local cloud answers to 127.0.0.1 and localhost, not to '{_shown(b', '.join(hosts))}'."
    for name, value in fields:
        if name == b"origin" and not (pages and value.lower() == b"http://" + host.lower()):
            return f"The local cloud takes no requests from web pages of '{_shown(value)}'."
        if name == b"sec-fetch-site" and not (pages and value in _OWN_SITE):
            return "The local cloud takes no requests from web pages of other sites."
    return None


def _shown(value: bytes) -> str:
    text = value.decode("latin-1")
    return "".join(letter if letter.isprintable() else "?" for letter in text[:200])
