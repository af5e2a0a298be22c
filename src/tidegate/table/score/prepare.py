"""From a dropped file to what batch transform reads: good rows out, bad rows aside, everything counted."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from tidegate.core.errors import BadDrop
from tidegate.core.payload import PART_ROWS
from tidegate.core.scoring import too_many_bad
from tidegate.core.sentences import Sentence, joined, say, told
from tidegate.core.usage import Scoring
from tidegate.table.read.look import look
from tidegate.table.read.opening import open_bytes
from tidegate.table.score.csv_rows import csv_rows
from tidegate.table.score.json_rows import json_rows
from tidegate.table.score.parquet_rows import parquet_rows
from tidegate.table.score.rows import Reject, Rows, Wanted
from tidegate.table.score.write import InputsFile, Parts, json_cells, line_heads

HEAD_BYTES = 4096
SHOWN = 12  # columns at fault


def prepare_scores(
    path: Path,
    wanted: Wanted,
    layouts: Sequence[Sequence[str]],
    scoring: Scoring,
    out: Path,
    name: str,
    *,
    part_rows: Sequence[int] = (),
) -> dict[str, Any]:
    """Read a file to score and write its good rows.

    Writes under `out`: ``inputs.parquet``, ``rows/<layout>/part-….jsonl``, and ``rejects.csv`` where there
    are bad rows (``row,column,reason,raw``, the row as an editor numbers it).

    Parameters
    ----------
    path : Path
        The file: CSV (also gzipped), JSON Lines (also gzipped) or Parquet, told by content.
    wanted : Wanted
        The columns that it must have.
    layouts : sequence of sequence of str
        The orders of columns in which the models read rows.
    scoring : Scoring
        What is allowed of bad rows.
    out : Path
        An existing folder.
    name : str
        What people call the file.
    part_rows : sequence of int
        How many rows a file of each layout has at most.

    Returns
    -------
    dict
        ``rows``, ``good`` and ``rejected``.

    Raises
    ------
    BadDrop
        For a file that cannot be used, one without rows, or one with more bad rows than allowed.
    """
    inputs = InputsFile(out / "inputs.parquet", wanted)
    most = part_rows or [PART_ROWS] * len(layouts)
    parts = [
        Parts(out / "rows" / str(number), layout, rows)
        for number, (layout, rows) in enumerate(zip(layouts, most, strict=True))
    ]
    good, aside = 0, _Aside(out / "rejects.csv")
    try:
        for rows in read_rows(path, wanted, name):
            aside.write(rows.rejects)
            if rows.count:
                _write(rows, wanted, inputs, parts)
                good += rows.count
    finally:
        inputs.close()
        aside.close()
        for part in parts:
            part.close()
    rows_in = good + aside.count
    if not rows_in:
        raise BadDrop(
            say("{file} has column names and no rows; add the rows and drop it again", file=told(name))
        )
    if reason := too_many_bad(scoring, rows_in, aside.count, aside.first_words()):
        first = aside.first
        raise BadDrop(
            say(
                "{file}: {reason}{columns}; correct the file and drop it again",
                file=told(name),
                reason=reason,
                columns=aside.columns_words(),
            ),
            row=first.row if first else None,
            column=(first.column or None) if first else None,
        )
    return {"rows": rows_in, "good": good, "rejected": aside.count}


def read_rows(path: Path, wanted: Wanted, name: str) -> Iterator[Rows]:
    """Read a file block by block, whatever its format."""
    seen = look(path, name)
    if seen.parquet:
        return parquet_rows(path, wanted, name)
    with open_bytes(path, seen.gzipped) as file:
        head = file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"["):
        raise BadDrop(
            say(
                "{file} is a JSON array; write one object a line (JSON Lines) and drop it again",
                file=told(name),
            )
        )
    if head.startswith(b"{"):
        return json_rows(path, wanted, name, seen.gzipped)
    return csv_rows(path, wanted, name, seen)


def _write(rows: Rows, wanted: Wanted, inputs: InputsFile, parts: list[Parts]) -> None:
    arrows = inputs.write(rows)
    texts = {
        name: json_cells(rows.columns[name], arrow, kind)
        for (name, kind), arrow in zip(wanted.columns.items(), arrows, strict=True)
    }
    heads = line_heads(rows)
    for part in parts:
        part.write(heads, texts)


class _Aside:
    """The reject file: made with the first bad row."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self.count = 0
        self._columns: Counter[str] = Counter()
        self.first: Reject | None = None

    def write(self, rejects: Sequence[Reject]) -> None:
        if not rejects:
            return
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file, lineterminator="\n").writerow(["row", "column", "reason", "raw"])
            self.first = rejects[0]
        csv.writer(self._file, lineterminator="\n").writerows(
            (each.row, each.column, each.reason.plain, each.raw) for each in rejects
        )
        self.count += len(rejects)
        for each in rejects:
            self._columns.update(filter(None, each.column.split(", ")))

    def columns_words(self) -> Sentence:
        """Name every column at fault, where they are several."""
        if len(self._columns) < 2:
            return Sentence()
        every = self._columns.most_common()
        said = [
            say("'{column}' in {count:,}", column=told(column), count=count)
            for column, count in every[:SHOWN]
        ]
        more = len(every) - len(said)
        return say(
            "; columns at fault, by rows: {said}{more}",
            said=joined(said),
            more=say(" and {more} more", more=more) if more else Sentence(),
        )

    def first_words(self) -> Sentence:
        if self.first is None:
            return Sentence()
        column = say(", column {name!r}", name=told(self.first.column)) if self.first.column else Sentence()
        return say(
            "the first is row {row}{column}: {reason}",
            row=self.first.row,
            column=column,
            reason=self.first.reason,
        )

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
