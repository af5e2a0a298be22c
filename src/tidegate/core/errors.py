"""What can be wrong with what people give us, each with one sentence that says how to mend it."""

from __future__ import annotations

from tidegate.core.sentences import Masked, Sentence, of_the_data, one_line

__all__ = [
    "BadConstraints",
    "BadDrop",
    "BadPredictions",
    "BadSpec",
    "CombineFailed",
    "DataError",
    "NotThere",
    "RuleAbsent",
    "TidegateError",
    "of_the_data",
    "one_line",
]


class TidegateError(Exception):
    """Base of every error whose text is meant for a person."""


class DataError(TidegateError):
    """Base of every error that may quote somebody's data.

    Written as it is, as a log or Step Functions does with an error that nobody caught, it is masked.

    Parameters
    ----------
    sentence : Sentence
        One sentence: what is wrong, where, and how to mend it; made by `tidegate.core.sentences.say`.
        A bare text is a value as a whole, since nobody knows what it holds.
    """

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence if isinstance(sentence, Sentence) else Sentence((of_the_data(sentence),))
        super().__init__(self.sentence.masked)

    @property
    def masked(self) -> Masked:
        """The sentence for logs and messages: of the values in it no more than their shape."""
        return self.sentence.masked

    @property
    def plain(self) -> str:
        """The sentence for those who may read the data."""
        return self.sentence.plain


class BadDrop(DataError):
    """A dropped file cannot be used.

    Parameters
    ----------
    sentence : Sentence
        What is wrong, where, and how to mend it.
    row : int, optional
        The line of the file as an editor shows it, counted from 1.
    column : str, optional
        The name of the column.
    """

    def __init__(self, sentence: Sentence, *, row: int | None = None, column: str | None = None) -> None:
        super().__init__(sentence)
        self.row = row
        self.column = column


class NotThere(TidegateError):
    """Something of ours that has to be there is not, with what to do to have it made."""


class BadPredictions(DataError):
    """The answers of a model do not fit the rows that were asked."""


class CombineFailed(DataError):
    """The algorithms' predictions cannot be made one: a combination rule of one's own is absent or fails."""


class RuleAbsent(CombineFailed):
    """A combination rule of one's own is named, and there is none of that name here."""


class BadConstraints(DataError):
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
