"""Script mode's serving handlers and training environment, without a process."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.scikit_learn.codecs import decode, encode
from tidegate.local.sagemaker.images.scikit_learn.environment import TrainingEnvironment, to_arguments
from tidegate.local.sagemaker.images.scikit_learn.handlers import Handlers
from tidegate.local.sagemaker.images.scikit_learn.source import fetch_source, warn_of_missing_requirements
from tidegate.local.sagemaker.images.server import Refused


def handlers(default_accept: str = "", **functions: Any) -> Handlers:
    module = ModuleType("inference")
    vars(module).update({"model_fn": lambda model_dir: f"model of {model_dir}", **functions})
    return Handlers(module, "/m", default_accept)


def test_the_three_handlers_are_called_in_turn() -> None:
    call = handlers(
        input_fn=lambda data, content_type: (data, content_type),
        predict_fn=lambda data, model: (*data, model),
        output_fn=lambda prediction, accept: (" ".join(prediction), accept),
    )
    answer = call(b"1,2", "text/csv", "text/html")
    assert (answer.body, answer.content_type) == (b"1,2 text/csv model of /m", "text/html")


def test_transform_fn_does_all_by_itself() -> None:
    call = handlers("text/csv", transform_fn=lambda model, data, content_type, accept: f"{data!r} {accept}")
    answer = call(b"\x00", "application/octet-stream", "*/*")
    assert (answer.body, answer.content_type) == (b"b'\\x00' text/csv", "text/csv")


def test_the_default_answer_type_is_json_as_in_the_toolkit() -> None:
    call = handlers(predict_fn=lambda data, model: data * 2)
    answer = call(b"[[1, 2]]", "", "")
    assert (json.loads(answer.body), answer.content_type) == ([[2.0, 4.0]], "application/json")


def test_handlers_may_take_the_toolkits_context() -> None:
    call = handlers(transform_fn=lambda model, data, content_type, accept, context: str(context))
    assert call(b"", "text/csv", "").body == b"None"


def test_a_response_of_flask_is_taken_as_it_is() -> None:
    response = SimpleNamespace(status_code=422, content_type="text/plain", get_data=lambda: b"no such car")
    call = handlers(input_fn=lambda d, c: d, predict_fn=lambda d, m: d, output_fn=lambda p, a: response)
    answer = call(b"", "text/csv", "")
    assert (answer.status, answer.body, answer.content_type) == (422, b"no such car", "text/plain")


def test_an_exception_with_an_http_status_is_a_refusal() -> None:
    class NoSuchCar(ValueError):
        http_status = 422

    def refuse(data: Any, model: Any) -> Any:
        raise NoSuchCar("There is no such car.")

    with pytest.raises(Refused, match=r"There is no such car\.") as caught:
        handlers(predict_fn=refuse)(b"1", "text/csv", "")
    assert caught.value.status == 422


def test_types_that_no_default_reads_or_writes_are_refused() -> None:
    call = handlers(predict_fn=lambda data, model: data)
    with pytest.raises(Refused) as unread:
        call(b"", "image/png", "")
    assert unread.value.status == 415
    with pytest.raises(Refused) as unwritten:
        call(b"1,2", "text/csv", "image/png")
    assert unwritten.value.status == 406


def test_a_module_without_model_fn_is_refused() -> None:
    with pytest.raises(ContainerError, match="has no model_fn"):
        Handlers(ModuleType("inference"), "/m", "")


def test_transform_fn_beside_predict_fn_is_refused() -> None:
    with pytest.raises(ContainerError, match="also predict_fn"):
        handlers(transform_fn=lambda m, d, c, a: "", predict_fn=lambda d, m: "")


def test_a_handler_with_a_wrong_signature_is_refused_at_the_start() -> None:
    with pytest.raises(ContainerError, match="takes 1 arguments"):
        handlers(input_fn=lambda data: data)


@pytest.mark.parametrize("media_type", ["application/json", "text/csv", "application/x-npy"])
def test_the_default_codecs_bring_an_array_there_and_back(media_type: str) -> None:
    rows = np.array([[1.5, 2.0], [3.0, 4.25]], np.float32)
    body, written_as = encode(rows, media_type)
    assert written_as == media_type
    assert np.array_equal(decode(body, media_type), rows)


def test_pickled_requests_are_never_loaded() -> None:
    import io

    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        decode(buffer.getvalue(), "application/x-npy")


def test_hyperparameters_become_arguments_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "input" / "config"
    config.mkdir(parents=True)
    given = {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://b/sourcedir.tar.gz"',
        "sagemaker_mpi_enabled": "false",
        "rate": "0.1",
        "name": '"my model"',
        "plain": "not json",
        "deep": '{"a": 1}',
    }
    (config / "hyperparameters.json").write_text(json.dumps(given))
    (config / "inputdataconfig.json").write_text('{"train": {}, "test": {}}')
    (config / "resourceconfig.json").write_text('{"current_host": "algo-1", "hosts": ["algo-1"]}')
    monkeypatch.setenv("TIDEGATE_ML_ROOT", str(tmp_path))
    environment = TrainingEnvironment()
    assert (environment.program, environment.source) == ("train.py", "s3://b/sourcedir.tar.gz")
    assert environment.arguments() == [
        *("--deep", "a=1", "--name", "my model", "--plain", "not json", "--rate", "0.1")
    ]
    variables = environment.variables(tmp_path / "code")
    assert variables["SM_MODEL_DIR"] == str(tmp_path / "model")
    assert variables["SM_CHANNEL_TRAIN"] == str(tmp_path / "input" / "data" / "train")
    assert variables["SM_OUTPUT_DATA_DIR"] == str(tmp_path / "output" / "data")
    assert json.loads(variables["SM_CHANNELS"]) == ["test", "train"]
    assert json.loads(variables["SM_HPS"]) == environment.hyperparameters
    assert variables["SM_HP_RATE"] == "0.1"
    assert json.loads(variables["SM_HOSTS"]) == ["algo-1"]
    assert variables["SM_CURRENT_HOST"] == "algo-1"
    assert int(variables["SM_NUM_CPUS"]) >= 1
    assert json.loads(variables["SM_FRAMEWORK_PARAMS"]) == {"sagemaker_mpi_enabled": False}
    assert json.loads(variables["SM_TRAINING_ENV"])["channel_input_dirs"]["test"].endswith("data/test")


def test_one_letter_and_empty_hyperparameters_keep_the_toolkits_form() -> None:
    assert to_arguments({"c": 1, "none": None}) == ["-c", "1", "--none", ""]


def test_source_that_is_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match="There is no source code at /nowhere/at/all"):
        fetch_source("/nowhere/at/all", tmp_path / "code")
    (tmp_path / "x.tar.gz").write_text("no tar")
    with pytest.raises(ContainerError, match=r"x\.tar\.gz cannot be used: it is not a tar\.gz"):
        fetch_source(str(tmp_path / "x.tar.gz"), tmp_path / "code")


def test_requirements_that_are_missing_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "requirements.txt").write_text("# mine\nnumpy>=1\nno-such-package-here==1.0\n")
    warn_of_missing_requirements(tmp_path)
    said = capsys.readouterr().out
    assert "no-such-package-here" in said
    assert "numpy" not in said
