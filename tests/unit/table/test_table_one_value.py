"""One value is one category and one id, by whichever way it comes in: the law of `tidegate.serving.texts`.

The ways in: training (CSV, Parquet), batch scoring (CSV, JSON Lines, Parquet), an endpoint and the API (JSON,
JSON Lines, CSV), captured requests (CSV, JSON), scored rows; and what the recipe makes of all of them.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.api.form import Form
from tidegate.api.predictions import rows_for
from tidegate.api.records import read_records
from tidegate.core.check import lost_truth
from tidegate.core.monitoring import weigh
from tidegate.core.spec import ModelSpec
from tidegate.core.usage import Scoring
from tidegate.serving.apply import Recipe
from tidegate.serving.texts import category_text, joining_key
from tidegate.table.read import read_drop
from tidegate.table.recipe import encode, fit_recipe
from tidegate.table.score import Wanted
from tidegate.table.score.prepare import prepare_scores
from tidegate.table.watch.known import Known
from tidegate.table.watch.labels import Label, Labels
from tidegate.table.watch.matching import Window, match
from tidegate.table.watch.rows import Source, read_window

ROWS = 20
WORDS = [
    "NA",
    "None",
    "null",
    "?",
    "NaN",
    "n/a",
    "nan",
    "007",
    "042",
    "1.10",
    "+3",
    "1e5",
    "3.0.1",
    "a,b",
    "Ø",
]


def spec(missing: list[str] | None = None) -> ModelSpec:
    feature = {"type": "categorical", **({"missing": missing} if missing else {})}
    return ModelSpec.from_dict(
        {
            "name": "zones",
            "target": "price",
            "id": "home",
            "features": {"zone": feature, "area": "numeric"},
            "algorithms": {"xgboost": None},
        }
    )


# --- the ways in: each takes cells and gives the category of each, None for a gap ----------------------------


def drop(folder: Path, cells: list, ids: list, kind: str) -> Path:
    rows = [
        {"home": name, "zone": cell, "area": float(at), "price": 100.0 + at}
        for at, (cell, name) in enumerate(zip(cells, ids, strict=True))
    ]
    path = folder / f"drop-{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "lines":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return path


def trained(folder: Path, cells: list, kind: str, model: ModelSpec) -> list[str | None]:
    table = read_drop(drop(folder, cells, list(range(len(cells))), kind), model, "homes")
    return table.columns["zone"].texts()


def scored(folder: Path, cells: list, kind: str, model: ModelSpec) -> tuple[list, list, Path]:
    """Give the categories in the scores' inputs and in what the models read, and the former's file."""
    out = folder / f"out-{kind}-{len(list(folder.iterdir()))}"
    out.mkdir()
    wanted = Wanted({"zone": "categorical", "area": "numeric"}, "home", model.missing)
    path = drop(folder, cells, list(range(len(cells))), kind)
    prepare_scores(path, wanted, [["zone", "area"]], Scoring(), out, "homes")
    kept = pq.read_table(out / "inputs.parquet").column("f0").to_pylist()
    lines = [json.loads(line) for line in (out / "rows/0/part-00000.jsonl").read_text().splitlines()]
    return kept, [line["features"][0] for line in lines], out / "inputs.parquet"


def captured(folder: Path, cells: list, encoding: str, model: ModelSpec) -> list[str | None]:
    path, out = folder / f"capture-{encoding}", folder / f"window-{encoding}"
    if encoding == "CSV":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([cell, 1.5] for cell in cells)
        data = text.getvalue()
    else:
        data = json.dumps([{"zone": cell, "area": 1.5} for cell in cells])
    record = {
        "captureData": {"endpointInput": {"data": data, "encoding": encoding, "observedContentType": ""}},
        "eventMetadata": {"eventId": "e", "inferenceTime": "2026-01-01T00:00:00Z"},
    }
    path.write_text(json.dumps(record) + "\n")
    columns = {"zone": "categorical", "area": "numeric"}
    window = read_window([Source("capture", "k", path)], columns, "xgboost", "", out, model.missing)
    assert not window.unreadable
    assert window.profile.columns["zone"].types.inferred in ("String", "Unknown")
    return pq.read_table(out).column("zone").to_pylist()


def as_cell(text: str | None) -> str:
    return "" if text is None else text


def csv_body(cells: list) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([as_cell(cell), 1.5] for cell in cells)
    return text.getvalue()


def encoded_by_an_endpoint(cells: list, texts: list, recipe: dict) -> list[list[list[float]]]:
    served = Recipe(recipe)
    rows = [{"zone": cell, "area": 1.5} for cell in cells]
    form = Form({"zone": "categorical", "area": "numeric"}, None, "price")
    by_api = read_records(("zone,area\n" + csv_body(texts)).encode(), "text/csv; header=present", form)
    return [
        served.floats(json.dumps(rows), "application/json"),
        served.floats("".join(json.dumps(row) + "\n" for row in rows), "application/jsonlines"),
        served.floats(csv_body(texts), "text/csv"),
        served.floats(rows_for(recipe["inputs"], by_api), "application/json"),
        served.floats(
            rows_for(recipe["inputs"], read_records(json.dumps(rows).encode(), "application/json", form)),
            "application/json",
        ),
    ]


# --- the values: (the one text, how it is typed, how it is written in text) ----------------------------------


def whole(number: int) -> st.SearchStrategy[tuple[str, object, str]]:
    typed = [number, *([float(number)] if abs(number) <= 2**53 else [])]
    written = [str(number), f"{number}.0", f" {number} "]
    if 10**16 <= abs(number) <= 2**53:
        written.append(repr(float(number)))
    return st.tuples(st.just(str(number)), st.sampled_from(typed), st.sampled_from(written))


WHOLE = st.one_of(
    st.integers(-5, 30),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([2**53, -(2**53) + 1, 2**53 + 1]),
).flatmap(whole)
FRACTIONS = st.floats(-1e6, 1e6).filter(lambda x: not x.is_integer()).map(lambda x: (repr(x), x, repr(x)))
TRUTHS = st.booleans().flatmap(
    lambda b: st.tuples(
        st.just(str(b).lower()), st.just(b), st.sampled_from([str(b), str(b).lower(), str(b).upper()])
    )
)
TEXTS = st.one_of(st.sampled_from(WORDS), st.text("abé ", min_size=1, max_size=4)).map(
    lambda text: (text.strip() or None, text, text)
)
FAMILIES = [WHOLE, FRACTIONS, TRUTHS, TEXTS]


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FAMILIES).flatmap(lambda family: st.lists(family, min_size=ROWS, max_size=ROWS)))
def test_one_value_is_one_category_by_every_way_in(tmp_path_factory, values):
    folder, model = tmp_path_factory.mktemp("ways"), spec()
    wanted = [value for value, _, _ in values]
    typed, texts = [cell for _, cell, _ in values], [text for _, _, text in values]
    of_one_type = len({type(cell) for cell in typed}) == 1
    found = {"training CSV": trained(folder, texts, "csv", model)}
    for kind, cells in (("csv", texts), ("lines", typed), ("lines", texts), ("parquet", texts)):
        found[f"batch {kind}"], found[f"models {kind}"], _ = scored(folder, cells, kind, model)
    if of_one_type:
        found["training Parquet"] = trained(folder, typed, "parquet", model)
        found["batch Parquet, typed"], found["models Parquet, typed"], _ = scored(
            folder, typed, "parquet", model
        )
    found["captured CSV"] = captured(folder, texts, "CSV", model)
    found["captured JSON"] = captured(folder, typed, "JSON", model)
    for way, got in found.items():
        assert got == wanted, way
    table = read_drop(folder / "drop-csv", model, "homes")
    recipe = fit_recipe(table, model, "xgboost", False)
    expected = encode(table, recipe)[:, :-1].tolist()
    for got in encoded_by_an_endpoint(typed, texts, recipe):
        assert [row[:-1] for row in got] == expected


@pytest.mark.parametrize("word", ["NA", "None", "null", "?", "NaN", "n/a"])
def test_a_word_is_a_category_unless_the_model_file_says_that_it_is_missing(tmp_path, word):
    cells = [word if at % 4 else "" for at in range(ROWS)]
    for model, there in ((spec(), word), (spec([word]), None)):
        wanted = [there if cell else None for cell in cells]
        assert trained(tmp_path, cells, "csv", model) == wanted
        for kind in ("csv", "lines", "parquet"):
            kept, sent, _ = scored(tmp_path, cells, kind, model)
            assert (kept, sent) == (wanted, wanted)
        for encoding in ("CSV", "JSON"):
            assert captured(tmp_path, cells, encoding, model) == wanted
        table = read_drop(tmp_path / "drop-csv", model, "homes")
        recipe = fit_recipe(table, model, "xgboost", False)
        assert recipe["columns"][0]["levels"] == ([word] if there else [])
        known, unknown = Recipe(recipe).floats(csv_body([word, ""]), "text/csv")
        assert (known == unknown) == (there is None)


def test_an_empty_cell_null_and_nothing_are_missing_in_each_format(tmp_path):
    cells = [None if at % 2 else "b" for at in range(ROWS)]
    wanted = ["b", None] * (ROWS // 2)
    assert trained(tmp_path, cells, "csv", spec()) == wanted
    assert trained(tmp_path, cells, "parquet", spec()) == wanted
    floats = [float("nan") if at % 2 else 3.0 for at in range(ROWS)]
    assert trained(tmp_path, floats, "parquet", spec()) == ["3", None] * (ROWS // 2)
    for kind in ("csv", "lines", "parquet"):
        assert scored(tmp_path, cells, kind, spec())[0] == wanted
    assert captured(tmp_path, cells, "JSON", spec()) == wanted


def test_numbers_that_the_model_file_calls_missing_are_missing_by_every_way_in(tmp_path):
    model = ModelSpec.from_dict(
        {
            "name": "homes",
            "target": "price",
            "features": {"area": {"type": "numeric", "missing": [-999, "unknown"]}},
            "algorithms": {"xgboost": None},
        }
    )
    text = "price,area\n" + "".join(
        f"{at},{cell}\n" for at, cell in enumerate(["-999", "-999.0", "unknown", "NA", "7"] * 5)
    )
    (tmp_path / "drop").write_text(text)
    table = read_drop(tmp_path / "drop", model, "homes")
    assert [value == 7 for value in table.columns["area"].values.tolist()] == [False] * 4 + [True] + (
        [False] * 4 + [True]
    ) * 4
    recipe = Recipe(fit_recipe(table, model, "xgboost", False))
    gap = recipe.floats('{"area": null}', "application/json")
    for cell in ('"unknown"', "-999", "-999.0", '"NA"'):
        assert recipe.floats(f'{{"area": {cell}}}', "application/json") == gap
    form = Form({"area": "numeric"}, None, "price", {"area": ("-999", "unknown")})
    assert read_records(b'{"area": "unknown"}', "application/json", form) == [{"area": "unknown"}]
    wanted = Wanted({"area": "numeric"}, None, model.missing)
    for kind, body in (
        ("csv", "area\nunknown\n-999\n7\n"),
        ("lines", '{"area": "unknown"}\n{"area": -999}\n'),
    ):
        out = tmp_path / f"out-{kind}"
        out.mkdir()
        (tmp_path / kind).write_text(body)
        prepare_scores(tmp_path / kind, wanted, [["area"]], Scoring(), out, "homes")
        assert pq.read_table(out / "inputs.parquet").column("f0").to_pylist()[:2] == [None, None]


IDS = [
    ("csv", ["1765432109876543201", "007", "1.0", "NA", "null", "18446744073709551615", "x-1"]),
    ("lines", [1765432109876543201, "007", "1.0", "NA", "null", 18446744073709551615, "x-1"]),
    ("parquet", ["1765432109876543201", "007", "1.0", "NA", "null", "18446744073709551615", "x-1"]),
]


@pytest.mark.parametrize(("kind", "ids"), IDS, ids=[kind for kind, _ in IDS])
def test_ids_come_back_to_the_last_character(tmp_path, kind, ids):
    out = tmp_path / "out"
    out.mkdir()
    path = drop(tmp_path, ["a"] * len(ids), ids, kind)
    wanted = Wanted({"zone": "categorical", "area": "numeric"}, "home")
    prepare_scores(path, wanted, [["zone", "area"]], Scoring(), out, "homes")
    assert pq.read_table(out / "inputs.parquet").column("id").to_pylist() == list(map(str, ids))


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([2**64 - 1, 0], pa.uint64()), [str(2**64 - 1), "0"]),
        (pa.array([Decimal(10**37 + 1), Decimal(7)], pa.decimal128(38, 0)), [str(10**37 + 1), "7"]),
        (pa.array([101.0, 0.5], pa.float64()), ["101", "0.5"]),
        (pa.array([datetime.datetime(2024, 5, 31), datetime.datetime(2024, 5, 31, 8, 30)]), None),
        (pa.array([b"\1"]), "refused"),
    ],
    ids=["uint64", "decimal", "double", "time", "bytes"],
)
def test_ids_of_each_stored_type_come_back_exactly(tmp_path, array, texts):
    from tidegate.core.errors import BadDrop

    table = pa.table({"home": array, "zone": ["a"] * len(array), "area": [1.0] * len(array)})
    pq.write_table(table, tmp_path / "drop")
    out = tmp_path / "out"
    out.mkdir()
    wanted = Wanted({"zone": "categorical", "area": "numeric"}, "home")
    if texts == "refused":
        with pytest.raises(BadDrop, match="binary"):
            prepare_scores(tmp_path / "drop", wanted, [["zone", "area"]], Scoring(), out, "homes")
        return
    prepare_scores(tmp_path / "drop", wanted, [["zone", "area"]], Scoring(), out, "homes")
    found = pq.read_table(out / "inputs.parquet").column("id").to_pylist()
    assert found == (texts or ["2024-05-31", "2024-05-31 08:30:00"])


@pytest.mark.parametrize("kind", ["csv", "lines", "parquet"])
def test_whole_numbers_keep_every_digit_that_64_bits_hold(tmp_path, kind):
    numbers = [2**53 + 1, 2**63 - 1, -(2**63), 5]
    rows = [{"home": at, "account": number} for at, number in enumerate(numbers)]
    path, out = tmp_path / "drop", tmp_path / "out"
    out.mkdir()
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "lines":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        path.write_text("home,account\n" + "".join(f"{at},{number}\n" for at, number in enumerate(numbers)))
    wanted = Wanted({"account": "integer"}, "home")
    prepare_scores(path, wanted, [["account"]], Scoring(), out, "homes")
    assert pq.read_table(out / "inputs.parquet").column("f0").to_pylist() == numbers
    lines = (out / "rows/0/part-00000.jsonl").read_text().splitlines()
    assert [json.loads(line)["features"] for line in lines] == [[number] for number in numbers]


@pytest.mark.parametrize("cell", ["9223372036854775808", "1e30"])
def test_a_whole_number_beyond_64_bits_is_set_aside_for_that_reason(tmp_path, cell):
    path, out = tmp_path / "drop", tmp_path / "out"
    out.mkdir()
    path.write_text(f"home,account\n1,5\n2,{cell}\n")
    wanted = Wanted({"account": "integer"}, "home")
    prepare_scores(path, wanted, [["account"]], Scoring(most_bad_share=0.5), out, "homes")
    assert "is too large: 64 bits hold -2**63 to 2**63 - 1" in (out / "rejects.csv").read_text()


@given(st.integers(-(10**30), 10**30))
def test_ids_that_are_one_number_join_however_they_are_written(number):
    assert joining_key(f"{number}.0") == joining_key(str(number)) == str(number)


@given(st.text(max_size=12))
def test_the_text_of_a_text_is_its_own(text):
    assert category_text(category_text(text)) == category_text(text)


def window_of(path: Path, ids: list[str]) -> Path:
    none = pa.nulls(len(ids), pa.string())
    table = pa.table(
        {
            "event": [f"{path.name}-{each}" for each in ids],
            "at": ["2025-12-31T00:00:00Z"] * len(ids),
            "prediction_id": none,
            "request_id": none,
            "row_id": pa.array(ids, pa.string()),
            "prediction": [float(at) for at in range(len(ids))],
        }
    )
    pq.write_table(table, path)
    return path


def joined(folder: Path, windows: list[list[str]], labels: list[str]) -> tuple[dict[str, float], set[str]]:
    """Give the prediction that each label found, and the labels that found none."""
    came = "2026-01-01T00:00:00 one"
    waiting = Labels({each: [Label(came, 1, 1.0)] for each in labels}, {came})
    known = [
        Window(at, "m1", lambda at=at, ids=ids: window_of(folder / f"window{at}", ids))
        for at, ids in enumerate(windows)
    ]
    out = folder / "truth"
    out.unlink(missing_ok=True)
    match(waiting, known, Known(), out)
    rows = pq.read_table(out).to_pylist() if out.exists() else []
    return {row["label"]: row["prediction"] for row in rows}, set(waiting.values)


def test_truth_that_a_data_frame_made_fractions_of_finds_its_predictions(tmp_path):
    ids = [str(101 + at) for at in range(20)]
    floats = [f"{each}.0" for each in ids]
    wanted = [float(at) for at in range(20)]
    assert joined(tmp_path, [ids], floats) == (dict(zip(floats, wanted, strict=True)), set())
    assert joined(tmp_path, [floats], ids) == (dict(zip(ids, wanted, strict=True)), set())
    assert joined(tmp_path, [["007", "1e5", "x.0"]], ["7", "7.0", "100000", "x"])[0] == {}


def test_an_id_finds_exactly_its_own_first_even_where_that_is_older(tmp_path):
    found, left = joined(tmp_path, [["9", "1"], ["1.0"]], ["1.0", "9.0"])
    assert (found, left) == ({"1.0": 0.0, "9.0": 0.0}, set())
    found, left = joined(tmp_path, [["1", "1.0"]], ["1.0", "1"])
    assert (found, left) == ({"1": 0.0, "1.0": 1.0}, set())


def test_two_spellings_of_one_id_are_one_label(tmp_path):
    found, left = joined(tmp_path, [["5"]], ["5.0", "5.00"])
    assert (list(found.values()), left) == ([0.0], set())


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 30), unique=True, min_size=1), st.data())
def test_whole_numbers_join_in_any_mix_of_spellings(tmp_path, numbers, data):
    spell = st.sampled_from(["{}", "{}.0"])
    ids = [data.draw(spell).format(each) for each in numbers]
    labels = [data.draw(spell).format(each) for each in numbers]
    found, left = joined(tmp_path, [ids[::2], ids[1::2]], labels)
    assert (set(found), left) == (set(labels), set())


def test_people_are_told_where_no_truth_finds_its_prediction():
    labels = {"came": 60, "matched": 0, "waiting": 60}
    assert "no prediction has the id of any of the 60 rows" in lost_truth(labels, "listing").masked
    assert not lost_truth({**labels, "matched": 1}, "listing")
    assert not lost_truth({**labels, "waiting": 0}, "")
    entry = {
        "algorithm": "xgboost",
        "labels": labels,
        "window": 3,
        "verdict": "ok",
        "at": "2026-03-03T14:00:00Z",
    }
    raw = {"model": "m", "run": "r", "algorithms": [{**entry, "status": "SUCCEEDED", "reason": "said"}]}
    [message] = weigh(raw, {"version": 0}, None, datetime.datetime.now(datetime.UTC))["outbox"]["messages"]
    assert message["kind"] == "truth-unmatched"
    assert "- xgboost: said" in message["message"]
