"""Small readers of untyped values, each answering with the value or with one sentence about what is wrong."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from tidegate.core.errors import BadSpec

Path = tuple[str, ...]

# Controls, halves of characters, ends of lines and paragraphs.
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")
# What Python strips, and what looks like nothing without being a blank: a byte order mark, say.
_BLANKS = "".join(map(chr, (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200E), 0x202F, 0x205F)))
_BLANKS += "\u2060\u3000\ufeff"


def refuse(sentence: str, path: Path) -> NoReturn:
    """Raise BadSpec at a place in the file."""
    raise BadSpec(sentence, path)


def nearest(word: str, among: Collection[str]) -> str:
    """Give ``; did you mean 'x'?`` for the word most like a misspelt one, or nothing."""
    import difflib

    close = difflib.get_close_matches(word, list(among), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def mapping(value: object, path: Path) -> Mapping[str, Any]:
    """Read a mapping with text keys."""
    if not isinstance(value, Mapping):
        refuse(f"expected names with values, found {shown(value)}", path)
    return value


def required(entry: Mapping[str, Any], key: str, path: Path) -> Any:
    """Read a member that must be there."""
    if entry.get(key) is None:
        refuse(f"'{key}' is missing", (*path, key) if path else (key,))
    return entry[key]


def no_other_keys(entry: Mapping[str, Any], known: Collection[str], path: Path) -> None:
    """Refuse a member that nobody would read: most often a misspelling."""
    for key in entry:
        if key not in known:
            others = nearest(str(key), known) or f"; known are {listed(known)}"
            refuse(f"{shown(str(key))} is not known here{others}", (*path, str(key)))


def text(value: object, path: Path) -> str:
    """Read a text that is not blank, has no blanks around it and no control characters in it.

    In a table's header and in a name of AWS's such ones are read as others, if at all; nobody sees them.
    """
    if not isinstance(value, str) or not value.strip():
        refuse(f"expected a text, found {shown(value)}; put it in quotes if it looks like a number", path)
    printable(value, path)
    if value != value.strip(_BLANKS):
        refuse(f"{shown(value)} has blanks around it; take them out", path)
    return value


def printable(value: str, path: Path) -> str:
    """Refuse a text with characters that nobody sees: control characters, line ends, halves of characters."""
    hidden = next((each for each in value if unicodedata.category(each) in _UNSEEN), None)
    if hidden is not None:
        refuse(
            f"{shown(value)} holds U+{ord(hidden):04X}, which is no character that can be seen; take it out",
            path,
        )
    return value


def pattern(value: str, regex: str, longest: int, path: Path, wanted: str) -> str:
    """Read a text of a given form and length."""
    if len(value) > longest:
        refuse(f"{shown(value)} has {len(value)} characters; at most {longest} fit", path)
    if not re.fullmatch(regex, value):  # match would let a line end through
        refuse(f"{shown(value)} does not fit; expected {wanted}", path)
    return value


def one_of(value: object, words: Collection[str], path: Path) -> str:
    """Read one word of a list."""
    if not isinstance(value, str) or value not in words:
        refuse(f"{shown(value)} is not one of {listed(words)}{nearest(str(value), words)}", path)
    return value


def number(value: object, least: float | None, most: float | None, path: Path) -> float:
    """Read a finite number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        refuse(f"expected a number, found {shown(value)}", path)
    if (least is not None and value < least) or (most is not None and value > most):
        if most is None:
            refuse(f"{value:g} is less than {least:g}, the least that means anything here", path)
        if least is None:
            refuse(f"{value:g} is more than {most:g}, the most that means anything here", path)
        refuse(f"{value:g} is outside {least:g} to {most:g}", path)
    return float(value)


def scalar(value: object, path: Path) -> str:
    """Read one value of whatever kind as the text that SageMaker is given of it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        number(value, None, None, path)
        return str(value)
    if not isinstance(value, str):
        refuse(f"expected one value, found {shown(value)}", path)
    return printable(value, path)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the largest double
        return False


def whole(value: object, least: int, most: int, path: Path) -> int:
    """Read a whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(f"expected a whole number, found {shown(value)}", path)
    if not least <= value <= most:
        short = shown(value).strip("'")
        refuse(f"{short} is outside {least} to {most}", path)
    return value


def flag(value: object, path: Path) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        refuse(f"expected true or false, found {shown(value)}", path)
    return value


def instance(value: object, path: Path) -> str:
    """Read a SageMaker instance type such as ml.m5.large."""
    return pattern(
        text(value, path), r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", 40, path, "an instance type such as ml.m5.large"
    )


def unbool_off(value: object) -> object:
    """Undo YAML 1.1, in which a bare ``off`` is the boolean false."""
    return "off" if value is False else value


def shown(value: object) -> str:
    """Show a value in a sentence: short, quoted, nothing for nothing."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "names with values"
    if isinstance(value, list | tuple):
        return "a list"
    try:
        text = str(value)
    except ValueError:  # a whole number of more digits than Python writes
        text = "a number of thousands of digits"
    # What cannot be seen is shown as a code, so that the sentence is one line of characters.
    text = "".join(f"\\u{ord(each):04x}" if _is_unseen(each) else each for each in text)
    raw = " ".join(text.split())
    return f"'{raw[:40]}…'" if len(raw) > 40 else f"'{raw}'"


def _is_unseen(character: str) -> bool:
    # Marks that only steer others (Cf) may be in a name, but a sentence shows that they are there.
    return not character.isspace() and unicodedata.category(character) in (*_UNSEEN, "Cf")


def listed(words: Collection[str]) -> str:
    """Join words for a sentence."""
    return ", ".join(words)
