"""S3's sequencers as AWS promises them: of two events of a key, the later has the greater one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tidegate.core.line import padded
from tidegate.local.emulator import sequencers
from tidegate.local.emulator.names import objects
from tidegate.local.emulator.sequencers import Sequencers


def test_sequencers_grow_over_restarts_and_a_clock_that_is_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencers, "BLOCK", 3)
    given = []
    for clock in (2_000_000, 3_000_000, 1_000, 2_500_000):  # the third start is in the past of the first two
        monkeypatch.setattr(sequencers.time, "time_ns", lambda now=clock: now * 1000)
        counter = Sequencers(tmp_path / "upto")
        given += [counter.give() for _ in range(7)]
    assert given == sorted(given, key=padded)
    assert len(set(given)) == len(given)
    assert {len(each) for each in given} == {18}


@pytest.mark.parametrize("left", ["", "not a number", "12"])
def test_a_file_cut_short_is_as_good_as_none(tmp_path: Path, left: str) -> None:
    (tmp_path / "upto").write_text(left)
    assert int(Sequencers(tmp_path / "upto").give(), 16) > 10**15


def test_no_two_writes_get_the_same_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencers, "BLOCK", 10)
    counter = Sequencers(tmp_path / "upto")
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: counter.give(), range(500)))
    assert len(set(given)) == 500


def test_only_what_creates_or_deletes_has_one(tmp_path: Path) -> None:
    before = objects.next_sequencer
    try:
        sequencers.install(tmp_path)
        assert objects.next_sequencer("s3:ObjectCreated:Put") < objects.next_sequencer(
            "s3:ObjectRemoved:Delete"
        )
        assert objects.next_sequencer("s3:ObjectTagging:Put") is None
    finally:
        objects.replace("next_sequencer", before)
