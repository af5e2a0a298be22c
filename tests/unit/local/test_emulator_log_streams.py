"""Whose log lines are read: those of the streams that are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tidegate.local.emulator import log_streams
from tidegate.local.emulator.names import logs

GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def ask() -> Iterator[Any]:
    """Three jobs, two of which begin alike, each with a line; asks as AWS's client does."""
    lines = {
        f"{job}/algo-1-1": {"events": [{"timestamp": 1, "ingestionTime": 1, "message": f"of {job}"}]}
        for job in ("x-1", "x-10", "y-1")
    }
    before = logs.filter
    logs.groups[GROUP] = {"streams": lines}
    log_streams.install()

    def filtered(**request: Any) -> tuple[int, dict[str, Any]]:
        status, _, body = logs.filter({"logGroupName": GROUP, **request})
        return status, json.loads(body)

    yield filtered
    logs.replace("filter", before)
    del logs.groups[GROUP]


@pytest.mark.parametrize(
    ("prefix", "messages"),
    [("x-1/", ["of x-1"]), ("x-1", ["of x-1", "of x-10"]), ("z", []), ("", ["of x-1", "of x-10", "of y-1"])],
)
def test_a_prefix_reads_the_streams_that_begin_so_and_no_others(
    ask: Any, prefix: str, messages: list[str]
) -> None:
    status, answer = ask(logStreamNamePrefix=prefix)
    assert status == 200
    assert [each["message"] for each in answer["events"]] == messages


def test_names_and_a_prefix_at_once_are_refused_as_aws_refuses_them(ask: Any) -> None:
    status, answer = ask(logStreamNamePrefix="x-1", logStreamNames=["y-1/algo-1-1"])
    assert (status, answer["__type"]) == (400, "InvalidParameterException")
