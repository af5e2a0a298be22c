"""The XGBoost image computes what the library computes: the same metrics, the same predictions."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xgboost
from images_containers import lay_out, serving, train

pytestmark = pytest.mark.integration

IMAGE = "sagemaker-xgboost:1.7-1"
ROUNDS = 15
PRINTED = 5e-6  # the container prints five digits after the point


def table(count: int, seed: int, classes: int) -> np.ndarray:
    dice = np.random.default_rng(seed)
    features = dice.normal(size=(count, 4)).round(6)
    signal = features @ [3.0, -2.0, 1.0, 0.0] + dice.normal(scale=0.3, size=count)
    label = signal if classes == 0 else np.digitize(signal, np.linspace(-2, 2, classes + 1)[1:-1])
    return np.column_stack([label, features])


def text_of(rows: np.ndarray) -> str:
    return "".join(",".join(f"{cell:.6f}" for cell in row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("objective", "metrics", "classes"),
    [
        ("reg:squarederror", ("rmse", "mae"), 0),
        ("binary:logistic", ("logloss", "auc", "error"), 2),
        ("multi:softprob", ("mlogloss", "merror"), 3),
    ],
)
def test_metrics_and_predictions_are_the_library_s(
    tmp_path: Path, objective: str, metrics: tuple[str, ...], classes: int
) -> None:
    parts = {"train": table(200, 1, classes), "validation": table(80, 2, classes)}
    parameters = {"objective": objective, "eta": "0.3", "max_depth": "3", "seed": "7", "nthread": "2"}
    if classes > 2:
        parameters["num_class"] = str(classes)
    given = {**parameters, "num_round": str(ROUNDS), "eval_metric": ",".join(metrics)}
    root = lay_out(tmp_path, given, {name: text_of(rows) for name, rows in parts.items()})
    code, log = train(IMAGE, root)
    assert code == 0, log

    # What the image reads is the text, so the library is given the numbers of the text.
    read = {name: np.loadtxt(text_of(rows).splitlines(), delimiter=",") for name, rows in parts.items()}
    matrices = {name: xgboost.DMatrix(rows[:, 1:], label=rows[:, 0]) for name, rows in read.items()}
    expected: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        {**parameters, "eval_metric": list(metrics)},
        matrices["train"],
        ROUNDS,
        evals=[(matrices[name], name) for name in ("train", "validation")],
        evals_result=expected,
        verbose_eval=False,
    )
    for name in parts:
        for metric in metrics:
            printed = [float(each) for each in re.findall(rf"\t{name}-{metric}:(\S+)", log)]
            assert printed == pytest.approx(expected[name][metric], abs=PRINTED)

    asked = text_of(parts["validation"][:, 1:])
    with serving(IMAGE, root) as server:
        status, body, _ = server.ask(asked.encode(), Content_Type="text/csv", Accept="text/csv")
    assert status == 200
    answers = np.array([float(cell) for cell in re.split(r"[,\s]+", body.decode().strip("[]\n "))])
    predicted = booster.predict(matrices["validation"]).ravel()
    assert answers == pytest.approx(predicted, abs=1e-6)
