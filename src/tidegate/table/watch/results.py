"""A window's rows as queries want them: with the check's verdict, and where a row is unlike the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tidegate.core.own_names import input_name, listed

# What every row says of its check, each with its type.
KEYS = {
    "model": "string",
    "algorithm": "string",
    "check": "string",
    "window": "int64",
    "verdict": "string",
    "drifting": "string",
}


def write_results(
    rows: Path,
    out: Path,
    about: Mapping[str, Any],
    limits: Mapping[str, Mapping[str, Any]],
    today: str,
) -> dict[str, Path]:
    """Write the rows of a window by day; gives the file of each day.

    Parameters
    ----------
    rows : Path
        What `read_window` wrote.
    out : Path
        An existing folder.
    about : mapping
        ``model``, ``algorithm``, ``check``, ``window``, ``verdict`` and ``drifting``, columns of every row.
    limits : mapping
        What the baseline held in each column (`comparison.limits_of`): a row is unlike it where a cell is
        missing though none was, a text was never seen, or a number lies outside what was.
    today : str
        The day of rows that do not say when they were predicted.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    files: dict[str, Path] = {}
    with ExitStack() as stack:
        writers: dict[str, Any] = {}
        file = stack.enter_context(pq.ParquetFile(rows))
        for group in range(file.num_row_groups):  # one at a time: memory does not grow with the window
            table, days = _results(file.read_row_group(group), about, limits, today)
            for day in sorted(set(days.to_pylist())):
                if day not in files:
                    files[day] = out / f"{day}.parquet"
                    writer = pq.ParquetWriter(files[day], table.schema, compression="zstd")
                    writers[day] = stack.enter_context(writer)
                writers[day].write_table(table.filter(pc.equal(days, day)))
    return dict(sorted(files.items()))


def _results(
    table: Any, about: Mapping[str, Any], limits: Mapping[str, Mapping[str, Any]], today: str
) -> tuple[Any, Any]:
    """Give some rows as queries want them, and each one's day."""
    import pyarrow as pa
    import pyarrow.compute as pc

    count = table.num_rows
    unlike = _unlike(table, limits)
    for name, kind in KEYS.items():
        table = table.append_column(name, pa.array([about[name]] * count, getattr(pa, kind)()))
    table = table.append_column("unlike", pa.array(unlike, pa.string()))
    days = pc.utf8_slice_codeunits(pc.fill_null(table.column("at"), ""), 0, 10)
    return table, pc.if_else(pc.equal(days, ""), today, days)


def _unlike(table: Any, limits: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Name for each row the columns in which the baseline has nothing like it."""
    found: list[list[str]] = [[] for _ in range(table.num_rows)]
    for name, held in limits.items():
        if input_name(name) in table.column_names:
            for place in _odd_places(table.column(input_name(name)), held):
                found[place].append(name)
    return [listed(names) for names in found]


def _odd_places(column: Any, held: Mapping[str, Any]) -> list[int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if "domain" in held:
        written = pa.types.is_string(column.type)
        texts = column if written else pa.array(map(_text, column.to_pylist()), pa.string())
        fits = pc.is_in(texts, pa.array(held["domain"], pa.string()))
    elif "least" in held and not pa.types.is_string(column.type):
        fits = pc.and_(
            pc.greater_equal(column, float(held["least"])), pc.less_equal(column, float(held["most"]))
        )
    else:
        fits = pa.scalar(True)
    odd = pc.if_else(pc.is_null(column), bool(held["complete"]), pc.invert(fits))
    return list(pc.indices_nonzero(odd).to_pylist())


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
