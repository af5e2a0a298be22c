"""Names and values as a terminal may have them: what it would obey, or hide, is written out instead."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

# Joiners make words of many scripts, and faces of several; they change nothing that stands elsewhere.
_JOINERS = "\u200c\u200d"
_LAYOUT = "\n\t"
# A first, quick look: nothing below has to be looked at one by one.
_PLAIN = re.compile(r"[\n\t -~]*")


def visible(text: str, layout: str = _LAYOUT) -> str:
    r"""Write out what a terminal would obey or hide: escapes and other controls, turns of direction.

    Parameters
    ----------
    layout : str
        Which controls may stay, as they are our own.

    Examples
    --------
    >>> visible("a\x1b[31mb\u202ec")
    'a\\x1b[31mb\\u202ec'
    >>> visible("two\nlines", layout="")
    'two\\nlines'
    """
    if layout == _LAYOUT and _PLAIN.fullmatch(text):
        return text
    return "".join(each if _stays(each, layout) else _written_out(each) for each in text)


def _stays(character: str, layout: str) -> bool:
    if character in layout or character in _JOINERS:
        return True
    # Controls, formats (which turn the direction of writing), halves of characters, ends of lines.
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _written_out(character: str) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    number = ord(character)
    return short or (
        f"\\x{number:02x}"
        if number < 0x100
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )


def as_json(document: Mapping[str, Any], default: Callable[[object], object]) -> str:
    """Write a document as JSON that is valid, whatever its texts hold, and does nothing to a terminal."""
    try:
        text = json.dumps(document, indent=2, default=default, ensure_ascii=False, allow_nan=False)
    except ValueError:  # JSON has no infinities
        text = json.dumps(
            _finite(json.loads(json.dumps(document, default=default))), indent=2, ensure_ascii=False
        )
    if _PLAIN.fullmatch(text):
        return text
    # All of them stand within texts, as JSON itself has none.
    return "".join(each if _stays(each, _LAYOUT) else json.dumps(each)[1:-1] for each in text)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list) else value
