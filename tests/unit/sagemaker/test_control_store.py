"""Records of the local SageMaker: what is kept, and how it behaves among threads."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tidegate.local.sagemaker.store import AlreadyExists, Store, StoreFormatError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "deep" / "sagemaker.db")


def test_a_record_comes_back_with_its_times_to_the_microsecond(store: Store) -> None:
    time = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    record = {"A": 1.5, "Steps": [{"StartTime": time, "Status": "Ä\n"}], "Nothing": None}
    store.create("model", "cars", record)
    found = store.get("model", "cars")
    assert found == record
    assert found is not None and found["Steps"][0]["StartTime"].tzinfo is UTC


def test_a_map_that_a_caller_filled_is_never_taken_for_a_time(store: Store) -> None:
    store.create("training-job", "a", {"HyperParameters": {"$time": "12"}})
    assert store.get("training-job", "a") == {"HyperParameters": {"$time": "12"}}


def test_a_time_without_zone_is_refused_and_nothing_is_kept(store: Store) -> None:
    with pytest.raises(TypeError, match="time zone"):
        store.create("model", "cars", {"CreationTime": datetime(2026, 1, 1)})
    assert store.get("model", "cars") is None


def test_names_that_differ_by_case_alone_are_the_same_name_to_create_and_no_name_to_get(store: Store) -> None:
    store.create("model", "Cars", {"n": 1})
    with pytest.raises(AlreadyExists, match="model called cars exists"):
        store.create("model", "cars", {"n": 2})
    store.create("endpoint", "cars", {"n": 3})
    assert store.get("model", "cars") is None
    store.delete("model", "cars")
    assert store.get("model", "Cars") == {"n": 1}


def test_a_copy_may_be_changed_without_changing_the_record(store: Store) -> None:
    store.create("model", "cars", {"Tags": []})
    copy = store.get("model", "cars")
    assert copy is not None
    copy["Tags"].append("x")
    assert store.get("model", "cars") == {"Tags": []}


def test_an_update_merges_the_top_level_and_moves_the_last_modified_time(store: Store) -> None:
    old = datetime(2020, 1, 1, tzinfo=UTC)
    store.create("endpoint", "e", {"A": 1, "B": {"x": 1}, "LastModifiedTime": old})
    answer = store.update("endpoint", "e", B={"y": 2})
    assert answer["A"] == 1 and answer["B"] == {"y": 2} and answer["LastModifiedTime"] > old
    assert store.get("endpoint", "e") == answer


def test_updating_what_is_not_there_is_a_key_error_and_makes_nothing(store: Store) -> None:
    with pytest.raises(KeyError, match="no endpoint called e"):
        store.update("endpoint", "e", A=1)
    assert store.list("endpoint") == []


def test_a_change_that_fails_leaves_the_record_as_it_was(store: Store) -> None:
    store.create("endpoint", "e", {"A": 1})
    with pytest.raises(ZeroDivisionError):
        store.change("endpoint", "e", lambda record: {"A": 1 // 0})
    assert store.get("endpoint", "e") == {"A": 1}


def test_changes_from_many_threads_lose_nothing(store: Store) -> None:
    store.create("counter", "c", {"n": 0})

    def add(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "n": record["n"] + 1}

    threads = [
        threading.Thread(target=lambda: [store.change("counter", "c", add) for _ in range(25)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = store.get("counter", "c")
    assert record is not None and record["n"] == 200


def test_a_list_holds_one_kind_in_the_order_of_creation(store: Store) -> None:
    for name in ("b", "c", "a"):
        store.create("model", name, {"n": name})
    store.create("endpoint", "d", {"n": "d"})
    store.delete("model", "c")
    assert [record["n"] for record in store.list("model")] == ["b", "a"]


def test_records_are_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    first = Store(tmp_path / "s.db")
    first.create("model", "cars", {"n": 1})
    first.close()
    assert Store(tmp_path / "s.db").get("model", "cars") == {"n": 1}


def test_a_file_of_another_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "s.db") as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(StoreFormatError, match=r"format 99 .* delete the file"):
        Store(tmp_path / "s.db")
