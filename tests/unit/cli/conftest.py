"""The command line against a cloud in memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import boto3
from cli_api_server import ApiServer
from cli_fakes import FakeCloud
from tests.http_server import answering
from typer.testing import CliRunner, Result

from tidegate.cli import watch
from tidegate.cli.main import app
from tidegate.cli.place import Place
from tidegate.cli.stack import Stack

Invoke = Callable[..., Result]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakeCloud:
    fake = FakeCloud()
    monkeypatch.setattr(Place, "_make", lambda self, service: fake.client(service))
    monkeypatch.setattr(Place, "is_near", True)
    monkeypatch.setattr(watch, "NEAR_SECONDS", 0.001)
    monkeypatch.delenv("TIDEGATE_DEBUG", raising=False)
    return fake


@pytest.fixture
def api(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """The API of the cloud in memory."""
    made = ApiServer()
    monkeypatch.setattr(Place, "session", boto3.Session("key", "secret", region_name="us-east-1"))
    with answering(lambda asked: made.answer(asked)) as url:
        monkeypatch.setattr(Stack, "api_url", url)
        yield made


@pytest.fixture
def tidegate() -> Invoke:
    """Run the command line in this process."""

    def invoke(*arguments: str, given: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=given)

    return invoke
