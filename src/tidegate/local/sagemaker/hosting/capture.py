"""Data capture: what goes into and comes out of an endpoint, as the JSON Lines that AWS documents.

Requests only append to a buffer. A thread formats the lines and puts them in S3 about once a second.
"""

from __future__ import annotations

import base64
import json
import logging
import random
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

log = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
FLUSH_LINES = 512
# Beyond this S3 has been unreachable for long: requests must not fill the memory of the local cloud.
BUFFER_BYTES = 64 * 1024 * 1024
_ATTEMPTS = 5

# (where it comes from, key, body)
Put = Callable[["CaptureStream", str, bytes], None]


@dataclass(frozen=True)
class CaptureSettings:
    """The ``DataCaptureConfig`` of an endpoint configuration, read once.

    Parameters
    ----------
    percentage
        How many of a hundred requests are captured.
    bucket, prefix
        Where the files go.
    inputs, outputs
        Which sides are captured.
    csv_types, json_types
        Media types whose text is kept readable; everything else is base64, as it is on AWS.
    kms_key
        The key that encrypts the files, if any.
    """

    percentage: int
    bucket: str
    prefix: str
    inputs: bool
    outputs: bool
    csv_types: frozenset[str] = frozenset()
    json_types: frozenset[str] = frozenset()
    kms_key: str | None = None

    @classmethod
    def read(cls, config: Mapping[str, Any] | None) -> CaptureSettings | None:
        """Return the settings, or None when there is nothing to capture.

        >>> CaptureSettings.read({"InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://b/p/",
        ...                       "CaptureOptions": [{"CaptureMode": "Input"}]}).prefix
        'p'
        """
        if not config or not config.get("EnableCapture", True):
            return None
        bucket, _, prefix = config["DestinationS3Uri"].removeprefix("s3://").partition("/")
        modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        types = config.get("CaptureContentTypeHeader") or {}
        return cls(
            percentage=int(config["InitialSamplingPercentage"]),
            bucket=bucket,
            prefix=prefix.strip("/"),
            inputs=bool(modes & {"Input", "InputAndOutput"}),
            outputs=bool(modes & {"Output", "InputAndOutput"}),
            csv_types=frozenset(map(str.lower, types.get("CsvContentTypes", ()))),
            json_types=frozenset(map(str.lower, types.get("JsonContentTypes", ()))),
            kms_key=config.get("KmsKeyId"),
        )

    def samples(self) -> bool:
        """Decide whether this request is captured."""
        return self.percentage >= 100 or random.random() * 100 < self.percentage  # nosec B311 # a sample


