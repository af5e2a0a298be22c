"""How the command line asks the API, and how it tells what the API refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_api_server import ApiServer
from tests.http_server import Asked

from tidegate.cli.predict import row_numbers
from tidegate.cli.rows import MOST_ROWS
from tidegate.cli.stack import api_url

ON_AWS = {"ApiUrl": "https://0a1b.execute-api.us-east-1.amazonaws.com"}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "my cars+1.csv"
    file.write_text("KM,Fuel,Price\n1,Diesel,2\n")
    return file


def test_the_local_api_is_a_path_that_every_client_reaches() -> None:
    assert api_url(ON_AWS, "http://127.0.0.1:4566") == "http://127.0.0.1:4566/_aws/execute-api/0a1b"
    assert api_url(ON_AWS, None) == ON_AWS["ApiUrl"]
    assert api_url({}, "http://127.0.0.1:4566") is None


def test_predict_asks_the_api_for_the_fields_it_knows_and_shows_what_it_combined(
    api: ApiServer, tidegate: Any, rows: Path
) -> None:
    api.predict = lambda row: {"xgboost": float(row["KM"] or 20), "linear-learner": 11.0}
    rows.write_text('Fuel,KM,Id,Other\nDiesel,1,a,x\n"Gas, natural",,b,y\n')
    document = json.loads(tidegate("predict", "cars", str(rows), "--json").stdout)
    assert document["predictions"] == [
        {"prediction": 11.0, "by_algorithm": {"xgboost": 1.0, "linear-learner": 11.0}},
        {"prediction": 20.0, "by_algorithm": {"xgboost": 20.0, "linear-learner": 11.0}},
    ]
    assert api.asked[-1] == (
        "POST",
        "/models/cars/predictions",
        'KM,Fuel,Id\n1,Diesel,a\n,"Gas, natural",b\n',
    )
    shown = tidegate("predict", "cars", str(rows)).stdout
    assert "Price (max)" in shown
    assert "b" in shown.split()


def test_predict_reads_standard_input(api: ApiServer, tidegate: Any) -> None:
    done = tidegate("predict", "cars", "--json", given='{"KM": 5, "Fuel": null}')
    assert json.loads(done.stdout)["predictions"] == [{"prediction": 1.0, "by_algorithm": {"xgboost": 1.0}}]


def test_requests_are_signed_or_carry_the_token_that_is_set(
    api: ApiServer, tidegate: Any, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tidegate("predict", "cars", str(rows)).exit_code == 0
    assert all(
        each.startswith("AWS4-HMAC-SHA256 Credential=key/") and "/us-east-1/execute-api/" in each
        for each in api.seen_authorization
    )
    api.seen_authorization.clear()
    monkeypatch.setenv("TIDEGATE_API_TOKEN", "abc")
    assert tidegate("predict", "cars", str(rows)).exit_code == 0
    assert api.seen_authorization == {"Bearer abc"}


@pytest.mark.parametrize(
    ("status", "document", "said"),
    [
        (409, {"detail": "cars has to be trained first"}, ("has to be trained", "tidegate train cars FILE")),
        (403, {"message": "Forbidden"}, ("Forbidden", "execute-api:Invoke", "TIDEGATE_API_TOKEN")),
        (
            500,
            {"detail": "something is wrong", "request_id": "r7"},
            ("something is wrong", "`predict`", "r7"),
        ),
        (502, {}, ("status 502",)),
    ],
)
def test_what_the_api_refuses_is_told_with_a_remedy(
    api: ApiServer, tidegate: Any, rows: Path, status: int, document: dict[str, Any], said: tuple[str, ...]
) -> None:
    api.refusal = (status, document)
    done = tidegate("predict", "cars", str(rows))
    assert done.exit_code == 1
    told = " ".join(done.stderr.split())
    assert all(part in told for part in said), told


def test_a_bad_record_is_named_by_its_line_in_the_whole_file(
    api: ApiServer, tidegate: Any, rows: Path
) -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        if "rubbish" not in asked.body:
            return ApiServer.answer(api, asked)
        fault = {"record": 2, "field": "KM", "problem": "no number"}
        return 422, {"detail": "record 2, field 'KM': no number", "errors": [fault]}

    api.answer = answer  # type: ignore[method-assign]
    lines = ["1,Diesel"] * (MOST_ROWS + 1)
    rows.write_text("\n".join(["KM,Fuel", *lines, "rubbish,Diesel"]))
    assert f"row {MOST_ROWS + 3}, field 'KM': no number" in tidegate("predict", "cars", str(rows)).stderr


def test_an_unknown_model_is_answered_with_the_declared_ones(
    api: ApiServer, tidegate: Any, rows: Path
) -> None:
    done = tidegate("predict", "carz", str(rows))
    assert done.exit_code == 1
    assert "Did you mean cars?" in done.stderr


@pytest.mark.parametrize(
    ("text", "rows", "numbers"),
    [
        ("a,b\n1,2\n3,4\n", 2, [2, 3]),
        ('\ufeffa,b\n"1\nand more",2\n\n3,4\n', 2, [2, 5]),
        ('{"a": 1}\n\n{"a": 2}\n', 2, [1, 3]),
        ('[{"a": 1}, {"a": 2}]', 2, [1, 2]),
        ('{"instances": [{"a": 1}, {"a": 2}]}', 2, [1, 2]),
    ],
)
def test_rows_are_counted_as_an_editor_shows_their_lines(text: str, rows: int, numbers: list[int]) -> None:
    assert list(row_numbers(text, rows)) == numbers
