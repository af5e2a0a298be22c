"""A good file is read to the same columns however it was written."""

from __future__ import annotations

import datetime
import gzip
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from table_cars import cars_spec

from tidegate.table.columns import Categories, Numbers
from tidegate.table.read import read_drop

SPEC = cars_spec("Asking price")
HEADER = "Id,Asking price,KM,Age,Fuel,Sold,Metallic"


def read(tmp_path, text, name="cars.csv"):
    path = tmp_path / "drop"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_drop(path, SPEC, name)


def rows(first: str, count: int = 30) -> str:
    return "\n".join([HEADER, first, *["9,100,5,3,Gas,2024-01-02,0"] * (count - 1)]) + "\n"


def cells(table, row: int = 0) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, column in table.columns.items():
        found[name] = column.texts()[row] if isinstance(column, Categories) else float(column.values[row])
    return found


DAYS = (datetime.date(2024, 5, 31) - datetime.date(1970, 1, 1)).days
PLAIN = {"KM": 46986.5, "Age": 23.0, "Fuel": "Diesel", "Sold": float(DAYS), "Metallic": 1.0}


@pytest.mark.parametrize(
    "line",
    [
        "1,13500,46986.5,23,Diesel,2024-05-31,1",
        "1,13500, 46986.5 ,23.0, Diesel ,2024-05-31,true",
        '1,"13500","46986.5","23","Diesel","2024-05-31","Yes"',
        "1,1.35e4,+4.69865E4,23,Diesel,2024-05-31T23:59:59Z,T",
        "1,13500,46986.5,23,Diesel,2024-05-31 10:00:00.5+02:00,y",
    ],
)
def test_spellings_of_the_same_row_read_the_same(tmp_path, line):
    table = read(tmp_path, rows(line))
    assert cells(table) == PLAIN
    assert table.target[0] == 13500


@pytest.mark.parametrize("gap", ["", "NA", "n/a", "NaN", "nAn", "NULL", "None", "?", "  ", " na "])
def test_every_spelling_of_a_gap_is_a_gap_where_no_text_is_wanted(tmp_path, gap):
    table = read(tmp_path, rows(f"1,13500,{gap},{gap},{gap},{gap},{gap}"))
    for name, value in cells(table).items():
        word = gap.strip() or None
        assert value == word if name == "Fuel" else np.isnan(value), name
    assert cells(table, 1)["KM"] == 5


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_matter(tmp_path, end):
    table = read(tmp_path, rows("1,13500,46986.5,23,Diesel,2024-05-31,1").replace("\n", end))
    assert (table.rows, cells(table)) == (30, PLAIN)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    text = rows("1,13500,46986.5,23,Diesel,2024-05-31,1").encode("utf-8-sig")
    assert cells(read(tmp_path, text)) == PLAIN


def test_a_gzipped_file_is_unpacked(tmp_path):
    text = gzip.compress(rows("1,13500,46986.5,23,Diesel,2024-05-31,1").encode())
    assert cells(read(tmp_path, text, "cars.csv.gz")) == PLAIN


def test_quoted_commas_and_line_breaks_stay_in_their_field(tmp_path):
    table = read(tmp_path, rows('1,13500,1,2,"Diesel, or\nelse",2024-05-31,1'))
    assert cells(table)["Fuel"] == "Diesel, or\nelse"
    assert table.rows == 30


def test_columns_that_the_model_does_not_list_are_ignored(tmp_path):
    text = rows("1,13500,46986.5,23,Diesel,2024-05-31,1")
    wider = "\n".join(f"{i},{line},x" for i, line in enumerate(text.splitlines()))
    table = read(tmp_path, wider.replace("0,Id", "note,Id", 1))
    assert cells(table) == PLAIN
    assert list(table.columns) == list(SPEC.features)


def test_numbers_are_read_to_the_last_bit(tmp_path):
    numbers = ["0.1", "1e23", "9007199254740993", "2.2250738585072014e-308", "5e-324", "1e-400", "-0.0"]
    text = "\n".join([HEADER, *[f"1,1,{n},3,Gas,2024-01-02,0" for n in numbers * 4]])
    column = read(tmp_path, text).columns["KM"]
    assert isinstance(column, Numbers)
    assert column.values.tolist() == [float(n) for n in numbers * 4]


