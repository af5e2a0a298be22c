"""A deployed local cloud for a benchmark, and what people do with it: type a command, wait for something."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.conftest import ROOT, free_port
from tests.e2e.town import Town

from tidegate.local import cloud as local_cloud
from tidegate.local.deploy import deploy

LOOSE = {"metric": "rmse", "at_most": 1e9, "against_champion": "off"}
QUICK = {"xgboost": {"hyperparameters": {"num_round": 3}, "instance": "ml.m5.large"}}


@contextmanager
def deployed_town() -> Iterator[Town]:
    """Start a local cloud of its own with the shipped template in it; it is taken down in the end."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = local_cloud.up(Path(folder) / "cloud", free_port())
        try:
            deploy(cloud, ROOT, "tidegate")
            yield Town(cloud)
        finally:
            local_cloud.down(cloud.state)


def type_runs(town: Town) -> str | None:
    """Type `tidegate runs`; gives what went wrong, if anything did."""
    words = [sys.executable, "-m", "tidegate.cli", "runs", "--json", "--state", str(town.cloud.state)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    return f"`tidegate runs` ended with {done.returncode}: {done.stdout[-200:]}" if done.returncode else None


def watched(look: Callable[[], bool], every_seconds: float, seconds: float) -> bool:
    """Look again and again until something is true; tells whether it came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if look():
            return True
        time.sleep(every_seconds)
    return look()
