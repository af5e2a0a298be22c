"""Data capture: the documented lines, the documented keys, and nothing lost in silence."""

from __future__ import annotations

import base64
import json
import re
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.waiting import PATIENCE_SECONDS, until

from tidegate.local.sagemaker.hosting.capture import (
    CaptureSettings,
    CaptureStream,
    CaptureWriter,
    Exchange,
    capture_key,
    capture_line,
)

CONFIG = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://bucket/captured/",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {
        "CsvContentTypes": ["text/csv"],
        "JsonContentTypes": ["application/json", "application/jsonlines"],
    },
}
TIME = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)
ROLE = "arn:aws:iam::000000000000:role/models"


def settings(**changes: Any) -> CaptureSettings:
    read = CaptureSettings.read(CONFIG | changes)
    assert read is not None
    return read


def exchange(request: bytes = b"1,2", **changes: Any) -> Exchange:
    return Exchange(request, "text/csv", b'{"p": 3}', "application/json", **{"time": TIME, **changes})


def test_a_line_has_the_documented_members_and_no_others():
    line = json.loads(capture_line(exchange(inference_id="car-7", event_id="e-1"), settings()))
    assert line == {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": "1,2",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": '{"p": 3}',
                "encoding": "JSON",
            },
        },
        "eventMetadata": {
            "eventId": "e-1",
            "inferenceId": "car-7",
            "inferenceTime": "2026-03-04T05:06:07Z",
        },
        "eventVersion": "0",
    }


def test_a_request_without_an_inference_id_has_none_in_its_line():
    assert "inferenceId" not in json.loads(capture_line(exchange(), settings()))["eventMetadata"]


def test_a_media_type_is_known_whatever_its_parameters_and_case():
    captured = Exchange(b"1", "Text/CSV; charset=utf-8", b"", "text/csv", time=TIME)
    side = json.loads(capture_line(captured, settings()))["captureData"]["endpointInput"]
    assert side["encoding"] == "CSV"
    assert side["observedContentType"] == "Text/CSV; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "content_type"), [(b"\x00\xff", "text/csv"), (b"plain", "application/x-npy"), (b"x", "")]
)
def test_what_is_not_readable_text_is_base64(body: bytes, content_type: str):
    captured = Exchange(body, content_type, b"", "text/csv", time=TIME)
    side = json.loads(capture_line(captured, settings()))["captureData"]["endpointInput"]
    assert side["encoding"] == "BASE64"
    assert base64.b64decode(side["data"]) == body


def test_without_a_content_type_header_setting_everything_is_base64():
    plain = settings(CaptureContentTypeHeader={})
    sides = json.loads(capture_line(exchange(), plain))["captureData"]
    assert {side["encoding"] for side in sides.values()} == {"BASE64"}


@pytest.mark.parametrize(
    ("modes", "sides"),
    [
        (["Input"], {"endpointInput"}),
        (["Output"], {"endpointOutput"}),
        (["InputAndOutput"], {"endpointInput", "endpointOutput"}),
    ],
)
def test_only_the_sides_asked_for_are_captured(modes: list[str], sides: set[str]):
    chosen = settings(CaptureOptions=[{"CaptureMode": mode} for mode in modes])
    assert set(json.loads(capture_line(exchange(), chosen))["captureData"]) == sides


def test_the_key_is_prefix_endpoint_variant_hour_and_a_unique_name():
    key = capture_key(CaptureStream("cars", "All", settings(), ROLE), TIME)
    assert re.fullmatch(r"captured/cars/All/2026/03/04/05/06-07-089-[0-9a-f-]{36}\.jsonl", key)


def test_a_bucket_without_a_prefix_gives_keys_without_a_leading_slash():
    key = capture_key(CaptureStream("cars", "All", settings(DestinationS3Uri="s3://bucket"), ROLE), TIME)
    assert key.startswith("cars/All/2026/")


