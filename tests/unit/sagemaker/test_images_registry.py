"""The image registry: which program stands for which image."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tidegate.local.sagemaker.images.registry import (
    BadImageRegistry,
    ImageNotRegistered,
    find_image,
    repository_of,
)

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def value_of(image_uri: str, metric: str, line: str) -> str | None:
    regex = dict(find_image(image_uri).metric_definitions)[metric]
    found = re.search(regex, line)
    return found and found[1]


@pytest.mark.parametrize(
    ("uri", "repository"),
    [
        (XGBOOST, "sagemaker-xgboost"),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1", "linear-learner"),
        ("localhost:5000/team/prices:latest", "team/prices"),
        ("team/prices@sha256:0123", "team/prices"),
        ("prices", "prices"),
    ],
)
def test_the_repository_is_what_stands_between_registry_and_tag(uri: str, repository: str) -> None:
    assert repository_of(uri) == repository


def test_our_images_run_with_this_interpreter() -> None:
    image = find_image(XGBOOST)
    module = "tidegate.local.sagemaker.images.xgboost"
    assert image.train == (sys.executable, "-m", module, "train")
    assert image.serve == (sys.executable, "-m", module, "serve")
    assert image.process is None
    assert find_image("sagemaker-scikit-learn:1.4-2-cpu-py3").process == (sys.executable,)


def test_an_unknown_image_is_answered_with_how_to_register_it() -> None:
    with pytest.raises(ImageNotRegistered) as caught:
        find_image("1.dkr.ecr.eu-west-1.amazonaws.com/my-own:3")
    message = str(caught.value)
    assert "'my-own'" in message
    assert "TIDEGATE_IMAGES" in message
    assert "sagemaker-xgboost" in message


def test_a_registered_image_wins_over_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "images.json"
    path.write_text(
        json.dumps(
            {
                "sagemaker-xgboost": {
                    "train": ["python3", "fit.py"],
                    "metric_definitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
                }
            }
        )
    )
    monkeypatch.setenv("TIDEGATE_IMAGES", str(path))
    image = find_image(XGBOOST)
    assert image.train == ("python3", "fit.py")
    assert image.serve is None
    assert image.metric_definitions == (("loss", "loss=(.*)"),)
    assert find_image("linear-learner:1").train is not None


def test_paths_in_a_registry_lead_from_its_folder_and_words_stay_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "images"
    (home / "bin").mkdir(parents=True)
    for name in ("fit.py", "python3", "bin/serve"):
        (home / name).touch()
    (home / "images.json").write_text(
        json.dumps(
            {
                "own": {
                    "train": ["python3", "fit.py", "--fast"],
                    "serve": ["bin/serve", "/etc/hostname"],
                    "process": ["./not-there-yet"],
                }
            }
        )
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIDEGATE_IMAGES", "images/images.json")
    image = find_image("own:1")
    assert image.train == ("python3", str(home / "fit.py"), "--fast")
    assert image.serve == (str(home / "bin/serve"), "/etc/hostname")
    assert image.process == (str(home / "not-there-yet"),)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("{", "not JSON"),
        ("[]", "must hold an object"),
        ('{"a": {"run": ["x"]}}', "unknown key 'run'"),
        ('{"a": {"train": "python3 x.py"}}', "must be a list of strings"),
        ('{"a": {}}', "at least one command"),
        ('{"a": {"train": ["x"], "metric_definitions": [{"Name": "n"}]}}', "needs Name and Regex"),
    ],
)
def test_a_bad_registry_file_is_answered_with_where_and_why(
    content: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "images.json"
    path.write_text(content)
    monkeypatch.setenv("TIDEGATE_IMAGES", str(path))
    with pytest.raises(BadImageRegistry, match=re.escape(part)):
        find_image("a:1")


def test_xgboost_metric_lines_are_read_as_the_platform_translates_them() -> None:
    line = "[12]#011train-rmse:0.75332#011train-mae:0.5#011validation-rmse:0.84544#011validation-mae:0.61"
    assert value_of(XGBOOST, "train:rmse", line) == "0.75332"
    assert value_of(XGBOOST, "validation:rmse", line) == "0.84544"
    assert value_of(XGBOOST, "validation:mae", line) == "0.61"
    assert value_of(XGBOOST, "validation:rmsle", line) is None


def test_linear_learner_metric_lines_are_read() -> None:
    image = "linear-learner:1"
    epoch = "#quality_metric: host=algo-1, epoch=3, validation mse_objective <loss>=0.25"
    assert value_of(image, "validation:objective_loss", epoch) == "0.25"
    assert value_of(image, "test:mse", "#quality_metric: host=algo-1, test mse <loss>=4.5") == "4.5"
    assert value_of(image, "train:progress", "#progress_metric: host=algo-1, completed 40 %") == "40"


@pytest.mark.parametrize(
    ("metric", "printed"),
    [
        ("test:objective_loss", "test mse_objective <loss>=4.5"),
        ("validation:binary_f_beta", "validation binary_f_1.000 <score>=4.5"),
        ("test:macro_f_beta", "test macro_f_0.500 <score>=4.5"),
        ("test:dcg", "test dcg <score>=4.5"),
        ("validation:multiclass_top_k_accuracy", "validation multiclass_top_k_accuracy_3 <score>=4.5"),
    ],
)
def test_metrics_printed_with_their_parameter_or_on_the_test_channel_are_read(
    metric: str, printed: str
) -> None:
    assert value_of("linear-learner:1", metric, f"#quality_metric: host=algo-1, {printed}") == "4.5"
