"""Read a channel (headerless CSV with the label first, or RecordIO-protobuf) into one matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.container import ClientError, ml_root
from tidegate.local.sagemaker.images.recordio import MAGIC, Record, Tensor, read_records

from .log import log

Floats = npt.NDArray[np.float64]

CSV = "text/csv"
RECORDIO = "application/x-recordio-protobuf"
_BLOCK_CELLS = 1_000_000
"""How many numbers are parsed at a time: bounds the memory beside the matrix itself."""

_ARROW_BYTES = 1 << 20
"""From so much text on Arrow is worth its import."""


@dataclass
class Dataset:
    """The examples of a channel.

    Attributes
    ----------
    x
        float32, one row an example; column 0 is all ones (its weight is the bias), column j is feature j-1.
    y
        float64 labels.
    origin
        What was subtracted from each feature before it was stored: in 32 bits a column such as a year or an
        epoch time keeps its digits only when it is stored as a distance from a typical value.
    """

    x: npt.NDArray[np.float32]
    y: Floats
    origin: Floats

    @property
    def rows(self) -> int:
        """How many examples there are."""
        return len(self.y)

    @property
    def features(self) -> int:
        """How many features an example has."""
        return int(self.x.shape[1] - 1)


def read_channel(name: str, content_type: str | None, origin: Floats | None = None) -> Dataset | None:
    """Return the examples of a channel, or None when the job has no such channel.

    Parameters
    ----------
    name
        ``train``, ``validation`` or ``test``.
    content_type
        From ``inputdataconfig.json``; when it is absent the first bytes of each file decide.
    origin
        The training channel's origin; None makes one from the first rows (so: when reading ``train``).
    """
    folder = ml_root() / "input" / "data" / name
    if not folder.exists():
        return None
    wanted = _media_type(name, content_type)
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]
    hidden = [path for path in paths if path.name.startswith(".")]
    if hidden:
        log(f"Skipped {len(hidden)} hidden file(s) in channel {name}, such as {hidden[0].name}.", "WARNING")
    used = [(path, wanted or _sniff(path)) for path in paths if path not in hidden]
    if not used:
        raise ClientError(
            f"Channel {name} has no data: it holds no file with anything in it. Check its S3 URI."
        )
    gather = _Gather(name, sum(_count_lines(path) for path, kind in used if kind == CSV), origin)
    for path, kind in used:
        for block in _csv_blocks(path) if kind == CSV else _recordio_blocks(path):
            gather.add(block, path)
    return gather.dataset()


class _Gather:
    """Collects blocks of (label, features…) into one float32 matrix that grows only when it must."""

    def __init__(self, channel: str, expected_rows: int, origin: Floats | None) -> None:
        self._channel, self._room, self._origin = channel, expected_rows, origin
        self._rows = 0
        self._x: npt.NDArray[np.float32] | None = None
        self._y = np.empty(0)

    def add(self, block: Floats, path: Path) -> None:
        """Append rows, checking their width and that every number is one."""
        if not np.isfinite(block).all():
            row, column = (int(at[0]) for at in np.nonzero(~np.isfinite(block)))
            raise ClientError(
                f"Channel {self._channel} (at {path.name}): row {self._rows + row + 1}, column {column + 1} "
                f"is {block[row, column]}; Linear Learner takes no missing or infinite numbers. "
                "Impute them first."
            )
        if block.shape[1] < 2:
            raise ClientError(
                f"{path.name} in channel {self._channel} has one column only: the label comes first, then at "
                "least one feature, separated by commas."
            )
        if self._origin is None:
            self._origin = block[:, 1:].mean(axis=0)
        if block.shape[1] - 1 != len(self._origin):
            raise ClientError(
                f"{path.name} in channel {self._channel} has {block.shape[1] - 1} features a row; "
                f"{len(self._origin)} are expected. Every file must have the same columns, the label first."
            )
        end = self._rows + len(block)
        if self._x is None or end > len(self._x):
            grown = np.empty((max(end, self._room, 2 * self._rows), block.shape[1]), np.float32)
            labels = np.empty(len(grown))
            if self._x is not None:
                grown[: self._rows], labels[: self._rows] = self._x[: self._rows], self._y[: self._rows]
            self._x, self._y = grown, labels
        self._y[self._rows : end] = block[:, 0]
        self._x[self._rows : end, 0] = 1.0
        np.subtract(block[:, 1:], self._origin, out=self._x[self._rows : end, 1:], casting="same_kind")
        self._rows = end

    def dataset(self) -> Dataset:
        """Return what was gathered."""
        if self._x is None or self._origin is None:
            raise ClientError(f"Channel {self._channel} has no rows: its files hold only blank lines.")
        return Dataset(self._x[: self._rows], self._y[: self._rows], self._origin)


def _media_type(channel: str, content_type: str | None) -> str | None:
    if not content_type:
        return None
    media, *options = (part.strip().lower() for part in content_type.split(";"))
    if media not in (CSV, RECORDIO):
        raise ClientError(
            f"Channel {channel} has the content type {content_type!r}; "
            f"Linear Learner reads {CSV} and {RECORDIO}."
        )
    for option in options:
        if option.startswith("label_size") and option.replace(" ", "") != "label_size=1":
            raise ClientError(
                f"Channel {channel} has {option!r}; Linear Learner needs one label, label_size=1."
            )
    return media


def _sniff(path: Path) -> str:
    with path.open("rb") as file:
        return RECORDIO if file.read(4) == MAGIC.to_bytes(4, "little") else CSV


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return 1 + sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def _csv_blocks(path: Path) -> Iterator[Floats]:
    with path.open(encoding="utf-8-sig", newline=None) as file:
        try:
            first = next((line for line in file if line.strip()), "")
            size = max(1, _BLOCK_CELLS // (first.count(",") + 1))
            lines = [first, *islice(file, size - 1)]
            width = None
            while lines:
                if any(line.strip() for line in lines):
                    block = _numbers(lines)
                    width = width or block.shape[1]
                    if block.shape[1] != width:
                        raise ValueError("the number of columns changes")
                    yield block
                lines = list(islice(file, size))
        except ValueError as error:
            raise ClientError(_csv_fault(path, error)) from error


def _numbers(lines: list[str]) -> Floats:
    """Parse lines of numbers: many of them by Arrow, which is ten times as fast as NumPy and takes less."""
    if len(lines) * len(lines[0]) >= _ARROW_BYTES:
        from tidegate.local.sagemaker.images.linear_learner.arrow import parse

        block = parse("".join(lines).encode(), lines[0].count(",") + 1)
        if block is not None:
            return block
    found: Floats = np.loadtxt(lines, delimiter=",", ndmin=2, comments=None, quotechar='"')
    return found


def _csv_fault(path: Path, error: ValueError) -> str:
    """Find the first line that cannot be read and say what is wrong there."""
    if isinstance(error, UnicodeDecodeError):
        return f"{path.name} in channel {path.parent.name} is not UTF-8 text: {error.reason}."
    width = None
    with path.open(encoding="utf-8-sig", newline=None) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            cells = [cell.strip().strip('"') for cell in line.split(",")]
            where = f"{path.name} in channel {path.parent.name}, line {number}"
            if width is not None and len(cells) != width:
                return f"{where} has {len(cells)} columns; the lines before have {width}."
            wrong = [(at, cell) for at, cell in enumerate(cells, 1) if not _is_number(cell)]
            if wrong:
                at, cell = wrong[0]
                header = number == 1 and len(wrong) == len(cells)
                hint = " It looks like a header: take it out." if header else ""
                found = f"{cell!r}, which is not a number" if cell else "empty"
                return f"{where}, column {at} is {found}.{hint}"
            width = len(cells)
    return f"{path.name} in channel {path.parent.name} cannot be read as CSV: {error}."


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _recordio_blocks(path: Path) -> Iterator[Floats]:
    records = read_records(path.read_bytes())
    first = next(records, None)
    if first is None:
        return
    values = _features(first, path)
    width = values.width if values.keys is not None else len(values.values)
    if width is None:
        raise ClientError(f"{path.name}: a sparse record must say its shape, the number of features.")
    size = max(1, _BLOCK_CELLS // (width + 1))
    rows = [first]
    while rows:
        block = np.empty((len(rows), width + 1))
        for at, record in enumerate(rows):
            block[at, 1:] = _features(record, path).dense(width)
            label = record.label.get("values")
            if label is None or len(label.values) != 1:
                raise ClientError(f"{path.name}: record {at + 1} must have one label, named 'values'.")
            block[at, 0] = label.values[0]
        yield block
        rows = list(islice(records, size))


def _features(record: Record, path: Path) -> Tensor:
    values = record.features.get("values")
    if values is None:
        raise ClientError(f"{path.name}: a record has no features named 'values'.")
    return values