@dataclass(frozen=True)
class CaptureStream:
    """Where the captured requests of one variant go, and whose rights put them there: its model's role."""

    endpoint: str
    variant: str
    settings: CaptureSettings
    role: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer."""

    request: bytes
    request_type: str
    response: bytes
    response_type: str
    inference_id: str | None = None
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def size_bytes(self) -> int:
        """What this exchange holds in memory, roughly."""
        return len(self.request) + len(self.response) + 512


def capture_line(exchange: Exchange, settings: CaptureSettings) -> str:
    """Return the JSON line of one exchange, without its newline."""
    data: dict[str, Any] = {}
    if settings.inputs:
        data["endpointInput"] = _side(exchange.request, exchange.request_type, "INPUT", settings)
    if settings.outputs:
        data["endpointOutput"] = _side(exchange.response, exchange.response_type, "OUTPUT", settings)
    metadata = {"eventId": exchange.event_id}
    if exchange.inference_id:
        metadata["inferenceId"] = exchange.inference_id
    metadata["inferenceTime"] = exchange.time.strftime("%Y-%m-%dT%H:%M:%SZ")
    line = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False)


def capture_key(stream: CaptureStream, first: datetime) -> str:
    """Return a new key for lines of which the first was captured at `first`."""
    folder = f"{stream.endpoint}/{stream.variant}/{first:%Y/%m/%d/%H}"
    name = f"{first:%M-%S}-{first.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
    return "/".join(part for part in (stream.settings.prefix, folder, name) if part)


def _side(body: bytes, content_type: str, mode: str, settings: CaptureSettings) -> dict[str, str]:
    media_type = content_type.partition(";")[0].strip().lower()
    encoding = "BASE64"
    if media_type in settings.csv_types:
        encoding = "CSV"
    elif media_type in settings.json_types:
        encoding = "JSON"
    text = None
    if encoding != "BASE64":
        try:
            text = body.decode()
        except UnicodeDecodeError:
            # Bytes that are not UTF-8 cannot stand in a JSON string; base64 keeps them whole.
            encoding = "BASE64"
    if text is None:
        text = base64.b64encode(body).decode("ascii")
    return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}


@dataclass
class _File:
    stream: CaptureStream
    key: str
    body: bytes
    lines: int
    attempts: int = 0

    @property
    def uri(self) -> str:
        return f"s3://{self.stream.settings.bucket}/{self.key}"


class CaptureWriter:
    """Buffers exchanges and writes them; one for the whole local cloud.

    Parameters
    ----------
    put
        Writes one object: (stream, key, body).
    interval_seconds, lines
        A file is written when its oldest line is this old, or when there are this many lines.
    """

    def __init__(
        self, put: Put, *, interval_seconds: float = FLUSH_SECONDS, lines: int = FLUSH_LINES
    ) -> None:
        self._put = put
        self._interval = interval_seconds
        self._lines = lines
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pending: dict[CaptureStream, list[Exchange]] = {}
        self._count = 0
        self._bytes = 0
        self._dropped = 0
        self._unsent: list[_File] = []
        self._unsent_bytes = 0
        self._some = threading.Event()
        self._enough = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def add(self, stream: CaptureStream, exchange: Exchange) -> None:
        """Take one exchange; returns at once, whatever S3 does."""
        size = exchange.size_bytes
        with self._lock:
            if self._bytes + self._unsent_bytes + size > BUFFER_BYTES:
                self._dropped += 1
                return
            self._pending.setdefault(stream, []).append(exchange)
            self._bytes += size
            self._count += 1
            enough = self._count >= self._lines
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="data capture", daemon=True)
                self._thread.start()
        self._some.set()
        if enough:
            self._enough.set()

    def flush(self) -> None:
        """Write what was added before this call; returns when it is in S3 or has failed once more."""
        with self._writing:
            with self._lock:
                pending, self._pending = self._pending, {}
                dropped, self._dropped = self._dropped, 0
                self._count = self._bytes = 0
            if dropped:
                log.error(
                    "data capture lost %d requests: more than %d MB were waiting for S3",
                    dropped,
                    BUFFER_BYTES // 2**20,
                )
            files, self._unsent = self._unsent, []
            for stream, exchanges in pending.items():
                files.extend(_files(stream, exchanges, self._lines))
            self._unsent = [file for file in files if not self._send(file)]
            self._unsent_bytes = sum(len(file.body) for file in self._unsent)

    def close(self) -> None:
        """Write the rest and stop."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._some.set()
        self._enough.set()
        if thread is not None:
            thread.join()
        self.flush()
        lost = sum(file.lines for file in self._unsent)
        if lost:
            log.error("data capture lost %d requests: the local cloud stopped before S3 took them", lost)
            self._unsent = []

    def _run(self) -> None:
        while not self._closed:
            self._some.wait()
            self._enough.wait(self._interval)
            self._some.clear()
            self._enough.clear()
            try:
                self.flush()
            except Exception:
                # One unwritable batch must not end the capture of all the others.
                log.exception("data capture could not write a batch")
            if self._unsent and not self._closed:
                self._some.set()

    def _send(self, file: _File) -> bool:
        """Put one file; True when it needs no further attempt."""
        try:
            self._put(file.stream, file.key, file.body)
        except Exception as error:
            file.attempts += 1
            if file.attempts < _ATTEMPTS:
                log.warning("data capture could not write %s yet: %s", file.uri, error)
                return False
            log.error(
                "data capture lost %d requests: %s could not be written in %d attempts: %s. Does the bucket "
                "of the DestinationS3Uri exist, and may the model's role write there?",
                file.lines,
                file.uri,
                file.attempts,
                error,
            )
        return True


def _files(stream: CaptureStream, exchanges: Sequence[Exchange], most_lines: int) -> Iterator[_File]:
    """Split exchanges into files: no file spans two hours, so that a window of hours is a set of prefixes."""
    hours: dict[tuple[int, int], list[Exchange]] = {}
    for exchange in exchanges:
        hours.setdefault((exchange.time.toordinal(), exchange.time.hour), []).append(exchange)
    for in_hour in hours.values():
        for start in range(0, len(in_hour), most_lines):
            part = in_hour[start : start + most_lines]
            body = "".join(capture_line(exchange, stream.settings) + "\n" for exchange in part).encode()
            key = capture_key(stream, part[0].time)
            yield _File(stream, key, body, len(part))
