"""A local cloud of its own for tests of hosting: MiniStack's S3, logs and metrics, and tiny model servers."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.free_ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

from tidegate.local.sagemaker import control, hosting
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.images.registry import Image
from tidegate.local.sagemaker.store import Store

# What a model's archive says in `word` comes first in every answer; bodies that are commands are obeyed.
SERVER = """
import http.server, os, signal, socketserver, sys, threading, time
from pathlib import Path

root = Path(os.environ["TIDEGATE_ML_ROOT"])
word = (root / "model" / "word").read_text()
if word == "crash":
    print("cannot load the model", file=sys.stderr)
    sys.exit(3)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        self.answer(200, b"", "text/plain")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        command, _, rest = body.decode("utf-8", "replace").partition(" ")
        if command == "die":
            os._exit(7)
        if command == "sleep":
            time.sleep(float(rest))
        if command == "fail":
            self.answer(int(rest), b"as you wish", "text/plain")
            return
        content_type = self.headers.get("Accept") or self.headers.get("Content-Type") or "text/plain"
        self.answer(200, word.encode() + b":" + body, content_type)

    def answer(self, status, body, content_type):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        custom = self.headers.get("X-Amzn-SageMaker-Custom-Attributes")
        if custom:
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", custom)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
server = Server(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler)
print(f"{word} serves in process {os.getpid()}", flush=True)
server.serve_forever()
"""

_MINISTACK = "from ministack import app; app.main()"


@contextmanager
def cloud() -> Iterator[str]:
    """Run MiniStack in a process of its own and give its address."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        yield from _running(port, folder)


def _running(port: int, folder: str) -> Iterator[str]:
    environment = {
        **os.environ,
        "STATE_DIR": folder,
        "TMPDIR": folder,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SERVICES": "s3,logs,cloudwatch,sts",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _MINISTACK],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: listens(port) or process.poll() is not None)
        assert process.poll() is None, "MiniStack ended instead of listening"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def make_context(url: str, folder: Path) -> Context:
    """Return a context in a state folder, with the image ``word`` registered."""
    script = folder / "server.py"
    script.write_text(SERVER)
    image = Image("word", serve=(sys.executable, "-S", str(script)))
    return Context(
        region="us-east-1",
        account="000000000000",
        endpoint_url=url,
        root=folder,
        store=Store(folder / "sagemaker.db"),
        images=lambda uri: image,
        emit=lambda detail_type, detail, resources: None,
    )


def make_model(ctx: Context, name: str, *words: str) -> None:
    """Create a model whose containers put these words before what they are asked."""
    put_model_data(ctx, *words)
    containers = [
        {"Image": "word:1", "ModelDataUrl": f"s3://artifacts/{word}/model.tar.gz"} for word in words
    ]
    model: dict[str, Any] = {"ModelName": name, "ExecutionRoleArn": "arn:aws:iam::000000000000:role/m"}
    if len(containers) == 1:
        model["PrimaryContainer"] = containers[0]
    else:
        model["Containers"] = containers
    control.OPERATIONS["CreateModel"](ctx, model)


def put_model_data(ctx: Context, *words: str) -> None:
    """Put the archives of models into the bucket ``artifacts``, one for each word."""
    s3 = ctx.client("s3")
    s3.create_bucket(Bucket="artifacts")
    for word in words:
        s3.put_object(Bucket="artifacts", Key=f"{word}/model.tar.gz", Body=_archive(word))


def make_config(ctx: Context, name: str, model: str, **more: Any) -> None:
    """Create an endpoint configuration with one variant called All."""
    variant = {
        "VariantName": "All",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    control.OPERATIONS["CreateEndpointConfig"](
        ctx, {"EndpointConfigName": name, "ProductionVariants": [variant], **more}
    )


def start_endpoint(ctx: Context, name: str, config: str) -> dict[str, Any]:
    """Create an endpoint and wait for what becomes of it."""
    hosting.OPERATIONS["CreateEndpoint"](ctx, {"EndpointName": name, "EndpointConfigName": config})
    return settled(ctx, name)


def settled(ctx: Context, name: str) -> dict[str, Any]:
    """Wait until an endpoint is in no transition, and return its description."""

    def done() -> dict[str, Any] | None:
        answer = hosting.OPERATIONS["DescribeEndpoint"](ctx, {"EndpointName": name})
        return answer if answer["EndpointStatus"] in ("InService", "Failed") else None

    return until(done, "the end of the transition")


def ask(ctx: Context, name: str, body: bytes, **headers: str) -> bytes:
    """Invoke an endpoint and return the answer's body."""
    return hosting.invoke_endpoint(ctx, name, body, {"content-type": "text/csv", **headers})[2]


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _archive(word: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("word")
        member.size = len(word.encode())
        archive.addfile(member, io.BytesIO(word.encode()))
    return packed.getvalue()
