"""Turns the body of a prediction request into rows of features: CSV, libsvm or RecordIO-protobuf.

What is read and what is refused is what AWS's container reads and refuses, oddities included: a client that
passes here passes there.
"""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.server import Refused
from tidegate.local.sagemaker.images.xgboost.channels import format_of

_SNIFFED = 512  # characters of the first line in which the container looks for the delimiter


def parse(body: bytes, content_type: str) -> Any:
    """Parse a body into a dense array (NaN is missing) or, for sparse formats, a scipy CSR matrix.

    Raises
    ------
    Refused
        415 with a sentence, for a content type that the image does not read or a body that does not parse.
    """
    try:
        kind = format_of(content_type)
        if kind == "csv":
            return _finite(parse_csv(body))
        if kind == "libsvm":
            return _finite(parse_libsvm(body))
        if kind == "recordio-protobuf":
            from tidegate.local.sagemaker.images.xgboost.readers import decode_recordio

            return _finite(decode_recordio(body)[0])
    except Refused:
        raise
    except Exception as error:  # whatever a body that is not what it says makes a parser do
        raise Refused(
            415, f"The body could not be read as {content_type or 'text/libsvm'}: {error}"
        ) from error
    raise Refused(415, f"Content-type {content_type} is not supported for predictions; send text/csv.")


def parse_csv(body: bytes) -> npt.NDArray[np.float64]:
    """Parse rows of numbers; an empty cell is a missing value, and a blank line between rows an error.

    Plain `float` over the split text is the fastest way for the few rows of a request: NumPy's own text
    readers cost 20 µs and more before the first cell.
    """
    text = body.strip().decode("utf-8")
    first, newline, _ = text.partition("\n")
    delimiter = _delimiter(first[:_SNIFFED])
    if not newline:
        return np.array([_cells(text, 1, delimiter)])
    width = first.count(delimiter)
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.count(delimiter) != width:
            raise Refused(
                415,
                f"Row {number} of the CSV body has {line.count(delimiter) + 1} cells where row 1 has "
                f"{width + 1}.",
            )
    try:
        flat = list(map(float, delimiter.join(lines).split(delimiter)))
    except ValueError:
        flat = [value for number, line in enumerate(lines, 1) for value in _cells(line, number, delimiter)]
    return np.array(flat).reshape(len(lines), width + 1)


def _delimiter(sample: str) -> str:
    # Where there are no quotes the sniffer prefers a comma to all else, which spares asking it.
    if "," in sample and '"' not in sample and "'" not in sample:
        return ","
    try:
        found = csv.Sniffer().sniff(sample).delimiter
    except csv.Error:
        raise Refused(415, "The CSV body has no row: send numbers, separated by commas.") from None
    return "," if found.isalnum() else found


def _cells(line: str, row: int, delimiter: str) -> list[float]:
    cells = line.split(delimiter)
    try:
        return list(map(float, cells))
    except ValueError:
        return [_cell(cell, row, column) for column, cell in enumerate(cells, 1)]


def _cell(cell: str, row: int, column: int) -> float:
    try:
        return float(cell) if cell else np.nan
    except ValueError:
        raise Refused(
            415,
            f"Row {row}, cell {column} of the CSV body is {cell[:40]!r}: the model takes numbers, "
            "and an empty cell where a value is missing.",
        ) from None


def parse_libsvm(body: bytes) -> Any:
    """Parse `[label] index:value …` lines into a CSR matrix; indices count from 0, a label is ignored.

    As in the container: blanks alone part the entries, a column given twice is added up, and rows without an
    entry vanish at the end (the matrix is as high as its last entry).
    """
    from scipy.sparse import csr_matrix

    rows, columns, values = [], [], []
    for row, line in enumerate(body.strip().decode("utf-8").split("\n")):
        for entry in line.split(" "):
            if ":" in entry:
                index, value, *_ = entry.split(":")
                rows.append(row)
                columns.append(int(index))
                values.append(float(value))
    if not rows:
        raise Refused(415, "The libsvm body has no entry: write each row as '<label> <column>:<value> …'.")
    if min(columns) < 0:
        raise Refused(415, "The libsvm body has a column below 0: columns are counted from 0.")
    return csr_matrix((np.asarray(values), (rows, columns)))


def _finite(rows: Any) -> Any:
    """Refuse what XGBoost refuses to hold: infinity, also where a number is too large for 32 bits."""
    numbers = rows if isinstance(rows, np.ndarray) else rows.data
    with np.errstate(over="ignore"):
        if np.isinf(numbers.astype(np.float32)).any():
            raise Refused(
                415, "The body has an infinite value, or one beyond 3.4e38: send it as missing instead."
            )
    return rows
