"""Names are only names: columns called like anything of ours, as features, id and target, on every path."""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.api.form import Form
from tidegate.api.predictions import rows_for
from tidegate.api.records import read_records
from tidegate.core.own_names import CHECKED_ROWS, beside, input_name, listed, prediction_beside
from tidegate.core.spec import ModelSpec
from tidegate.core.usage import Scoring
from tidegate.edge.drift_metrics import publish
from tidegate.serving.apply import Recipe
from tidegate.serving.bundle import make_bundle
from tidegate.table.baseline import data_quality
from tidegate.table.prepare import prepare
from tidegate.table.scan import profile_file
from tidegate.table.score import Wanted, combine_scores
from tidegate.table.score.prepare import prepare_scores
from tidegate.table.watch.comparison import check, read_baseline
from tidegate.table.watch.known import Known
from tidegate.table.watch.labels import Label, Labels
from tidegate.table.watch.matching import Window, match, pairs_of
from tidegate.table.watch.relearn import write_drop
from tidegate.table.watch.results import KEYS, write_results
from tidegate.table.watch.rows import ABOUT, Source, read_window

ROOT = Path(__file__).parents[3]
ODD = [
    *CHECKED_ROWS,
    *("prediction_xgboost", "prediction_", "Prediction", "input_event", "row", "id", "run", "unseen"),
    *("features", "instances", "records", "score", "since", "count", "values", "f0", "_c0", "r"),
    *("__index_level_0__", "Phone No.", "sepal.width", "sepal", "helpful votes", "a,b", 'net "x"', "Ø", "價"),
]
SPELLED = dict(zip(ODD, ["numeric", "categorical", "integer"] * len(ODD), strict=False))
ROWS = 120


def model(features: dict[str, str], identity: str, target: str) -> ModelSpec:
    return ModelSpec.from_dict(
        {
            "name": "odd",
            "target": target,
            "id": identity,
            "features": features,
            "algorithms": {"xgboost": None},
        }
    )


ROLES = [("features", SPELLED, "home", "price")]
for at, word in enumerate(ODD):
    others = {name: kind for name, kind in SPELLED.items() if name != word}
    some = dict(list(others.items())[at % 7 :: 7])
    ROLES.append((f"id {word}", some, word, "price" if word != "price" else "cost"))
    ROLES.append((f"target {word}", some, "home", word))


def make(spec: ModelSpec, seed: int) -> list[dict[str, object]]:
    draw = random.Random(seed)
    cells = {
        "numeric": lambda: round(draw.uniform(1, 9), 2),
        "integer": lambda: draw.randint(1, 9),
        "categorical": lambda: draw.choice(["1", "2", "NA"]),
    }
    return [
        {
            spec.id: f"o{seed}-{at}",
            **{name: cells[feature.type]() for name, feature in spec.features.items()},
            spec.target: float(at),
        }
        for at in range(ROWS)
    ]


