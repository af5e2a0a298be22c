"""Reading Parquet, column by column: whatever type was stored becomes the type that the model wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.errors import BadDrop
from tidegate.core.sentences import of_the_data, say, told
from tidegate.core.spec import ModelSpec
from tidegate.table.columns import Categories, Codes, Column, Floats, Numbers, Table, floats_of
from tidegate.table.read.convert import (
    BadCells,
    Cells,
    beyond_doubles,
    categories,
    identities,
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
                    gaps = spec.features[column].missing
                    columns[column] = (
                        text_column(array, categories, gaps)
                        if kind == "categorical"
                        else Numbers(numbers(array, kind, gaps).all_right())
                    )
            except BadCells as bad:
                faults.append(Fault(column, kind, bad, bad.row + 1))
            except WrongType:
                faults.append(Fault(column, kind, stored=str(array.type)))
        ids = _ids(file, names[places[spec.id]], spec, name, faults) if spec.id else None
        if faults:
            raise bad_columns(name, faults, spec.target, "row")
    return Table(name, columns, target, ids, np.arange(1, len(target) + 1))


def _ids(file: Any, column: str, spec: ModelSpec, name: str, faults: list[Fault]) -> Categories | None:
    array = _read_column(file, column, name)
    try:
        return text_column(array, identities, spec.id_missing)
    except WrongType:
        faults.append(Fault(column, "a text", stored=str(array.type)))
        return None


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


def numbers(array: Any, kind: str, missing: Sequence[str] = ()) -> Cells:
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
        return read_texts(*split_dictionary(pc.dictionary_encode(pc.cast(array, pa.string()))), kind, missing)
    if kind == "date":
        return read_numbers(_days(array), kind)
    if pa.types.is_float16(stored) or pa.types.is_float32(stored):
        # By way of the text: 0.1 stored in four bytes is the 0.1 of a CSV, not 0.10000000149011612.
        array = pc.cast(pc.cast(array, pa.float32()), pa.string())
    elif pa.types.is_boolean(stored):
        array = pc.cast(array, pa.uint8())
    elif not (pa.types.is_integer(stored) or pa.types.is_floating(stored) or pa.types.is_decimal(stored)):
        raise WrongType
    values = floats_of(pc.cast(array, pa.float64(), safe=False))
    exact = None
    if kind == "integer" and beyond_doubles(values) and not pa.types.is_floating(stored):
        exact = array.to_pylist()
    return read_numbers(values, kind, missing, exact)


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


AsTexts = Callable[[Codes, Sequence[Any], Sequence[str]], Categories]


def text_column(array: Any, read: AsTexts, missing: Sequence[str] = ()) -> Categories:
    """Read a stored column as texts: `read` is `categories` or `identities`.

    Raises
    ------
    WrongType
        For nested and binary columns.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    stored = array.type
    if pa.types.is_dictionary(stored):
        if pa.types.is_string(stored.value_type):
            return read(*split_dictionary(array), missing)
        array = pc.cast(array, stored.value_type)
        stored = array.type
    if pa.types.is_nested(stored) or pa.types.is_binary(stored) or pa.types.is_large_binary(stored):
        raise WrongType
    if pa.types.is_null(stored):
        return read(np.full(len(array), -1, dtype=np.int32), [], missing)
    if pa.types.is_float16(stored) or pa.types.is_float32(stored):
        # By way of the text, as in `numbers`.
        array = pc.cast(pc.cast(pc.cast(array, pa.float32()), pa.string()), pa.float64())
    if pa.types.is_floating(array.type):
        codes, cells = split_dictionary(pc.dictionary_encode(array))
        return read(codes, cells, missing)
    codes, texts = split_dictionary(pc.dictionary_encode(pc.cast(array, pa.string())))
    if pa.types.is_decimal(stored):
        texts = [_without_zeros(text) for text in texts]
    elif pa.types.is_timestamp(stored):
        texts = [_short_time(text) for text in texts]
    return read(codes, texts, missing)


def _without_zeros(text: str) -> str:
    """Write a decimal as a number is written elsewhere: 3.50 is 3.5, and 3.00 is 3."""
    plain = f"{Decimal(text):f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _short_time(text: str) -> str:
    """Write a time as people do: a fraction of nothing is left out, and midnight with it."""
    seconds, point, fraction = text.partition(".")
    digits = fraction.rstrip("Z")
    zone = fraction[len(digits) :]
    kept = f"{seconds}.{digits.rstrip('0')}" if digits.strip("0") else seconds
    return (kept + zone if point else kept).removesuffix(" 00:00:00")
