"""Each file that cannot be used is refused with one sentence that names the place and the remedy."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from table_cars import cars_spec

from tidegate.core.errors import BadDrop
from tidegate.core.spec import ModelSpec
from tidegate.table.read import read_drop

SPEC = cars_spec("Price")
HEADER = "Id,Price,KM,Age,Fuel,Sold,Metallic"
GOOD = "{},13500,46986,23,Diesel,2024-05-31,1"


def lines(rows: int = 30, **changes: str) -> list[str]:
    """Build a good file's lines; `line17="…"` replaces what an editor shows as line 17."""
    text = [HEADER, *(GOOD.format(number) for number in range(1, rows + 1))]
    for place, line in changes.items():
        text[int(place.removeprefix("line")) - 1] = line
    return text


def refused(path: Path, content: bytes | str | list[str], name: str = "cars.csv") -> BadDrop:
    if isinstance(content, list):
        content = "\n".join(content) + "\n"
    path = path / "drop"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadDrop) as caught:
        read_drop(path, SPEC, name)
    message = caught.value.plain
    assert message.startswith(name)
    assert "\n" not in message
    assert ": " in message or "; " in message  # the fact, then the remedy
    return caught.value


def test_a_file_of_no_bytes_is_called_empty(tmp_path):
    assert "0 bytes" in refused(tmp_path, b"").plain


def test_a_file_of_blank_lines_holds_no_text(tmp_path):
    assert "no text" in refused(tmp_path, b"\n\n  \n").plain


def test_a_header_alone_has_no_rows(tmp_path):
    assert "no rows" in refused(tmp_path, HEADER + "\n").plain
    assert "no rows" in refused(tmp_path, HEADER).plain


def test_too_few_rows_are_counted(tmp_path):
    message = refused(tmp_path, lines(rows=19)).plain
    assert "19 rows" in message and "at least 20" in message


def test_a_file_without_a_header_is_told_what_the_first_line_should_be(tmp_path):
    bad = refused(tmp_path, lines()[1:])
    assert "no header" in bad.plain and "'Price'" in bad.plain and "'13500'" in bad.plain
    assert bad.row == 1


@pytest.mark.parametrize("line", [2, 17, 31])
def test_a_header_row_among_the_rows_is_refused_and_never_trained_on(tmp_path, line):
    # The XGBoost image itself would train on it without a word.
    bad = refused(tmp_path, lines(**{f"line{line}": HEADER}))
    assert "'Price'" in bad.plain or "'KM'" in bad.plain
    assert bad.row == line


def test_a_file_of_other_columns_lists_both_sides(tmp_path):
    text = ["a,b,c", *["x,y,z"] * 30]
    message = refused(tmp_path, text).plain
    assert "'a', 'b', 'c'" in message and "'KM'" in message


def test_a_missing_target_is_named_with_the_nearest_column(tmp_path):
    bad = refused(tmp_path, lines(line1=HEADER.replace("Price", "price")))
    assert "target column 'Price'" in bad.plain and "did you mean 'price'" in bad.plain
    assert bad.column == "Price"


def test_missing_features_are_all_listed(tmp_path):
    message = refused(tmp_path, lines(line1="Id,Price,Km,age_years,Fuel,Sold,Colour")).plain
    for part in ("'KM' (did you mean 'Km'?)", "'Age'", "'Metallic'"):
        assert part in message


def test_a_missing_id_column_is_named(tmp_path):
    assert "'Id'" in refused(tmp_path, lines(line1=HEADER.replace("Id,", "Nr,"))).plain


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    text = [HEADER + ",KM", *[GOOD.format(1) + ",5"] * 30]
    bad = refused(tmp_path, text)
    assert "'KM' 2 times (columns 3 and 8)" in bad.plain and bad.column == "KM"


@pytest.mark.parametrize(
    ("extra", "expected"), [(",8", "8 fields, expected 7"), (",8,9", "9 fields, expected 7")]
)
def test_a_column_too_many_in_one_row_is_told_by_its_line(tmp_path, extra, expected):
    bad = refused(tmp_path, lines(line17=GOOD.format(16) + extra))
    assert f"line 17: {expected}" in bad.plain and "too many" in bad.plain and bad.row == 17


def test_a_row_that_is_too_short_is_told_by_its_line(tmp_path):
    bad = refused(tmp_path, lines(line9="8,13500,46986"))
    assert "line 9: 3 fields, expected 7" in bad.plain and bad.row == 9


