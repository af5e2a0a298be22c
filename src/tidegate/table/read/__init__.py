"""Reading a dropped file: what it is, whether it fits the model, and its columns in memory."""

from __future__ import annotations

from pathlib import Path

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import say, told
from tidegate.core.spec import ModelSpec
from tidegate.core.verdict import counted
from tidegate.table.columns import Table
from tidegate.table.read.csv_file import read_csv
from tidegate.table.read.look import look
from tidegate.table.read.parquet_file import read_parquet

LEAST_ROWS = 20

__all__ = ["LEAST_ROWS", "read_drop"]


def read_drop(path: Path, spec: ModelSpec, name: str) -> Table:
    """Read a drop and check it against the model's declaration.

    Parameters
    ----------
    path : Path
        The file: CSV (also gzipped) or Parquet, told by content.
    spec : ModelSpec
        The model that the file was dropped for.
    name : str
        What people call the file; it appears in every sentence.

    Returns
    -------
    Table
        The features, target and ids; a column that the model does not list is not read.

    Raises
    ------
    BadDrop
        For a file that cannot be used, with one sentence that says what is wrong, where, and the remedy.
    """
    seen = look(path, name)
    table = read_parquet(path, spec, name) if seen.parquet else read_csv(path, spec, name, seen)
    if table.rows == 0:
        raise BadDrop(
            say("{file} has column names and no rows; add the rows and drop it again", file=told(name))
        )
    if table.rows < LEAST_ROWS:
        raise BadDrop(
            say(
                "{file} has {rows}; at least {least} are needed to train, validate and test; add rows and "
                "drop it again",
                file=told(name),
                rows=counted(table.rows),
                least=LEAST_ROWS,
            )
        )
    return table
