"""Input files of batch transform cut into requests."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.local.sagemaker.jobs.association import BadRecord
from tidegate.local.sagemaker.jobs.splitting import Cut, batches

LINES = Cut(by_line=True, single=False, most_bytes=1 << 20, gzip=False)


def bodies(path: Path, cut: Cut) -> list[bytes]:
    return [batch.body for batch in batches(path, cut, lambda record: (record, record))]


def test_lines_are_packed_up_to_the_payload(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"aaaa\nbbbb\ncccc\n")
    cut = Cut(by_line=True, single=False, most_bytes=9, gzip=False)
    assert bodies(path, cut) == [b"aaaa\nbbbb", b"cccc"]


def test_single_records_go_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"a\r\nb\n\nc")
    assert bodies(path, Cut(by_line=True, single=True, most_bytes=9, gzip=False)) == [b"a", b"b", b"c"]


def test_without_a_split_the_object_is_one_record(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"a\nb\n")
    assert bodies(path, Cut(by_line=False, single=False, most_bytes=9, gzip=False)) == [b"a\nb\n"]


def test_a_compressed_object_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(gzip.compress(b"a\nb\n"))
    assert bodies(path, Cut(by_line=True, single=False, most_bytes=9, gzip=True)) == [b"a\nb"]


def test_an_object_that_is_not_compressed_as_said_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"a\nb\n")
    with pytest.raises(BadRecord, match="no gzip file"):
        bodies(path, Cut(by_line=True, single=False, most_bytes=9, gzip=True))


@pytest.mark.parametrize("by_line", [True, False])
def test_a_record_beyond_the_payload_is_an_error_that_says_what_to_raise(
    tmp_path: Path, by_line: bool
) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"a" * ((1 << 20) + 1))
    with pytest.raises(BadRecord, match=r"1 MB\. Raise MaxPayloadInMB"):
        bodies(path, Cut(by_line=by_line, single=False, most_bytes=1 << 20, gzip=False))


def test_a_record_that_just_fits_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"123456789\r\n")
    assert bodies(path, Cut(by_line=True, single=False, most_bytes=9, gzip=False)) == [b"123456789"]


@pytest.mark.slow
@settings(deadline=None)
@given(
    lines=st.lists(st.binary(max_size=12).filter(lambda line: not {10, 13} & set(line))),
    most_bytes=st.integers(12, 40),
    single=st.booleans(),
)
def test_no_line_is_lost_and_no_body_exceeds_the_payload(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], most_bytes: int, single: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "splitting-in"
    path.write_bytes(b"\n".join(lines))
    cut = Cut(by_line=True, single=single, most_bytes=most_bytes, gzip=False)
    found = list(batches(path, cut, lambda record: (record, record)))
    assert [record for batch in found for record in batch.kept] == [line for line in lines if line]
    assert all(len(batch.body) <= most_bytes for batch in found)
