"""The calls that train: what the machine's expressions make of a plan is what botocore's model accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonata
import pytest
from botocore.validate import ParamValidator

from tests.conformance.asl import operation, read_machine, states
from tidegate.core.plan import plan_run
from tidegate.core.spec import ModelSpec

pytestmark = pytest.mark.conformance

MACHINE = read_machine(Path(__file__).parents[2] / "statemachines" / "train.asl.yaml")
STATES = {state.path[-1]: state.body for state in states(MACHINE)}
TUNING = {"max_jobs": 2, "ranges": {"eta": {"least": 0.1, "most": 0.9}}}


def planned(algorithm: str, **settings: Any) -> dict[str, Any]:
    spec = ModelSpec.from_dict(
        {
            "name": "cars",
            "target": "p",
            "features": {"a": "numeric"},
            "algorithms": {algorithm: settings},
        }
    )
    prepared = {"train": 3200, "part_rows": 9, "content_types": {algorithm: "text/csv"}}
    [plan] = plan_run(
        spec, "0123456789ab", prefix="tg", parameters="tidegate", artifacts="bucket", prepared=prepared
    )
    return plan


def evaluated(value: Any, plan: dict[str, Any]) -> Any:
    """Evaluate what a state says, however deep its expressions lie."""
    if isinstance(value, dict):
        return {key: evaluated(each, plan) for key, each in value.items()}
    if isinstance(value, list):
        return [evaluated(each, plan) for each in value]
    if not (isinstance(value, str) and value.startswith("{%")):
        return value
    text = value.strip().removeprefix("{%").removesuffix("%}")
    engine = jsonata.Jsonata(text.replace("${SageMakerRoleArn}", "arn:aws:iam::123456789012:role/jobs"))
    context = {"Execution": {"RedriveCount": 0}, "State": {"RetryCount": 0}}
    for name, held in {
        "states": {"input": plan, "context": context},
        "attempt": 0,
        "digits": MACHINE["States"]["Name the run"]["Assign"]["digits"],
    }.items():
        engine.assign(name, held)
    return engine.evaluate(None)


def called(state: str, plan: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a state's call, having held them against botocore's model."""
    body = STATES[state]
    arguments: dict[str, Any] = evaluated(body["Arguments"], plan)
    found = ParamValidator().validate(arguments, operation(body["Resource"]).input_shape)
    assert not found.has_errors(), found.generate_report()
    return arguments


def spot_and_tuned(**settings: Any) -> dict[str, Any]:
    return called("Tune the hyperparameters", planned("xgboost", tuning=TUNING, **settings))[
        "TrainingJobDefinition"
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "settings", "checkpoints", "wait"),
    [
        ("xgboost", {}, False, None),
        ("xgboost", {"spot": True, "max_runtime_seconds": 36_000}, True, 72_000),
        ("linear-learner", {}, False, None),
        ("linear-learner", {"spot": True}, False, 3600),
        ("linear-learner", {"spot": True, "max_runtime_seconds": 600}, False, 1200),
    ],
)
def test_only_a_spot_training_that_keeps_checkpoints_has_a_place_for_them(
    algorithm, settings, checkpoints, wait
):
    call = called("Train the model", planned(algorithm, **settings))
    assert ("CheckpointConfig" in call) == checkpoints
    assert call["StoppingCondition"].get("MaxWaitTimeInSeconds") == wait
    assert call["EnableManagedSpotTraining"] == bool(settings.get("spot"))


@pytest.mark.slow
def test_so_it_is_with_the_trainings_of_a_tuning_job():
    assert "CheckpointConfig" in spot_and_tuned(spot=True)
    assert "CheckpointConfig" not in spot_and_tuned()


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["xgboost", "linear-learner"])
def test_several_instances_share_the_training_rows_and_each_has_all_to_validate_with(algorithm):
    def kinds(count: int) -> list[str]:
        channels = called("Train the model", planned(algorithm, count=count))["InputDataConfig"]
        return [each["DataSource"]["S3DataSource"]["S3DataDistributionType"] for each in channels]

    assert kinds(1) == ["FullyReplicated", "FullyReplicated"]
    assert kinds(3) == ["ShardedByS3Key", "FullyReplicated"]


def test_a_batch_of_linear_learner_fits_the_rows_that_an_instance_gets_unless_the_file_says_one():
    def batch(**settings: Any) -> str:
        return str(planned("linear-learner", **settings)["hyperparameters"]["mini_batch_size"])

    assert batch() == "100"
    assert batch(count=4) == "32"
    assert batch(hyperparameters={"mini_batch_size": 7}) == "7"
    tuned = planned(
        "linear-learner",
        tuning={"max_jobs": 2, "ranges": {"mini_batch_size": {"least": 50, "most": 500}}},
    )
    assert "mini_batch_size" not in tuned["tuning"]["static"]
