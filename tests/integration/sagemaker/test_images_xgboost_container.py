"""The XGBoost image as processes: training jobs and a model server under the container contract."""

from __future__ import annotations

import json
import random
import re
import signal
from pathlib import Path

import pytest
from images_containers import lay_out, serving, start_training, train
from tests.free_ports import free_port

pytestmark = pytest.mark.integration

IMAGE = "sagemaker-xgboost:1.7-1"


def rows(count: int, seed: int = 1) -> str:
    generator = random.Random(seed)
    lines = []
    for _ in range(count):
        km, age = generator.uniform(0, 1), generator.uniform(0, 1)
        lines.append(f"{3 * km - age:.6f},{km:.6f},{age:.6f}\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    root = lay_out(
        tmp_path_factory.mktemp("job"),
        {"num_round": "20", "objective": "reg:squarederror", "eval_metric": "rmse,r2"},
        {"train": rows(300), "validation": rows(100, seed=2)},
    )
    code, log = train(IMAGE, root)
    assert code == 0, log
    return root, log


def test_training_prints_the_lines_that_metric_regexes_read(trained: tuple[Path, str]) -> None:
    lines = [line for line in trained[1].splitlines() if re.match(r"\[\d+\]", line)]
    assert len(lines) == 20
    pattern = r"\[0\]\ttrain-rmse:\d+\.\d{5}\ttrain-r2:\S+\tvalidation-rmse:\d+\.\d{5}\tvalidation-r2:\S+"
    assert re.fullmatch(pattern, lines[0])
    assert lines[-1].startswith("[19]\t")


def test_training_leaves_the_model_and_nothing_else(trained: tuple[Path, str]) -> None:
    assert [path.name for path in (trained[0] / "model").iterdir()] == ["xgboost-model"]
    assert not (trained[0] / "output" / "failure").exists()


def test_the_server_speaks_the_container_contract(trained: tuple[Path, str]) -> None:
    with serving(IMAGE, trained[0]) as server:
        status, body, content_type = server.ask(b"0.5,0.25\n0.1,", Content_Type="text/csv")
        assert (status, content_type) == (200, "text/csv; charset=utf-8")
        first, second = map(float, body.decode().split())
        assert first == pytest.approx(1.25, abs=0.3)
        assert second < first
        answer = server.ask(b"0.5,0.25", Content_Type="text/csv", Accept="application/json")
        assert json.loads(answer[1]) == {"predictions": [{"score": first}]}
        assert server.ask(b"1,2,3", Content_Type="text/csv")[0] == 400
        assert server.ask(b"{}", Content_Type="application/json")[0] == 415
        assert server.ask(b"1,2", Content_Type="text/csv", Accept="image/png")[0] == 406
        assert server.ask(b"", Content_Type="text/csv")[0] == 204
        parameters = json.loads(server.ask(None, "/execution-parameters")[1])
        assert parameters["BatchStrategy"] == "MULTI_RECORD"
        assert parameters["MaxPayloadInMB"] == 6
        many = b"0.5,0.25\n" * 200_000
        status, body, _ = server.ask(many, Content_Type="text/csv")
        assert (status, body.count(b"\n")) == (200, 200_000)
        assert server.ask(many * 4, Content_Type="text/csv")[0] == 413
        server.child.send_signal(signal.SIGTERM)
        assert server.child.wait(timeout=300) == 0


@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ({"num_round": "5", "depth": "3"}, "Extraneous hyperparameter found: depth"),
        ({"num_round": "5", "objective": "binary:logistic"}, "XGBoost could not train on this data: "),
    ],
)
def test_a_job_that_cannot_train_leaves_its_reason(
    hyperparameters: dict[str, str], reason: str, tmp_path: Path
) -> None:
    root = lay_out(tmp_path, hyperparameters, {"train": rows(50)})
    code, log = train(IMAGE, root)
    assert code == 1
    failure = (root / "output" / "failure").read_text()
    assert failure.startswith(reason)
    assert failure in log
    assert "Stack trace" not in failure


def test_early_stopping_keeps_the_best_model(tmp_path: Path) -> None:
    noise = random.Random(5)
    text = "".join(f"{noise.gauss(0, 1)},{noise.random()},{noise.random()}\n" for _ in range(200))
    wanted = {
        "objective": "reg:squarederror",
        "num_round": "500",
        "eval_metric": "rmse",
        "early_stopping_rounds": "5",
    }
    root = lay_out(tmp_path, wanted, {"train": text, "validation": rows(100)})
    code, log = train(IMAGE, root)
    assert code == 0, log
    assert len(re.findall(r"^\[\d+\]", log, re.M)) < 100


def test_a_stopped_job_leaves_its_model_and_resumes_from_its_checkpoint(tmp_path: Path) -> None:
    root = lay_out(tmp_path, {"num_round": "1000000"}, {"train": rows(100)})
    (root / "checkpoints").mkdir()
    child = start_training(IMAGE, root)
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("[10]"):
            break
    child.send_signal(signal.SIGTERM)
    log, _ = child.communicate(timeout=300)
    assert child.returncode == 0, log
    assert (root / "model" / "xgboost-model").stat().st_size > 0
    found = re.search(r"the model of the (\d+) rounds so far is saved", log)
    assert found is not None
    done = int(found[1])
    assert (root / "checkpoints" / f"xgboost-checkpoint.{done - 1}").exists()

    (root / "input" / "config" / "hyperparameters.json").write_text(json.dumps({"num_round": str(done + 3)}))
    code, log = train(IMAGE, root)
    assert code == 0, log
    assert re.findall(r"^\[(\d+)\]", log, re.M) == [str(done), str(done + 1), str(done + 2)]


def test_a_server_without_a_model_ends_with_a_sentence(tmp_path: Path) -> None:
    from images_containers import start_serving

    child = start_serving(IMAGE, tmp_path, free_port())
    log, _ = child.communicate(timeout=300)
    assert child.returncode == 1
    assert "model.tar.gz must have the file xgboost-model at its top" in log


def test_installed_pandas_and_scikit_learn_are_never_imported(tmp_path: Path) -> None:
    for name in ("pandas", "sklearn"):
        (tmp_path / "site" / name).mkdir(parents=True)
        (tmp_path / "site" / name / "__init__.py").write_text(f"raise SystemExit('{name} was imported')\n")
    root = lay_out(tmp_path / "root", {"num_round": "2"}, {"train": rows(20)})
    code, log = train(IMAGE, root, PYTHONPATH=str(tmp_path / "site"))
    assert code == 0, log
    with serving(IMAGE, root, PYTHONPATH=str(tmp_path / "site")) as server:
        assert server.ask(b"0.5,0.5", Content_Type="text/csv")[0] == 200
