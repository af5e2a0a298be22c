"""Turns the body of a prediction request into rows of features: CSV, libsvm or RecordIO-protobuf."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.server import Refused
from tidegate.local.sagemaker.images.xgboost.channels import format_of

_DELIMITERS = ("\t", ";", "|", " ")


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
            return parse_csv(body)
        if kind == "libsvm":
            return parse_libsvm(body)
        if kind == "recordio-protobuf":
            from tidegate.local.sagemaker.images.xgboost.readers import decode_recordio

            return decode_recordio(body)[0]
    except Refused:
        raise
    except Exception as error:  # whatever a body that is not what it says makes a parser do
        raise Refused(
            415, f"The body could not be read as {content_type or 'text/libsvm'}: {error}"
        ) from error
    raise Refused(415, f"Content-type {content_type} is not supported for predictions; send text/csv.")


def parse_csv(body: bytes) -> npt.NDArray[np.float64]:
    """Parse rows of numbers; an empty cell is a missing value.

    Plain `float` over the split text is the fastest way for the few rows of a request: NumPy's own text
    readers cost 20 µs and more before the first cell.
    """
    text = body.decode("utf-8").strip("\r\n \t")
    first, newline, _ = text.partition("\n")
    if "," not in first:
        delimiter = next((mark for mark in _DELIMITERS if mark in first.strip()), None)
        if delimiter is not None:
            text = text.replace(delimiter, ",")
            first = text.partition("\n")[0]
    if not newline:
        return np.array([_cells(text, 1)])
    width = first.count(",")
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.count(",") != width:
            raise Refused(
                415,
                f"Row {number} of the CSV body has {line.count(',') + 1} cells where row 1 has {width + 1}.",
            )
    try:
        flat = list(map(float, ",".join(lines).split(",")))
    except ValueError:
        flat = [value for number, line in enumerate(lines, 1) for value in _cells(line, number)]
    return np.array(flat).reshape(len(lines), width + 1)


def _cells(line: str, row: int) -> list[float]:
    cells = line.split(",")
    try:
        return list(map(float, cells))
    except ValueError:
        return [_cell(cell, row, column) for column, cell in enumerate(cells, 1)]


def _cell(cell: str, row: int, column: int) -> float:
    cell = cell.strip()
    try:
        return float(cell) if cell else np.nan
    except ValueError:
        raise Refused(
            415,
            f"Row {row}, cell {column} of the CSV body is {cell[:40]!r}: the model takes numbers, "
            "and an empty cell where a value is missing.",
        ) from None


def parse_libsvm(body: bytes) -> Any:
    """Parse `[label] index:value …` lines into a CSR matrix; indices count from 0, a label is ignored."""
    from scipy.sparse import csr_matrix

    ends, columns, values = [0], [], []
    for line in body.decode("utf-8").strip().split("\n"):
        for token in line.split():
            index, colon, value = token.partition(":")
            if colon:
                columns.append(int(index))
                values.append(float(value))
        ends.append(len(values))
    shape = (len(ends) - 1, max(columns, default=-1) + 1)
    return csr_matrix((np.asarray(values), columns, ends), shape=shape)
