"""Small readers of untyped values, each answering with the value or with one sentence about what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from tidegate.core.errors import BadSpec

Path = tuple[str, ...]


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
            refuse(
                f"'{key}' is not known here{nearest(str(key), known) or f'; known are {listed(known)}'}",
                (*path, str(key)),
            )


def text(value: object, path: Path) -> str:
    """Read a text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        refuse(f"expected a text, found {shown(value)}; put it in quotes if it looks like a number", path)
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
        refuse(f"{value:g} is outside {least:g} to {most:g}", path)
    return float(value)


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
    raw = " ".join(str(value).split())
    return f"'{raw[:40]}…'" if len(raw) > 40 else f"'{raw}'"


def listed(words: Collection[str]) -> str:
    """Join words for a sentence."""
    return ", ".join(words)
