"""Items of tables are packed in memory, and DynamoDB answers as if they were not."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ministack.services import dynamodb

from tidegate.local.emulator.names import disk, hold_in, tables
from tidegate.local.emulator.retention import items
from tidegate.local.emulator.retention.items import Partition, Partitions, Tables

NAME = "of-a-test"
KEYS = [{"AttributeName": "who", "KeyType": "HASH"}, {"AttributeName": "when", "KeyType": "RANGE"}]
INDEX = {
    "IndexName": "by-kind",
    "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


def asked(action: str, **request: Any) -> dict[str, Any]:
    status, _, body = getattr(dynamodb, action)({"TableName": NAME, **request})
    assert status == 200, body
    answer: dict[str, Any] = json.loads(body)
    return answer


def item(who: str, when: str, **more: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in {"who": who, "when": when, **more}.items()}


@pytest.fixture
def table() -> Iterator[dict[str, Any]]:
    before = tables.all._data
    tables.all._data = {}
    items.install()
    kinds = [{"AttributeName": name, "AttributeType": "S"} for name in ("who", "when", "kind")]
    request = {"KeySchema": KEYS, "AttributeDefinitions": kinds, "BillingMode": "PAY_PER_REQUEST"}
    asked("_create_table", **request, GlobalSecondaryIndexes=[INDEX])
    yield tables.all[NAME]
    tables.all._data = before


def test_items_are_put_changed_asked_for_and_deleted_as_ever(table: dict[str, Any]):
    for number in range(4):
        asked("_put_item", Item=item("a", str(number), kind="odd" if number % 2 else "even"))
    asked(
        "_update_item",
        Key=item("a", "1"),
        UpdateExpression="SET seen = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    assert asked("_get_item", Key=item("a", "1"))["Item"]["seen"] == {"BOOL": True}
    asked("_delete_item", Key=item("a", "3"))
    condition, value = "who = :who", {":who": {"S": "a"}}
    found = asked("_query", KeyConditionExpression=condition, ExpressionAttributeValues=value)["Items"]
    assert [each["when"]["S"] for each in found] == ["0", "1", "2"]
    condition, value = "kind = :kind", {":kind": {"S": "even"}}
    query = {"IndexName": "by-kind", "KeyConditionExpression": condition}
    assert asked("_query", **query, ExpressionAttributeValues=value)["Count"] == 2
    assert asked("_scan")["Count"] == 3
    stored = [packed for partition in table["items"].values() for packed in dict.values(partition)]
    assert [type(each) for each in stored] == [bytes] * 3


def test_who_changes_what_he_was_given_changes_nothing_here(table: dict[str, Any]):
    asked("_put_item", Item=item("a", "1"))
    table["items"]["a"]["1"]["who"] = {"S": "changed"}
    for each in table["items"]["a"].values():
        each.clear()
    assert asked("_get_item", Key=item("a", "1"))["Item"] == item("a", "1")


def test_saved_tables_are_plain_and_come_back_packed(table: dict[str, Any]):
    asked("_put_item", Item=item("a", "1"))
    text = json.dumps(dynamodb.get_state(), default=disk.encode)
    saved = json.loads(text, object_hook=disk.decode)
    [read] = saved["tables"]._data.values()
    assert read["items"] == {"a": {"1": item("a", "1")}}
    tables.all._data = {}
    hold_in(tables.all, Tables())
    dynamodb.load_persisted_state(saved)
    assert isinstance(tables.all[NAME]["items"], Partitions)
    assert asked("_get_item", Key=item("a", "1"))["Item"] == item("a", "1")
    asked("_put_item", Item=item("b", "1"))
    assert asked("_scan")["Count"] == 2


def test_a_copy_is_a_copy():
    first = Partitions({"a": {"1": item("a", "1")}})
    second = copy.deepcopy(first)
    second["a"]["2"] = item("a", "2")
    second["b"]["1"] = item("b", "1")
    assert (list(first), list(first["a"]), list(second), list(second["a"])) == (
        ["a"],
        ["1"],
        ["a", "b"],
        ["1", "2"],
    )


VALUES = st.recursive(
    st.one_of(st.text().map(lambda text: {"S": text}), st.integers().map(lambda n: {"N": str(n)})),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: {"L": values}),
        st.dictionaries(st.text(), inner, max_size=3).map(lambda values: {"M": values}),
    ),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.dictionaries(st.text(), st.dictionaries(st.text(), VALUES, max_size=4), max_size=4))
def test_what_comes_out_is_what_went_in(plain: dict[str, dict[str, Any]]):
    packed = Partition(plain)
    assert dict(packed.items()) == plain
    assert packed.values() == list(plain.values())
    assert {key: packed.pop(key) for key in plain} == plain
    assert packed.pop("gone", None) is None
    assert packed.get("gone") is None
