"""Each function with its sample event: what it answers, what it writes, whom it tells."""

import hashlib
import json
import re
from pathlib import Path

import pytest
import yaml

from tests.unit.functions.conftest import ARTIFACTS, DATA, ROOT, Context, sample_event

REFERENCE = (ROOT / "models" / "used-car-price" / "model.yaml").read_bytes()
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))


def in_force(account, load) -> None:
    account.put(DATA, "used-car-price/model.yaml", REFERENCE)
    load("register_model")(sample_event("model_file_dropped"), Context())
    account.heard()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_thin(name):
    text = (ROOT / "functions" / name / "app.py").read_text()
    assert len(text.splitlines()) < 100
    assert not re.search(r"^(import|from) (pandas|numpy|pyarrow|pydantic|sagemaker)", text, re.M)
    assert text.startswith('"""'), "the first line says what starts it and what it writes"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_loads_with_nothing_heavy(name, load):
    assert callable(load(name))


@pytest.mark.slow
def test_a_good_model_file_comes_into_force_and_is_told_once(account, load):
    account.put(DATA, "used-car-price/model.yaml", REFERENCE)
    handler = load("register_model")
    for _ in range(2):
        assert handler(sample_event("model_file_dropped"), Context())["accepted"]
    kept = account.read_json(ARTIFACTS, "used-car-price/spec.json")
    assert kept["spec"]["target"] == "Price"
    assert len(kept["source_sha256"]) == 64
    assert [each["Subject"] for each in account.heard()] == ["used-car-price: model file accepted"]
    emails = [
        each for each in account.sns.list_subscriptions()["Subscriptions"] if each["Protocol"] == "email"
    ]
    assert [each["Endpoint"] for each in emails] == ["ml-team@example.com"]


def test_an_older_model_file_does_not_come_into_force_over_a_newer_one(account, load, monkeypatch):
    from tidegate.edge import storage

    newer = REFERENCE.replace(b"target: Price", b"target: Age")
    account.put(DATA, "used-car-price/model.yaml", REFERENCE)
    handler, write = load("register_model"), storage.write_json

    def overtaken(uri, document):
        # Another call reads and registers the newer file between this one's read and its write.
        monkeypatch.setattr(storage, "write_json", write)
        account.put(DATA, "used-car-price/model.yaml", newer)
        assert handler(sample_event("model_file_dropped"), Context())["accepted"]
        write(uri, document)

    monkeypatch.setattr(storage, "write_json", overtaken)
    answer = handler(sample_event("model_file_dropped"), Context())
    kept = account.read_json(ARTIFACTS, "used-car-price/spec.json")
    assert kept["source_sha256"] == answer["source_sha256"] == hashlib.sha256(newer).hexdigest()


def test_a_model_file_that_was_taken_away_meanwhile_changes_nothing(account, load):
    in_force(account, load)
    account.s3.delete_object(Bucket=DATA, Key="used-car-price/model.yaml")
    answer = load("register_model")(sample_event("model_file_dropped"), Context())
    assert not answer["accepted"]
    assert "not there any more" in answer["reason"]
    assert account.read_json(ARTIFACTS, "used-car-price/spec.json")["spec"]["target"] == "Price"


def test_a_model_file_in_another_model_s_folder_is_refused(account, load):
    account.put(DATA, "used-car-price/model.yaml", REFERENCE.replace(b"name: used-car-price", b"name: vans"))
    answer = load("register_model")(sample_event("model_file_dropped"), Context())
    assert not answer["accepted"]
    assert (
        "line 2, name: the name is 'vans', but the file lies in the folder 'used-car-price'"
        in answer["reason"]
    )
    assert "used-car-price/spec.json" not in account.keys(ARTIFACTS)


@pytest.mark.slow
def test_a_drop_is_prepared_and_its_plan_names_what_the_jobs_need(account, load):
    in_force(account, load)
    spec = yaml.safe_load(REFERENCE)
    names = ["Id", *spec["features"], "Price"]
    rows = [
        ",".join(str((number * 7 + place) % 50) for place in range(len(names) - 1)) for number in range(60)
    ]
    lines = [f"{number},{row.split(',', 1)[1]},{9000 + number}" for number, row in enumerate(rows)]
    lines = [re.sub(r"^((?:[^,]*,){4})[^,]*", r"\1Petrol", line) for line in lines]
    booleans = {names.index(name) for name, kind in spec["features"].items() if kind == "boolean"}
    table = [[("1" if i in booleans else cell) for i, cell in enumerate(line.split(","))] for line in lines]
    body = "\n".join([",".join(names), *(",".join(row) for row in table)])
    account.put(DATA, "used-car-price/train/ToyotaCorolla.csv", body)
    answer = load("preprocess")(sample_event("preprocess"), Context())
    assert answer["accepted"], answer
    assert answer["rows"]["rows"] == 60
    assert [each["algorithm"] for each in answer["algorithms"]] == ["xgboost", "linear-learner"]
    keys = account.keys(ARTIFACTS)
    for each in answer["algorithms"]:
        assert f"{each['rows']}part-00000.jsonl".removeprefix(f"s3://{ARTIFACTS}/") in keys
        for place in ("recipe", "truth", "training_rows"):
            assert each[place].removeprefix(f"s3://{ARTIFACTS}/") in keys
        assert any(key.startswith(each["train"].removeprefix(f"s3://{ARTIFACTS}/")) for key in keys)


