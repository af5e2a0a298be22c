"""What a record of a model may hold: fields with types, checked and described by the same object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tidegate.api.problems import Fault
from tidegate.core.checks import nearest
from tidegate.core.grammar import POINT_WANTED, wants_a_point
from tidegate.serving.cells import FALSE, TRUE, BadCell, is_plain, reader_of
from tidegate.serving.texts import category_text, declared_missing

MOST_CHARACTERS = 1000
MOST_FAULTS = 100  # beyond them nothing is gained by looking on
# Models compute in single precision, where 3.4e38 is the end; a weight or a scale must have room below it.
# A power of two is the same number as an integer, as a double and in the published schema.
LARGEST = 2**100
LARGEST_ID = 2**126  # 38 digits, as many as a decimal of a database holds
TOO_LARGE = f"the number is too large; at most {LARGEST:g} is taken"
BOOLEANS = (True, False, 0, 1, *sorted(TRUE | FALSE), None)


@dataclass(frozen=True)
class Form:
    """The fields of a model's records.

    Parameters
    ----------
    features : mapping of str to str
        The type of each feature, in the order of the model file.
    id : str, optional
        The field that names a record; it is given back with the record's prediction.
    target : str
        What the model predicts; a record that holds it is refused in a sentence of its own.
    missing : mapping of str to sequence of str
        For some features, the words that stand for a missing value.
    """

    features: Mapping[str, str]
    id: str | None
    target: str
    missing: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def known(self) -> frozenset[str]:
        """Every field that a record may have."""
        return frozenset(self.features) | ({self.id} if self.id else set())

    @cached_property
    def _readers(self) -> dict[str, Callable[[Any], Any]]:
        return {name: reader_of(kind, self.missing.get(name, ())) for name, kind in self.features.items()}

    @cached_property
    def gaps(self) -> dict[str, frozenset[str]]:
        """The same words, ready to be looked up."""
        return {name: declared_missing(words) for name, words in self.missing.items()}

    def faults_of_name(self, name: str, record: int | None = None) -> list[Fault]:
        """Say what is wrong with a field's name, if anything."""
        if name in self.known:
            return []
        shown = name if len(name) <= 60 else name[:60] + "…"
        if name == self.target:
            return [Fault("this is what the model predicts; leave it out", record, shown)]
        hint = nearest(name, self.known) if len(name) <= 60 else ""
        return [Fault(f"the model has no such field{hint}", record, shown)]

    def faults_of_record(self, record: Mapping[str, Any], number: int, *, typed: bool) -> list[Fault]:
        """Say what is wrong with a record.

        Parameters
        ----------
        record : mapping
            Its fields.
        number : int
            Its place in the request, from 1.
        typed : bool
            Whether values come with types, as in JSON; in CSV everything is text.
        """
        faults: list[Fault] = []
        readers, features, gaps = self._readers, self.features, self.gaps
        for name, cell in record.items():
            kind = features.get(name)
            if kind is None:
                if name != self.id:
                    faults += self.faults_of_name(name, number)
                elif said := _wrong_id(cell):
                    faults.append(Fault(said, number, name))
            elif cell is None or (name in gaps and is_plain(cell) and category_text(cell) in gaps[name]):
                continue
            elif said := _wrong_cell(kind, cell, readers[name], typed):
                faults.append(Fault(said, number, name))
            if len(faults) >= MOST_FAULTS:
                break
        return faults

    def schema(self) -> dict[str, Any]:
        """Describe a record as JSON Schema."""
        properties = {name: dict(SCHEMAS[kind]) for name, kind in self.features.items()}
        if self.id:
            properties[self.id] = {
                "type": ["string", "integer", "null"],
                "maxLength": MOST_CHARACTERS,
                "minimum": -LARGEST_ID,
                "maximum": LARGEST_ID,
                "pattern": NO_NUL,
                "description": "Names the record; given back with its prediction, to the last digit",
            }
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            "minProperties": 1,
            "description": "A field that is absent or null is missing, as an empty cell in training was",
        }


NO_NUL = "^[^\\u0000]*$"
_BOUNDS = {"minimum": -LARGEST, "maximum": LARGEST}
SCHEMAS: dict[str, dict[str, Any]] = {
    "numeric": {"type": ["number", "null"], **_BOUNDS},
    "integer": {"type": ["integer", "null"], **_BOUNDS},
    "boolean": {"enum": list(BOOLEANS)},
    "categorical": {
        "type": ["string", "number", "boolean", "null"],
        "maxLength": MOST_CHARACTERS,
        "pattern": NO_NUL,
        **_BOUNDS,
    },
    "date": {"type": ["string", "null"], "format": "date"},
}


def _wrong_cell(kind: str, cell: Any, read: Callable[[Any], Any], typed: bool) -> str | None:
    if isinstance(cell, str):
        if said := _wrong_text(cell):
            return said
        if typed and kind in ("numeric", "integer"):
            return f"expected a number, found the text {_shown(cell)}; write it without quotes"
        if typed and kind == "boolean" and cell not in BOOLEANS:
            return f"expected true or false, found {_shown(cell)}"
    elif isinstance(cell, int | float) and not -LARGEST <= cell <= LARGEST:
        return TOO_LARGE
    elif isinstance(cell, dict | list):
        return f"expected one value, found {'an object' if isinstance(cell, dict) else 'a list'}"
    try:
        value = read(cell)
    except BadCell as bad:
        if kind in ("numeric", "integer") and isinstance(cell, str) and wants_a_point(cell):
            return f"{bad}; {POINT_WANTED}"
        return str(bad)
    if isinstance(value, float) and abs(value) > LARGEST:
        return TOO_LARGE
    if typed and kind == "date" and value is None:
        return f"expected a date such as 2024-05-31, or null, found {_shown(cell)}"
    return None


def _wrong_id(cell: Any) -> str | None:
    if isinstance(cell, str):
        return _wrong_text(cell)
    if cell is None:
        return None
    whole = isinstance(cell, int) and not isinstance(cell, bool)
    if whole or (isinstance(cell, float) and cell.is_integer()):
        return None if abs(cell) <= LARGEST_ID else "the id has too many digits; send it as a text"
    return "expected a text or a whole number"


def _wrong_text(text: str) -> str | None:
    if len(text) > MOST_CHARACTERS:
        return f"the text has {len(text):,} characters; at most {MOST_CHARACTERS:,} are taken"
    if "\0" in text:
        return "the text holds the character NUL; take it out"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "the text holds half of a surrogate pair; send whole characters"
    return None


def _shown(text: Any) -> str:
    raw = str(text)
    return f"'{raw[:40]}…'" if len(raw) > 40 else f"'{raw}'"
