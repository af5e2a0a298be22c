"""Requests to an endpoint, recordio bodies and capture lines that cannot be read."""

from __future__ import annotations

import json
import struct

RECIPE = {
    "version": 1,
    "inputs": ["km", "fuel", "sold", "auto"],
    "outputs": ["km", "fuel=Diesel", "fuel=other", "sold.year", "auto"],
    "columns": [
        {"name": "km", "type": "numeric", "impute": 5.0, "indicator": False, "scale": None},
        {"name": "fuel", "type": "categorical", "levels": ["Diesel"]},
        {
            "name": "sold",
            "type": "date",
            "parts": ["year"],
            "impute": [2000],
            "indicator": False,
            "scale": None,
        },
        {"name": "auto", "type": "boolean", "impute": 0.0, "indicator": False, "scale": None},
    ],
}
CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
DEEP = "[" * 100_000

REQUESTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", CSV),
    "blank lines": (b"\n\n", CSV),
    "a header": (b"km,fuel,sold,auto\n1,Diesel,2024-01-01,1", CSV),
    "too few fields": (b"1,2", CSV),
    "too many fields": (b"1,2,2024-01-01,1,5", CSV),
    "a quote never closed": (b'1,"Die\nsel,2024-01-01,1', CSV),
    "a quoted field of a megabyte": (b'1,"' + b"x" * (1 << 20) + b'",2024-01-01,1', CSV),
    "a word for a number": (b"far,Diesel,2024-01-01,1", CSV),
    "infinity": (b"inf,Diesel,2024-01-01,1", CSV),
    "beyond a double": (b"1e999,Diesel,2024-01-01,1", CSV),
    "year 0": (b"1,Diesel,0000-01-01,1", CSV),
    "a day that is none": (b"1,Diesel,2024-02-30,1", CSV),
    "maybe": (b"1,Diesel,2024-01-01,maybe", CSV),
    "a NUL byte": (b"1\x00,Diesel,2024-01-01,1", CSV),
    "Latin-1": ("1,Öl,2024-01-01,1".encode("latin-1"), CSV),
    "UTF-16": ("1,Öl,2024-01-01,1".encode("utf-16"), CSV),
    "not JSON": (b"{km: 1}", JSON),
    "JSON cut short": (b'{"km": 1', JSON),
    "a number": (b"5", JSON),
    "a text": (b'"km"', JSON),
    "null": (b"null", JSON),
    "an empty list": (b"[]", JSON),
    "no instances": (b'{"instances": []}', JSON),
    "instances of a number": (b'{"instances": 5}', JSON),
    "a list of numbers": (b"[1, 2]", JSON),
    "a short list": (b"[[1, 2]]", JSON),
    "an unknown field": (b'{"kmm": 1}', JSON),
    "a list for a number": (b'{"km": [1]}', JSON),
    "an object for a text": (b'{"fuel": {"a": 1}}', JSON),
    "true for a number": (b'{"km": true}', JSON),
    "an integer of 5,000 digits": (b'{"km": ' + b"9" * 5000 + b"}", JSON),
    "half of a character": (b'{"fuel": "\\ud800"}', JSON),
    "half of a character in a line": (b'{"km": 1}\n{"fuel": "\\udfff"}', LINES),
    "half of a character in a name": (b'{"\\ud800": 1}', JSON),
    "infinity in JSON": (b'{"km": Infinity}', JSON),
    "lists a hundred thousand deep": (DEEP.encode(), JSON),
    "objects a hundred thousand deep": (b'{"km":' * 100_000, JSON),
    "a deep line": (DEEP.encode(), LINES),
    "a line that is no JSON": (b'{"km": 1}\nkm', LINES),
    "a line that is a number": (b"5", LINES),
    "an unknown content type": (b"1", "application/x-npy"),
    "no content type": (b"1", ""),
    "a pickle": (b"\x80\x04}\x94.", "application/octet-stream"),
}


def frame(payload: bytes, magic: int = 0xCED7230A, length: int | None = None) -> bytes:
    """Frame a payload as RecordIO does, or not quite."""
    size = len(payload) if length is None else length
    return struct.pack("<II", magic, size & 0xFFFFFFFF) + payload + b"\x00" * (-len(payload) % 4)


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number % 128 + 128])
        number //= 128
    return out + bytes([number])


