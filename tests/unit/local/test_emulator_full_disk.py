"""A full disk: nothing waits for ever, and when there is room again all is written down."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sqlite3
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from tidegate.local.emulator import journal as journals
from tidegate.local.emulator import recovery, strands
from tidegate.local.emulator.journal import ITEM, NEW, OLD, PENDING, Journal
from tidegate.local.emulator.names import server, step
from tidegate.local.emulator.retention.shelf import Shelf
from tidegate.local.emulator.saving import Saver
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.lifecycle import TRAINING
from tidegate.local.sagemaker.store import Store


class Disk:
    """Lets a journal's files write so many bytes more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = None
        real = Path.open
        disk = self

        class Bounded(FileIO):
            def write(self, data: Any) -> int:
                if disk.room is None:
                    return super().write(data)
                if not disk.room:
                    raise OSError(errno.ENOSPC, "No space left on device")
                written = super().write(bytes(data)[: disk.room])
                disk.room -= written
                return written

        def open_file(path: Path, mode: str = "r", **named: Any) -> Any:
            if mode == "ab" and named.get("buffering") == 0:
                return Bounded(path, "ab")
            return real(path, mode, **named)

        monkeypatch.setattr(Path, "open", open_file)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def read(folder: Path) -> list[tuple[str, Any, Any]]:
    found = []
    for line in recovery._lines(folder):
        with contextlib.suppress(ValueError):  # as `recover` leaves it out, and counts it
            found.append(recovery._entry(line))
    return found


@pytest.mark.parametrize("room", [0, 1, 7, 18])
def test_a_line_that_does_not_fit_is_left_out_and_no_other_with_it(
    tmp_path: Path, disk: Disk, room: int
) -> None:
    journal = Journal(tmp_path)
    journal.note(ITEM, "first", 1)
    disk.room = room
    journal.note(ITEM, "lost", 2)
    assert journal.gap
    disk.room = None
    journal.note(ITEM, "last", 3)
    assert [key for _, key, _ in read(tmp_path)] == ["first", "last"]


@pytest.mark.slow
def test_a_save_fills_the_gap_and_what_was_on_its_way_is_still_known(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = {"n": 1}
    before = server.replace("savers", lambda: {"dynamodb": lambda: dict(state)})
    try:
        journal = Journal(tmp_path)
        saver = Saver(tmp_path, journal)
        disk.room = 0
        state["n"] = 2
        journal.note(ITEM, "key", 2)
        journal.note(PENDING, 7, "an event")
        write = Saver._write
        monkeypatch.setattr(Saver, "_write", _full)
        for _ in range(3):
            with pytest.raises(OSError, match="No space"):
                saver.save()
        monkeypatch.setattr(Saver, "_write", write)
        disk.room = None
        assert saver.save() == ["dynamodb"]
        assert json.loads((tmp_path / "dynamodb.json").read_text())["payload"] == {"n": 2}
        assert not journal.gap or saver.save() == []
        assert not (tmp_path / OLD).exists()
        assert read(tmp_path) == [(PENDING, 7, "an event")]
    finally:
        server.replace("savers", before)


def _full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    journals.keep(journal)
    yield journal
    journals._open = None


@pytest.mark.slow
def test_a_job_that_cannot_write_how_it_ended_writes_it_when_there_is_room(tmp_path: Path) -> None:
    context = Context(
        "us-east-1", "0" * 12, "http://127.0.0.1:1", tmp_path, Store(tmp_path / "s.db"), _image, _emit
    )
    record = {"TrainingJobName": "j", "TrainingJobArn": "arn:j", "TrainingJobStatus": "InProgress"}
    context.store.create("training-job", "j", record)
    change, tries = context.store.change, iter([sqlite3.OperationalError("database or disk is full")] * 2)

    def bounded(*given: Any) -> Any:
        if problem := next(tries, None):
            raise problem
        return change(*given)

    context.store.change = bounded  # type: ignore[method-assign]
    ended = records.update(context, TRAINING, "j", lambda found: {**found, "TrainingJobStatus": "Failed"})
    assert ended["TrainingJobStatus"] == "Failed"
    tries = iter([sqlite3.OperationalError("database or disk is full")])
    context.closing.set()  # the local cloud does not wait for room in order to end
    with pytest.raises(sqlite3.OperationalError):
        records.update(context, TRAINING, "j", lambda found: found)


def _image(uri: str) -> Any:
    raise LookupError(uri)


def _emit(*_: Any) -> None:
    """Nobody listens."""


def test_what_was_not_put_away_whole_stays_where_it_was(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf.db")
    shelf._db.execute("PRAGMA max_page_count=4")
    documents = [(str(number), {"text": os.urandom(3000).hex()}) for number in range(9)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        shelf.put_all("kind", "place", documents)
    assert shelf.names("kind", "place") == []
    shelf._db.execute("PRAGMA max_page_count=1000000")
    shelf.put_all("kind", "place", documents)
    assert len(shelf.names("kind", "place")) == 9


def test_an_execution_ends_though_its_end_cannot_be_written(
    kept: Journal, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced: list[str] = []
    before = step.replace("announce", lambda execution: announced.append(execution["status"]))
    execution = {
        "executionArn": "arn:aws:states:us-east-1:0:execution:m:x",
        "status": "RUNNING",
        "events": [],
    }
    try:
        (kept._folder / NEW).unlink()
        kept._close()
        disk.room = 0
        assert strands.finish(execution, "FAILED", "ExecutionFailed", error="Broken", cause="c")
    finally:
        step.replace("announce", before)
    assert (execution["status"], announced) == ("FAILED", ["FAILED"])
    assert kept.gap