def write_csv(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("features", "identity", "target"), [each[1:] for each in ROLES], ids=[r[0] for r in ROLES]
)
def test_a_column_may_be_called_anything_on_every_path(tmp_path, features, identity, target):
    spec = model(features, identity, target)
    kinds = {name: feature.type for name, feature in spec.features.items()}
    # training, its channels and its baseline
    drop = write_csv(tmp_path / "train.csv", make(spec, 1))
    prepare(drop, spec, tmp_path / "run", "train.csv", bundle=make_bundle)
    recipe = json.loads((tmp_path / "run/xgboost/recipe.json").read_text())
    statistics, constraints = data_quality(tmp_path / "run/train_raw.csv", kinds={target: "numeric", **kinds})
    assert [each["name"] for each in statistics["features"]] == [target, *kinds]
    assert set(profile_file(drop).columns) == {identity, target, *kinds}
    # real time
    rows = [{key: value for key, value in row.items() if key != target} for row in make(spec, 2)]
    form = Form(kinds, identity, target)
    records = read_records(json.dumps(rows).encode(), "application/json", form)
    asked = rows_for(recipe["inputs"], records)
    assert len(Recipe(recipe).floats(asked, "application/json")) == ROWS
    # batch, whose scores hold every column as it was sent
    source, work = write_csv(tmp_path / "new.csv", rows), tmp_path / "work"
    work.mkdir()
    wanted = Wanted(
        kinds, identity, {}, {name: frozenset({"1"}) for name, k in kinds.items() if k == "categorical"}
    )
    prepare_scores(source, wanted, [list(kinds)], Scoring(), work, "new.csv")
    numbers = pq.read_table(work / "inputs.parquet").column("row").to_pylist()
    answers = tmp_path / "answers"
    answers.write_text(
        "".join(json.dumps({"row": n, "SageMakerOutput": float(at)}) + "\n" for at, n in enumerate(numbers))
    )
    out = tmp_path / "scores"
    out.mkdir()
    combine_scores(work / "inputs.parquet", {"xgboost": [answers]}, list(kinds), identity, "max", {}, out)
    scores = pq.read_table(out / "scores.parquet")
    assert (
        len(set(map(str.casefold, scores.column_names)))
        == len(set(map(str.casefold, [identity, *kinds]))) + 3
    )
    with (out / "scores.csv").open(newline="") as file:
        header = next(csv.reader(file))
    assert header == scores.column_names
    for name in (identity, *kinds):
        assert list(map(str, scores.column(name).to_pylist())) == [str(row[name]) for row in rows]
    own = beside(["unseen", "prediction_xgboost", "prediction"], [identity, *kinds])
    assert scores.column(own["prediction"]).to_pylist() == [float(at) for at in range(ROWS)]
    unseen = [
        listed(name for name, kind in kinds.items() if kind == "categorical" and row[name] != "1") or None
        for row in rows
    ]
    assert scores.column(own["unseen"]).to_pylist() == unseen
    # the monitor: a window of captured requests and scores
    capture = tmp_path / "capture"
    sides = {
        "endpointInput": {"data": asked, "encoding": "JSON"},
        "endpointOutput": {"data": "\n".join(str(float(at)) for at in range(ROWS)), "encoding": "CSV"},
    }
    meta = {"eventId": "e", "inferenceTime": "2026-01-01T00:00:00Z"}
    capture.write_text(json.dumps({"captureData": sides, "eventMetadata": meta}) + "\n")
    sources = [Source("capture", "c", capture), Source("scores", "date=2026-01-02/s", out / "scores.parquet")]
    window_file = tmp_path / "window.parquet"
    window = read_window(sources, kinds, "xgboost", identity, window_file)
    assert (window.rows, window.unreadable) == (2 * ROWS, [])
    answered = prediction_beside(kinds)
    assert list(window.profile.columns) == [*kinds, answered]
    assert window.profile.columns[answered].moments.most == ROWS - 1
    # compared with the baseline, as results, as metrics
    before, rules = read_baseline(
        statistics, constraints, kinds, "\n".join(str(float(at)) for at in range(ROWS)).encode()
    )
    found = check(before, rules, window.profile, 50, inputs=kinds)
    assert found["verdict"] in ("ok", "drift")  # the same rows twice: chance speaks twice
    assert [each["name"] for each in found["columns"]] == [*kinds, answered]
    about = {"model": "odd", "algorithm": "x", "check": "k", "window": 1, "verdict": "ok", "drifting": ""}
    for path in write_results(window_file, tmp_path, about, found["limits"], "2026-01-01").values():
        names = pq.read_schema(path).names
        assert len(set(names)) == len(names)
        assert set(ABOUT) | {"prediction", *KEYS, "unlike"} <= set(names)
        assert {input_name(name) for name in kinds} <= set(names)
    verdict = {"verdict": found["verdict"], "new_rows": 1, "endpoint": "e", "comparison": found}
    publish("odd", [{**verdict, "quality": None, "metrics": "columns"}])
    # truth, and what a retraining learns from
    came = "2026-01-01T00:00:00 one"
    labels = Labels({str(row[identity]): [Label(came, 1, 5.0)] for row in rows}, {came})
    result = match(labels, [Window(1, "m1", lambda: window_file)], Known(), tmp_path / "truth.parquet")
    assert result.total("matched") == ROWS
    assert pairs_of([tmp_path / "truth.parquet"])["prediction"].tolist() == [float(at) for at in range(ROWS)]
    write_drop(drop, "train.csv", [tmp_path / "truth.parquet"], spec, tmp_path / "again.csv")
    with (tmp_path / "again.csv").open(newline="") as file:
        fresh = list(csv.DictReader(file))[ROWS:]
    for name, kind in kinds.items():
        if kind == "categorical":
            assert [row[name] for row in fresh] == [row[name] for row in rows]


def test_the_names_of_the_table_are_those_that_ours_write():
    template = (ROOT / "template.yaml").read_text()
    start = template.index("  CheckedRows:")
    names = set(re.findall(r"{ Name: (\w+)", template[start : template.index("  RetrainFunction:")]))
    assert {"event", "verdict", "date"} <= names <= set(CHECKED_ROWS)
    assert {*ABOUT, *KEYS, "prediction", "unlike", "label", "target"} <= set(CHECKED_ROWS)


@given(
    st.lists(st.text(min_size=1, max_size=6), unique=True), st.sampled_from(["prediction", "row", "unseen"])
)
def test_our_names_are_free_beside_any_others(theirs, ours):
    found = beside([ours, "prediction_x"], theirs)
    assert not {name.casefold() for name in found.values()} & {name.casefold() for name in theirs}
    assert len(set(found.values())) == 2


@given(st.lists(st.sampled_from([*CHECKED_ROWS, *map("input_{}".format, CHECKED_ROWS), "km"]), unique=True))
def test_no_two_inputs_get_one_name_among_the_checked_rows(names):
    found = [input_name(name) for name in names]
    assert len(set(found)) == len(names)
    assert not set(found) & set(CHECKED_ROWS)
