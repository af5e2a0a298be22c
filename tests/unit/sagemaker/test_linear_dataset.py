"""Reading channels: CSV and RecordIO files into one matrix, and what is said about bad ones."""

import numpy as np
import pytest

from tidegate.local.sagemaker.images.container import ClientError
from tidegate.local.sagemaker.images.linear_learner import dataset
from tidegate.local.sagemaker.images.linear_learner.dataset import CSV, RECORDIO, read_channel
from tidegate.local.sagemaker.images.recordio import Tensor, write_frame, write_record


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Put files in channel train of a container of this test."""
    monkeypatch.setenv("TIDEGATE_ML_ROOT", str(tmp_path))

    def write(**files):
        for name, content in files.items():
            path = tmp_path / "input" / "data" / "train" / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def values(data):
    return (data.x[:, 1:] + data.origin).tolist()


def test_the_label_is_the_first_column_and_files_follow_by_name(put):
    put(b="3,5,6\n", a="1,2,3\n2,4,5\n", c__d="4,7,8")
    data = read_channel("train", CSV)
    assert data.y.tolist() == [1, 2, 3, 4]
    assert values(data) == [[2, 3], [4, 5], [5, 6], [7, 8]]
    assert data.x[:, 0].tolist() == [1, 1, 1, 1]


def test_blocks_blank_lines_crlf_and_a_byte_order_mark_change_nothing(put, monkeypatch):
    monkeypatch.setattr(dataset, "_BLOCK_CELLS", 6)
    rows = [f"{i},{i * 2},{i * 3}" for i in range(11)]
    put(a="\ufeff" + "\r\n".join(rows[:5]) + "\r\n\r\n\r\n" + "\r\n".join(rows[5:]) + "\r\n\r\n")
    data = read_channel("train", CSV)
    assert data.y.tolist() == list(range(11))
    assert values(data) == [[i * 2, i * 3] for i in range(11)]


def test_large_numbers_keep_their_differences(put):
    put(a="0,1700000000123\n1,1700000000124\n")
    data = read_channel("train", CSV)
    assert float(data.x[1, 1]) - float(data.x[0, 1]) == 1.0


def test_recordio_dense_and_sparse_are_read_without_a_content_type(put):
    dense = write_frame(write_record({"values": np.array([1.0, 0.0, 2.0])}, {"values": np.array([5.0])}))
    sparse = Tensor(np.array([3.0]), np.array([1]), 3)
    put(a=dense, b=write_frame(write_record({"values": sparse}, {"values": np.array([6.0])})))
    data = read_channel("train", None)
    assert data.y.tolist() == [5, 6]
    assert values(data) == [[1, 0, 2], [0, 3, 0]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("price,km\n1,2\n", "line 1, column 1 is 'price', which is not a number. It looks like a header"),
        ("1,2\n3,x\n", "line 2, column 2 is 'x', which is not a number"),
        ("1,2\n3,\n", "line 2, column 2 is empty"),
        ("1,2\n3,4,5\n", "line 2 has 3 columns; the lines before have 2"),
        ("1,2\n3,nan\n", "row 2, column 2 is nan; Linear Learner takes no missing"),
        ("1\n2\n", "one column only"),
        ("\n\n", "only blank lines"),
        (b"1,2\n3,\xff\n", "not UTF-8"),
    ],
)
def test_a_bad_file_is_told_by_its_place(put, content, told):
    put(**{"cars.csv": content})
    with pytest.raises(ClientError) as caught:
        read_channel("train", CSV)
    assert told in str(caught.value)


def test_a_line_of_another_width_is_found_in_a_later_block_too(put, monkeypatch):
    monkeypatch.setattr(dataset, "_BLOCK_CELLS", 2)
    put(a="1,2\n3,4\n5,6,7\n")
    with pytest.raises(ClientError, match="line 3 has 3 columns; the lines before have 2"):
        read_channel("train", CSV)


def test_files_of_different_widths_are_told(put):
    put(a="1,2\n", b="1,2,3\n")
    with pytest.raises(ClientError, match="b in channel train has 2 features a row; 1 are expected"):
        read_channel("train", CSV)


def test_an_absent_channel_is_none_and_an_empty_one_is_an_error(put, tmp_path):
    assert read_channel("train", CSV) is None
    put(a="")
    with pytest.raises(ClientError, match="Channel train has no data"):
        read_channel("train", CSV)


def test_other_content_types_are_refused(put):
    put(a="1,2\n")
    with pytest.raises(ClientError, match="reads text/csv and application/x-recordio-protobuf"):
        read_channel("train", "text/libsvm")
    with pytest.raises(ClientError, match="label_size=1"):
        read_channel("train", "text/csv; label_size=2")
    assert read_channel("train", "text/csv; label_size=1").rows == 1


def test_text_under_the_recordio_type_is_refused(put):
    put(a="1,2\n")
    with pytest.raises(ClientError, match=r"not RecordIO|ends inside"):
        read_channel("train", RECORDIO)
