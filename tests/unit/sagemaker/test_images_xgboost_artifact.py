"""A model of the XGBoost image is one of its own library's version, and no other is trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.xgboost import library
from tidegate.local.sagemaker.images.xgboost.library import check_library, check_model, written_by, xgboost
from tidegate.local.sagemaker.images.xgboost.model import Model


def saved(folder: Path, ending: str) -> bytes:
    rows = np.random.default_rng(3).normal(size=(50, 2))
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, label=rows[:, 0] + 10_000), 2)
    path = folder / f"model.{ending}"
    booster.save_model(path)
    return path.read_bytes()


@pytest.mark.parametrize("ending", ["ubj", "json"])
def test_a_model_says_which_version_wrote_it(ending: str, tmp_path: Path) -> None:
    assert written_by(saved(tmp_path, ending)) == tuple(map(int, library.LIBRARY_VERSION.split(".")))


def test_a_model_that_says_nothing_is_left_to_the_library() -> None:
    assert written_by(b"binf" + bytes(300)) is None
    check_model("old", b"binf" + bytes(300))


# What 3.1 and later write: their own version, and the base score as a list.
LATER = {
    "ubj": ((b"i\x03i\x00i\x05}", b"i\x03i\x02i\x00}"),),
    "json": ((b"[3,0,5]", b"[3,2,0]"),),
}


@pytest.mark.parametrize("ending", LATER)
def test_a_model_of_a_later_version_is_refused_and_not_misread(ending: str, tmp_path: Path) -> None:
    model = saved(tmp_path, ending)
    for old, new in LATER[ending]:
        assert old in model
        model = model.replace(old, new)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "xgboost-model").write_bytes(model)
    with pytest.raises(
        ContainerError, match=r"xgboost-model was written by XGBoost 3\.2\.0, .* train the model again"
    ):
        Model.load(folder)


def test_the_library_does_misread_a_base_score_that_is_a_list(tmp_path: Path) -> None:
    """Why later models are refused: should the library ever read them, the refusal can go."""
    model = saved(tmp_path, "json")
    start = model.index(b'"base_score":"') + len(b'"base_score":"')
    end = model.index(b'"', start)
    later = model[:start] + b"[" + model[start:end] + b"]" + model[end:]
    rows = xgboost.DMatrix(np.zeros((1, 2)))
    answers = []
    for content in (model, later):
        booster = xgboost.Booster()
        booster.load_model(bytearray(content))
        answers.append(float(booster.predict(rows)[0]))
    assert answers[0] == pytest.approx(10_000, rel=0.01)
    assert answers[1] < 5_000


def test_another_library_than_the_image_s_does_not_train(monkeypatch: pytest.MonkeyPatch) -> None:
    check_library()
    monkeypatch.setattr(xgboost, "__version__", "3.2.0")
    with pytest.raises(ContainerError, match=r"has XGBoost 3\.2\.0, and AWS's image .*:3\.0-5 has 3\.0\.5"):
        check_library()
