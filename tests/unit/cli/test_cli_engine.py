"""`profile` and `compare` on files of rows, without any cloud."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def files(tmp_path: Path) -> Path:
    def write(name: str, seed: int, rows: int, shift: float = 0.0) -> None:
        rng = np.random.default_rng(seed)
        cells = zip(rng.normal(50 + shift, 5, rows), rng.choice(["red", "blue"], rows), strict=True)
        (tmp_path / name).write_text("size,colour\n" + "".join(f"{s:.3f},{c}\n" for s, c in cells))

    write("base.csv", 1, 2000)
    write("same.csv", 2, 500)
    write("moved.csv", 3, 500, shift=6)
    write("few.csv", 4, 50)
    return tmp_path


def test_a_profile_is_shown_to_people(files: Path, tidegate: Any) -> None:
    done = tidegate("profile", str(files / "base.csv"))
    assert done.exit_code == 0
    assert "Fractional" in done.stdout and "2,000 rows" in done.stdout
    assert "red 5" in done.stdout or "red 4" in done.stdout  # about half


def test_json_prints_the_statistics_document(files: Path, tidegate: Any) -> None:
    document = json.loads(tidegate("profile", str(files / "base.csv"), "--json").stdout)
    assert document["dataset"] == {"item_count": 2000}
    assert [feature["name"] for feature in document["features"]] == ["size", "colour"]


def test_several_files_are_one_table(files: Path, tidegate: Any) -> None:
    done = tidegate("profile", str(files / "base.csv"), str(files / "same.csv"), "--json")
    assert json.loads(done.stdout)["dataset"] == {"item_count": 2500}


@pytest.mark.parametrize(
    ("file", "verdict", "code"),
    [("same.csv", "ok", 0), ("moved.csv", "drift", 3), ("few.csv", "insufficient", 4)],
)
def test_the_verdict_is_the_exit_code(files: Path, tidegate: Any, file: str, verdict: str, code: int) -> None:
    tidegate("profile", str(files / "base.csv"), "-o", str(files / "baseline"))
    for baseline in ("base.csv", "baseline", "baseline/statistics.json"):
        done = tidegate("compare", str(files / baseline), str(files / file), "--json")
        assert (done.exit_code, json.loads(done.stdout)["verdict"]) == (code, verdict)


def test_drift_is_told_in_words_and_written_in_model_monitor_s(files: Path, tidegate: Any) -> None:
    out = files / "report"
    done = tidegate("compare", str(files / "base.csv"), str(files / "moved.csv"), "-o", str(out))
    assert done.stdout.startswith("drift  size: the mean went from 49.93 to 56.27")
    [violation] = json.loads((out / "constraint_violations.json").read_text())["violations"]
    assert violation["feature_name"] == "size"
    assert violation["description"].startswith("Baseline drift distance: 0.")
    assert json.loads((out / "statistics.json").read_text())["dataset"] == {"item_count": 500}


def test_edited_constraints_count(files: Path, tidegate: Any) -> None:
    tidegate("profile", str(files / "base.csv"), "-o", str(files / "baseline"))
    rules = files / "baseline" / "constraints.json"
    document = json.loads(rules.read_text())
    document["monitoring_config"]["distribution_constraints"]["comparison_threshold"] = 0.9
    rules.write_text(json.dumps(document))
    assert tidegate("compare", str(files / "baseline"), str(files / "moved.csv")).exit_code == 0
    document["features"][0]["completeness"] = 7
    rules.write_text(json.dumps(document))
    wrong = tidegate("compare", str(files / "baseline"), str(files / "moved.csv"))
    assert wrong.exit_code == 1
    assert "size.completeness: expected a share between 0 and 1" in wrong.stderr


def test_a_file_that_cannot_be_read_is_told_by_its_line(files: Path, tidegate: Any) -> None:
    (files / "bad.csv").write_text("a,b\n1,2\n3\n")
    done = tidegate("profile", str(files / "bad.csv"))
    assert done.exit_code == 1
    assert "bad.csv, line 3: 1 field, expected 2" in done.stderr


def test_a_folder_without_a_baseline_says_how_to_make_one(files: Path, tidegate: Any) -> None:
    (files / "empty").mkdir()
    done = tidegate("compare", str(files / "empty"), str(files / "same.csv"))
    assert done.exit_code == 1
    assert "tidegate profile FILE -o" in done.stderr


def test_a_header_without_rows_is_told(files: Path, tidegate: Any) -> None:
    (files / "none.csv").write_text("a,b\n")
    assert "no rows" in tidegate("profile", str(files / "none.csv")).stderr


def test_columns_are_ranked_by_what_they_are_worth_to_the_model_where_its_run_tells(
    files: Path, tidegate: Any
) -> None:
    rng = np.random.default_rng(5)
    lines = [f"{50 + 5 * rng.normal() + 6:.3f},{'red' if at % 4 else 'blue'}" for at in range(900)]
    (files / "both.csv").write_text("size,colour\n" + "\n".join(lines) + "\n")
    tidegate("profile", str(files / "base.csv"), "-o", str(files / "baseline" / "data_quality"))
    asked = ("compare", str(files / "baseline" / "data_quality"), str(files / "both.csv"))
    assert json.loads(tidegate(*asked, "--json").stdout)["worst"] == ["size", "colour"]
    weighed = {"columns": {"size": 0.05, "colour": 0.95}, "fidelity": 1.0, "rows": 300}
    (files / "baseline" / "model_quality").mkdir()
    (files / "baseline" / "model_quality" / "importances.json").write_text(json.dumps(weighed))
    document = json.loads(tidegate(*asked, "--json").stdout)
    assert document["worst"] == ["colour", "size"]
    assert document["importances"] == weighed["columns"]
    shown = tidegate(*asked).stdout
    assert "importance" in shown
    assert "95%" in shown
