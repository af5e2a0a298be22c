"""What can be wrong with what people give us, each with one sentence that says how to mend it."""

from __future__ import annotations

import re

# What ends a line somewhere: a file's own words in a sentence must not break it in two.
_LINE_ENDS = re.compile(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")


def one_line(message: str) -> str:
    """Keep a sentence on one line, whatever it quotes."""
    return _LINE_ENDS.sub(" ", message)


# Around what a sentence quotes of the data itself; two characters that Unicode leaves to private use.
_QUOTED = re.compile("\ue000(.*?)\ue001", re.S)


def of_the_data(text: str) -> str:
    """Mark a part of a sentence as a value of somebody's data."""
    return f"\ue000{text}\ue001"


def plain(sentence: str) -> str:
    """Write a sentence for those who may read the data: with its values as they are.

    >>> plain("km is " + of_the_data("12 miles"))
    'km is 12 miles'
    """
    return _QUOTED.sub(r"\1", sentence)


def masked(sentence: str) -> str:
    """Write a sentence for logs and messages: of the values in it no more than their shape.

    >>> masked("km is " + of_the_data("12 miles"))
    'km is 99 xxxxx'
    """
    return _QUOTED.sub(lambda found: re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "x", found[1])), sentence)


class TidegateError(Exception):
    """Base of every error whose text is meant for a person."""


class BadDrop(TidegateError):
    """A dropped file cannot be used.

    Parameters
    ----------
    message : str
        One sentence: what is wrong, where, and how to mend it; values of the data in it are marked (see
        `of_the_data`). The attribute ``message`` has them as they are, ``masked`` only their shape.
    row : int, optional
        The line of the file as an editor shows it, counted from 1.
    column : str, optional
        The name of the column.
    """

    def __init__(self, message: str, *, row: int | None = None, column: str | None = None) -> None:
        super().__init__(plain(one_line(message)))
        self.message = plain(one_line(message))
        self.masked = masked(one_line(message))
        self.row = row
        self.column = column


class BadPredictions(TidegateError):
    """The answers of a model do not fit the rows that were asked."""


class CombineFailed(TidegateError):
    """The algorithms' predictions cannot be made one: a combination rule of one's own is absent or fails."""


class BadConstraints(TidegateError):
    """A `constraints.json` or `statistics.json` says something that means nothing here."""


class BadSpec(TidegateError):
    """A model file says something that cannot be done.

    Parameters
    ----------
    message : str
        One sentence: what is wrong and how to mend it.
    path : tuple of str
        Where in the file: the keys from the top, for example ``("gate", "at_most")``.
    line : int, optional
        The line in the YAML text, counted from 1, where the reader knows it.
    """

    def __init__(self, message: str, path: tuple[str, ...] = (), line: int | None = None) -> None:
        super().__init__(one_line(message))
        self.message = one_line(message)
        self.path = path
        self.line = line

    def __str__(self) -> str:
        where = one_line(".".join(self.path))
        at_line = f"line {self.line}" if self.line is not None else ""
        place = ", ".join(part for part in (at_line, where) if part)
        return f"{place}: {self.message}" if place else self.message
