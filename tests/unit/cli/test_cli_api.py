"""Where the command line says the API answers, and when it sends people there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_fakes import SPEC, FakeCloud

from tidegate.cli.stack import Stack, api_url

ON_AWS = {"ApiUrl": "https://0a1b.execute-api.us-east-1.amazonaws.com"}


def test_the_local_api_is_a_path_that_every_client_reaches() -> None:
    assert api_url(ON_AWS, "http://127.0.0.1:4566") == "http://127.0.0.1:4566/_aws/execute-api/0a1b"
    assert api_url(ON_AWS, None) == ON_AWS["ApiUrl"]
    assert api_url({}, "http://127.0.0.1:4566") is None


def test_predict_sends_people_to_the_api_for_serverless_endpoints(
    cloud: FakeCloud, tidegate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.serve()
    serving = {"combine": "max", "serverless": {"memory_mb": 1024, "max_concurrency": 1}}
    monkeypatch.setattr(Stack, "spec", lambda self, model: {**SPEC, "serving": serving})
    monkeypatch.setattr(Stack, "api_url", "https://0a1b.example")
    rows = tmp_path / "rows.csv"
    rows.write_text("KM,Fuel\n1,Diesel\n")
    done = tidegate("predict", "cars", str(rows))
    assert done.exit_code == 1
    assert "are serverless" in done.stderr
    assert "https://0a1b.example" in done.stderr
