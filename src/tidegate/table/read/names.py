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
    missing = [each for each in wanted if each not in names]
    if len(missing) == len(wanted):
        raise _nothing_fits(names, wanted, name, header_line)
    if target is not None and target in missing:
        raise BadDrop(
            say(
                "{file} has no target column '{target}'{hint}; add it, or name another target in model.yaml",
                file=told(name),
                target=told(target),
                hint=_hint(target, names, wanted),
            ),
            row=header_line,
            column=target,
        )
    if missing:
        raise _lacking(missing, names, wanted, name, header_line)
    for each in wanted:
        if names.count(each) > 1:
            places = [told(at + 1) for at, other in enumerate(names) if other == each]
            raise BadDrop(
                say(
                    "{file} has the column '{column}' {times} times (columns {places}); keep one of them",
                    file=told(name),
                    column=told(each),
                    times=len(places),
                    places=joined(places, " and "),
                ),
                row=header_line,
                column=each,
            )
    return {each: names.index(each) for each in wanted}


def _lacking(
    missing: list[str], names: list[str], wanted: Sequence[str], name: str, header_line: int | None
) -> BadDrop:
    several = len(missing) > 1
    lacking = [
        say("'{column}'{hint}", column=told(each), hint=_hint(each, names, wanted))
        for each in missing[:SHOWN_NAMES]
    ]
    return BadDrop(
        say(
            "{file} lacks {columns} {lacking}{more}; add {them}, or list the columns that there are in "
            "model.yaml",
            file=told(name),
            columns=told("columns" if several else "the column"),
            lacking=joined(lacking),
            more=_more(missing),
            them=told("them" if several else "it"),
        ),
        row=header_line,
        column=missing[0],
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


def _hint(missing: str, names: list[str], wanted: Sequence[str]) -> Sentence:
    spare = {each.lower(): each for each in names if each not in wanted}
    close = difflib.get_close_matches(missing.lower(), list(spare), 1)
    if not close:
        return Sentence()
    name = spare[close[0]]
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
