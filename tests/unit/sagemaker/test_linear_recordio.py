"""RecordIO-protobuf by hand, against bytes written out from the format's description."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.local.sagemaker.images.container import ClientError
from tidegate.local.sagemaker.images.recordio import (
    Tensor,
    read_records,
    write_frame,
    write_record,
)

FLOATS = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=40)


def test_a_dense_record_is_read_from_known_bytes():
    tensor = b"\x0a\x08" + struct.pack("<2f", 1.5, -2.0)  # values = 1, packed
    value = b"\x12" + bytes([len(tensor)]) + tensor  # float32_tensor = 2
    entry = b"\x0a\x06values\x12" + bytes([len(value)]) + value
    label_value = b"\x12\x06\x0a\x04" + struct.pack("<f", 7.0)
    label = b"\x0a\x06values\x12" + bytes([len(label_value)]) + label_value
    payload = b"\x0a" + bytes([len(entry)]) + entry + b"\x12" + bytes([len(label)]) + label
    padding = b"\0" * (-len(payload) % 4)
    data = b"\x0a\x23\xd7\xce" + struct.pack("<I", len(payload)) + payload + padding
    (record,) = read_records(data)
    assert record.features["values"].dense(2).tolist() == [1.5, -2.0]
    assert record.label["values"].values.tolist() == [7.0]


def test_unpacked_numbers_and_other_number_types_are_read():
    unpacked = b"\x0d" + struct.pack("<f", 0.5) + b"\x0d" + struct.pack("<f", 4.0)
    doubles = b"\x0a\x08" + struct.pack("<d", 0.1)
    negative = b"\x0a\x0a" + b"\xfe" + b"\xff" * 8 + b"\x01"  # int32 -2 as ten varint bytes
    for field, body, expected in ((2, unpacked, [0.5, 4.0]), (3, doubles, [0.1]), (7, negative, [-2.0])):
        value = bytes([field << 3 | 2, len(body)]) + body
        entry = b"\x0a\x01v\x12" + bytes([len(value)]) + value
        (record,) = read_records(write_frame(b"\x0a" + bytes([len(entry)]) + entry))
        assert record.features["v"].values.tolist() == expected


@given(FLOATS, FLOATS)
def test_what_is_written_is_read_back(features, labels):
    frame = write_frame(write_record({"values": np.array(features)}, {"values": np.array(labels)}))
    first, second = read_records(frame + frame)
    assert first.features["values"].values.tolist() == features
    assert second.label["values"].values.tolist() == labels


@given(st.dictionaries(st.integers(0, 299), st.floats(-10, 10, width=32), max_size=20))
def test_a_sparse_record_fills_its_places(cells):
    tensor = Tensor(np.array(list(cells.values()), float), np.array(list(cells), np.int64), 300)
    (record,) = read_records(write_frame(write_record({"values": tensor}, {})))
    row = record.features["values"].dense(300)
    assert {at: row[at] for at in cells} == cells
    assert np.count_nonzero(row) == sum(value != 0 for value in cells.values())


@given(st.binary(max_size=60))
def test_rubbish_is_refused_in_words_and_never_crashes(rubbish):
    for data in (rubbish, write_frame(rubbish)):
        try:
            list(read_records(data))
        except ClientError as error:
            assert error.sentence.endswith(".")


def test_a_cut_off_frame_says_where():
    frame = write_frame(write_record({"values": np.ones(4)}, {}))
    with pytest.raises(ClientError, match=f"frame at byte {len(frame)} is cut off"):
        list(read_records(frame + frame[:-6]))


def test_a_key_beyond_the_features_is_refused():
    tensor = Tensor(np.array([1.0]), np.array([5]))
    with pytest.raises(ClientError, match="key 5; the last one is 2"):
        tensor.dense(3)