def test_unicode_names_and_values_are_kept(tmp_path):
    assert cells(read(tmp_path, rows("ü,1,1,1,天然气 é,2024-05-31,1")))["Fuel"] == "天然气 é"


def test_parquet_of_any_storage_type_reads_as_the_csv_does(tmp_path):
    csv_table = read(tmp_path, rows("1,13500,46986.5,23,Diesel,2024-05-31,1"))
    day = [datetime.date(2024, 5, 31), *[datetime.date(2024, 1, 2)] * 29]
    sold = {
        "date": pa.array(day),
        "timestamp": pa.array([datetime.datetime(d.year, d.month, d.day, 23, 30) for d in day]),
        "zoned": pa.array(
            [datetime.datetime(d.year, d.month, d.day, 12) for d in day], pa.timestamp("us", "UTC")
        ),
        "text": pa.array([d.isoformat() for d in day]),
    }
    storage = {
        "date": (pa.float64(), pa.int64(), pa.string(), pa.bool_()),
        "timestamp": (pa.float32(), pa.float32(), pa.dictionary(pa.int32(), pa.string()), pa.int8()),
        "zoned": (pa.string(), pa.string(), pa.large_string(), pa.string()),
        "text": (pa.decimal128(12, 2), pa.uint8(), pa.string(), pa.float64()),
    }
    for kind, dates in sold.items():
        number, whole, text, flag = storage[kind]
        km = pa.array([46986.5, *[5.0] * 29])
        made = pa.table(
            {
                "Fuel": pa.array(["Diesel", *["Gas"] * 29]).cast(text),
                "Id": pa.array([1, *[9] * 29]),
                "KM": km.cast(number, safe=False),
                "Age": pa.array([23, *[3] * 29]).cast(whole),
                "Sold": dates,
                "Metallic": pa.array([1, *[0] * 29]).cast(flag),
                "Asking price": pa.array([13500, *[100] * 29]),
            }
        )
        pq.write_table(made, tmp_path / "drop")
        table = read_drop(tmp_path / "drop", SPEC, "cars.parquet")
        assert cells(table) == cells(csv_table), kind
        assert table.target.tolist() == csv_table.target.tolist()
        assert table.ids.texts() == csv_table.ids.texts()


def test_a_zoned_time_is_the_day_that_its_writer_saw(tmp_path):
    late = datetime.datetime(2024, 5, 31, 23, 30, tzinfo=datetime.UTC)
    for zone, day in (("UTC", DAYS), ("Asia/Tokyo", DAYS + 1)):
        made = {
            "Id": [1] * 30,
            "Asking price": [1.0] * 30,
            "KM": [1] * 30,
            "Age": [1] * 30,
            "Fuel": ["a"] * 30,
            "Sold": pa.array([late] * 30, pa.timestamp("ms", zone)),
            "Metallic": [True] * 30,
        }
        pq.write_table(pa.table(made), tmp_path / "drop")
        assert cells(read_drop(tmp_path / "drop", SPEC, "x"))["Sold"] == day


def test_a_number_of_four_bytes_is_the_number_of_its_text(tmp_path):
    made = {
        "Id": [1] * 30,
        "Asking price": [1.0] * 30,
        "KM": pa.array([0.1] * 30, pa.float32()),
        "Age": [1] * 30,
        "Fuel": ["a"] * 30,
        "Sold": pa.nulls(30),
        "Metallic": [True] * 30,
    }
    pq.write_table(pa.table(made), tmp_path / "drop")
    assert cells(read_drop(tmp_path / "drop", SPEC, "x"))["KM"] == 0.1


def test_reading_does_not_import_pandas(tmp_path):
    read(tmp_path, rows("1,13500,46986.5,23,Diesel,2024-05-31,1"))
    assert "pandas" not in sys.modules
