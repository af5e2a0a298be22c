"""Starts the images' processes as the platform does: a root folder, an environment, a port, and an end."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.free_ports import free_port

from tidegate.local.sagemaker.images.registry import find_image


def lay_out(
    root: Path, hyperparameters: dict[str, str], channels: dict[str, str], content_type: str = "text/csv"
) -> Path:
    """Write the files of a training job; `channels` maps a channel to the text of its one file."""
    config = root / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    settings = {name: {"ContentType": content_type, "TrainingInputMode": "File"} for name in channels}
    (config / "inputdataconfig.json").write_text(json.dumps(settings))
    for name, text in channels.items():
        folder = root / "input" / "data" / name
        folder.mkdir(parents=True)
        (folder / "part-0.csv").write_text(text)
    for folder in ("model", "output/data"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    return root


def environment(root: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "TIDEGATE_ML_ROOT": str(root),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "2",
        **more,
    }


def start_training(image: str, root: Path, **more: str) -> subprocess.Popen[str]:
    command = find_image(image).train
    assert command is not None
    return subprocess.Popen(
        command, env=environment(root, **more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def train(image: str, root: Path, **more: str) -> tuple[int, str]:
    """Run a training container to its end and return its exit code and its log."""
    child = start_training(image, root, **more)
    log, _ = child.communicate(timeout=300)
    return child.returncode, log


class Server:
    """A running model server."""

    def __init__(self, child: subprocess.Popen[str], port: int) -> None:
        self.child = child
        self._url = f"http://127.0.0.1:{port}"

    def ask(
        self, body: bytes | None, path: str = "/invocations", **headers: str
    ) -> tuple[int, bytes, str | None]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self._url + path, data=body, headers=names)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read(), answer.headers.get("Content-Type")
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers.get("Content-Type")

    def ready(self) -> bool:
        try:
            return self.ask(None, "/ping")[0] == 200
        except OSError:
            return False


def start_serving(image: str, root: Path, port: int, **more: str) -> subprocess.Popen[str]:
    command = find_image(image).serve
    assert command is not None
    variables = environment(root, SAGEMAKER_BIND_TO_PORT=str(port), **more)
    return subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@contextmanager
def serving(image: str, root: Path, **more: str) -> Iterator[Server]:
    """A model server that answers its ping, ended by SIGTERM as the platform ends it."""
    port = free_port()
    child = start_serving(image, root, port, **more)
    server = Server(child, port)
    try:
        deadline = time.monotonic() + 120
        while not server.ready():
            assert child.poll() is None, child.communicate()[0]
            assert time.monotonic() < deadline, "the server did not answer its ping"
            time.sleep(0.02)
        yield server
    finally:
        child.terminate()
        try:
            child.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
