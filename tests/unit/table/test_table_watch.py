"""A window's rows, labels and results: what people send in many forms is counted and compared as one."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.spec import ModelSpec
from tidegate.table.watch.cells import read_column
from tidegate.table.watch.known import Known
from tidegate.table.watch.labels import Label, Labels
from tidegate.table.watch.matching import Window, match
from tidegate.table.watch.quality import judge
from tidegate.table.watch.relearn import write_drop
from tidegate.table.watch.results import write_results
from tidegate.table.watch.rows import Source, events_of, read_window

COLUMNS = {"km": "numeric", "year": "integer", "make": "categorical", "automatic": "boolean", "day": "date"}


def capture(path: Path, *requests: tuple, output: str | None = None) -> Path:
    """Write a capture file: each request is (event, inference id, data, encoding)."""
    lines = []
    for event, inference, data, encoding in requests:
        rows = len(json.loads(data)) if encoding == "JSON" else len(data.split("\n"))
        answers = output if output is not None else "\n".join(str(100.0 + at) for at in range(rows))
        meta = {"eventId": event, "inferenceTime": "2024-05-04T10:00:00Z"}
        lines.append(
            {
                "captureData": {
                    "endpointInput": {
                        "observedContentType": "x",
                        "mode": "INPUT",
                        "data": data,
                        "encoding": encoding,
                    },
                    "endpointOutput": {
                        "observedContentType": "x",
                        "mode": "OUTPUT",
                        "data": answers,
                        "encoding": "CSV",
                    },
                },
                "eventMetadata": {**meta, **({"inferenceId": inference} if inference else {})},
                "eventVersion": "0",
            }
        )
    path.write_text("\n".join(json.dumps(each) for each in lines))
    return path


def read(tmp_path: Path, *sources: Source):
    return read_window(sources, COLUMNS, "xgboost", "listing", tmp_path / "rows.parquet")


def test_csv_and_json_requests_become_the_same_rows(tmp_path):
    text = capture(tmp_path / "a", ("e1", None, "5,2020,fiat,yes,2024-01-02", "CSV"))
    record = {"km": 5.0, "year": "2020", "make": " fiat ", "automatic": True, "day": "2024-01-02T10:00:00Z"}
    named = capture(tmp_path / "b", ("e2", "q", json.dumps([{**record, "listing": "c-9"}]), "JSON"))
    window = read(tmp_path, Source("capture", "a", text), Source("capture", "b", named))
    first, second = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert {name: first[name] for name in COLUMNS} == {name: second[name] for name in COLUMNS}
    assert (first["automatic"], first["day"], first["prediction"]) == (1, "2024-01-02", 100.0)
    assert (first["request_id"], second["request_id"], second["row_id"]) == ("e1", "q", "c-9")
    assert window.profile.columns["km"].types.fractional == 2
    assert window.profile.columns["automatic"].types.integral == 2
    assert (window.rows, window.first) == (2, "2024-05-04T10:00:00Z")


def test_a_cell_that_does_not_fit_its_type_stays_a_finding(tmp_path):
    path = capture(tmp_path / "a", ("e1", None, "many,2020,fiat,yes,\n,,,NA,x", "CSV"))
    window = read(tmp_path, Source("capture", "a", path))
    types = window.profile.columns["km"].types
    assert (types.string, types.missing) == (1, 1)
    assert window.profile.columns["make"].types.missing == 1


def test_the_rows_of_a_request_are_known_by_their_place_in_it(tmp_path):
    path = capture(tmp_path / "a", ("e1", "ask", "1,2,a,no,\n2,2,a,no,", "CSV"))
    read(tmp_path, Source("capture", "a", path))
    rows = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [row["prediction_id"] for row in rows] == ["ask/0", "ask/1"]
    assert [row["request_id"] for row in rows] == [None, None]
    assert events_of(tmp_path / "rows.parquet", "a") == {"e1/0", "e1/1"}


def test_rows_that_were_counted_before_are_left_out(tmp_path):
    path = capture(tmp_path / "a", ("e1", None, "1,2,a,no,", "CSV"), ("e2", None, "3,2,a,no,", "CSV"))
    window = read(tmp_path, Source("capture", "a", path, frozenset({"e1/0"})))
    assert (window.rows, window.repeated) == (1, 1)


def test_a_line_that_cannot_be_read_is_left_out_counted_and_told_and_those_beside_it_count(tmp_path):
    good = capture(tmp_path / "good", ("e1", None, "1,2,a,no,", "CSV"))
    bad = capture(tmp_path / "bad", ("e2", None, "1,2,a,no,", "CSV"), ("e3", None, "1,2", "CSV"))
    window = read(tmp_path, Source("capture", "bad", bad), Source("capture", "good", good))
    assert (window.rows, window.skipped) == (2, 1)
    assert window.unreadable[0].plain.startswith("bad: 1 line was left out: bad, line 2")
    assert "expected 5" in window.unreadable[0].plain


def test_scores_of_another_algorithm_are_none_of_this_window(tmp_path):
    table = pa.table({"listing": ["c-1"], "km": [5.0], "prediction_xgboost": [7.0], "prediction": [7.0]})
    pq.write_table(table, tmp_path / "s")
    key = "cars/scores/date=2024-05-04/run=r/scores.parquet"
    assert read(tmp_path, Source("scores", key, tmp_path / "s")).rows == 1
    [row] = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert (row["row_id"], row["km"], row["prediction"], row["at"]) == ("c-1", 5.0, 7.0, "2024-05-04")
    none = read_window(
        [Source("scores", key, tmp_path / "s")], COLUMNS, "linear-learner", "listing", tmp_path / "none"
    )
    assert none.rows == 0


@pytest.mark.slow
@given(
    st.lists(st.one_of(st.text(max_size=8), st.floats(), st.integers(), st.booleans(), st.none()), max_size=5)
)
def test_any_cells_can_be_read_as_any_type(sent):
    for kind in COLUMNS.values():
        array, profile = read_column(
            pa.array([None if each is None else str(each) for each in sent], pa.string()), kind
        )
        assert len(array) == profile.types.present + profile.types.missing == len(sent)
        assert array.null_count >= profile.types.missing


@pytest.mark.parametrize("kind", ["numeric", "integer"])
@given(st.lists(st.sampled_from(["1", " 2 ", "3.0", "", "NA", "-7", "1e3"]), min_size=1))
def test_the_quick_way_and_the_careful_way_read_alike(kind, sent):
    quick, _ = read_column(pa.array(sent), kind)
    careful, _ = read_column(pa.array([*sent, "odd"]), kind)
    assert quick.to_pylist() == careful.to_pylist()[:-1]


def labelled(tmp_path: Path, text: str, came: str = "2024-05-05T00:00:00 one") -> Labels:
    labels = Labels()
    (tmp_path / "labels.csv").write_text("id,target\n" + text)
    labels.add(tmp_path / "labels.csv", came)
    return labels


def window_file(tmp_path: Path, name: str, *ids: str) -> Path:
    path = capture(
        tmp_path / name, *((f"{name}-{at}", each, "1,2,a,no,", "CSV") for at, each in enumerate(ids))
    )
    out = tmp_path / f"{name}.parquet"
    read_window([Source("capture", name, path)], COLUMNS, "xgboost", "listing", out)
    return out


def windows_of(*fetches) -> list[Window]:
    """Number windows, of which the first is the newest."""
    return [Window(len(fetches) - at, "m1", fetch) for at, fetch in enumerate(fetches)]


def test_labels_are_matched_newest_first_and_no_window_is_read_in_vain(tmp_path):
    new, old = window_file(tmp_path, "new", "a", "b"), window_file(tmp_path, "old", "a", "c")
    labels = labelled(tmp_path, "a,1\nb,2\nc,3\nd/0,4\n")
    fetched, known = [], Known()

    def fetch(path: Path):
        return lambda: fetched.append(path) or path

    both = windows_of(fetch(new), fetch(old))
    assert match(labels, both, known, tmp_path / "truth.parquet").total("matched") == 3
    assert list(labels.values) == ["d/0"]
    rows = pq.read_table(tmp_path / "truth.parquet").to_pylist()
    assert [(row["label"], row["event"], row["target"]) for row in rows] == [
        ("a", "new-0/0", 1.0),
        ("b", "new-1/0", 2.0),
        ("c", "old-1/0", 3.0),
    ]
    assert {event: truth.target for event, truth in known.truths.items()} == {
        "new-0/0": 1.0,
        "new-1/0": 2.0,
        "old-1/0": 3.0,
    }
    assert fetched == [new, old, new]
    done = labelled(tmp_path, "a,1\n")
    assert match(done, both, known, tmp_path / "again.parquet").total("repeated") == 1
    assert not (tmp_path / "again.parquet").exists()
    assert fetched == [new, old, new, new]


def test_labels_wait_and_are_given_up_after_their_time(tmp_path):
    labels = labelled(tmp_path, "a,1\nb,2\na,9\n")
    assert labels.repeated.total() == 1
    labels.write(tmp_path / "waiting.csv")
    later = Labels()
    later.add(tmp_path / "waiting.csv")
    came = "2024-05-05T00:00:00 one"
    assert later.values == {"a": [Label(came, 3, 9.0)], "b": [Label(came, 2, 2.0)]}
    assert later.expire("2024-06-01") == 2
    assert later.values == {}


def test_a_label_that_waited_is_looked_for_in_the_newest_window_alone(tmp_path):
    new, old = window_file(tmp_path, "new", "a"), window_file(tmp_path, "old", "b")
    labelled(tmp_path, "a,1\nz,2\n").write(tmp_path / "waiting.csv")
    labels, fetched = Labels(), []
    labels.add(tmp_path / "waiting.csv")
    both = windows_of(lambda: fetched.append("new") or new, lambda: fetched.append("old") or old)
    assert match(labels, both, Known(), tmp_path / "truth.parquet").total("matched") == 1
    assert (list(labels.values), fetched) == (["z"], ["new"])


def test_a_model_no_worse_than_chance_explains_is_ok_and_a_worse_one_is_not():
    import numpy as np

    dice = np.random.default_rng(1)
    truth = dice.normal(1000, 200, 400)
    rules = {
        "regression_constraints": {"rmse": {"threshold": 50.0, "comparison_operator": "GreaterThanThreshold"}}
    }
    before = {"rmse": {"value": 50.0, "low": 46.0, "high": 54.0}}
    as_before = judge({"target": truth, "prediction": truth + dice.normal(0, 51, 400)}, before, rules, 100)
    assert as_before["verdict"] == "ok"
    worse = judge({"target": truth, "prediction": truth + dice.normal(0, 75, 400)}, before, rules, 100)
    assert worse["verdict"] == "drift"
    assert worse["violations"][0]["metric_name"] == "rmse"
    assert "RMSE is 7" in worse["sentence"]
    few = judge({"target": truth[:50], "prediction": truth[:50]}, before, rules, 100)
    assert few["verdict"] == "insufficient"


def test_results_say_by_day_which_rows_are_unlike_the_baseline(tmp_path):
    path = capture(
        tmp_path / "a", ("e1", None, "5,2020,fiat,yes,", "CSV"), ("e2", None, "99,2020,saab,yes,", "CSV")
    )
    read(tmp_path, Source("capture", "a", path))
    about = {
        "model": "cars",
        "algorithm": "xgboost",
        "check": "r",
        "window": 1,
        "verdict": "ok",
        "drifting": "",
    }
    limits = {
        "km": {"complete": True, "least": 0, "most": 10},
        "make": {"complete": False, "domain": ["fiat"]},
    }
    files = write_results(tmp_path / "rows.parquet", tmp_path, about, limits, "2024-01-01")
    assert list(files) == ["2024-05-04"]
    rows = pq.read_table(files["2024-05-04"]).to_pylist()
    assert [row["unlike"] for row in rows] == ["", "km,make"]
    assert rows[0]["model"] == "cars"


@pytest.mark.parametrize(
    ("sent", "held", "odd"),
    [
        (["5", "", "11", "-1"], {"complete": True, "least": 0, "most": 10}, [1, 2, 3]),
        (["5", "", "10", "0"], {"complete": False, "least": 0.0, "most": 10.0}, []),
        (["5", "", "6", "5"], {"complete": False, "domain": ["5.0"]}, [2]),
        (["", "", "", ""], {"complete": False, "domain": ["5.0"]}, []),
        (["5", "", "6", "5"], {"complete": True}, [1]),
    ],
)
def test_a_row_is_unlike_where_the_baseline_has_no_such_value(tmp_path, sent, held, odd):
    path = capture(tmp_path / "a", ("e1", None, "\n".join(f"{each},2020,fiat,yes," for each in sent), "CSV"))
    read(tmp_path, Source("capture", "a", path))
    about = dict.fromkeys(("model", "algorithm", "check", "verdict", "drifting"), "") | {"window": 1}
    [file] = write_results(tmp_path / "rows.parquet", tmp_path, about, {"km": held}, "2024").values()
    unlike = pq.read_table(file).column("unlike").to_pylist()
    assert [place for place, names in enumerate(unlike) if names] == odd


def test_a_retraining_learns_from_the_old_drop_and_a_labelled_row_replaces_its_old_self(tmp_path):
    spec = ModelSpec.from_dict(
        {
            "name": "cars",
            "target": "price",
            "id": "listing",
            "features": {"km": "numeric", "make": "categorical"},
            "algorithms": {"xgboost": None},
        }
    )
    lines = [f"c{at},{at},fiat,{at * 10}" for at in range(25)]
    (tmp_path / "old.csv").write_text("\n".join(["listing,km,make,price", *lines]))
    rows = [{"km": 7, "make": "saab", "listing": "c3"}, {"km": None, "make": "a,b", "listing": "n1"}]
    path = capture(tmp_path / "cap", ("e", None, json.dumps(rows), "JSON"))
    columns = {"km": "numeric", "make": "categorical"}
    read_window([Source("capture", "a", path)], columns, "xgboost", "listing", tmp_path / "rows.parquet")
    windows = windows_of(lambda: tmp_path / "rows.parquet")
    match(labelled(tmp_path, "c3,1\nn1,2\n"), windows, Known(), tmp_path / "truth.parquet")
    counts = write_drop(
        tmp_path / "old.csv", "old.csv", [tmp_path / "truth.parquet"], spec, tmp_path / "out.csv"
    )
    assert counts == (24, 2)
    written = (tmp_path / "out.csv").read_text().splitlines()
    assert written[0] == "listing,km,make,price"
    assert "c3,7.0,saab,1.0" in written
    assert 'n1,,"a,b",2.0' in written
    assert not any(line.startswith("c3,3") for line in written)


@pytest.mark.parametrize("kind", ["capture", "scores"])
def test_a_window_of_nothing_is_an_empty_table(tmp_path, kind):
    (tmp_path / "x").write_text("{}" if kind == "capture" else "no")
    window = read(tmp_path, Source(kind, "x", tmp_path / "x"))
    assert window.rows == 0
    assert len(window.unreadable) == 1
    assert pq.read_table(tmp_path / "rows.parquet").num_rows == 0


def test_requests_have_an_order_that_tells_and_scored_files_have_one_of_their_own(tmp_path):
    lines = [f"{at // 20},2020,fiat,yes," for at in (*range(200), *range(0, 200, 3), *range(100))]
    path = capture(tmp_path / "a", ("e1", None, "\n".join(lines), "CSV"))
    asked = read(tmp_path, Source("capture", "a", path)).profile.columns["km"].succession
    assert asked.values == len(lines) and asked.rows_for_one > 3
    table = pa.table(
        {
            "listing": [f"c-{at}" for at in range(len(lines))],
            "km": [float(line.split(",")[0]) for line in lines],
            "prediction_xgboost": [7.0] * len(lines),
            "prediction": [7.0] * len(lines),
        }
    )
    pq.write_table(table, tmp_path / "s")
    key = "cars/scores/date=2024-05-04/run=r/scores.parquet"
    scored = read(tmp_path, Source("scores", key, tmp_path / "s")).profile.columns["km"]
    assert (scored.types.present, scored.succession.values) == (len(lines), 0)
