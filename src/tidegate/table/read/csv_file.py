"""Reading CSV: pyarrow reads a sound file in one go; only one that it refuses is read slowly, to say why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.errors import BadDrop
from tidegate.core.grammar import Head, Malformed
from tidegate.core.sentences import of_the_data, say, told
from tidegate.core.spec import ModelSpec
from tidegate.table.columns import Categories, Column, Floats, Numbers, Table, floats_of
from tidegate.table.read.convert import (
    BadCells,
    categories,
    checked,
    identities,
    parsed,
    present,
    split_dictionary,
)
from tidegate.table.read.csv_trouble import explain_structure, malformed, read_header, rows_of
from tidegate.table.read.look import Look, damaged
from tidegate.table.read.names import expected_names, find_columns
from tidegate.table.read.opening import open_after, open_bytes
from tidegate.table.read.sentences import Fault, bad_columns
from tidegate.table.read.values import ARROW_NULLS

BLOCK_BYTES = 8 << 20
_PLAIN = ("numeric", "integer")


def read_csv(path: Path, spec: ModelSpec, name: str, seen: Look) -> Table:
    """Read a CSV file that `look` found to be text.

    Raises
    ------
    BadDrop
        For a structure or a cell that does not fit, by its line.
    """
    wanted = expected_names(spec)
    head = read_header(path, wanted, name, seen)
    places = find_columns(head.cells, wanted, name, target=spec.target, header_line=head.line)
    kinds = {spec.target: "numeric", **{column: feature.type for column, feature in spec.features.items()}}
    # A column with words of its own for a gap is read as text.
    plain = {column: kind for column, kind in kinds.items() if column not in spec.missing}
    try:
        rows = None
        if seen.quotes or seen.long:  # only the grammar knows what is never closed, or too long for a cell
            rows = explain_structure(path, name, seen, len(head.cells))
        if rows == 0 or (rows is None and _has_no_rows(path, seen, head)):  # pyarrow calls this an error
            return Table(name, {}, np.empty(0), None, np.empty(0, dtype=np.int64))
        arrow = _parse(path, name, seen, head, places, plain)
        if rows not in (None, arrow.num_rows):
            raise AssertionError(f"pyarrow finds {arrow.num_rows} rows, and there are {rows}")
        return _Reader(path, spec, name, seen, head, places, kinds, arrow).table()
    except Malformed as error:
        raise malformed(name, error) from None


def _has_no_rows(path: Path, seen: Look, head: Head) -> bool:
    with open_bytes(path, seen.gzipped) as stream:
        stream.seek(head.begins)
        return not any(block.strip(b"\r\n") for block in iter(lambda: stream.read(BLOCK_BYTES), b""))


class _Reader:
    """One file on its way from pyarrow's table to ours; remembers what a sentence needs."""

    def __init__(
        self,
        path: Path,
        spec: ModelSpec,
        name: str,
        seen: Look,
        head: Head,
        places: dict[str, int],
        kinds: dict[str, str],
        arrow: Any,
    ) -> None:
        self.path, self.spec, self.name, self.seen = path, spec, name, seen
        self.head, self.places, self.kinds, self.arrow = head, places, kinds, arrow

    def table(self) -> Table:
        columns: dict[str, Column] = {}
        bad: dict[str, BadCells] = {}
        target = np.empty(0)
        for column in [*self.spec.features, self.spec.target]:
            try:
                if column == self.spec.target:
                    target = present(self._numbers(column))
                else:
                    columns[column] = self._column(column)
            except BadCells as found:
                bad[column] = found
        if bad:
            raise self._refusal(bad)
        return Table(self.name, columns, target, self._ids(), np.arange(1, len(target) + 1))

    def _column(self, column: str) -> Column:
        if self.kinds[column] == "categorical":
            return categories(*split_dictionary(self._arrow_column(column)), self._missing(column))
        return Numbers(self._numbers(column))

    def _numbers(self, column: str) -> Floats:
        kind = self.kinds[column]
        found = self._arrow_column(column)
        if kind in _PLAIN and str(found.type) == "double":
            values = floats_of(found)
            # pyarrow also takes '-nan', 'inf' and the like: whatever is odd is read again, by our own rules.
            if int(np.isnan(values).sum()) == found.null_count and not np.isinf(values).any():
                return checked(values, kind)
            found = _parse(
                self.path, self.name, self.seen, self.head, {column: self.places[column]}, {}
            ).column(0)
        return parsed(*split_dictionary(found), kind, self._missing(column))

    def _ids(self) -> Categories | None:
        if not self.spec.id:
            return None
        return identities(*split_dictionary(self._arrow_column(self.spec.id)), self.spec.id_missing)

    def _missing(self, column: str) -> Sequence[str]:
        return self.spec.missing.get(column, ())

    def _arrow_column(self, column: str) -> Any:
        return self.arrow.column(f"f{self.places[column]}")

    def _refusal(self, bad: dict[str, BadCells]) -> BadDrop:
        """Find lines and texts of the first wrong cells, all in one pass through the file."""
        rows = {each.row + 1 for each in bad.values()}
        found = {
            at: line_and_cells
            for at, line_and_cells in enumerate(rows_of(self.path, self.seen.gzipped))
            if at in rows
        }
        faults = []
        for column, each in bad.items():
            line, cells = found[each.row + 1]
            text = cells[self.places[column]]
            faults.append(Fault(column, self.kinds[column], BadCells(each.row, text, each.count), line))
        return bad_columns(self.name, faults, self.spec.target, "line")


def _parse(
    path: Path, name: str, seen: Look, head: Head, places: dict[str, int], kinds: dict[str, str]
) -> Any:
    """Let pyarrow read the wanted columns: numbers as doubles, all others as dictionary-encoded texts."""
    import pyarrow as pa

    try:
        try:
            return _read(path, seen, head, places, kinds)
        except pa.ArrowInvalid:
            explain_structure(path, name, seen, len(head.cells))
            # The structure is sound, so some number is not one: read everything as text and see which.
            return _read(path, seen, head, places, {})
    except pa.ArrowInvalid as error:
        explain_structure(path, name, seen, len(head.cells))
        raise BadDrop(
            say(
                "{file} cannot be read as CSV: {error}; export it again and drop it",
                file=told(name),
                error=of_the_data(error),
            )
        ) from None
    except OSError as error:
        if not seen.gzipped:
            raise
        # pyarrow is stricter about what follows the packed text than the standard library is.
        raise damaged(name, error) from None


def _read(path: Path, seen: Look, head: Head, places: dict[str, int], kinds: dict[str, str]) -> Any:
    import pyarrow as pa
    import pyarrow.csv as pacsv

    text = pa.dictionary(pa.int32(), pa.string())
    wanted = {f"f{at}": kinds.get(column) for column, at in places.items()}
    with open_after(path, seen.gzipped, head) as stream:
        return pacsv.read_csv(
            stream,
            read_options=pacsv.ReadOptions(
                block_size=BLOCK_BYTES, column_names=[f"f{at}" for at in range(len(head.cells))]
            ),
            parse_options=pacsv.ParseOptions(newlines_in_values=seen.quotes),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(wanted),
                column_types={at: pa.float64() if kind in _PLAIN else text for at, kind in wanted.items()},
                null_values=ARROW_NULLS,
                strings_can_be_null=False,
                quoted_strings_can_be_null=True,
            ),
        )
