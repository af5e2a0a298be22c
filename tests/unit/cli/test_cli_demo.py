"""The demo: data without importing its package, unseen cars, a last screen that is complete."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from cli_api_server import ApiServer
from cli_fakes import ARTIFACTS, FakeCloud

from tidegate.cli import demo
from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.output import Output
from tidegate.cli.place import Options, Place
from tidegate.cli.stack import Stack

RUN = "abcdef012345"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data package that must not be imported."""
    home = tmp_path / "site" / "dmba"
    (home / "csvFiles").mkdir(parents=True)
    (home / "__init__.py").write_text("raise ImportError('it wants pandas')")
    (home / "csvFiles" / "ToyotaCorolla.csv.gz").write_bytes(gzip.compress(b"Id,Price\n1,2\n"))
    monkeypatch.syspath_prepend(str(home.parent))
    return home


def test_the_cars_are_unpacked_from_the_installed_package_without_importing_it(
    package: Path, tmp_path: Path
) -> None:
    file = demo.fetch_cars(tmp_path / "demo")
    assert file.read_text() == "Id,Price\n1,2\n"
    (package / "csvFiles" / "ToyotaCorolla.csv.gz").unlink()
    assert demo.fetch_cars(tmp_path / "demo") == file


def test_without_the_package_the_remedy_is_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "PACKAGE", "a_package_nobody_has")
    with pytest.raises(Trouble, match="not installed") as told:
        demo.fetch_cars(tmp_path)
    assert "make demo" in told.value.remedy


def held_out(cloud: FakeCloud) -> None:
    rows = [{"KM": km, "Fuel": "Diesel"} for km in range(9)]
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    truth = b"id,target\n" + b"".join(b"%d,%d\n" % (km, 1000 - km) for km in range(9))
    for name, body in (("rows/part-00000.jsonl", text), ("truth.csv", truth)):
        key = (ARTIFACTS, f"cars/runs/{RUN}/test/{name}")
        cloud.s3.objects[key] = {"body": body, "Metadata": {}, "VersionId": "1"}


def test_three_held_out_cars_are_a_cheap_a_middling_and_a_dear_one(cloud: FakeCloud) -> None:
    held_out(cloud)
    cars = demo.held_out_cars(Stack(Place(Options())), "cars", RUN)
    assert [truth for _, truth in cars] == [993.0, 996.0, 999.0]
    assert [row["KM"] for row, _ in cars] == [7, 4, 1]


@pytest.mark.parametrize("as_json", [True, False])
def test_the_last_screen_shows_gate_endpoints_predictions_and_what_is_next(
    cloud: FakeCloud,
    api: ApiServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: Any,
    as_json: bool,
) -> None:
    held_out(cloud)
    cloud.serve()
    api.predict = lambda row: {"xgboost": 12345.6, "linear-learner": 12345.6}
    algorithms = {"xgboost": {"status": "SUCCEEDED", "rmse": 1102.0, "endpoint": "tg-cars-xgboost"}}
    result = {"run": RUN, "status": "DUPLICATE", "reason": "the same file", "algorithms": algorithms}
    applied = {"model": "cars", "target": "Price", "features": 2}
    monkeypatch.setattr(demo, "bring_up", lambda session, port: {"url": "http://127.0.0.1:1"})
    monkeypatch.setattr(demo, "put_in_force", lambda session, file: applied)
    monkeypatch.setattr(demo, "fetch_cars", lambda folder: folder / "cars.csv")
    monkeypatch.setattr(demo, "start_training", lambda *_, **__: (result, {}))
    code = demo.demo(Session(Place(Options(json=as_json, state=tmp_path)), Output(as_json)), None)
    shown = capsys.readouterr().out
    assert code == 0
    if as_json:
        document = json.loads(shown)
        assert document["endpoints"] == {
            "tg-cars-xgboost": "InService",
            "tg-cars-linear-learner": "InService",
        }
        assert [each["truth"] for each in document["predictions"]] == [993.0, 996.0, 999.0]
    else:
        for part in ("InService", "12,346", "1102", "993", f"tidegate run {RUN}", "tidegate down"):
            assert part in shown


def test_the_demo_ends_as_the_training_ended(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = {"run": RUN, "status": "REJECTED", "reason": "model accuracy too low", "algorithms": {}}
    monkeypatch.setattr(demo, "bring_up", lambda session, port: {"url": ""})
    monkeypatch.setattr(
        demo, "put_in_force", lambda session, file: {"model": "cars", "target": "Price", "features": 2}
    )
    monkeypatch.setattr(demo, "fetch_cars", lambda folder: folder)
    monkeypatch.setattr(demo, "start_training", lambda *_, **__: (result, {}))
    assert demo.demo(Session(Place(Options(state=tmp_path)), Output(False)), None) == 3