def test_capture_that_is_switched_off_is_no_capture():
    assert CaptureSettings.read(CONFIG | {"EnableCapture": False}) is None
    assert CaptureSettings.read(None) is None


def test_the_percentage_decides_how_many_are_captured():
    some = settings(InitialSamplingPercentage=30)
    assert 2500 < sum(some.samples() for _ in range(10_000)) < 3500
    assert not any(settings(InitialSamplingPercentage=0).samples() for _ in range(1000))
    assert all(settings().samples() for _ in range(1000))


class Bucket:
    """Takes objects, or refuses the first few."""

    def __init__(self, refuse: int = 0) -> None:
        self.objects: dict[str, bytes] = {}
        self.refuse = refuse
        self.calls = 0
        self.open = threading.Event()
        self.open.set()

    def put(self, stream: CaptureStream, key: str, body: bytes) -> None:
        self.open.wait(PATIENCE_SECONDS)
        self.calls += 1
        if self.calls <= self.refuse:
            raise ConnectionError("S3 is away")
        self.objects[f"{stream.settings.bucket}/{key}"] = body

    def lines(self) -> list[str]:
        return [line for body in self.objects.values() for line in body.decode().splitlines()]


def test_lines_are_written_soon_without_anybody_asking():
    bucket = Bucket()
    writer = CaptureWriter(bucket.put, interval_seconds=0.02)
    writer.add(CaptureStream("cars", "All", settings(), ROLE), exchange())
    until(lambda: bucket.objects)
    assert len(bucket.lines()) == 1
    writer.close()


def test_a_full_buffer_is_written_at_once():
    bucket = Bucket()
    writer = CaptureWriter(bucket.put, interval_seconds=60, lines=4)
    stream = CaptureStream("cars", "All", settings(), ROLE)
    for _ in range(4):
        writer.add(stream, exchange())
    until(lambda: bucket.objects)
    assert len(bucket.lines()) == 4
    writer.close()


def test_closing_writes_the_rest():
    bucket = Bucket()
    writer = CaptureWriter(bucket.put, interval_seconds=0.01)
    for variant in ("A", "B"):
        writer.add(CaptureStream("cars", variant, settings(), ROLE), exchange())
    writer.close()
    assert sorted(key.split("/")[3] for key in bucket.objects) == ["A", "B"]


def test_a_request_does_not_wait_for_s3():
    bucket = Bucket()
    bucket.open.clear()
    writer = CaptureWriter(bucket.put, interval_seconds=0.0)
    stream = CaptureStream("cars", "All", settings(), ROLE)
    for _ in range(100):
        writer.add(stream, exchange())
    assert not bucket.objects, "all were taken while S3 takes nothing"
    bucket.open.set()
    writer.close()
    assert len(bucket.lines()) == 100


def test_what_s3_refuses_is_tried_again():
    bucket = Bucket(refuse=2)
    writer = CaptureWriter(bucket.put, interval_seconds=0.01)
    writer.add(CaptureStream("cars", "All", settings(), ROLE), exchange())
    until(lambda: bucket.objects)
    assert len(bucket.lines()) == 1
    assert bucket.calls == 3
    writer.close()


def test_what_s3_never_takes_is_reported_as_lost(caplog: pytest.LogCaptureFixture):
    writer = CaptureWriter(Bucket(refuse=10**9).put, interval_seconds=0.0)
    writer.add(CaptureStream("cars", "All", settings(), ROLE), exchange())
    until(lambda: "lost 1 requests" in caplog.text)
    writer.close()


def test_no_file_spans_two_hours():
    bucket = Bucket()
    writer = CaptureWriter(bucket.put)
    stream = CaptureStream("cars", "All", settings(), ROLE)
    for hour in (5, 6):
        writer.add(stream, exchange(time=TIME.replace(hour=hour, minute=59 if hour == 5 else 0)))
    writer.close()
    assert sorted(key.split("/")[7] for key in bucket.objects) == ["05", "06"]