@pytest.mark.parametrize(
    ("line", "column", "held", "wanted"),
    [
        ("16,13500,abc,23,Diesel,2024-05-31,1", "KM", "'abc'", "a number"),
        ("16,13500,1_000,23,Diesel,2024-05-31,1", "KM", "'1_000'", "a number"),
        ("16,13500,inf,23,Diesel,2024-05-31,1", "KM", "'inf'", "a number"),
        ("16,13500,1e999,23,Diesel,2024-05-31,1", "KM", "'1e999'", "a number"),
        ("16,13500,1,3.5,Diesel,2024-05-31,1", "Age", "'3.5'", "a whole number"),
        ("16,13500,1,2,Diesel,31.05.2024,1", "Sold", "'31.05.2024'", "a date such as"),
        ("16,13500,1,2,Diesel,2024-02-30,1", "Sold", "'2024-02-30'", "a date such as"),
        ("16,13500,1,2,Diesel,2024-05-31,maybe", "Metallic", "'maybe'", "true or false"),
    ],
)
def test_a_wrong_type_is_told_by_line_column_and_value(tmp_path, line, column, held, wanted):
    bad = refused(tmp_path, lines(line17=line))
    assert f"line 17: column '{column}' holds {held}, which is not {wanted}" in bad.plain
    assert (bad.row, bad.column) == (17, column)


def test_the_first_of_several_bad_cells_is_told_and_the_others_counted(tmp_path):
    text = lines(
        line12="11,13500,1,2,Diesel,2024-05-31,maybe",
        line9="8,13500,far,2,Diesel,2024-05-31,1",
        line20="19,13500,farther,2,Diesel,2024-05-31,1",
    )
    bad = refused(tmp_path, text)
    assert "line 9: column 'KM' holds 'far' (1 more row like it)" in bad.plain


def test_a_long_value_is_shown_shortened(tmp_path):
    message = refused(tmp_path, lines(line5=f"4,13500,{'x' * 500},2,Diesel,2024-05-31,1")).plain
    assert "x…'" in message and len(message) < 250


@pytest.mark.parametrize("gap", ["", "NA", "NaN", "null"])
def test_a_row_without_a_target_is_told_by_its_line(tmp_path, gap):
    bad = refused(tmp_path, lines(line8=GOOD.format(7).replace("13500", gap)))
    assert "line 8: the target 'Price' is" in bad.plain
    assert (bad.row, bad.column) == (8, "Price")


@pytest.mark.parametrize("value", ["inf", "-Infinity", "cheap", "1e400"])
def test_a_target_that_is_no_finite_number_is_told_by_its_line(tmp_path, value):
    bad = refused(tmp_path, lines(line8=GOOD.format(7).replace("13500", value)))
    assert f"line 8: the target 'Price' holds '{value}'" in bad.plain and bad.row == 8


def test_lines_are_counted_as_an_editor_does_across_quoted_line_breaks_and_blank_lines(tmp_path):
    text = lines(line3='2,1,1,1,"two\nlines",2024-05-31,1', line10="\n\n" + GOOD.format(9))
    text[20] = "20,13500,abc,23,Diesel,2024-05-31,1"
    row = "\n".join(text).split("\n").index(text[20]) + 1
    bad = refused(tmp_path, text)
    assert bad.row == row == 24 and "line 24" in bad.plain


def test_latin_1_is_told_by_line_and_byte(tmp_path):
    text = "\n".join(lines(line4="3,13500,46986,23,élec,2024-05-31,1")).encode("latin-1")
    bad = refused(tmp_path, text)
    assert "not UTF-8" in bad.plain and "line 4" in bad.plain and "0xE9" in bad.plain
    assert f"byte {text.index(0xE9) + 1} " in bad.plain and bad.row == 4


def test_a_character_cut_off_at_the_end_is_refused(tmp_path):
    assert "cut off" in refused(tmp_path, "\n".join(lines()).encode() + "é".encode()[:1]).plain


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_named(tmp_path, encoding):
    text = "\n".join(lines()).encode(encoding)
    if encoding == "utf-16-be":
        text = codecs.BOM_UTF16_BE + text
    assert "UTF-16" in refused(tmp_path, text).plain


def test_a_nul_byte_is_told_by_its_line(tmp_path):
    bad = refused(tmp_path, "\n".join(lines(line6="5,\x001,2,3,Diesel,2024-05-31,1")).encode())
    assert "NUL" in bad.plain and bad.row == 6


