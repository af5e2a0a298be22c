"""The rows that one object of a window brings, by column: what `read_window` adds up and writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import say, told
from tidegate.table.scan.records import as_text


@dataclass(frozen=True)
class Part:
    """Rows of one object.

    Attributes
    ----------
    event : list of str
        Each row's own name.
    prediction_id, request_id, row_id : list of str or None
        By which names ground truth may call it.
    at : list of str
        When it was asked.
    cells : mapping of str to pyarrow array
        The inputs that were sent: texts, or doubles where all were numbers; one that is not here is missing.
    predictions : list of float or None
        What was answered.
    """

    event: Sequence[str]
    prediction_id: Sequence[str]
    request_id: Sequence[str | None]
    row_id: Sequence[str | None]
    at: Sequence[str]
    cells: Mapping[str, Any]
    predictions: Sequence[float | None]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.event)

    def without(self, already: frozenset[str]) -> Part:
        """Leave out the rows of some names."""
        kept = [place for place, event in enumerate(self.event) if event not in already]
        return self if len(kept) == len(self) else self._picked(kept)

    def slices(self, rows: int) -> Iterator[Part]:
        """Give it in pieces of at most so many rows."""
        if len(self) <= rows:
            yield self
            return
        for begin in range(0, len(self), rows):
            yield self._picked(range(begin, min(begin + rows, len(self))))

    def _picked(self, places: Sequence[int]) -> Part:
        import pyarrow as pa

        def picked(values: Sequence[Any]) -> list[Any]:
            return [values[place] for place in places]

        where = pa.array(places, pa.int64())
        return Part(
            picked(self.event),
            picked(self.prediction_id),
            picked(self.request_id),
            picked(self.row_id),
            picked(self.at),
            {name: array.take(where) for name, array in self.cells.items()},
            picked(self.predictions),
        )


def texts_of(sent: Sequence[Any]) -> Any:
    """Give cells as they were sent as a pyarrow array of texts.

    Raises
    ------
    BadDrop
        For a text with half of a character, which JSON can write and no table can hold.
    """
    import pyarrow as pa

    try:
        return pa.array(sent, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # JSON's true and false, or something nested
        texts = [as_text(each) for each in sent]
    except UnicodeEncodeError:
        texts = list(sent)
    refuse_halves("".join(each for each in texts if isinstance(each, str)))
    return pa.array(texts, pa.string())


def refuse_halves(text: str) -> None:
    """Refuse a text that no table can hold.

    Raises
    ------
    BadDrop
        For one with half of a surrogate pair.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise BadDrop(
            say("a value holds {half}, which is half of a character; send whole characters", half=told(half))
        ) from None


def tells_the_time(at: str | None) -> bool:
    """Tell whether a row says when it was asked: those of a scored file know their day alone.

    >>> tells_the_time("2024-05-04T10:20:30Z"), tells_the_time("2024-05-04")
    (True, False)
    """
    return at is not None and len(at) > len("2024-05-04")


def number_of(answer: Any) -> float | None:
    """Read a prediction; None where it is no number."""
    try:
        return None if answer is None else float(answer)
    except ValueError:
        return None
