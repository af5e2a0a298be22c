"""Answers of endpoints read as numbers, and captured requests written as SageMaker writes them."""

import json
from datetime import UTC, datetime

import pytest

from tidegate.core.answers import read_answer
from tidegate.core.capture import capture_key, capture_line
from tidegate.core.errors import BadPredictions


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1.5\n2.5\n", "text/csv"),
        ("1.5,2.5", "text/csv"),
        ('{"predictions": [{"score": 1.5}, {"score": 2.5}]}', "application/json"),
        ('{"score": 1.5}\n{"score": 2.5}\n', "application/jsonlines"),
        ("[1.5, 2.5]", ""),
    ],
)
def test_every_container_s_answer_is_read(text, kind):
    assert read_answer(text, kind, 2) == [1.5, 2.5]


@pytest.mark.parametrize(
    "text", ["1.5\n", "1.5\nnan\n", "1.5\ninf\n", "<html>", '{"predictions": [{}, {}]}', ""]
)
def test_an_answer_that_does_not_fit_the_records_is_refused(text):
    with pytest.raises(BadPredictions, match="2 records"):
        read_answer(text, "text/csv", 2)


def test_a_captured_request_reads_as_sagemaker_s_own():
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    side = {"data": "1", "type": "text/csv", "encoding": "CSV"}
    line = json.loads(capture_line(request=side, response=side, event_id="e", inference_id="i", at=at))
    assert line["captureData"]["endpointInput"] == {
        "observedContentType": "text/csv",
        "mode": "INPUT",
        "data": "1",
        "encoding": "CSV",
    }
    assert line["eventMetadata"] == {
        "eventId": "e",
        "inferenceId": "i",
        "inferenceTime": "2026-01-02T03:04:05Z",
    }
    assert line["eventVersion"] == "0"
    assert capture_key("cars", "tg-cars", "AllTraffic", at, "e") == (
        "cars/capture/tg-cars/AllTraffic/2026/01/02/03/04-05-000-e.jsonl"
    )
