"""Functions under AWS's own runtime interface client, against a runtime API of ours: answers, errors, log lines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.clients.conftest import KEPT

pytestmark = pytest.mark.clients

ROOT = Path(__file__).parents[3]
NEEDS = "awslambdaric==4.2.2"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
REQUEST = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
# What a check publishes is printed, not logged: that line must reach CloudWatch as it is, too.
PUBLISHES = """
from tidegate.edge.drift_metrics import publish

def handler(event, context):
    publish("cars", [{"verdict": "drift", "metrics": "verdicts"}])
    return {}
"""


@pytest.fixture(scope="module")
def client() -> Path:
    """Give the folder of the client, installed where it is not kept yet; it is compiled for one Python."""
    home = KEPT / f"awslambdaric-{VERSION}"
    if not (home / "installed").exists():
        uv = shutil.which("uv") or str(ROOT / ".venv" / "bin" / "uv")
        command = [uv, "pip", "install", "-q", "--python", sys.executable, "--target", str(home), NEEDS]
        subprocess.run(command, check=True, timeout=300)
        (home / "installed").touch()
    return home


class RuntimeApi:
    """Gives one event out, and keeps what the client posts of it."""

    def __init__(self, event: Any) -> None:
        self.posted: dict[str, Any] = {}
        self.done = threading.Event()
        given, api = threading.Event(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if given.is_set():
                    api.done.wait(30)  # no further event comes; the client is ended by then
                    return
                given.set()
                body = json.dumps(event).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", REQUEST)
                # Without a type and a trace the client, which is compiled, ends by a fault of memory.
                self.send_header("Content-Type", "application/json")
                self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 60_000))
                arn = "arn:aws:lambda:us-east-1:123456789012:function:a-function"
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", arn)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self._body()
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                api.posted[self.path.rsplit("/", 1)[-1]] = json.loads(body)
                api.done.set()

            def _body(self) -> bytes:
                if length := self.headers.get("Content-Length"):
                    return self.rfile.read(int(length))
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                return b"".join(parts)

            def handle(self) -> None:
                with suppress(ConnectionError):  # the client is ended while it asks for more
                    super().handle()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def lambda_runs(client: Path, tmp_path: Path) -> Iterator[Any]:
    """Run a function's folder with one event; gives what it posted and its log lines."""
    apis: list[RuntimeApi] = []

    def run(folder: Path, event: Any) -> tuple[dict[str, Any], list[Any]]:
        api = RuntimeApi(event)
        apis.append(api)
        log, beside = tmp_path / "log", tmp_path / "warnings"
        with log.open("w") as file, beside.open("w") as others:
            process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", "app.handler"],
                cwd=folder,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": os.pathsep.join([str(client), str(ROOT / "src")]),
                    "AWS_LAMBDA_RUNTIME_API": api.address,
                    "AWS_LAMBDA_FUNCTION_NAME": "a-function",
                    "AWS_LAMBDA_FUNCTION_VERSION": "1",
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
                    "AWS_LAMBDA_LOG_FORMAT": "JSON",
                    "AWS_DEFAULT_REGION": "us-east-1",
                    "PYTHONUNBUFFERED": "1",
                    "LAMBDA_TASK_ROOT": str(folder),
                    "POWERTOOLS_SERVICE_NAME": "a-stack",
                    "POWERTOOLS_METRICS_NAMESPACE": "Tidegate",
                },
                stdout=file,
                stderr=others,  # warnings of libraries, which are no log lines
            )
            try:
                answered = api.done.wait(25)
            finally:
                process.terminate()
                process.wait(10)
        assert answered, log.read_text() + beside.read_text()
        return api.posted, [json.loads(line) for line in log.read_text().splitlines() if line.strip()]

    yield run
    for api in apis:
        api.server.shutdown()
        api.server.server_close()


def metrics_of(lines: list[Any]) -> list[tuple[str, list[list[str]], str, Any]]:
    """Read the lines in the embedded metric format as CloudWatch does."""
    return [
        (directive["Namespace"], directive["Dimensions"], each["Name"], line[each["Name"]])
        for line in lines
        if "_aws" in line
        for directive in line["_aws"]["CloudWatchMetrics"]
        for each in directive["Metrics"]
    ]


def test_a_function_answers_and_every_line_that_it_writes_is_json(lambda_runs):
    event = json.loads((ROOT / "events" / "rmse_gate.json").read_text())
    posted, lines = lambda_runs(ROOT / "functions" / "rmse_gate", event)
    assert posted["response"]["passed"] is True
    own = [line for line in lines if line.get("service") == "a-stack" and "_aws" not in line]
    assert own and all(line["function_request_id"] == REQUEST for line in own)
    (metric,) = metrics_of(lines)
    assert metric[0] == "Tidegate" and metric[2] == "GatePassed"
    assert sorted(metric[1][0]) == ["algorithm", "model", "service"]


def test_an_error_that_nobody_foresaw_is_posted_without_its_words(lambda_runs):
    posted, lines = lambda_runs(ROOT / "functions" / "rmse_gate", {"run": "r", "model": "m"})
    error = posted["error"]
    assert error["errorType"] == "KeyError"
    assert "its own words are not told" in error["errorMessage"]
    assert all(isinstance(line, dict) for line in lines)


def test_what_a_check_publishes_reaches_cloudwatch_as_it_was_printed(lambda_runs, tmp_path):
    (tmp_path / "app.py").write_text(PUBLISHES)
    _, lines = lambda_runs(tmp_path, {})
    assert metrics_of(lines) == [("Tidegate", [["service", "model"]], "VerdictDrift", 1)]