@pytest.mark.parametrize(("delimiter", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_delimiter_is_named(tmp_path, delimiter, word):
    message = refused(tmp_path, "\n".join(lines()).replace(",", delimiter)).plain
    assert word in message and "commas" in message


def test_a_quotation_mark_that_is_never_closed_is_told(tmp_path):
    bad = refused(tmp_path, lines(line7='6,13500,46986,23,"Diesel,2024-05-31,1'))
    assert "line 7" in bad.plain and bad.row == 7


def test_an_excel_workbook_is_named(tmp_path):
    assert "Excel" in refused(tmp_path, b"PK\x03\x04 and so on", "cars.xlsx").plain


def test_a_damaged_gzip_file_is_named(tmp_path):
    whole = gzip.compress("\n".join(lines()).encode())
    assert "damaged gzip" in refused(tmp_path, whole[:-20], "cars.csv.gz").plain


def test_a_damaged_parquet_file_is_named(tmp_path):
    assert "damaged Parquet" in refused(tmp_path, b"PAR1 but nothing else", "cars.parquet").plain


def parquet(path: Path, **columns: list[object]) -> bytes:
    plain = {
        "Id": list(range(30)),
        "Price": [1.0] * 30,
        "KM": [5.0] * 30,
        "Age": [3] * 30,
        "Fuel": ["Diesel"] * 30,
        "Sold": ["2024-05-31"] * 30,
        "Metallic": [True] * 30,
    }
    pq.write_table(pa.table({**plain, **columns}), path / "made")
    return (path / "made").read_bytes()


def test_a_parquet_file_with_other_names_lists_both_sides(tmp_path):
    pq.write_table(pa.table({"a": [1] * 30, "b": [2] * 30}), tmp_path / "made")
    bad = refused(tmp_path, (tmp_path / "made").read_bytes(), "cars.parquet")
    assert "'a', 'b'" in bad.plain and "'Price'" in bad.plain and bad.row is None


def test_a_parquet_cell_is_told_by_its_row(tmp_path):
    bad = refused(tmp_path, parquet(tmp_path, KM=["1"] * 4 + ["far"] + ["2"] * 25), "cars.parquet")
    assert "row 5: column 'KM' holds 'far'" in bad.plain and bad.row == 5


def test_a_parquet_target_that_is_null_is_told_by_its_row(tmp_path):
    bad = refused(tmp_path, parquet(tmp_path, Price=[1.0] * 9 + [None] + [2.0] * 20), "cars.parquet")
    assert "row 10: the target 'Price' is empty" in bad.plain


def test_a_parquet_date_that_no_calendar_has_is_told_by_its_row(tmp_path):
    far = pa.array([0] * 29 + [10**18], pa.timestamp("us"))
    bad = refused(tmp_path, parquet(tmp_path, Sold=far), "cars.parquet")
    assert "row 30: column 'Sold'" in bad.plain and "a date such as" in bad.plain


def test_a_parquet_number_where_a_date_belongs_is_refused_by_its_type(tmp_path):
    bad = refused(tmp_path, parquet(tmp_path, Sold=[20240531] * 30), "cars.parquet")
    assert "'Sold' is stored as int64, and date is expected" in bad.plain


def test_a_parquet_column_of_lists_is_refused_by_its_type(tmp_path):
    bad = refused(tmp_path, parquet(tmp_path, KM=[[1.0]] * 30), "cars.parquet")
    assert "'KM' is stored as list" in bad.plain and bad.column == "KM"


def test_every_column_that_does_not_fit_is_told_once_with_its_first_line(tmp_path):
    text = lines(
        line12="11,13500,1,2,Diesel,2024-05-31,maybe",
        line9="8,13500,far,2,Diesel,soon,1",
        line20="19,cheap,farther,2,Diesel,2024-05-31,1",
    )
    bad = refused(tmp_path, text)
    assert "line 9: column 'KM' holds 'far' (1 more row like it)" in bad.plain
    assert "'Sold' (line 9: 'soon' is not a date such as 2024-05-31)" in bad.plain
    assert "'Metallic' (line 12: 'maybe' is not true or false)" in bad.plain
    assert "'Price' (line 20: 'cheap' is not a number)" in bad.plain
    assert bad.plain.count("'KM'") == 1
    assert "cheap" not in bad.masked


def test_of_many_wrong_columns_some_are_told_and_the_others_counted(tmp_path):
    spec = ModelSpec.from_dict(
        {
            "name": "wide",
            "target": "y",
            "features": {f"x{at}": "numeric" for at in range(21)},
            "algorithms": {"xgboost": None},
        }
    )
    rows = [",".join(["1"] * 22)] * 30
    rows[3] = ",".join(["1", *["a"] * 21])
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([",".join(["y", *spec.features]), *rows]))
    with pytest.raises(BadDrop) as caught:
        read_drop(path, spec, "wide.csv")
    assert "line 5: column 'x0'" in caught.value.plain and "'x8' (line 5" in caught.value.plain
    assert "and 12 more" in caught.value.plain and "'x9'" not in caught.value.plain


def test_every_parquet_column_that_does_not_fit_is_told(tmp_path):
    changes = {"KM": ["far"] * 30, "Age": [[1]] * 30, "Price": [1.0] * 29 + [None]}
    bad = refused(tmp_path, parquet(tmp_path, **changes), "cars.parquet")
    for words in ("'KM'", "'Age'", "stored as list", "'Price'"):
        assert words in bad.plain


@pytest.mark.parametrize("value", ['"64,2"', '"1.234,5"', '"1,163.74"', "1 163", '"1,163"'])
@pytest.mark.parametrize("column", [1, 2])
def test_a_number_in_the_manner_of_some_country_is_told_how_numbers_are_written(tmp_path, value, column):
    cells = GOOD.format(7).split(",")
    cells[column] = value
    bad = refused(tmp_path, lines(line8=",".join(cells)))
    assert "line 8" in bad.plain and "decimal point" in bad.plain


def test_absent_and_repeated_columns_are_told_together(tmp_path):
    bad = refused(tmp_path, lines(line1="Id,Preis,KM,KM,Fuel,Sold,Metallic"))
    for words in ("no target column 'Price'", "lacks the column 'Age'", "'KM' 2 times (columns 3 and 4)"):
        assert words in bad.plain
