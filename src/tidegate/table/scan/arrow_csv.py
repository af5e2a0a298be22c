"""Profiling CSV with pyarrow, where there is no native kernel: a block at a time, its columns in threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tidegate.core.errors import BadDrop
from tidegate.core.grammar import Head
from tidegate.core.sentences import of_the_data, say, told
from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.table import Profile
from tidegate.table.read.csv_trouble import explain_structure
from tidegate.table.read.look import look
from tidegate.table.read.opening import open_after
from tidegate.table.scan.adding import Adding
from tidegate.table.scan.arrow_texts import cells_of

BLOCK_BYTES = 2 << 20


def profile_with_arrow(
    path: Path,
    names: Sequence[str],
    head: Head,
    *,
    header: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Profile:
    """Profile a CSV file whose first record was read already.

    Parameters
    ----------
    header : bool
        Whether that record names the columns; otherwise it is a row.

    Raises
    ------
    BadDrop
        For a file that is no CSV.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv

    seen = look(path, path.name)
    rows = None
    if seen.quotes or seen.long:  # only the grammar knows what is never closed, or too long for a cell
        rows = explain_structure(path, path.name, seen, len(names)) + (not header)
    adding = Adding(names)
    begins = head if header else replace(head, begins=head.starts)
    try:
        with (
            open_after(path, seen.gzipped, begins) as stream,
            pacsv.open_csv(
                stream,
                read_options=pacsv.ReadOptions(
                    block_size=BLOCK_BYTES, column_names=[f"f{at}" for at in range(len(names))]
                ),
                parse_options=pacsv.ParseOptions(newlines_in_values=seen.quotes),
                convert_options=pacsv.ConvertOptions(
                    column_types={f"f{at}": pa.string() for at in range(len(names))},
                    strings_can_be_null=False,
                ),
            ) as reader,
            ThreadPoolExecutor() as pool,
        ):
            for batch in reader:
                adding.add(batch.num_rows, list(pool.map(_profile, batch.columns, adding.below)))
                if progress:
                    progress(batch.nbytes)
    except pa.ArrowInvalid as error:
        if explain_structure(path, path.name, seen, len(names)) + (not header) == 0:
            return adding.profile()  # pyarrow calls no rows an error
        raise BadDrop(
            say("{file} cannot be profiled: {error}", file=told(path.name), error=of_the_data(error))
        ) from None
    found = adding.profile()
    if rows not in (None, found.rows):
        raise AssertionError(f"pyarrow finds {found.rows} rows, and there are {rows}")
    return found


def _profile(column: object, below: int) -> ColumnProfile:
    return ColumnProfile.of(cells_of(column), below)
