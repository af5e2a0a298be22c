"""Reads one file of training data: CSV and Parquet through Arrow, libsvm and RecordIO by hand. No pandas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.xgboost.table import Floats, Table

_DELIMITERS = (",", "\t", ";", "|", " ")
_MISSING = ["", "nan", "NaN", "NAN", "NA", "N/A", "null", "NULL", "None", "?", "-nan"]
_BLOCK_BYTES = 4 * 1024**2


def warn(message: str) -> None:
    """Print a warning line to the job's log."""
    print(f"[WARNING] {message}", flush=True)


def read_csv(path: Path, has_weights: bool) -> Table:
    """Read a CSV without a header, the label first and, when asked, the weight second."""
    import pyarrow as arrow
    from pyarrow import csv

    with path.open("rb") as file:
        first = file.readline()
    delimiter = _delimiter(path, first)
    width = first.count(delimiter.encode()) + 1
    names = [str(number) for number in range(width)]

    def read(kind: Any) -> Any:
        return csv.read_csv(
            path,
            read_options=csv.ReadOptions(column_names=names, block_size=max(_BLOCK_BYTES, 4 * len(first))),
            parse_options=csv.ParseOptions(delimiter=delimiter),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, kind),
                null_values=_MISSING,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )

    try:
        try:
            columns = [_numbers(column) for column in read(arrow.float32()).columns]
        except arrow.ArrowInvalid as error:
            if "conversion error" not in str(error):
                raise
            columns = _numbers_among_text(path, read(arrow.string()).columns)
    except arrow.ArrowInvalid as error:
        raise ContainerError(f"{path.name} is not a table of comma-separated values: {error}.") from error
    return _split(path, columns, has_weights)


def read_parquet(path: Path, has_weights: bool) -> Table:
    """Read a Parquet file, the label in its first column and, when asked, the weight in its second."""
    import pyarrow as arrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
        columns = [_numbers(column.cast(arrow.float32(), safe=False)) for column in table.columns]
    except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError) as error:
        raise ContainerError(f"{path.name} cannot be read as Parquet with numbers only: {error}.") from error
    return _split(path, columns, has_weights)


def read_libsvm(path: Path, has_weights: bool) -> Table:  # noqa: ARG001  (libsvm writes weights in the label)
    """Read `label[:weight] [qid:n] index:value …` lines; indices count from 0, absent ones are missing."""
    from scipy.sparse import csr_matrix

    labels: list[float] = []
    weights: list[float] = []
    groups: list[int] = []
    ends, columns, values = [0], [], []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            tokens = line.partition("#")[0].split()
            if not tokens:
                continue
            try:
                label, colon, weight = tokens[0].partition(":")
                labels.append(float(label))
                if colon:
                    weights.append(float(weight))
                for token in tokens[1:]:
                    index, _, value = token.partition(":")
                    if index == "qid":
                        groups.append(int(value))
                    else:
                        columns.append(int(index))
                        values.append(float(value))
            except ValueError:
                raise ContainerError(
                    f"Line {number} of {path.name} is not libsvm ('<label> <index>:<value> …'): "
                    f"{line[:50]!r}. "
                    "If the file is CSV, give the channel the ContentType text/csv."
                ) from None
            ends.append(len(values))
    for part, what in ((weights, "a weight"), (groups, "a qid")):
        if part and len(part) != len(labels):
            raise ContainerError(
                f"{path.name}: either all lines have {what} or none; {len(part)} of them do."
            )
    shape = (len(labels), max(columns, default=-1) + 1)
    return Table(
        csr_matrix((np.asarray(values, np.float32), columns, ends), shape=shape),
        np.asarray(labels, np.float32),
        np.asarray(weights, np.float32) if weights else None,
        np.asarray(groups, np.int64) if groups else None,
    )


def read_recordio(path: Path, has_weights: bool) -> Table:  # noqa: ARG001  (records carry no weights)
    """Read RecordIO-protobuf records with a `values` tensor of features and one of labels."""
    features, labels = decode_recordio(path.read_bytes())
    if labels is None:
        raise ContainerError(f"{path.name} has records without a label; training needs one in each.")
    return Table(features, labels)


