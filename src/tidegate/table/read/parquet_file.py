"""Reading Parquet, column by column: whatever type was stored becomes the type that the model wants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import of_the_data, say, told
from tidegate.core.spec import ModelSpec
from tidegate.table.columns import Categories, Column, Floats, Numbers, Table, floats_of
from tidegate.table.read.convert import (
    BadCells,
    Cells,
    categories,
    present,
    read_numbers,
    read_texts,
    split_dictionary,
)
from tidegate.table.read.names import expected_names, find_columns
from tidegate.table.read.parquet_bounds import open_bounded, refuse_long_cells
from tidegate.table.read.sentences import Fault, bad_columns

# What pyarrow raises for bytes that are not what they should be: its own errors derive from these.
DAMAGE = (OSError, ValueError, LookupError, NotImplementedError, MemoryError)


class WrongType(Exception):
    """A column is stored in a type that cannot become the wanted one."""


def read_parquet(path: Path, spec: ModelSpec, name: str) -> Table:
    """Read a Parquet file.

    Raises
    ------
    BadDrop
        For a damaged file, a missing column, a type that does not fit, or a value that does not fit its type.
    """
    with open_parquet(path, name) as file:
        names = file.schema_arrow.names
        places = find_columns(names, expected_names(spec), name, target=spec.target, header_line=None)
        columns: dict[str, Column] = {}
        faults: list[Fault] = []
        target = np.empty(0)
        for column in [*spec.features, spec.target]:
            kind = "numeric" if column == spec.target else spec.features[column].type
            array = _read_column(file, names[places[column]], name)
            try:
                if column == spec.target:
                    target = present(numbers(array, kind).all_right())
                else:
                    columns[column] = (
                        text_column(array)
                        if kind == "categorical"
                        else Numbers(numbers(array, kind).all_right())
                    )
            except BadCells as bad:
                faults.append(Fault(column, kind, bad, bad.row + 1))
            except WrongType:
                faults.append(Fault(column, kind, stored=str(array.type)))
        if faults:
            raise bad_columns(name, faults, spec.target, "row")
        ids = text_column(_read_column(file, names[places[spec.id]], name)) if spec.id else None
    return Table(name, columns, target, ids, np.arange(1, len(target) + 1))


def open_parquet(path: Path, name: str) -> Any:
    """Open a Parquet file.

    Raises
    ------
    BadDrop
        For a file that is damaged where Parquet says what it holds.
    """
    try:
        return open_bounded(path, name)
    except DAMAGE as error:
        raise damaged(name, error) from None


def _read_column(file: Any, column: str, name: str) -> Any:
    import pyarrow as pa

    try:
        groups = []
        first_row = 1
        for at in range(file.num_row_groups):
            part = file.read_row_group(at, columns=[column]).column(column)
            refuse_long_cells(part, name, column, first_row)
            part.validate(full=True)  # texts that are no UTF-8, among others
            first_row += len(part)
            groups += part.chunks
        return pa.chunked_array(
            groups, file.schema_arrow.field(column).type if not groups else groups[0].type
        )
    except DAMAGE as error:
        raise damaged(name, error) from None


def damaged(name: str, error: Exception) -> BadDrop:
    """Say that a file's bytes are not what Parquet's should be."""
    first = str(error).split("\n", 1)[0].rstrip(".")
    return BadDrop(
        say(
            "{file} is a damaged Parquet file ({first}); write it again and drop it",
            file=told(name),
            first=of_the_data(first),
        )
    )


def numbers(array: Any, kind: str) -> Cells:
    """Read a stored column as numeric, integer, boolean or date; raises WrongType where that cannot be."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stored = array.type
    if pa.types.is_dictionary(stored):
        if pa.types.is_string(stored.value_type):  # never put to rows as texts: that may take any memory
            return read_texts(*split_dictionary(array), kind)
        array = pc.cast(array, stored.value_type)
        stored = array.type
    if pa.types.is_null(stored):
        return read_numbers(np.full(len(array), np.nan), kind)
    if pa.types.is_string(stored) or pa.types.is_large_string(stored) or pa.types.is_string_view(stored):
        return read_texts(*split_dictionary(pc.dictionary_encode(pc.cast(array, pa.string()))), kind)
    if kind == "date":
        return read_numbers(_days(array), kind)
    if pa.types.is_float16(stored) or pa.types.is_float32(stored):
        # By way of the text: 0.1 stored in four bytes is the 0.1 of a CSV, not 0.10000000149011612.
        array = pc.cast(pc.cast(array, pa.float32()), pa.string())
    elif pa.types.is_boolean(stored):
        array = pc.cast(array, pa.uint8())
    elif not (pa.types.is_integer(stored) or pa.types.is_floating(stored) or pa.types.is_decimal(stored)):
        raise WrongType
    return read_numbers(floats_of(pc.cast(array, pa.float64(), safe=False)), kind)


def _days(array: Any) -> Floats:
    import pyarrow as pa
    import pyarrow.compute as pc

    stored = array.type
    if not (pa.types.is_date(stored) or pa.types.is_timestamp(stored)):
        raise WrongType
    if pa.types.is_timestamp(stored) and stored.tz:
        try:
            # The day that the writer saw. UTC needs no table of zones, which a small machine may lack.
            utc = stored.tz in ("UTC", "+00:00")
            array = pc.cast(array, pa.timestamp(stored.unit)) if utc else pc.local_timestamp(array)
        except pa.ArrowInvalid:
            raise WrongType from None
    days = pc.cast(pc.cast(array, pa.date32(), safe=False), pa.int32())
    return floats_of(pc.cast(days, pa.float64()))


def text_column(array: Any) -> Categories:
    """Read a stored column as texts; raises WrongType for nested and binary ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stored = array.type
    if pa.types.is_dictionary(stored):
        if pa.types.is_string(stored.value_type):
            return categories(*split_dictionary(array))
        array = pc.cast(array, stored.value_type)
        stored = array.type
    if pa.types.is_floating(stored):
        codes, values = split_dictionary(pc.dictionary_encode(array))
        return categories(codes, [_number_text(value) for value in values])
    if pa.types.is_nested(stored) or pa.types.is_binary(stored) or pa.types.is_large_binary(stored):
        raise WrongType
    if pa.types.is_null(stored):
        return categories(np.full(len(array), -1, dtype=np.int32), [])
    return categories(*split_dictionary(pc.dictionary_encode(pc.cast(array, pa.string()))))


def _number_text(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