def field(number: int, kind: int, payload: bytes) -> bytes:
    head = varint(number << 3 | kind)
    return head + (varint(len(payload)) + payload if kind == 2 else payload)


def value(tensor: bytes, kind: int = 2) -> bytes:
    entry = field(1, 2, b"values") + field(2, 2, field(kind, 2, tensor))
    return field(1, 2, entry)


FLOATS = field(1, 2, struct.pack("<3f", 1, 2, 3))
RECORDIO: dict[str, bytes] = {
    "two bytes": b"\x01\x02",
    "a wrong magic word": frame(value(FLOATS), magic=0xDEADBEEF),
    "a length beyond the end": frame(value(FLOATS), length=1 << 30),
    "a length beyond four gigabytes": frame(value(FLOATS), length=0xFFFFFFFF),
    "a payload cut short": frame(value(FLOATS))[:-8],
    "random bytes in a frame": frame(bytes((n * 37) % 256 for n in range(64))),
    "a varint without an end": frame(b"\xff" * 40),
    "a field longer than its record": frame(b"\x0a\xff\xff\xff\xff\x0f"),
    "wire type 7": frame(b"\x0f\x01"),
    "wire type 3": frame(b"\x0b\x01"),
    "floats of three bytes": frame(value(field(1, 2, b"\x00\x00\x00"))),
    "keys without values": frame(value(field(2, 2, varint(1)))),
    "a key beyond the shape": frame(value(FLOATS + field(2, 2, varint(1) + varint(2) + varint(1 << 40)))),
    "fewer keys than values": frame(value(FLOATS + field(2, 2, varint(0)))),
    "a negative key": frame(value(FLOATS + field(2, 2, varint((1 << 64) - 5) * 3))),
    "an entry without a tensor": frame(field(1, 2, field(1, 2, b"values"))),
    "a name that is no UTF-8": frame(field(1, 2, field(1, 2, b"\xff\xfe") + field(2, 2, b""))),
    "a text": b"1,2,3\n",
}


def captured(**changes: object) -> bytes:
    """Write a capture line with some members of another kind; None takes a member out."""
    document: dict[str, object] = {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": "1,2",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "text/csv",
                "mode": "OUTPUT",
                "data": "5.0",
                "encoding": "CSV",
            },
        },
        "eventMetadata": {"eventId": "e", "inferenceTime": "2024-01-01T00:00:00Z"},
        "eventVersion": "0",
    }
    for key, changed in changes.items():
        document[key] = changed
    return json.dumps({key: each for key, each in document.items() if each is not None}).encode()


def request_of(**entry: object) -> bytes:
    return captured(captureData={"endpointInput": {"mode": "INPUT", **entry}})


CAPTURES: dict[str, bytes] = {
    "not JSON": b"captureData",
    "a list": b"[]",
    "a number": b"5",
    "cut short": captured()[:-10],
    "an empty object": b"{}",
    "no data": captured(captureData=None),
    "data that is a text": captured(captureData="x"),
    "data that is a list": captured(captureData=[1]),
    "no event": captured(eventMetadata=None),
    "an event without an id": captured(eventMetadata={}),
    "an event that is a text": captured(eventMetadata="e"),
    "a request that is a text": captured(captureData={"endpointInput": "1,2"}),
    "a request without its data": request_of(encoding="CSV"),
    "base64 that is none": request_of(data="***", encoding="BASE64"),
    "base64 of no text": request_of(data="//79", encoding="BASE64", observedContentType="text/csv"),
    "JSON that is none": request_of(data="{", encoding="JSON", observedContentType="application/json"),
    "JSON that is a number": request_of(data="5", encoding="JSON", observedContentType="application/json"),
    "deep JSON": request_of(data=DEEP, encoding="JSON", observedContentType="application/json"),
    "a deep line": DEEP.encode(),
    "data that is a number": request_of(data=5, encoding="CSV"),
    "more answers than rows": captured(
        captureData={
            "endpointInput": {"data": "1,2", "encoding": "CSV"},
            "endpointOutput": {"data": "1\n2\n3", "encoding": "CSV"},
        }
    ),
    "Latin-1": b'{"captureData": "\xd6"}',
}
