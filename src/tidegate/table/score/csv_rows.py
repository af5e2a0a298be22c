"""Reading CSV block by block: pyarrow parses a sound block; one with anything odd is read row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.grammar import BOM, Head, Malformed, csv_records, line_ends
from tidegate.core.sentences import Sentence, say, told
from tidegate.table.columns import Categories, floats_of
from tidegate.table.read.convert import (
    EXACT_DOUBLES,
    Cells,
    categories,
    identities,
    read_numbers,
    read_texts,
    split_dictionary,
)
from tidegate.table.read.csv_trouble import malformed, read_header, rows_of
from tidegate.table.read.look import Look
from tidegate.table.read.names import find_columns
from tidegate.table.read.opening import marked, open_bytes
from tidegate.table.read.values import ARROW_NULLS
from tidegate.table.score.rows import Reject, Rows, Wanted, sort_out

BLOCK_BYTES = 4 << 20
BLOCK_ROWS = 16_384
_PLAIN = ("numeric", "integer")


def csv_rows(path: Path, wanted: Wanted, name: str, seen: Look) -> Iterator[Rows]:
    """Read a CSV file that `look` found to be text.

    Raises
    ------
    BadDrop
        For a header that does not fit, or a quotation mark that is never closed.
    """
    head = read_header(path, wanted.names, name, seen)
    places = find_columns(head.cells, wanted.names, name, header_line=head.line)
    reader = _Reader(wanted, name, places, len(head.cells))
    if seen.quotes or seen.long:  # a line need not be a row, or a cell may be too long
        yield from reader.carefully(islice(rows_of(path, seen.gzipped), 1, None))
        return
    for first_line, block in _blocks(path, seen.gzipped, head):
        found = reader.fast(first_line, block)
        if found is not None:
            yield found
        else:
            text = io.StringIO(block.decode(), newline="")
            yield from reader.carefully(csv_records(text, first_line))


class _Reader:
    """What every block of one file is read with."""

    def __init__(self, wanted: Wanted, name: str, places: dict[str, int], width: int) -> None:
        self.wanted, self.name, self.places, self.width = wanted, name, places, width
        self._plain = frozenset(
            column
            for column, kind in wanted.columns.items()
            if kind in _PLAIN and not wanted.missing.get(column)
        )

    def fast(self, first_line: int, block: bytes) -> Rows | None:
        """Read a block without quotation marks, or give None when its lines are not its rows."""
        import pyarrow as pa

        if block.count(b"\r") != block.count(b"\r\n"):
            return None
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        table, odd = None, False
        try:
            table = self._parse(block, self._plain)
            odd = any(
                _is_odd(table.column(f"f{self.places[column]}"), self.wanted.columns[column])
                for column in self._plain
            )
        except pa.ArrowInvalid:
            odd = True
        try:
            # Some number is not one, or not plainly one: as texts, every cell is judged by our own rules.
            table = self._parse(block, frozenset()) if odd or table is None else table
        except pa.ArrowInvalid:
            return None
        if table.num_rows != lines:
            return None
        columns = {column: self._cells(table, column, kind) for column, kind in self.wanted.columns.items()}
        return sort_out(
            np.arange(first_line, first_line + lines),
            columns,
            self._ids(table),
            self.wanted,
            lambda row: block.split(b"\n")[row].decode().rstrip("\r"),
            [],
        )

    def carefully(self, rows: Iterable[tuple[int, list[str]]]) -> Iterator[Rows]:
        """Read rows one by one, each with its line; a row of another width is set aside."""
        import pyarrow as pa

        source = iter(rows)
        while True:
            good: list[tuple[int, list[str]]] = []
            others: list[Reject] = []
            try:
                for line, cells in islice(source, BLOCK_ROWS):
                    if len(cells) == self.width:
                        good.append((line, cells))
                    else:
                        others.append(Reject(line, "", _width(len(cells), self.width), _joined(cells)))
            except Malformed as error:
                raise malformed(self.name, error) from None
            if not good and not others:
                return
            arrays = {
                f"f{place}": pa.array([cells[place] for _, cells in good], pa.string()).dictionary_encode()
                for place in set(self.places.values())
            }
            table = pa.table(arrays)
            yield sort_out(
                np.array([line for line, _ in good], dtype=np.int64),
                {column: self._cells(table, column, kind) for column, kind in self.wanted.columns.items()},
                self._ids(table),
                self.wanted,
                lambda row, good=good: _joined(good[row][1]),  # type: ignore[misc]
                others,
            )

    def _cells(self, table: Any, column: str, kind: str) -> Cells | Categories:
        found = table.column(f"f{self.places[column]}")
        if str(found.type) == "double":
            return read_numbers(floats_of(found), kind)
        codes, texts = split_dictionary(found)
        missing = self.wanted.missing.get(column, ())
        if kind == "categorical":
            return categories(codes, texts, missing)
        return read_texts(codes, texts, kind, missing)

    def _ids(self, table: Any) -> Categories | None:
        if self.wanted.id is None:
            return None
        found = table.column(f"f{self.places[self.wanted.id]}")
        return identities(*split_dictionary(found), self.wanted.missing.get(self.wanted.id, ()))

    def _parse(self, block: bytes, numbers: frozenset[str]) -> Any:
        import pyarrow as pa
        import pyarrow.csv as pacsv

        text = pa.dictionary(pa.int32(), pa.string())
        types = {
            f"f{place}": pa.float64() if column in numbers else text for column, place in self.places.items()
        }
        return pacsv.read_csv(
            pa.BufferReader(marked(block)),
            read_options=pacsv.ReadOptions(
                block_size=len(block) + len(BOM) + 1,
                column_names=[f"f{place}" for place in range(self.width)],
            ),
            parse_options=pacsv.ParseOptions(quote_char=False),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(types),
                column_types=types,
                null_values=ARROW_NULLS,
                strings_can_be_null=False,
            ),
        )


def _is_odd(column: Any, kind: str) -> bool:
    """Tell whether pyarrow took something for a number that is none here: '-nan', 'inf' and the like.

    Whole numbers of more digits than a double holds are read as text too, to keep each digit.
    """
    import pyarrow.compute as pc

    if pc.all(pc.is_finite(column), skip_nulls=True).as_py() is False:
        return True
    return kind == "integer" and pc.any(pc.greater_equal(pc.abs(column), EXACT_DOUBLES)).as_py() is True


def _blocks(path: Path, gzipped: bool, head: Head) -> Iterator[tuple[int, bytes]]:
    """Cut a file after its header into blocks of whole lines, each with the number of its first line."""
    rest, line = b"", head.next_line
    with open_bytes(path, gzipped) as file:
        file.seek(head.begins)
        while True:
            piece = file.read(BLOCK_BYTES)
            # A \r at the end may be half of an end.
            end = max(piece.rfind(b"\n"), piece.rfind(b"\r", 0, len(piece) - 1)) + 1
            if piece and not end:
                rest += piece  # `look` has seen that no line has more than two of them
                continue
            block, rest = rest + piece[:end], piece[end:]
            if block:
                yield line, block
                line += line_ends(block)
            if not piece:
                return


def _width(found: int, width: int) -> Sentence:
    fields = told("field" if found == 1 else "fields")
    return say("{found} {fields}, expected {width} as in the header", found=found, fields=fields, width=width)


def _joined(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
