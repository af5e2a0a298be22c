"""What is known of a model when its retraining is considered, and the wish for one as it is written down."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tidegate.core import names
from tidegate.core.retrain import Situation
from tidegate.core.spec import ModelSpec
from tidegate.core.standing import Standing
from tidegate.core.telling import Memory
from tidegate.edge import memory
from tidegate.edge.bookmarks import is_at_work, read_bookmark
from tidegate.edge.listing import listed
from tidegate.edge.storage import client, read_json


class Labelled(NamedTuple):
    """The rows labelled since a training: how many, of how many predictions, and where they lie."""

    labels: int = 0
    predictions: int = 0
    places: tuple[str, ...] = ()


def look(spec: ModelSpec, standing: Standing) -> tuple[Situation, tuple[str, ...]]:
    """Look at a model; gives the situation, and where the rows labelled since its last training lie."""
    data = os.environ["DATA_BUCKET"]
    drops = list(listed("train", data, names.drop_key(spec.name, "train", "")))
    runs = list(_trainings(spec.name))
    started = max((run["started"] for run in runs), default=None)
    in_flight = next(
        (run["run"] for run in runs if "finished" not in run and is_at_work(run["execution"])), None
    )
    served = max((run["finished"] for run in runs if run.get("status") == "SUCCEEDED"), default=None)
    found = _labelled_since(spec, started)
    situation = Situation(
        now=datetime.now(UTC),
        in_flight=in_flight,
        last_retrain=_time(standing.started),
        last_training=_time(started),
        served=_time(served),
        fresh_labels=found.labels,
        predictions=found.predictions,
        drop=max(drops, key=lambda each: each.modified).key if drops else None,
    )
    return situation, found.places


def read_standing(model: str) -> tuple[int, Standing]:
    """Read what is written down of a model's retraining, with its version."""
    version, document = memory.read(names.retrain_id(model))
    return version, Standing.from_dict(document)


def write_standing(model: str, version: int, standing: Standing) -> int:
    """Write it in the place of the version that was read; see `memory.write`."""
    wanted = standing.wish is not None
    return memory.write(names.retrain_id(model), version, standing.to_dict(), wanted=wanted)


def what_lasts(model: str) -> Memory:
    """Read what checks have found of a model that lasts."""
    _, document = memory.read(names.told_id(model))
    return Memory.from_dict(document)


def _trainings(model: str) -> Iterator[dict[str, str]]:
    """Give the training runs of a model, the newest first, down to the one that made it serve.

    Checks are far more than trainings: how far back it was, no number of runs tells.
    """
    pages = (
        client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=os.environ["RUNS_TABLE"],
            IndexName="by-model",
            KeyConditionExpression="model = :model",
            FilterExpression="attribute_not_exists(kind) OR kind = :train",
            ExpressionAttributeValues={":model": {"S": model}, ":train": {"S": "train"}},
            ScanIndexForward=False,
        )
    )
    for page in pages:
        for item in page["Items"]:
            run = {name: next(iter(typed.values())) for name, typed in item.items()}
            yield run
            if run.get("status") == "SUCCEEDED":
                return


def _labelled_since(spec: ModelSpec, since: str | None) -> Labelled:
    """Find the labelled rows; the algorithms saw the same requests, so the one with the most counts."""
    best = Labelled()
    after = _time(since)
    for algorithm in spec.algorithms:
        bookmark = read_bookmark(names.bookmark_id(spec.name, algorithm))
        state: dict[str, Any] = (read_json(bookmark.state) if bookmark.state else None) or {}
        windows = [
            each
            for each in state.get("windows", [])
            if after is None or datetime.fromisoformat(each["at"]) > after
        ]
        labels = sum(each["labels"] for each in windows)
        predictions = sum(each["rows"] for each in windows)
        if (labels, predictions) > best[:2]:
            places = tuple(f"{each['home']}/truth.parquet" for each in windows if each["labels"])
            best = Labelled(labels, predictions, places)
    return best


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
