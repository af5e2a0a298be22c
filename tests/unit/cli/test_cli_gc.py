"""`tidegate gc`, against a collector that answers what it is told to."""

import io
import json

import pytest


class Collector:
    """The deployed function as Lambda's client shows it."""

    def __init__(self, answer: dict, failed: bool = False) -> None:
        self.answer, self.failed, self.asked = answer, failed, []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict:
        self.asked.append((FunctionName, json.loads(Payload)))
        body = {"Payload": io.BytesIO(json.dumps(self.answer).encode())}
        return {**body, "FunctionError": "Unhandled"} if self.failed else body


@pytest.fixture
def collector(cloud):
    def put(answer: dict, failed: bool = False) -> Collector:
        made = Collector(answer, failed)
        setattr(cloud, "lambda", made)
        return made

    return put


def test_a_dry_run_tells_what_would_be_removed_and_how_to(tidegate, collector):
    put = collector({"removed": False, "endpoint_configs": ["tg-c"], "models": ["tg-m"]})
    said = tidegate("gc", "--dry-run", "--older-than", "2").stdout
    assert "would remove endpoint configuration tg-c" in said
    assert "would remove model tg-m" in said
    assert "`tidegate gc` removes them" in said
    assert put.asked == [("collector", {"dry_run": True, "least_age_seconds": 7200.0})]


def test_what_was_removed_is_one_document_for_programs(tidegate, collector):
    answer = {"removed": True, "endpoint_configs": [], "models": ["tg-m"]}
    put = collector(answer)
    assert json.loads(tidegate("gc", "--json").stdout) == answer
    assert put.asked == [("collector", {"dry_run": False, "least_age_seconds": 86400.0})]


def test_nothing_to_remove_is_said(tidegate, collector):
    collector({"removed": True, "endpoint_configs": [], "models": []})
    assert "Nothing to remove" in tidegate("gc").stdout


def test_a_collector_that_failed_is_told_with_its_reason(tidegate, collector):
    collector({"errorMessage": "not authorized to perform: sagemaker:ListModels"}, failed=True)
    result = tidegate("gc")
    assert result.exit_code == 1
    assert "sagemaker:ListModels" in result.stderr