def decode_recordio(data: bytes) -> tuple[Any, Floats | None]:
    """Decode RecordIO-protobuf bytes to (features, labels); sparse records give a CSR matrix."""
    from tidegate.local.sagemaker.images.recordio import read_records

    tensors, labels = [], []
    for record in read_records(data):
        if "values" not in record.features:
            raise ContainerError("A record has no tensor of the name 'values' among its features.")
        tensors.append(record.features["values"])
        if "values" in record.label:
            labels.append(float(record.label["values"].values[0]))
    if not tensors:
        raise ContainerError("The data holds no record.")
    if labels and len(labels) != len(tensors):
        raise ContainerError(f"{len(labels)} of {len(tensors)} records have a label: all need one, or none.")
    found = np.asarray(labels, np.float32) if labels else None
    if all(tensor.keys is None for tensor in tensors):
        widths = {len(tensor.values) for tensor in tensors}
        if len(widths) > 1:
            raise ContainerError(f"The records differ in their number of features: {sorted(widths)}.")
        return np.stack([tensor.values for tensor in tensors]).astype(np.float32), found
    from scipy.sparse import csr_matrix

    keys = [np.arange(len(t.values)) if t.keys is None else t.keys for t in tensors]
    width = max(
        max(t.width or 0, int(k.max()) + 1 if len(k) else 0) for t, k in zip(tensors, keys, strict=True)
    )
    ends = np.cumsum([0, *(len(key) for key in keys)])
    values = np.concatenate([tensor.values for tensor in tensors]).astype(np.float32)
    return csr_matrix((values, np.concatenate(keys), ends), shape=(len(tensors), width)), found


READERS: dict[str, Callable[[Path, bool], Table]] = {
    "csv": read_csv,
    "libsvm": read_libsvm,
    "parquet": read_parquet,
    "recordio-protobuf": read_recordio,
}


def _delimiter(path: Path, first: bytes) -> str:
    text = first.decode("utf-8", "replace").strip()
    for candidate in _DELIMITERS:
        if candidate in text:
            return candidate
    raise ContainerError(
        f"Could not determine the delimiter of {path.name}: its first line {text[:50]!r} has one column; "
        "a training file needs the label and at least one feature."
    )


def _numbers(column: Any) -> Floats:
    """Turn an Arrow column into floats with NaN for null, through its buffers.

    Arrow's own `to_numpy` imports pandas wherever it is installed, which doubles the time to start.
    """
    parts = [_chunk(chunk) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def _chunk(chunk: Any) -> Floats:
    validity, data = chunk.buffers()
    stop = chunk.offset + len(chunk)
    values = np.frombuffer(data, np.float32, count=stop)[chunk.offset :]
    if chunk.null_count:
        present = np.unpackbits(np.frombuffer(validity, np.uint8), count=stop, bitorder="little")
        values = np.where(present[chunk.offset :].astype(bool), values, np.float32(np.nan))
    return values


def _numbers_among_text(path: Path, columns: list[Any]) -> list[Floats]:
    """Read a file with words in it as the library's own text reader does: a word is a missing value."""
    texts = [column.to_pylist() for column in columns]
    first = [column[0] for column in texts]
    if all(cell is not None and _number(cell) is None for cell in first):
        warn(
            f"{path.name} starts with a header row ({', '.join(first)[:80]}). The image reads no header: "
            "this row is trained on, with label 0 and no features. Leave the header out."
        )
    numbers = [np.asarray([_number(cell, np.nan) for cell in column], np.float32) for column in texts]
    for place, (column, values) in enumerate(zip(texts[1:], numbers[1:], strict=True), 2):
        words = [cell for cell, value in zip(column[1:], values[1:], strict=True) if cell and value != value]
        if words:
            warn(
                f"Column {place} of {path.name} has {len(words)} words for numbers ({words[0][:30]!r}); "
                "each is trained on as a missing value. Encode categories as numbers first."
            )
    return numbers


def _number(cell: str | None, otherwise: float | None = None) -> float | None:
    try:
        return float(cell) if cell is not None else otherwise
    except ValueError:
        return otherwise


def _split(path: Path, columns: list[Floats], has_weights: bool) -> Table:
    start = 2 if has_weights else 1
    if len(columns) <= start:
        raise ContainerError(f"{path.name} has {len(columns)} columns, which leaves none for features.")
    labels = columns[0]
    if np.isnan(labels).any():
        warn(
            f"{path.name} has {int(np.isnan(labels).sum())} rows without a numeric label; the image reads 0."
        )
        labels = np.nan_to_num(labels, nan=0.0)
    features: npt.NDArray[np.float32] = np.empty((len(labels), len(columns) - start), np.float32)
    for place, column in enumerate(columns[start:]):
        features[:, place] = column
    return Table(features, labels, columns[1] if has_weights else None)
