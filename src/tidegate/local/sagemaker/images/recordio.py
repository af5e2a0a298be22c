"""RecordIO framing and the protobuf ``Record`` of SageMaker, read and written by hand (no protobuf library).

A frame is the magic word, the payload's length, the payload, and zeros up to a multiple of four. A ``Record``
is ``map<string, Value> features = 1; map<string, Value> label = 2``; a ``Value`` holds a tensor of float32
(field 2), float64 (3) or int32 (7), each with ``values = 1``, ``keys = 2`` (the positions, when sparse) and
``shape = 3``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.local.sagemaker.images.container import ClientError

MAGIC = 0xCED7230A
_FLOAT32, _FLOAT64, _INT32 = 2, 3, 7


@dataclass(frozen=True)
class Tensor:
    """The numbers of one map entry: dense, or sparse when ``keys`` tell the positions."""

    values: npt.NDArray[np.float64]
    keys: npt.NDArray[np.int64] | None = None
    width: int | None = None

    def dense(self, width: int) -> npt.NDArray[np.float64]:
        """Return ``width`` numbers, zeros where a sparse tensor says nothing."""
        if self.width is not None and self.width != width:
            raise ClientError(
                f"A sparse record says its shape is {self.width}; {width} features are expected."
            )
        if self.keys is None:
            if len(self.values) != width:
                raise ClientError(f"A record has {len(self.values)} features; {width} are expected.")
            return self.values
        if len(self.keys) != len(self.values):
            raise ClientError(f"A sparse record has {len(self.values)} values for {len(self.keys)} keys.")
        if len(self.keys) and int(self.keys.max()) >= width:
            raise ClientError(
                f"A sparse record has the key {int(self.keys.max())}; the last one is {width - 1}."
            )
        row = np.zeros(width)
        row[self.keys] = self.values
        return row


@dataclass(frozen=True)
class Record:
    """One example: its features and, in training data, its label."""

    features: Mapping[str, Tensor]
    label: Mapping[str, Tensor]


def read_frames(data: bytes) -> Iterator[memoryview]:
    """Yield the payload of each RecordIO frame."""
    view, at = memoryview(data), 0
    while at < len(view):
        if len(view) - at < 8:
            raise ClientError(f"The RecordIO data ends inside a frame's header, at byte {at}.")
        magic, length = struct.unpack_from("<II", view, at)
        if magic != MAGIC:
            raise ClientError(f"The data is not RecordIO: no frame starts at byte {at}.")
        # The two highest bits mark a payload that was cut in several frames; no SageMaker writer makes those.
        if length >> 29:
            raise ClientError(f"The RecordIO frame at byte {at} is one part of several; write whole records.")
        if at + 8 + length > len(view):
            raise ClientError(f"The RecordIO frame at byte {at} is cut off: {length} bytes are announced.")
        yield view[at + 8 : at + 8 + length]
        at += 8 + length + (-length % 4)


def read_records(data: bytes) -> Iterator[Record]:
    """Yield the records of a RecordIO-protobuf file or request."""
    for frame in read_frames(data):
        try:
            maps: dict[int, dict[str, Tensor]] = {1: {}, 2: {}}
            for field, content in _fields(frame):
                if field in maps and isinstance(content, memoryview):
                    entry = dict(_fields(content))
                    name, value = entry.get(1, b""), entry.get(2, b"")
                    # A number where a tensor should be is a TypeError, told below.
                    maps[field][bytes(name).decode()] = _read_value(memoryview(value))  # type: ignore[arg-type]
            yield Record(maps[1], maps[2])
        except (IndexError, struct.error, OverflowError, TypeError, ValueError) as error:
            raise ClientError(f"A RecordIO frame does not hold a protobuf Record ({error}).") from error


def write_records(labels: Iterable[Mapping[str, npt.NDArray[Any]]]) -> bytes:
    """Return RecordIO-protobuf of records that carry only float32 ``label`` tensors (an answer)."""
    return b"".join(write_frame(write_record({}, label)) for label in labels)


def write_frame(payload: bytes) -> bytes:
    """Return ``payload`` in one RecordIO frame."""
    return struct.pack("<II", MAGIC, len(payload)) + payload + b"\0" * (-len(payload) % 4)


def write_record(
    features: Mapping[str, npt.NDArray[Any] | Tensor], label: Mapping[str, npt.NDArray[Any] | Tensor]
) -> bytes:
    """Return the protobuf bytes of one record with float32 tensors."""
    out = b""
    for field, entries in ((1, features), (2, label)):
        for name, numbers in entries.items():
            tensor = numbers if isinstance(numbers, Tensor) else Tensor(np.asarray(numbers, np.float64))
            body = _block(1, np.asarray(tensor.values, "<f4").tobytes())
            if tensor.keys is not None:
                body += _block(2, b"".join(_varint(int(key)) for key in tensor.keys))
            if tensor.width is not None:
                body += _block(3, _varint(tensor.width))
            out += _block(field, _block(1, name.encode()) + _block(2, _block(_FLOAT32, body)))
    return out


def _read_value(view: memoryview) -> Tensor:
    for field, content in _fields(view):
        if field in (_FLOAT32, _FLOAT64, _INT32) and isinstance(content, memoryview):
            return _read_tensor(content, field)
    raise ValueError("a value holds no float32, float64 or int32 tensor")


def _read_tensor(view: memoryview, kind: int) -> Tensor:
    numbers: list[npt.NDArray[np.float64]] = []
    keys: list[int] | None = None
    shape: list[int] = []
    for field, content in _fields(view):
        if field == 1:
            numbers.append(_read_numbers(content, kind))
        elif field == 2:
            keys = (keys or []) + _read_integers(content)
        elif field == 3:
            shape += _read_integers(content)
    values = np.concatenate(numbers) if numbers else np.zeros(0)
    positions = None if keys is None else np.asarray(keys, np.int64)
    # An all-zero sparse row has neither values nor keys: only its shape tells it from a dense empty one.
    if positions is None and shape and len(values) == 0:
        positions = np.zeros(0, np.int64)
    width = shape[-1] if shape and positions is not None else None
    return Tensor(values, positions, width)


def _read_numbers(content: memoryview | int, kind: int) -> npt.NDArray[np.float64]:
    if kind == _INT32:
        signed = [value - (1 << 64) if value >> 63 else value for value in _read_integers(content)]
        return np.asarray(signed, np.float64)
    if isinstance(content, int):
        raise ValueError("a float tensor holds a whole number")
    return np.frombuffer(content, "<f4" if kind == _FLOAT32 else "<f8").astype(np.float64)


def _read_integers(content: memoryview | int) -> list[int]:
    if isinstance(content, int):
        return [content]
    out, at = [], 0
    while at < len(content):
        value, at = _read_varint(content, at)
        out.append(value)
    return out


def _fields(view: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Yield (field number, content) of one message: bytes for lengths and fixed widths, else the number."""
    at = 0
    while at < len(view):
        tag, at = _read_varint(view, at)
        wire = tag & 7
        if wire == 0:
            value, at = _read_varint(view, at)
            yield tag >> 3, value
            continue
        if wire == 2:
            size, at = _read_varint(view, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} is not known")
        if at + size > len(view):
            raise ValueError("a field is longer than its message")
        yield tag >> 3, view[at : at + size]
        at += size


def _read_varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a whole number is longer than 64 bits")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _block(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content
