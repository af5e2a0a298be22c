"""What a request may hold, by botocore's model of it: one walk that checks every member and makes it native.

Types, required and unknown members, lengths, ranges, enumerations and patterns are all read from the shapes.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from botocore.utils import parse_to_aware_datetime

_MOST_SHOWN = 120  # characters of a wrong value that a message repeats
_MOST_LISTED = 12  # allowed values that a message lists in full


def read_request(request: dict[str, Any], shape: Any) -> tuple[dict[str, Any], list[str], list[str]]:
    """Return the request with native types, and every fault in it as a sentence.

    Parameters
    ----------
    request
        Parsed JSON. Members that are null count as absent.
    shape
        The operation's input shape, from botocore.

    Returns
    -------
    tuple
        The request with timestamps as aware datetimes, the faults in the order of the request, and those of
        them that are values of a wrong type: AWS does not get as far as checking such a request.
    """
    reader = _Reader()
    return reader.read(request, shape, ""), reader.faults, reader.mistyped


class _Reader:
    def __init__(self) -> None:
        self.faults: list[str] = []
        self.mistyped: list[str] = []
        self._readers = {
            "structure": self._structure,
            "list": self._list,
            "map": self._map,
            "string": self._string,
            "integer": self._integer,
            "long": self._integer,
            "float": self._number,
            "double": self._number,
            "boolean": self._boolean,
            "timestamp": self._timestamp,
        }

    def read(self, value: Any, shape: Any, at: str) -> Any:
        return self._readers[shape.type_name](value, shape, at)

    def _structure(self, value: Any, shape: Any, at: str) -> Any:
        if not isinstance(value, dict):
            return self._mistyped(value, at, "Member must be an object")
        members = shape.members
        native = {}
        for key, member in value.items():
            if key not in members:
                self.faults.append(
                    f"{at or 'The request'} has no member {_quote(key)}{_suggest(key, members)}"
                )
            elif member is not None:
                native[key] = self.read(member, members[key], f"{at}.{key}" if at else key)
        for key in shape.required_members:
            if key not in native and value.get(key) is None:
                self._fault(None, f"{at}.{key}" if at else key, "Member must not be null")
        if shape.is_tagged_union and len(native) != 1:
            self._fault(value, at, f"Exactly one of the members {', '.join(members)} must be set")
        return native

    def _list(self, value: Any, shape: Any, at: str) -> Any:
        if not isinstance(value, list):
            return self._mistyped(value, at, "Member must be a list")
        self._check_size(len(value), value, shape, at, "length")
        return [self.read(item, shape.member, f"{at}[{number}]") for number, item in enumerate(value)]

    def _map(self, value: Any, shape: Any, at: str) -> Any:
        if not isinstance(value, dict):
            return self._mistyped(value, at, "Member must be an object")
        self._check_size(len(value), value, shape, at, "length")
        for key in value:
            self.read(key, shape.key, f"{at} (the key {_quote(key)})")
        return {key: self.read(item, shape.value, f"{at}.{key}") for key, item in value.items()}

    def _string(self, value: Any, shape: Any, at: str) -> Any:
        if not isinstance(value, str):
            return self._mistyped(value, at, "Member must be a string")
        allowed = shape.metadata.get("enum")
        if allowed:
            if value not in allowed:
                self._fault(value, at, f"Member must be one of {_choices(value, allowed)}")
        # An over-long text is not matched: a pattern may take long over it.
        elif self._check_size(len(value), value, shape, at, "length"):
            pattern = shape.metadata.get("pattern")
            if pattern and not compile_pattern(pattern).fullmatch(value):
                self._fault(value, at, f"Member must satisfy regular expression pattern: {pattern}")
        return value

    def _integer(self, value: Any, shape: Any, at: str) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSONata and JavaScript do not tell 3.0 from 3
        if not isinstance(value, int) or isinstance(value, bool):
            return self._mistyped(value, at, "Member must be an integer")
        self._check_size(value, value, shape, at, "value")
        return value

    def _number(self, value: Any, shape: Any, at: str) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return self._mistyped(value, at, "Member must be a number")
        self._check_size(value, value, shape, at, "value")
        return float(value)

    def _boolean(self, value: Any, shape: Any, at: str) -> Any:  # noqa: ARG002 (one of the readers)
        if isinstance(value, bool):
            return value
        return self._mistyped(value, at, "Member must be true or false")

    def _timestamp(self, value: Any, shape: Any, at: str) -> Any:  # noqa: ARG002 (one of the readers)
        try:
            if isinstance(value, int | float) and not isinstance(value, bool):
                return datetime.fromtimestamp(value, UTC)
            if isinstance(value, str):
                return parse_to_aware_datetime(value)
        except (ValueError, OverflowError, OSError):
            pass  # the fault below says so
        return self._mistyped(value, at, "Member must be a time: seconds since 1970, or ISO 8601")

    def _check_size(self, size: float, value: Any, shape: Any, at: str, what: str) -> bool:
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if least is not None and size < least:
            self._fault(value, at, f"Member must have {what} greater than or equal to {least}")
        elif most is not None and size > most:
            self._fault(value, at, f"Member must have {what} less than or equal to {most}")
        else:
            return True
        return False

    def _mistyped(self, value: Any, at: str, constraint: str) -> Any:
        self._fault(value, at, constraint)
        self.mistyped.append(self.faults[-1])
        return value

    def _fault(self, value: Any, at: str, constraint: str) -> Any:
        shown = "null" if value is None else _quote(value)
        self.faults.append(f"Value {shown} at '{at}' failed to satisfy constraint: {constraint}")
        return value


# Java's character properties, which the model's patterns use and Python's `re` does not know, as close as
# ranges come: marks, symbols and punctuation are whatever is not a letter, a digit or a control character.
_PROPERTIES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d\u00b2\u00b3\u00b9\u00bc-\u00be\u2150-\u218b\u2460-\u249b",
    r"\p{Z}": r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    r"\p{M}": r"\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0900-\u0903\u093a-\u094f\u1ab0-\u1aff"
    r"\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f",
    r"\p{S}": r"$+<=>^`|~\u00a2-\u00a9\u00ac\u00ae-\u00b1\u00b4\u00b8\u00d7\u00f7\u02c2-\u02ff\u2044"
    r"\u20a0-\u20bf\u2100-\u214f\u2190-\u23ff\u2500-\u27bf\u2900-\u2bff\U0001f000-\U0001faff",
    r"\p{P}": r"!-#%-*,-/:;?@\[-\]_{}\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u2010-\u2027\u2030-\u205e"
    r"\u3001-\u3003\u3008-\u3011\uff01-\uff0f",
    r"\p{Alnum}": "a-zA-Z0-9",
    # A whole code point is one character to Python, so the halves of surrogate pairs are one range.
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010ffff",
    # Two patterns of the model have lost their first anchor and hold a stray one.
    "${1,128}": "",
    "${1,256}": "",
}


@functools.cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return one of the model's patterns, which are written for Java, as Python's."""
    for java, python in _PROPERTIES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern)


def _quote(value: Any) -> str:
    text = str(value)
    return f"'{text}'" if len(text) <= _MOST_SHOWN else f"'{text[:_MOST_SHOWN]}…'"


def _suggest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _choices(text: str, allowed: list[str]) -> str:
    if len(allowed) <= _MOST_LISTED:
        return f"[{', '.join(allowed)}]"
    return f"the {len(allowed)} values that SageMaker lists{_suggest(text, allowed)}"
