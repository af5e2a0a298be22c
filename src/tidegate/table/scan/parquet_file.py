"""Profiling Parquet: batches of rows, each column read into cells by a thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import of_the_data, say, told
from tidegate.table.profile.column import ColumnProfile
from tidegate.table.profile.table import Profile
from tidegate.table.read.parquet_bounds import open_bounded, refuse_long_cells
from tidegate.table.scan.adding import Adding
from tidegate.table.scan.arrow_arrays import array_cells

BATCH_ROWS = 65_536
# What pyarrow raises for bytes that are not what they should be: its own errors derive from these.
_DAMAGE = (OSError, ValueError, LookupError, NotImplementedError)


def profile_parquet(path: Path, *, progress: Callable[[int], None] | None = None) -> Profile:
    """Profile a Parquet file.

    Parameters
    ----------
    progress : callable, optional
        Told how many bytes of the file were read since the last time, in proportion to the rows.

    Raises
    ------
    BadDrop
        For a damaged file.
    """
    try:
        with open_bounded(path, path.name) as file, ThreadPoolExecutor() as pool:
            names = [name.strip() for name in file.schema_arrow.names]
            if len(set(names)) < len(names):
                raise BadDrop(
                    say(
                        "{file} has two columns of one name; a profile needs a name for each column",
                        file=told(path.name),
                    )
                )
            adding = Adding(names)
            row = 1
            total, size = max(1, file.metadata.num_rows), path.stat().st_size
            for batch in file.iter_batches(BATCH_ROWS):
                for at, name in enumerate(names):
                    refuse_long_cells(batch.column(at), path.name, name, row)
                row += batch.num_rows
                adding.add(batch.num_rows, list(pool.map(_profile, batch.columns, adding.below)))
                if progress:
                    progress(size * batch.num_rows // total)
    except _DAMAGE as error:
        first = str(error).split("\n", 1)[0].rstrip(".")
        raise BadDrop(
            say(
                "{file} is a damaged Parquet file ({first}); write it again",
                file=told(path.name),
                first=of_the_data(first),
            )
        ) from None
    return adding.profile()


def _profile(column: Any, below: int) -> ColumnProfile:
    return ColumnProfile.of(array_cells(column), below)
