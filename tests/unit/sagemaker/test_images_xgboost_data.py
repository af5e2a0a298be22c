"""Training data and request bodies of the XGBoost image: what is read, and what is said when it cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.recordio import Tensor, write_frame, write_record
from tidegate.local.sagemaker.images.server import Refused
from tidegate.local.sagemaker.images.xgboost.channels import format_of, load_channels
from tidegate.local.sagemaker.images.xgboost.payload import parse, parse_csv
from tidegate.local.sagemaker.images.xgboost.readers import read_csv, read_libsvm, read_parquet, read_recordio


def written(folder: Path, text: str, name: str = "part-0.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def same(found: np.ndarray, expected: list[list[float]]) -> bool:
    return np.array_equal(found, np.array(expected, np.float32), equal_nan=True)


def test_csv_has_the_label_first_and_empty_cells_are_missing(tmp_path: Path) -> None:
    table = read_csv(written(tmp_path, "1,2,3.5\n4,,NA\n"), has_weights=False)
    assert table.labels.tolist() == [1, 4]
    assert same(table.features, [[2, 3.5], [np.nan, np.nan]])
    assert table.weights is None


def test_csv_weights_stand_in_the_second_column(tmp_path: Path) -> None:
    table = read_csv(written(tmp_path, "1;0.5;7\n2;2;8\n"), has_weights=True)
    assert table.weights is not None
    assert table.weights.tolist() == [0.5, 2]
    assert same(table.features, [[7], [8]])


def test_a_header_row_is_trained_on_and_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = read_csv(written(tmp_path, "Price,KM,Age\n1,2,3\n"), has_weights=False)
    assert table.labels.tolist() == [0, 1]
    assert same(table.features, [[np.nan, np.nan], [2, 3]])
    assert "starts with a header row (Price, KM, Age)" in capsys.readouterr().out


def test_a_word_among_numbers_is_missing_and_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = read_csv(written(tmp_path, "1,2\n3,Diesel\n"), has_weights=False)
    assert same(table.features, [[2], [np.nan]])
    assert "Column 2 of part-0.csv has 1 words for numbers ('Diesel')" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "part"),
    [("1\n2\n", "has one column"), ("1,2,3\n4,5\n", "Expected 3 columns, got 2")],
)
def test_a_table_that_is_none_is_named(text: str, part: str, tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match=part):
        read_csv(written(tmp_path, text), has_weights=False)


def test_parquet_with_nulls_reads_as_the_same_csv(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    pq.write_table(pa.table({"y": [1, 4], "a": [2.5, None], "b": [None, 6]}), path)
    table = read_parquet(path, has_weights=False)
    assert table.labels.tolist() == [1, 4]
    assert same(table.features, [[2.5, np.nan], [np.nan, 6]])


def test_a_sliced_null_bitmap_is_read_at_its_offset(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    values = [None if number % 3 == 0 else float(number) for number in range(100)]
    pq.write_table(pa.table({"y": [0.0] * 97, "a": pa.array(values)[3:]}), path)
    found = read_parquet(path, has_weights=False).features[:, 0]
    assert same(found, [np.nan if v is None else v for v in values[3:]])  # type: ignore[list-item]


def test_libsvm_counts_from_zero_and_leaves_absent_values_missing(tmp_path: Path) -> None:
    table = read_libsvm(written(tmp_path, "1:2 0:0.5 2:3 # a comment\n0:1 1:4\n\n"), has_weights=False)
    assert table.labels.tolist() == [1, 0]
    assert table.weights is not None
    assert table.weights.tolist() == [2, 1]
    assert table.features.toarray().tolist() == [[0.5, 0, 3], [0, 4, 0]]
    assert table.features.nnz == 3


def test_csv_sent_as_libsvm_is_answered_with_the_content_type_to_set(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match="ContentType text/csv"):
        read_libsvm(written(tmp_path, "1,2,3\n"), has_weights=False)


def test_recordio_is_read_dense_and_sparse(tmp_path: Path) -> None:
    dense = [write_record({"values": np.array([1.0, 2.0])}, {"values": np.array([9.0])})]
    path = tmp_path / "a.pbr"
    path.write_bytes(b"".join(map(write_frame, dense)))
    table = read_recordio(path, has_weights=False)
    assert table.labels.tolist() == [9]
    assert table.features.tolist() == [[1, 2]]
    sparse = Tensor(np.array([5.0]), np.array([3]), 6)
    path.write_bytes(write_frame(write_record({"values": sparse}, {"values": np.array([1.0])})))
    assert read_recordio(path, has_weights=False).features.toarray().tolist() == [[0, 0, 0, 5, 0, 0]]


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [(None, "libsvm"), ("text/csv; label_size=1", "csv"), ("application/x-parquet", "parquet")],
)
def test_content_types_name_a_format(content_type: str | None, kind: str) -> None:
    assert format_of(content_type) == kind


@pytest.fixture
def channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_ML_ROOT", str(tmp_path))
    return tmp_path / "input" / "data"


CSV = {"ContentType": "text/csv"}


def test_several_files_of_a_channel_become_one_matrix(channels: Path) -> None:
    written(channels / "train", "1,2,3\n")
    written(channels / "train" / "more", "4,5,6\n7,8,9\n", "b.csv")
    written(channels / "train", "", "_SUCCESS")
    written(channels / "validation", "1,2,3\n")
    train, validation = load_channels({"train": CSV, "validation": CSV}, has_weights=False)
    assert (train.num_row(), train.num_col()) == (3, 2)
    assert validation is not None
    assert validation.num_row() == 1


@pytest.mark.parametrize(
    ("files", "config", "part"),
    [
        ({"validation/a": "1,2\n"}, {"validation": CSV}, "Missing required channel: train"),
        ({"train/a": "1,2\n"}, {"train": CSV, "test": CSV}, "Extraneous channel found: test"),
        ({"train/a": ""}, {"train": CSV}, "No data in training channel path"),
        ({"train/.a": "1,2\n"}, {"train": CSV}, "Hidden file found in the data path: .a"),
        ({"train/a": "1,2\n"}, {"train": {"ContentType": "text/tsv"}}, "not an accepted ContentType"),
        ({"train/a": "1,2\n"}, {"train": {**CSV, "TrainingInputMode": "Pipe"}}, "use the input mode File"),
        ({"train/a": "1,2\n", "train/b": "1,2,3\n"}, {"train": CSV}, "b has 2 feature columns and a has 1"),
        (
            {"train/a": "1,2\n", "validation/a": "1,2,3\n"},
            {"train": CSV, "validation": CSV},
            "The validation channel has 2 feature columns and the train channel 1",
        ),
        ({"train/a": "1,inf\n"}, {"train": CSV}, "The train channel has infinite values"),
    ],
)
def test_a_channel_that_cannot_be_trained_on_is_named_in_a_sentence(
    files: dict[str, str], config: dict[str, dict[str, str]], part: str, channels: Path
) -> None:
    for name, text in files.items():
        written(channels / Path(name).parent, text, Path(name).name)
    with pytest.raises(ContainerError) as caught:
        load_channels(config, has_weights=False)
    assert part in str(caught.value)


def test_sparse_channels_may_name_different_columns(channels: Path) -> None:
    written(channels / "train", "1 0:1 4:2\n")
    written(channels / "validation", "1 1:1\n")
    train, validation = load_channels({"train": {}, "validation": {}}, has_weights=False)
    assert validation is not None
    assert train.num_col() == validation.num_col() == 5


cell = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-999, 999), st.just(""))


@given(
    st.integers(1, 5).flatmap(
        lambda n: st.lists(st.lists(cell, min_size=n, max_size=n), min_size=1, max_size=6)
    )
)
def test_any_rows_of_numbers_come_back_as_they_were_sent(rows: list[list[float | str]]) -> None:
    if any(row == [""] for row in rows):
        return  # one empty cell is an empty line
    text = "\n".join(",".join(str(value) for value in row) for row in rows) + "\n"
    expected = [[np.nan if value == "" else float(value) for value in row] for row in rows]
    assert np.array_equal(parse_csv(text.encode()), np.array(expected), equal_nan=True)


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_a_request_may_use_any_usual_delimiter(mark: str) -> None:
    assert parse(f"1{mark}2\n3{mark}4".encode(), "text/csv").tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("body", "content_type", "part"),
    [
        (b"1,x", "text/csv", "Row 1, cell 2 of the CSV body is 'x'"),
        (b"1,2\n3,4,5", "text/csv", "Row 2 of the CSV body has 3 cells where row 1 has 2"),
        (b"1,2", "application/xml", "not an accepted ContentType"),
        (b"{}", "application/x-parquet", "is not supported for predictions"),
        (b"\xff\xfe", "text/csv", "could not be read as text/csv"),
        (b"1:a", "text/libsvm", "could not be read as text/libsvm"),
        (b"no magic here", "application/x-recordio-protobuf", "could not be read as application/x-recordio"),
    ],
)
def test_a_body_that_does_not_parse_is_a_415_with_a_sentence(
    body: bytes, content_type: str, part: str
) -> None:
    with pytest.raises(Refused) as caught:
        parse(body, content_type)
    assert caught.value.status == 415
    assert part in str(caught.value)


def test_libsvm_requests_may_carry_a_label() -> None:
    assert parse(b"1 0:5 2:7\n0:8", "text/libsvm").toarray().tolist() == [[5, 0, 7], [8, 0, 0]]
