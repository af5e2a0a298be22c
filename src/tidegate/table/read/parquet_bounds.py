"""How large a Parquet file may be, judged by what it says of itself before anything of it is unpacked.

A few kilobytes can stand for millions of rows, as equal values are written once, and a cell of fifty
megabytes for each of them. So rows, columns and unpacked sizes are held to the bounds of all formats by the
metadata, and texts are read as a list of the different ones, whose lengths are looked at before they are put
to rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidegate.core.bounds import (
    LEAST_CELL_BYTES,
    MOST_CELL_BYTES,
    MOST_COLUMNS,
    MOST_ROWS,
    MOST_TEXT_BYTES,
    unpacks_too_far,
)
from tidegate.core.errors import BadDrop
from tidegate.core.sentences import Sentence, say, told


def open_bounded(path: Path, name: str) -> Any:
    """Open a Parquet file that keeps to the bounds, its texts as dictionaries.

    Raises
    ------
    BadDrop
        For a file of more rows, columns or bytes than one may have.
    """
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    if trouble := _too_large(metadata, path.stat().st_size):
        raise BadDrop(say("{file} {trouble}", file=told(name), trouble=trouble))
    texts = [
        column.path
        for column in map(metadata.schema.column, range(metadata.num_columns))
        if column.physical_type == "BYTE_ARRAY" and column.max_repetition_level == 0
    ]
    return pq.ParquetFile(path, metadata=metadata, read_dictionary=texts)


def _too_large(metadata: Any, packed: int) -> Sentence | None:
    rows, columns = metadata.num_rows, metadata.num_columns
    if columns > MOST_COLUMNS:
        return say("has {found:,} columns, and at most {most:,} are read", found=columns, most=MOST_COLUMNS)
    if rows > MOST_ROWS:
        return say(
            "has {found:,} rows, and at most {most:,} are read at once; drop it in parts, or a sample of it",
            found=rows,
            most=MOST_ROWS,
        )
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    unpacked = max(
        sum(group.total_byte_size for group in groups),
        sum(group.column(at).total_uncompressed_size for group in groups for at in range(columns)),
        rows * columns * LEAST_CELL_BYTES,
    )
    if unpacked > MOST_TEXT_BYTES:
        most = MOST_TEXT_BYTES >> 30
        return say("unpacks to more than {most} GiB; drop it in parts, or a sample of it", most=most)
    if unpacks_too_far(packed, unpacked):
        return say(
            "unpacks from {packed:,} to more than {unpacked:,} bytes, which no table does; write it as CSV "
            "if it is one",
            packed=packed,
            unpacked=unpacked,
        )
    return None


def refuse_long_cells(column: Any, name: str, called: str, first_row: int = 1) -> None:
    """Refuse a column in which a text is longer than a cell may be, before it is put to its rows.

    Parameters
    ----------
    column : pyarrow array or chunked array
        As it was read, its texts as a dictionary.
    called : str
        What the model calls the column.
    first_row : int
        The number of its first row.

    Raises
    ------
    BadDrop
        By the first such row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for chunk in column.chunks if hasattr(column, "chunks") else [column]:
        texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        if not _is_text(texts.type):
            return
        long = pc.greater(pc.binary_length(texts), MOST_CELL_BYTES)
        if pc.any(long).as_py():
            flags = long.take(chunk.indices) if texts is not chunk else long
            row = first_row + max(0, pc.index(flags, True).as_py())
            raise BadDrop(
                say(
                    "{file}, row {row}: column '{column}' holds a text of more than {most:,} bytes; shorten "
                    "it, or leave the column out",
                    file=told(name),
                    row=row,
                    column=told(called),
                    most=MOST_CELL_BYTES,
                ),
                row=row,
                column=called,
            )
        first_row += len(chunk)


def _is_text(stored: Any) -> bool:
    import pyarrow as pa

    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(kind(stored) for kind in kinds)
