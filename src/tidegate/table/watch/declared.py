"""Profiling a CSV file of declared columns: each cell is read as the monitor reads those that come later."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tidegate.table.profile import Profile
from tidegate.table.scan.adding import Adding
from tidegate.table.watch.cells import read_column

BLOCK_BYTES = 8 << 20


def profile_declared(path: Path, kinds: Mapping[str, str]) -> Profile:
    """Profile a file of training rows.

    Parameters
    ----------
    path : Path
        What `tidegate.table.raw.write_raw` wrote.
    kinds : mapping of str to str
        The type of each column that is wanted.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv

    adding = Adding(list(kinds))
    with pacsv.open_csv(
        path,
        pacsv.ReadOptions(block_size=BLOCK_BYTES),
        pacsv.ParseOptions(newlines_in_values=True),
        pacsv.ConvertOptions(
            include_columns=list(kinds),
            column_types=dict.fromkeys(kinds, pa.string()),
            strings_can_be_null=False,
        ),
    ) as reader:
        for batch in reader:
            columns = zip(batch.columns, kinds.values(), strict=True)
            adding.add(batch.num_rows, [read_column(column, kind)[1] for column, kind in columns])
    return adding.profile()
