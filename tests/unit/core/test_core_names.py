"""Names: made in one place, the same in the state machine, and within what SageMaker allows."""

import hashlib
import re
from pathlib import Path

import botocore.session
import jsonata
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.asl import expressions, read_machine, states

from tidegate.core import names
from tidegate.core.algorithms import BUILT_IN

ROOT = Path(__file__).parents[3]
MACHINES = sorted((ROOT / "statemachines").glob("*.asl.yaml"))
MACHINE = yaml.safe_load((ROOT / "statemachines" / "train.asl.yaml").read_text())
DIGITS = MACHINE["States"]["Name the run"]["Assign"]["digits"]


def evaluate_as_step_functions(
    expression: str, event: dict, variables: dict | None = None, result: object = None
) -> object:
    """Evaluate ``{% … %}`` with the things that Step Functions adds and the expression uses."""
    engine = jsonata.Jsonata(expression.removeprefix("{%").removesuffix("%}").strip())
    engine.register_lambda(
        "hash", lambda text, kind: hashlib.new(kind.replace("-", ""), text.encode()).hexdigest()
    )
    engine.assign("states", {"input": event, "result": result})
    for name, value in (variables or {}).items():
        engine.assign(name, value)
    return engine.evaluate(None)


def event_for(bucket: str, key: str, version: str | None, etag: str) -> dict:
    about = {"key": key, "etag": etag, **({"version-id": version} if version else {})}
    return {"detail": {"bucket": {"name": bucket}, "object": about}}


def test_the_machine_and_the_code_name_a_run_alike():
    expression = MACHINE["States"]["Name the run"]["Assign"]["run"]
    for key in ("cars/train/a.csv", "cars/train/ü b+c.csv", "cars/train/日本.csv"):
        versioned = evaluate_as_step_functions(expression, event_for("bucket", key, "v1", "e1"))
        assert versioned == names.run_id("bucket", key, "v1")
        plain = evaluate_as_step_functions(expression, event_for("bucket", key, None, "e1"))
        assert plain == names.run_id("bucket", key, "e1")


def test_the_machine_takes_drops_alone():
    condition = MACHINE["States"]["Is it a drop?"]["Choices"][0]["Condition"]

    def is_drop(key: str) -> object:
        return evaluate_as_step_functions(condition, event_for("b", key, None, "e"))

    assert is_drop("cars/train/a.csv") is True
    assert is_drop("cars/train/deeper/a.csv") is True
    assert is_drop("cars/train/") is False
    assert is_drop("cars/score/train/a.csv") is False


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_a_run_id_is_twelve_hex_digits_and_depends_on_every_part(bucket, key, version):
    run = names.run_id(bucket, key, version)
    assert re.fullmatch("[0-9a-f]{12}", run)
    assert run != names.run_id(bucket, key, version + "x")


@pytest.mark.slow
def test_the_longest_names_fit_in_sagemaker():
    model = "m" * names.MODEL_NAME_MAX
    limit = (
        botocore.session.get_session()
        .get_service_model("sagemaker")
        .shape_for("TransformJobName")
        .metadata["max"]
    )
    for algorithm in BUILT_IN:
        # The machine appends at most a dash, a letter and a retry's digit.
        assert len(names.job_name("abc", model, algorithm, "0" * 12) + "-c1") <= limit
        assert len(algorithm) <= names.ALGORITHM_NAME_MAX


@pytest.mark.slow
@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.name)
def test_each_attempt_and_each_retry_has_a_name_of_its_own_or_is_told_that_none_is_left(path):
    named = [
        text
        for state in states(read_machine(path))
        for text in expressions({key: state.body.get(key) for key in ("Arguments", "Assign")})
        if "$digits" in text
    ]
    for text in named:
        made = [name_made_by(text, attempt, retry) for attempt in range(10) for retry in range(6)]
        assert len(set(made)) == 60
        assert all(re.fullmatch("[a-zA-Z0-9](-*[a-zA-Z0-9])*", name) for name in made), made
        with pytest.raises(jsonata.JException, match="drop its file again"):
            name_made_by(text, 11, 0)


def name_made_by(expression: str, attempt: int, retry: int) -> str:
    """Evaluate the name of a job as the machine does in one of its attempts and retries."""
    engine = jsonata.Jsonata(expression)
    plan = {"job": "tg-cars-xgboost-0123456789ab", "tuning": {"job": "tg-0123456789ab-xgboost"}}
    context = {"Execution": {"RedriveCount": 0}, "State": {"RetryCount": retry}}
    values = {
        "states": {"input": plan, "context": context},
        "plan": plan,
        "attempt": attempt,
        "digits": DIGITS,
    }
    for name, value in values.items():
        engine.assign(name, value)
    made = engine.evaluate(None)
    if isinstance(made, dict):  # a whole call's arguments
        [made] = [value for key, value in made.items() if key.endswith("JobName")]
    assert isinstance(made, str)
    return made


filenames = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=1200
)


@given(filenames, filenames, st.booleans())
def test_a_quarantined_file_is_findable_under_a_key_that_s3_takes(one: str, two: str, deeper: bool):
    home = f"cars/train/{'deeper/' if deeper else ''}"
    kept = [names.quarantine_key("cars", "0" * 12, home + each) for each in (one, two)]
    for key, filename in zip(kept, (one, two), strict=True):
        assert len(names.reason_key(key).encode()) <= 1024
        assert key == names.quarantine_key("cars", "0" * 12, home + filename)
        assert key.startswith(f"quarantine/cars/{'0' * 12}/")
        if len(filename.encode()) < 900:
            assert key.endswith(f"/{filename}")
        elif filename.endswith("x.csv"):
            assert key.endswith(".csv")
    assert (kept[0] == kept[1]) == (one == two)


def test_files_of_one_name_that_a_check_refuses_do_not_take_each_other_s_place():
    kept = {
        names.quarantine_key("cars", "0" * 12, f"cars/truth/{folder}a.csv")
        for folder in ("", "x/", "y/", "x/y/")
    }
    assert len(kept) == 4
    assert {key.rsplit("/", 1)[-1] for key in kept} == {"a.csv"}


def test_a_cut_name_keeps_its_suffix():
    kept = names.quarantine_key("cars", "0" * 12, f"cars/train/{'x' * 1009}.csv")
    assert kept.endswith(".csv")
    assert len(names.reason_key(kept)) == names.KEY_MAX_BYTES
