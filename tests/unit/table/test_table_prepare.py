"""Preprocessing writes the whole layout of a run, and the served recipe reads what it wrote."""

from __future__ import annotations

import csv
import json
import time

import numpy as np
import pytest
from table_cars import cars_spec

from tidegate.core.errors import BadDrop
from tidegate.core.spec import ModelSpec
from tidegate.serving.apply import Recipe
from tidegate.serving.bundle import make_bundle
from tidegate.table.prepare import prepare
from tidegate.table.read import read_drop
from tidegate.table.recipe import encode

SPEC = cars_spec("Asking price", "xgboost", "linear-learner")


def drop(path, rows=400, seed=3, last_id="4 00"):
    rng = np.random.default_rng(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Id", "note", "Asking price", "KM", "Fuel", "Sold", "Age", "Metallic"])
        for at in range(rows):
            writer.writerow(
                [
                    f"id {at}" if at < rows - 1 else last_id,
                    "x",
                    round(float(rng.normal(10_000, 500)), 2),
                    "" if rng.random() < 0.1 else int(rng.integers(0, 90_000)),
                    rng.choice(["Diesel", "Petrol, plain", "é", ""]),
                    "" if rng.random() < 0.1 else f"2024-0{rng.integers(1, 9)}-11",
                    rng.integers(1, 99),
                    rng.choice(["yes", "no"]),
                ]
            )
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    counts = prepare(drop(folder / "in.csv"), SPEC, folder / "out", "cars.csv", bundle=make_bundle)
    return folder, counts


def test_the_layout_is_complete_and_nothing_else_is_written(run):
    folder, _ = run
    written = sorted(
        str(path.relative_to(folder / "out")) for path in (folder / "out").rglob("*") if path.is_file()
    )
    each = ["recipe.json", "recipe.tar.gz", "train/part-0.csv", "validation/part-0.csv"]
    assert written == sorted(
        [f"{a}/{f}" for a in ("xgboost", "linear-learner") for f in each]
        + ["test/rows/part-00000.jsonl", "test/truth.csv", "train_raw.csv"]
    )


def test_the_counts_are_those_of_the_files(run):
    folder, counts = run
    lines = {path: len((folder / "out" / path).read_text().splitlines()) for path in FILES}
    assert counts["rows"] == 400 == counts["train"] + counts["validation"] + counts["test"]
    assert counts["columns"] == 5
    assert lines == {
        "xgboost/train/part-0.csv": counts["train"],
        "linear-learner/validation/part-0.csv": counts["validation"],
        "test/rows/part-00000.jsonl": counts["test"],
        "test/truth.csv": counts["test"] + 1,
        "train_raw.csv": counts["train"] + 1,
    }
    for algorithm, outputs in counts["outputs"].items():
        first = (folder / "out" / algorithm / "train/part-0.csv").read_text().split("\n", 1)[0]
        assert first.count(",") == outputs


FILES = (
    "xgboost/train/part-0.csv",
    "linear-learner/validation/part-0.csv",
    "test/rows/part-00000.jsonl",
    "test/truth.csv",
    "train_raw.csv",
)


def test_held_out_rows_are_raw_and_line_up_with_their_truth(run):
    folder, _ = run
    rows = [
        json.loads(line)
        for line in (folder / "out/test/rows/part-00000.jsonl").read_text("utf-8").splitlines()
    ]
    with (folder / "out/test/truth.csv").open(newline="", encoding="utf-8") as file:
        truth = list(csv.DictReader(file))
    with (folder / "in.csv").open(newline="", encoding="utf-8") as file:
        source = {row["Id"]: row for row in csv.DictReader(file)}
    assert len(rows) == len(truth) > 20
    for row, answer in zip(rows, truth, strict=True):
        was = source[answer["id"]]
        assert list(row) == list(SPEC.features)
        assert float(answer["target"]) == float(was["Asking price"])
        assert row["KM"] == (float(was["KM"]) if was["KM"] else None)
        assert row["Fuel"] == (was["Fuel"] or None)
        assert row["Sold"] == (was["Sold"] or None)
        assert (row["Age"], row["Metallic"]) == (int(was["Age"]), was["Metallic"] == "yes")


def test_rows_without_an_id_are_told_by_their_number(tmp_path):
    spec = ModelSpec.from_dict({**SPEC.to_dict(), "id": None})
    prepare(drop(tmp_path / "in.csv"), spec, tmp_path / "out", "x", bundle=make_bundle)
    with (tmp_path / "in.csv").open(newline="", encoding="utf-8") as file:
        prices = [float(row["Asking price"]) for row in csv.DictReader(file)]
    with (tmp_path / "out/test/truth.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            assert prices[int(row["id"]) - 1] == float(row["target"])


def test_the_served_recipe_reads_the_held_out_rows_to_the_same_doubles(run):
    folder, _ = run
    for algorithm in SPEC.algorithms:
        recipe = json.loads((folder / "out" / algorithm / "recipe.json").read_text("utf-8"))
        table = read_drop(folder / "in.csv", SPEC, "cars.csv")
        by_id = dict(zip(table.ids.texts(), encode(table, recipe).tolist(), strict=True))
        with (folder / "out/test/truth.csv").open(newline="", encoding="utf-8") as file:
            wanted = [by_id[row["id"]] for row in csv.DictReader(file)]
        body = (folder / "out/test/rows/part-00000.jsonl").read_bytes()
        assert Recipe(recipe).floats(body, "application/jsonlines") == wanted


def test_the_same_drop_gives_the_same_bytes(run, tmp_path):
    folder, _ = run
    prepare(folder / "in.csv", SPEC, tmp_path, "another name.csv", bundle=make_bundle)
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        assert path.read_bytes() == (folder / "out" / path.relative_to(tmp_path)).read_bytes(), path


def test_only_the_training_rows_shape_the_recipe(run, tmp_path):
    """A level that is only in the last row appears in the recipe only if that row trains."""
    folder, counts = run
    recipe = json.loads((folder / "out/xgboost/recipe.json").read_text("utf-8"))
    with (folder / "out/train_raw.csv").open(newline="", encoding="utf-8") as file:
        trained = list(csv.DictReader(file))
    assert len(trained) == counts["train"]
    known = sorted(float(row["KM"]) for row in trained if row["KM"])
    assert recipe["columns"][0]["impute"] == float(np.median(known))


def test_hundreds_of_levels_are_written_quickly(tmp_path):
    rng = np.random.default_rng(1)
    spec = ModelSpec.from_dict(
        {
            "name": "wide",
            "target": "y",
            "features": {"model": "categorical", "make": "categorical", "x": "numeric"},
            "algorithms": {"xgboost": None},
        }
    )
    models, makes = rng.integers(0, 500, 20_000), rng.integers(0, 90, 20_000)
    text = "\n".join(f"{a},{b},{a * 0.5},{b}" for a, b in zip(models, makes, strict=True))
    (tmp_path / "in.csv").write_text("model,make,x,y\n" + text)
    began = time.process_time()
    counts = prepare(tmp_path / "in.csv", spec, tmp_path / "out", "in.csv", bundle=make_bundle)
    assert counts["outputs"]["xgboost"] == 500 + 1 + 90 + 1 + 1
    assert time.process_time() - began < 5  # 0.3 s on an idle machine


def shared(tmp_path, count, rows=400):
    algorithms = {"xgboost": {"count": count}, "linear-learner": None}
    spec = ModelSpec.from_dict({**SPEC.to_dict(), "algorithms": algorithms})
    source = drop(tmp_path / "in.csv", rows)
    return prepare(source, spec, tmp_path / f"out {count}", "cars.csv", bundle=make_bundle)


def test_instances_that_train_together_share_the_rows_equally_and_none_is_lost(tmp_path):
    whole, parted = shared(tmp_path, 1), shared(tmp_path, 3)
    assert whole == parted
    files = sorted((tmp_path / "out 3/xgboost/train").iterdir())
    assert [path.name for path in files] == ["part-0.csv", "part-1.csv", "part-2.csv"]
    lines = [path.read_text().splitlines() for path in files]
    assert max(map(len, lines)) - min(map(len, lines)) <= 1
    (one,) = (tmp_path / "out 1/xgboost/train").iterdir()
    assert [line for part in lines for line in part] == one.read_text().splitlines()
    assert len(list((tmp_path / "out 3/xgboost/validation").iterdir())) == 1
    assert len(list((tmp_path / "out 3/linear-learner/train").iterdir())) == 1


def test_more_instances_than_training_rows_are_refused_with_what_to_do(tmp_path):
    with pytest.raises(BadDrop, match=r"fewer than the 20 instances.*algorithms\.xgboost\.count"):
        shared(tmp_path, 20, rows=24)


def test_a_sorted_file_is_trained_on_in_no_order(tmp_path):
    lines = [f"{at},{at}" for at in range(1000)]
    (tmp_path / "in.csv").write_text("x,y\n" + "\n".join(lines))
    spec = ModelSpec.from_dict(
        {"name": "line", "target": "y", "features": {"x": "numeric"}, "algorithms": {"linear-learner": None}}
    )
    prepare(tmp_path / "in.csv", spec, tmp_path / "out", "in.csv", bundle=make_bundle)
    text = (tmp_path / "out/linear-learner/train/part-0.csv").read_text()
    labels = [float(line.split(",")[0]) for line in text.splitlines()]
    assert abs(np.corrcoef(np.arange(len(labels)), labels)[0, 1]) < 0.1
    raw = [line.split(",")[0] for line in (tmp_path / "out/train_raw.csv").read_text().splitlines()[1:]]
    assert [*map(float, raw)] == sorted(labels)  # the baseline knows the order in which rows came
