"""The answers of several algorithms become one table, each row's with its own, and anything else is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from tests.unit.refusals import refused

from tidegate.core.combine import combine
from tidegate.core.errors import BadPredictions
from tidegate.core.usage import Scoring
from tidegate.table.score import Wanted, combine_scores, prepare_scores

KINDS = {"km": "numeric", "make": "categorical", "auto": "boolean", "sold": "date"}
ROWS = 40


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    rows = [f'c{n},{n}.5,"a ""b"", c",{n % 2},2024-05-{n % 28 + 1:02}' for n in range(ROWS)]
    (tmp_path / "drop").write_text("\n".join(["id,km,make,auto,sold", *rows]))
    prepare_scores(tmp_path / "drop", Wanted(KINDS, "id"), [list(KINDS)], Scoring(), tmp_path, "cars.csv")
    return tmp_path / "inputs.parquet"


def answers(
    folder: Path, name: str, values: list, parts: int = 2, rows: list[int] | None = None
) -> list[Path]:
    """Write what batch transform answers, in parts."""
    rows = rows or list(range(2, 2 + len(values)))
    text = [
        json.dumps({"row": row, "id": "c", "SageMakerOutput": value})
        for row, value in zip(rows, values, strict=True)
    ]
    home = folder / name
    home.mkdir()
    step = -(-len(text) // parts) or 1
    for part in range(parts):
        (home / f"part-{part:05d}.jsonl.out").write_text(
            "\n".join(text[part * step : (part + 1) * step]) + "\n"
        )
    return sorted(home.iterdir())


def combined(inputs: Path, found: dict, rule: str = "max", weights: dict | None = None, **more):
    out = inputs.parent / "scores"
    out.mkdir()
    columns = more.get("columns", list(KINDS))
    count = combine_scores(inputs, found, columns, more.get("identity", "id"), rule, weights or {}, out)
    return count, pq.read_table(out / "scores.parquet"), out


FIRST = [float(n) for n in range(ROWS)]
SECOND = [float(ROWS - n) / 3 for n in range(ROWS)]


def both(inputs: Path) -> dict:
    return {
        "xgboost": answers(inputs.parent, "xgboost", FIRST, parts=3),
        "linear-learner": answers(inputs.parent, "linear-learner", [{"score": value} for value in SECOND]),
    }


def test_the_table_has_the_id_the_inputs_a_column_an_algorithm_and_the_combined_one(inputs):
    count, table, out = combined(inputs, both(inputs))
    assert count == ROWS
    assert table.column_names == [
        "id",
        *KINDS,
        "unseen",
        "prediction_xgboost",
        "prediction_linear-learner",
        "prediction",
    ]
    assert table.to_pylist()[3] == {
        "id": "c3",
        "km": 3.5,
        "make": 'a "b", c',
        "auto": True,
        "sold": date(2024, 5, 4),
        "unseen": None,
        "prediction_xgboost": 3.0,
        "prediction_linear-learner": SECOND[3],
        "prediction": SECOND[3],
    }
    # The CSV holds the same, to the last digit.
    assert pacsv.read_csv(out / "scores.csv").to_pylist() == table.to_pylist()


@pytest.mark.parametrize("rule", ["max", "min", "mean", "median", "weighted"])
def test_every_row_is_combined_exactly_as_the_api_would(inputs, rule):
    weights = {"xgboost": 3.0, "linear-learner": 0.7}
    _, table, _ = combined(inputs, both(inputs), rule, weights)
    expected = [
        combine(rule, {"xgboost": one, "linear-learner": other}, weights)
        for one, other in zip(FIRST, SECOND, strict=True)
    ]
    assert table.column("prediction").to_pylist() == expected


def test_without_an_id_the_rows_number_stands_in_its_place(inputs):
    _, table, _ = combined(inputs, both(inputs), identity=None)
    assert table.column("row").to_pylist() == list(range(2, 2 + ROWS))


def test_a_column_that_is_called_prediction_is_kept_beside_ours(inputs):
    _, table, _ = combined(inputs, both(inputs), columns=["prediction", "make", "auto", "sold"])
    assert table.column_names[1] == "prediction"
    assert table.column_names[-1] == "prediction_"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"values": FIRST[:-1]}, "after row 40 came their end, expected row 41"),
        ({"values": [*FIRST, 1.0]}, "are more than the rows that were asked"),
        ({"values": FIRST, "rows": [2, 4, 3, *range(5, 2 + ROWS)]}, "after row 2 came row 4, expected row 3"),
        ({"values": [*FIRST[:-1], None]}, "row 41 holds 'None', which is not a finite number"),
        ({"values": [*FIRST[:-1], float("nan")]}, "row 41 holds 'nan'"),
        ({"values": [{"score": "x"}, *FIRST[1:]]}, "row 2 holds 'x'"),
    ],
)
def test_answers_that_are_not_one_number_for_each_row_are_refused(inputs, given, words):
    found = {"xgboost": answers(inputs.parent, "xgboost", given["values"], rows=given.get("rows"))}
    with refused(BadPredictions, words):
        combined(inputs, found)


def test_answers_that_are_no_json_are_refused(inputs):
    found = answers(inputs.parent, "xgboost", FIRST)
    found[0].write_text("not json\n")
    with pytest.raises(BadPredictions, match="predictions of xgboost cannot be read"):
        combined(inputs, {"xgboost": found})
