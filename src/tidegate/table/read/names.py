"""Column names against the model's declaration: which is where, and a sentence for what does not fit."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import Sentence, Told, Value, joined, of_the_data, say, shortened, told
from tidegate.core.spec import ModelSpec
from tidegate.table.read.values import is_number

SHOWN_NAMES = 12
SHOWN_NAME = 30  # characters
MOST_COMPARED = 500


def expected_names(spec: ModelSpec) -> list[str]:
    """List the columns that a training drop must have: target, features, and the id if there is one."""
    return [spec.target, *spec.features, *([spec.id] if spec.id else [])]


def find_columns(
    found: Sequence[str],
    wanted: Sequence[str],
    name: str,
    *,
    target: str | None = None,
    header_line: int | None = 1,
) -> dict[str, int]:
    """Say in which place each expected column is.

    Parameters
    ----------
    found : sequence of str
        The names in the file, in order.
    wanted : sequence of str
        The columns that there must be.
    name : str
        What people call the file.
    target : str or None
        Which of the wanted columns is to be predicted, where the file is to learn from.
    header_line : int or None
        The line that holds the names; None for Parquet, which always has names.

    Raises
    ------
    BadDrop
        If the file has no header, lacks a column, or has one of them twice.
    """
    names = [each.strip() for each in found]
    places: dict[str, list[int]] = {}
    for place, each in enumerate(names):
        places.setdefault(each, []).append(place)
    missing = [each for each in wanted if each not in places]
    if len(missing) == len(wanted):
        raise _nothing_fits(names, wanted, name, header_line)
    twice = [each for each in wanted if len(places.get(each, ())) > 1]
    if missing or twice:
        hints = _Hints(names, wanted)
        faults = [
            *([_no_target(target, hints)] if target in missing else []),
            *(
                [_lacks([each for each in missing if each != target], hints)]
                if set(missing) - {target}
                else []
            ),
            *([_has_twice({each: places[each] for each in twice})] if twice else []),
        ]
        first = target if target in missing else (missing or twice)[0]
        said = say("{file} {faults}", file=told(name), faults=joined(faults, "; it also "))
        raise BadDrop(said, row=header_line, column=first)
    return {each: places[each][0] for each in wanted}


def _no_target(target: str | None, hints: _Hints) -> Sentence:
    assert target is not None
    return say(
        "has no target column '{target}'{hint}; add it, or name another target in model.yaml",
        target=told(target),
        hint=hints.of(target),
    )


def _lacks(missing: list[str], hints: _Hints) -> Sentence:
    several = len(missing) > 1
    return say(
        "lacks {columns} {lacking}{more}; add {them}, or list the columns that there are in model.yaml",
        columns=told("columns" if several else "the column"),
        lacking=joined(
            say("'{column}'{hint}", column=told(each), hint=hints.of(each)) for each in missing[:SHOWN_NAMES]
        ),
        more=_more(missing),
        them=told("them" if several else "it"),
    )


def _has_twice(twice: dict[str, list[int]]) -> Sentence:
    said = [
        say(
            "'{column}' {times} times (columns {places})",
            column=told(each),
            times=len(places),
            places=joined((told(at + 1) for at in places[:SHOWN_NAMES]), " and "),
        )
        for each, places in list(twice.items())[:SHOWN_NAMES]
    ]
    return say(
        "has the {columns} {said}{more}; keep one of each name",
        columns=told("columns" if len(twice) > 1 else "column"),
        said=joined(said),
        more=_more(list(twice)),
    )


def _nothing_fits(names: list[str], wanted: Sequence[str], name: str, header_line: int | None) -> BadDrop:
    # What stands where names are expected may be a row: of the file's own names only the shape is told.
    found, expected = quoted(map(of_the_data, names)), quoted(map(told, wanted))
    if header_line is not None and (any(is_number(each) for each in names) or len(set(names)) < len(names)):
        return BadDrop(
            say(
                "{file} has no header: line {line} reads {found}, which looks like a row; make the first "
                "line the column names: {expected}",
                file=told(name),
                line=header_line,
                found=found,
                expected=expected,
            ),
            row=header_line,
        )
    return BadDrop(
        say(
            "{file} has none of the model's columns; it has {found}, and the model expects {expected}; "
            "rename the columns, or list these in model.yaml",
            file=told(name),
            found=found,
            expected=expected,
        ),
        row=header_line,
    )


class _Hints:
    """The names of a file that nobody asked for, among which a missing one may be meant."""

    def __init__(self, names: Sequence[str], wanted: Sequence[str]) -> None:
        known = set(wanted)
        # Each is compared with each, which takes the square: of thousands none is looked for.
        spare = list(dict.fromkeys(each for each in names if each not in known))
        self._spare = {each.lower(): each for each in spare} if len(spare) <= MOST_COMPARED else {}

    def of(self, missing: str) -> Sentence:
        """Ask whether another name is meant."""
        close = difflib.get_close_matches(missing.lower(), list(self._spare), 1)
        if not close:
            return Sentence()
        name = self._spare[close[0]]
        # Of other letters than the model's it may be anything; of the same ones it says nothing new.
        same = close[0] == missing.lower()
        return say(" (did you mean '{name}'?)", name=told(name) if same else of_the_data(name))


def quoted(names: Iterable[Value | Told]) -> Sentence:
    """List names in quotes, the first dozen of them and each shortened."""
    every = list(names)
    return joined(say("'{name}'", name=shortened(each, SHOWN_NAME)) for each in every[:SHOWN_NAMES]) + _more(
        every
    )


def _more(every: Sequence[object]) -> Sentence:
    more = len(every) - SHOWN_NAMES
    return say(" and {more} more", more=more) if more > 0 else Sentence()
