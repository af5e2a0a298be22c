"""Sentences that know which of their parts are values of somebody's data: the one door for what is told.

A sentence is a template with named places, and what is put into them says what it is:

- `of_the_data` makes a `Value`: a cell, a category, a name that stands in a file and nowhere in the model.
- `told` makes a `Told`: a name that people gave in the model file, a file's name, a word of our own.
- A whole number is a count or a line, and another `Sentence` keeps its parts.

Anything else is a type error, and is masked all the same where it comes through. Who may read the data (the
file's own `.reason.json`, the report, a terminal) is shown `plain`; logs, notifications, records, metrics and
events take `masked`, which is also what ``str`` and an f-string give, so that a slip shows too little.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, NewType

# Of the values in it no more than their shape: fit for logs and messages.
Masked = NewType("Masked", str)

# What ends a line somewhere: a file's own words in a sentence must not break it in two.
_LINE_ENDS = re.compile(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_KIND = {"L": "x", "M": "x", "N": "9"}  # by the first letter of Unicode's category
SAID = "said"  # the member under which a sentence stands in JSON


def one_line(text: str) -> str:
    """Keep a text on one line, whatever it quotes."""
    return _LINE_ENDS.sub(" ", text)


class Told(str):
    """A text that may be told to anybody: a name of the model file, a file's name, a word of our own."""

    __slots__ = ()


@dataclass(frozen=True)
class Value:
    """A value of somebody's data; writing it into a text shows its shape."""

    text: str

    def __str__(self) -> str:
        return shape(self.text)


Part = Told | Value


@dataclass(frozen=True)
class Sentence:
    """Words and values in their order.

    Examples
    --------
    >>> km = say("km is {cell} in line {line}", cell=of_the_data("12 miles"), line=7)
    >>> km.plain
    'km is 12 miles in line 7'
    >>> km.masked
    'km is 99 xxxxx in line 7'
    """

    parts: tuple[Part, ...] = ()

    @property
    def plain(self) -> str:
        """The sentence for those who may read the data: with its values as they are."""
        return one_line("".join(part.text if isinstance(part, Value) else part for part in self.parts))

    @property
    def masked(self) -> Masked:
        """The sentence for logs and messages: of the values in it no more than their shape."""
        return Masked(one_line("".join(map(str, self.parts))))

    def __str__(self) -> str:
        return self.masked

    def __add__(self, other: Sentence) -> Sentence:
        return Sentence((*self.parts, *other.parts))

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return any(map(str, self.parts))

    def to_dict(self) -> dict[str, list[Any]]:
        """Give the JSON form, in which values go on being values; see `plainly` and `masked`."""
        return {SAID: [{"value": part.text} if isinstance(part, Value) else str(part) for part in self.parts]}

    @classmethod
    def from_dict(cls, document: object) -> Sentence:
        """Read the JSON form; of anything else nobody knows what it holds, so that it is a value whole."""
        said = document.get(SAID) if isinstance(document, Mapping) else None
        if not isinstance(said, list):
            return cls((Value(str(document)),) if document is not None else ())
        return cls(tuple(Told(each) if isinstance(each, str) else Value(_text(each)) for each in said))


def _text(part: object) -> str:
    return str(part["value"]) if isinstance(part, Mapping) and "value" in part else str(part)


def of_the_data(value: object) -> Value:
    """Mark a part of a sentence as a value of somebody's data."""
    return value if isinstance(value, Value) else Value(str(value))


def told(word: object) -> Told:
    """Mark a part of a sentence as one that may be told to anybody.

    For a single name or word that the code or the model file holds, never for a text that was put together:
    that is what `say` is for, and a test holds it.
    """
    return Told(word)


def shortened(part: Value | Told, most: int) -> Value | Told:
    """Cut a part of a sentence to so many characters, an ellipsis for the rest."""
    if isinstance(part, Value):
        return Value(part.text[:most] + "…") if len(part.text) > most else part
    return Told(part[:most] + "…") if len(part) > most else part


def say(template: str, **places: Sentence | Value | Told | int) -> Sentence:
    """Build a sentence.

    Parameters
    ----------
    template : str
        Its words, written out at the call, with a name in braces for each place.
    places
        What stands there. What is none of the types is taken for a value.

    Examples
    --------
    >>> str(say("{file}, line {line}: {cell}", file=told("may.csv"), line=3, cell=of_the_data("Ann, 42")))
    'may.csv, line 3: xxx, 99'
    """
    parts: list[Part] = []
    for words, name, form, turned in Formatter().parse(template):
        if words:
            parts.append(Told(words))
        if name is not None:
            parts += _parts_of(places[name], form or "", turned)
    return Sentence(tuple(parts))


def _parts_of(place: object, form: str, turned: str | None) -> tuple[Part, ...]:
    if isinstance(place, Sentence):
        return place.parts
    if isinstance(place, Told | Value):
        return (_quoted(place),) if turned == "r" else (place,)
    if isinstance(place, int):
        return (Told(format(place, form)),)
    return (_quoted(Value(str(place))) if turned == "r" else Value(str(place)),)


def _quoted(place: Part) -> Part:
    return Value(repr(place.text)) if isinstance(place, Value) else Told(repr(str(place)))


def joined(parts: Iterable[Sentence | Value | Told], between: str = ", ") -> Sentence:
    """Join sentences and parts of them.

    >>> str(joined([told("km"), of_the_data("Ann")]))
    'km, xxx'
    """
    found: list[Part] = []
    for number, part in enumerate(parts):
        if number and between:
            found.append(Told(between))
        found += _parts_of(part, "", None)
    return Sentence(tuple(found))


def listed(names: Iterable[str]) -> Told:
    """Join names that the code or the model file holds."""
    return Told(", ".join(names))


def shape(text: str) -> Masked:
    """Show no more of a text than its shape: where it has letters, digits, blanks and punctuation.

    >>> shape("Zoë-12, 東京"), shape("a@b.example 😀")
    ('xxx-99, xx', 'x@x.xxxxxxx ?')
    """
    if text.isascii():
        return Masked(re.sub(r"[0-9]", "9", re.sub(r"[A-Za-z]", "x", text)))
    return Masked("".join(map(_shape_of, text)))


def _shape_of(character: str) -> str:
    found = _KIND.get(unicodedata.category(character)[0])
    return found or (character if character.isascii() else "?")


def plainly(document: Any) -> Any:
    """Give a JSON document with its sentences written out, for those who may read the data."""
    return _written(document, lambda sentence: sentence.plain)


def masked(document: Any) -> Any:
    """Give a JSON document with its sentences written out, of the values in them no more than their shape."""
    return _written(document, lambda sentence: sentence.masked)


def _written(document: Any, write: Any) -> Any:
    if isinstance(document, Sentence):
        return write(document)
    if isinstance(document, Mapping):
        if document.keys() == {SAID}:
            return write(Sentence.from_dict(document))
        return {key: _written(value, write) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_written(value, write) for value in document]
    return document
