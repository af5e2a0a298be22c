"""Clients that others wrote, each in an environment of its own, against a local cloud of their own.

Only ``pytest -m clients`` runs them: their environments take a gigabyte, and they wait as clients wait.
TIDEGATE_CLIENTS names the folder that keeps the environments, by default one in the user's cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.free_ports import free_port
from tidegate.local import cloud as local_cloud
from tidegate.local.cloud import Cloud

SCRIPTS = Path(__file__).parent / "scripts"
# What docs/compatibility.md is made of, by scripts/compatibility.py.
OUTCOMES = Path(__file__).parent / "outcomes.json"
KEPT = Path(os.environ.get("TIDEGATE_CLIENTS", Path.home() / ".cache" / "tidegate" / "clients"))
REQUIREMENTS = {
    "awscli": ["awscli>=1.40,<2"],
    "sagemaker2": ["sagemaker==2.257.0"],
    "sagemaker3": ["sagemaker>=3.27,<4"],
    # It imports pkg_resources, which newer releases of setuptools lack.
    "stepfunctions": ["stepfunctions==2.3.0", "sagemaker>=2.257,<3", "setuptools<82"],
}
# The SDKs send statistics to AWS otherwise, which a local cloud must not be the reason for.
SDK_SETTINGS = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
ROLE = "workflows"
_SECONDS = 300


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clients: runs clients that others wrote; only with -m clients")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "clients" in (config.option.markexpr or ""):
        return
    here = Path(__file__).parent
    kept, left = [], []
    for item in items:
        (left if here in item.path.parents else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


class Clients:
    """Runs scripts of clients against one local cloud."""

    def __init__(self, cloud: Cloud, home: Path) -> None:
        self.cloud = cloud
        self.outcomes: dict[str, dict[str, Any]] = {}
        self._home = home
        (home / "sdk.yaml").write_text(json.dumps(SDK_SETTINGS))

    def run(self, environment: str, script: str) -> str:
        """Run a script; give what it printed, or fail with it. Its outcome goes to the record."""
        python = environment_of(environment)
        noted = self._home / f"{script.replace('/', '-')}.operations"
        command = (
            [str(python), str(SCRIPTS / script)] if script.endswith(".py") else ["sh", str(SCRIPTS / script)]
        )
        done = subprocess.run(
            command,
            env={**self._variables(python), "TIDEGATE_OPERATIONS": str(noted)},
            cwd=self._home,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        said = f"{done.stdout}\n{done.stderr}"
        operations = noted.read_text().split() if noted.exists() else []
        self.outcomes[script] = {
            "client": _version(python, environment),
            "digest": digest(SCRIPTS / script),
            "passed": done.returncode == 0,
            "operations": sorted({name for name in operations if name.startswith("sagemaker")}),
        }
        assert done.returncode == 0, f"{script} ended with {done.returncode}:\n{said[-6000:]}"
        return done.stdout

    def _variables(self, python: Path) -> dict[str, str]:
        return {
            "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),
            "HOME": str(self._home),
            "TMPDIR": str(self._home),
            "PYTHONPATH": str(SCRIPTS / "waits"),
            "PYTHONWARNINGS": "ignore",
            "AWS_PAGER": "",
            "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(self._home / "sdk.yaml"),
            "ROLE_ARN": f"arn:aws:iam::000000000000:role/{ROLE}",
            **self.cloud.environment,
        }


def digest(script: Path) -> str:
    """Give what tells whether a script is still the one that was run."""
    return hashlib.sha256(script.read_bytes()).hexdigest()[:16]


def _version(python: Path, environment: str) -> str:
    package = REQUIREMENTS[environment][0].split("=")[0].split(">")[0]
    ask = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([str(python), "-I", "-c", ask], capture_output=True, text=True, check=True)
    return f"{package} {done.stdout.strip()}"


def record(outcomes: dict[str, dict[str, Any]]) -> None:
    """Keep the outcomes of this run, beside those of scripts that it did not run."""
    kept = json.loads(OUTCOMES.read_text()) if OUTCOMES.exists() else {}
    known = {script: outcome for script, outcome in kept.items() if (SCRIPTS / script).exists()}
    OUTCOMES.write_text(json.dumps({**known, **outcomes}, indent=2, sort_keys=True) + "\n")


def environment_of(name: str) -> Path:
    """Give the Python of a client's environment, made by uv on first use."""
    python = KEPT / name / "bin" / "python"
    wanted = "\n".join(REQUIREMENTS[name])
    made = KEPT / name / ".tidegate"
    if not (made.exists() and made.read_text() == wanted):
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        shutil.rmtree(KEPT / name, ignore_errors=True)
        KEPT.mkdir(parents=True, exist_ok=True)
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(KEPT / name)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", str(python), *REQUIREMENTS[name]], check=True)
        made.write_text(wanted)
    return python


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """A running local cloud, nothing deployed in it, and the clients."""
    port = free_port()
    state = tmp_path_factory.mktemp("cloud")
    cloud = local_cloud.up(state, port)
    made = Clients(cloud, tmp_path_factory.mktemp("home"))
    try:
        yield made
    finally:
        local_cloud.down(state)
        record(made.outcomes)
