"""Profiling CSV with pyarrow, where there is no native kernel: a block at a time, its columns in threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import of_the_data, say, told
from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.table import Profile
from tidegate.table.read.csv_trouble import explain_structure
from tidegate.table.read.look import look
from tidegate.table.scan.adding import Adding
from tidegate.table.scan.arrow_texts import cells_of

BLOCK_BYTES = 2 << 20


def profile_with_arrow(
    path: Path, names: Sequence[str], *, header: bool, progress: Callable[[int], None] | None = None
) -> Profile:
    """Profile a CSV file whose first record was read already.

    Raises
    ------
    BadDrop
        For a file that is no CSV.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv

    seen = look(path, path.name)
    if seen.quotes:  # pyarrow takes a quotation mark that is never closed for one that ends with the file
        explain_structure(path, path.name, seen, len(names), strict=True)
    adding = Adding(names)
    try:
        with (
            pa.input_stream(str(path), compression="gzip" if seen.gzipped else None) as stream,
            pacsv.open_csv(
                stream,
                read_options=pacsv.ReadOptions(
                    block_size=BLOCK_BYTES, autogenerate_column_names=True, skip_rows_after_names=int(header)
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
        explain_structure(path, path.name, seen, len(names), strict=True)
        raise BadDrop(
            say("{file} cannot be profiled: {error}", file=told(path.name), error=of_the_data(error))
        ) from None
    return adding.profile()


def _profile(column: object, below: int) -> ColumnProfile:
    return ColumnProfile.of(cells_of(column), below)