def test_a_run_of_a_model_that_was_deleted_since_is_not_taken_up_again(account, load):
    account.put(DATA, "used-car-price/train/ToyotaCorolla.csv", "Id,KM\n1,2\n")
    prepared = "used-car-price/runs/0123456789ab/prepared.json"
    account.put(ARTIFACTS, prepared, json.dumps({"accepted": True, "algorithms": []}))
    answer = load("preprocess")(sample_event("preprocess"), Context())
    assert not answer["accepted"]
    assert "no model file is in force for 'used-car-price'" in answer["reason"]


def test_a_bad_drop_is_moved_aside_with_its_reason(account, load):
    in_force(account, load)
    account.put(DATA, "used-car-price/train/ToyotaCorolla.csv", "Id,KM\n1,2\n")
    answer = load("preprocess")(sample_event("preprocess"), Context())
    assert not answer["accepted"]
    assert "Price" in answer["reason"]
    kept = "quarantine/used-car-price/0123456789ab/ToyotaCorolla.csv"
    assert answer["kept_at"] == f"s3://{DATA}/{kept}"
    assert {kept, f"{kept}.reason.json"} <= set(account.keys(DATA))
    assert "used-car-price/train/ToyotaCorolla.csv" not in account.keys(DATA)


CANARY = "Xanthippe"
QUOTING = {
    "no header": f"1,{CANARY},13500\n2,{CANARY} Street,9\n",
    "names of another table": f"{CANARY},{CANARY} Street\n1,2\n",
    "semicolons": f"{CANARY};street\n" * 3,
    "a name misspelt": f"Id,Price,{CANARY}\n1,2,3\n",
    "a row too short": "{header}\n" + f"{CANARY}\n",
    "a cell that does not fit": "{header}\n" + f"{CANARY}{{commas}}\n" * 30,
    "no text": f"{CANARY}\0" * 30,
}


@pytest.mark.slow
@pytest.mark.parametrize("what", QUOTING)
def test_a_refusal_is_told_and_logged_without_a_value(account, load, logged, capsys, what):
    in_force(account, load)
    spec = yaml.safe_load(REFERENCE)
    names = [spec["target"], *spec["features"], "Id"]
    body = QUOTING[what].format(header=",".join(names), commas="," * (len(names) - 1))
    account.put(DATA, "used-car-price/train/ToyotaCorolla.csv", body)
    answer = load("preprocess")(sample_event("preprocess"), Context())
    assert not answer["accepted"]
    outcome = {"run": what, "model": "m", "key": "k", **answer}
    told = load("notify")({"kind": "refused", "outcome": outcome}, Context())
    [heard] = account.heard()
    assert "file refused" in logged.getvalue()
    for place in (answer, told, heard, logged.getvalue(), capsys.readouterr()):
        assert CANARY not in str(place)
    kept = answer["kept_at"].removeprefix(f"s3://{DATA}/")
    reason = account.read_json(DATA, f"{kept}.reason.json")["reason"]
    assert (CANARY in reason) == (what in QUOTING_ITS_WORDS)


QUOTING_ITS_WORDS = {"no header", "names of another table", "a cell that does not fit"}


def test_an_error_that_nobody_foresaw_leaves_a_function_without_its_words(account, load, monkeypatch, logged):
    in_force(account, load)
    account.put(DATA, "used-car-price/train/ToyotaCorolla.csv", "Id,KM\n1,2\n")

    def broken(*_, **__):
        raise ValueError(f"could not convert string to float: '{CANARY}'")

    monkeypatch.setattr("tidegate.table.prepare.prepare", broken)
    with pytest.raises(Exception, match="ValueError at") as caught:
        load("preprocess")(sample_event("preprocess"), Context())
    assert type(caught.value).__name__ == "ValueError"
    assert CANARY not in str(caught.value) + logged.getvalue()


def test_a_newer_version_of_a_refused_file_stays_where_it_was_dropped(account, load):
    in_force(account, load)
    old = account.put(DATA, "used-car-price/train/ToyotaCorolla.csv", "Id,KM\n1,2\n")
    account.put(DATA, "used-car-price/train/ToyotaCorolla.csv", "newer")
    answer = load("preprocess")({**sample_event("preprocess"), "version": old}, Context())
    assert not answer["accepted"]
    assert "used-car-price/train/ToyotaCorolla.csv" in account.keys(DATA)


def test_the_gate_answers_with_its_checks(load):
    answer = load("rmse_gate")(sample_event("rmse_gate"), Context())
    assert answer["passed"]
    assert [each["name"] for each in answer["checks"]] == ["threshold", "champion"]


