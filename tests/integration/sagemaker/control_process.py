"""The cloud of `control_cloud.py` as a process of a test's own, to be started, killed and started again."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from tests.free_ports import free_port
from tests.waiting import PATIENCE_SECONDS


class Cloud:
    """The test's own cloud process; it may be killed and started again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.start()

    def start(self) -> None:
        script = Path(__file__).with_name("control_cloud.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(self.port), str(self.folder)],
            stdout=subprocess.PIPE,
            env={**os.environ, "STATE_DIR": str(self.folder / "ministack"), "TMPDIR": str(self.folder)},
        )
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if select.select([self.process.stdout], [], [], 1)[0]:
                line = self.process.stdout.readline()
                assert line, "the cloud ended before it was ready"
                if line == b"ready\n":
                    return
        raise AssertionError("the cloud was not ready in time")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            # Bad requests must reach the server: its checks are what is tested.
            config=Config(parameter_validation=False, retries={"max_attempts": 0}),
        )