def test_predictions_are_evaluated_against_the_truth(account, load):
    event = sample_event("evaluate")
    home = "used-car-price/runs/0123456789ab"
    account.put(
        ARTIFACTS, f"{home}/test/truth.csv", "id,target\n" + "".join(f"{n},{n}.0\n" for n in range(30))
    )
    account.put(
        ARTIFACTS,
        f"{home}/xgboost/candidate/part-00000.jsonl.out",
        "".join(f"{n + 2}.0\n" for n in range(30)),
    )
    answer = load("evaluate")(event, Context())
    assert answer["rows"] == 30
    assert answer["candidate"]["rmse"]["value"] == pytest.approx(2.0)
    assert answer["champion"] is None
    assert account.read_json(ARTIFACTS, f"{home}/xgboost/candidate/evaluation.json") == answer


def test_columns_that_only_the_champion_reads_are_named(account, load):
    home = "used-car-price/runs"
    answers = "".join(f"{n + 2}.0\n" for n in range(30))
    truth = "id,target\n" + "".join(f"{n},{n}.0\n" for n in range(30))
    account.put(ARTIFACTS, f"{home}/0123456789ab/test/truth.csv", truth)
    for part in ("candidate", "champion"):
        account.put(ARTIFACTS, f"{home}/0123456789ab/xgboost/{part}/part-00000.jsonl.out", answers)
    for run, inputs in (("0123456789ab", ["KM"]), ("ba9876543210", ["Age", "KM", "Fuel"])):
        account.put(ARTIFACTS, f"{home}/{run}/xgboost/recipe.json", json.dumps({"inputs": inputs}))
    event = sample_event("evaluate")
    event["champion"] = event["candidate"].replace("/candidate/", "/champion/")
    event["champion_model"] = "tg-used-car-price-xgboost-ba9876543210-1"
    assert load("evaluate")(event, Context())["champion_lacks"] == ["Age", "Fuel"]


def test_baselines_are_written_beside_the_model(account, load):
    home = "used-car-price/runs/0123456789ab"
    account.put(
        ARTIFACTS, f"{home}/train_raw.csv", "KM,Fuel_Type\n" + "".join(f"{n},Diesel\n" for n in range(40))
    )
    recipe = {"target": "KM", "columns": [{"name": "Fuel_Type", "type": "categorical"}]}
    account.put(ARTIFACTS, f"{home}/xgboost/recipe.json", json.dumps(recipe))
    answer = load("baseline")(sample_event("baseline"), Context())
    assert answer["statistics"].endswith("/xgboost/baseline/data_quality/statistics.json")
    statistics = account.read_json(ARTIFACTS, f"{home}/xgboost/baseline/data_quality/statistics.json")
    assert [each["name"] for each in statistics["features"]] == ["KM", "Fuel_Type"]


@pytest.mark.slow
def test_people_are_told_once_however_often_the_state_is_retried(account, load):
    handler = load("notify")
    first = handler(sample_event("notify"), Context())
    again = handler(sample_event("notify"), Context())
    assert first == again
    assert first["status"] == "SUCCEEDED"
    assert first["algorithms"]["xgboost"]["rmse"] == 1100.5
    [heard] = account.heard()
    assert heard["Subject"] == "used-car-price: trained and serving"
    assert len([key for key in account.keys(ARTIFACTS) if key.startswith("notifications/")]) == 1


def test_a_refusal_is_told_with_the_place_where_the_file_is_kept(account, load):
    outcome = {
        "run": "r",
        "model": "m",
        "key": "m/train/a.csv",
        "reason": "it is empty",
        "kept_at": "s3://b/q/a.csv",
    }
    answer = load("notify")({"kind": "refused", "outcome": outcome}, Context())
    assert answer["status"] == "REFUSED"
    assert "s3://b/q/a.csv" in account.heard()[0]["Message"]


def test_every_function_has_its_resource_and_its_sample_event():
    template = (ROOT / "template.yaml").read_text()
    for name in FUNCTIONS:
        assert f"CodeUri: functions/{name}" in template
        event = "model_file_dropped" if name == "register_model" else name
        assert (Path(ROOT) / "events" / f"{event}.json").exists()


def test_an_alarm_is_told_with_what_it_means_and_what_to_do(account, load):
    answer = load("tell_alarm")(sample_event("tell_alarm"), Context())
    assert answer == {"told": "Alarm: tidegate-training-failed"}
    [heard] = account.heard()
    assert "`tidegate retry RUN` takes it up again" in heard["Message"]
    assert "Threshold Crossed" in heard["Message"]
    [kept] = account.keys(ARTIFACTS)
    assert kept.endswith("-c4c1c1c96542-alarm-on.json")


def test_what_the_stack_s_own_alarms_watch_is_measured_by_a_function():
    template = (ROOT / "template.yaml").read_text()
    watched = set(re.findall(r"Namespace: Tidegate\n +MetricName: (\w+)", template))
    measured = {
        name
        for function in FUNCTIONS
        for name in re.findall(r'metric\("(\w+)"\)', (ROOT / "functions" / function / "app.py").read_text())
    }
    assert watched
    assert watched <= measured
