"""Step Functions' integrations: what a Task state gets back, and how it fails."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from control_stand_ins import IMAGE, StandInJobs, make_context, make_rooms, training_job

from tidegate.local.sagemaker import service
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.control import tags
from tidegate.local.sagemaker.errors import ResourceLimitExceeded
from tidegate.local.sagemaker.integrations import HANDLERS, IntegrationError

PREFIX = "arn:aws:states:::sagemaker:"
MARK = {"MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS"}


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return make_context(tmp_path)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> StandInJobs:
    stand_in = StandInJobs()
    rooms = make_rooms(stand_in)
    monkeypatch.setattr(service, "all_rooms", lambda: rooms)
    return stand_in


def run(ctx: Context, action: str, arguments: dict[str, Any], aborted: Any = lambda: False) -> dict[str, Any]:
    return HANDLERS[PREFIX + action.removesuffix(".sync")](ctx, PREFIX + action, arguments, aborted)


def failure(ctx: Context, action: str, arguments: dict[str, Any]) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        run(ctx, action, arguments)
    return caught.value


def test_the_integrations_are_those_that_aws_documents_and_this_cloud_serves() -> None:
    names = ["TrainingJob", "ProcessingJob", "TransformJob", "HyperParameterTuningJob"]
    names += ["Model", "EndpointConfig", "Endpoint"]
    assert set(HANDLERS) == {PREFIX + "create" + name for name in names} | {PREFIX + "updateEndpoint"}


def test_a_synchronous_job_answers_with_its_description_in_milliseconds_and_a_map_of_tags(
    ctx: Context, jobs: StandInJobs
) -> None:
    jobs.ended.set()
    jobs.final = {"TrainingJobStatus": "Completed", "ModelArtifacts": {"S3ModelArtifacts": "s3://a/m.tar.gz"}}
    answer = run(ctx, "createTrainingJob.sync", training_job("a", Tags=[{"Key": "team", "Value": "x"}]))
    assert answer["TrainingJobStatus"] == "Completed"
    assert answer["ModelArtifacts"] == {"S3ModelArtifacts": "s3://a/m.tar.gz"}
    assert answer["Tags"] == {"team": "x", **MARK}
    assert isinstance(answer["CreationTime"], int) and answer["CreationTime"] > 10**12
    json.dumps(answer)


def test_without_sync_the_answer_comes_at_once_and_holds_the_arn(ctx: Context, jobs: StandInJobs) -> None:
    arn = ctx.arn("training-job", "a")
    assert run(ctx, "createTrainingJob", training_job("a")) == {"TrainingJobArn": arn}
    assert tags.tags_of(ctx, arn) == MARK


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_does_not_complete_fails_the_task_with_its_description(
    ctx: Context, jobs: StandInJobs, status: str
) -> None:
    jobs.ended.set()
    jobs.final = {"TrainingJobStatus": status, "FailureReason": "AlgorithmError: no"}
    error = failure(ctx, "createTrainingJob.sync", training_job("a"))
    assert error.error == "States.TaskFailed"
    cause = json.loads(error.cause)
    assert (cause["TrainingJobStatus"], cause["FailureReason"]) == (status, "AlgorithmError: no")


def test_an_aborted_execution_stops_its_job(ctx: Context, jobs: StandInJobs) -> None:
    aborted = threading.Event()
    threading.Timer(0.05, aborted.set).start()
    with pytest.raises(IntegrationError, match="the job stops too"):
        run(ctx, "createTrainingJob.sync", training_job("a"), aborted.is_set)
    assert jobs.stopped == ["a"]


def test_a_refused_request_fails_with_the_name_that_step_functions_gives_it(
    ctx: Context, jobs: StandInJobs
) -> None:
    error = failure(ctx, "createTrainingJob.sync", training_job("a", HyperParameters={"n": 3}))
    assert error.error == "SageMaker.AmazonSageMakerException"
    assert "at 'HyperParameters.n'" in error.cause
    assert error.cause.endswith("Status Code: 400; Error Code: SerializationException)")


def test_a_second_job_of_the_same_name_fails(ctx: Context, jobs: StandInJobs) -> None:
    run(ctx, "createTrainingJob", training_job("a"))
    error = failure(ctx, "createTrainingJob", training_job("a"))
    assert (error.error, "ResourceInUse" in error.cause) == ("SageMaker.AmazonSageMakerException", True)


def test_a_limit_keeps_a_name_of_its_own(
    ctx: Context, jobs: StandInJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> dict[str, Any]:
        raise ResourceLimitExceeded("Too many jobs.")

    monkeypatch.setattr(service, "call", full)
    error = failure(ctx, "createTrainingJob", training_job("a"))
    assert error.error == "SageMaker.ResourceLimitExceededException"


def test_a_model_is_created_without_waiting(ctx: Context, jobs: StandInJobs) -> None:
    model = {"ModelName": "cars", "PrimaryContainer": {"Image": IMAGE}}
    assert run(ctx, "createModel", model) == {"ModelArn": ctx.arn("model", "cars")}
    error = failure(ctx, "createModel", model)
    assert "Cannot create already existing model" in error.cause


@pytest.mark.parametrize("action", ["createModel.sync", "createTrainingJob.waitForTaskToken"])
def test_a_pattern_that_aws_does_not_offer_is_refused(ctx: Context, jobs: StandInJobs, action: str) -> None:
    resource = PREFIX + action
    with pytest.raises(IntegrationError, match="is not supported") as caught:
        HANDLERS[resource.rpartition(".")[0]](ctx, resource, training_job("a"), lambda: False)
    assert caught.value.error == "States.Runtime"
    assert ctx.store.list("training-job") == ctx.store.list("model") == []


def test_tags_of_a_wrong_type_are_refused_by_name(ctx: Context, jobs: StandInJobs) -> None:
    error = failure(ctx, "createTrainingJob", training_job("a", Tags={"team": "x"}))
    assert "at 'Tags' failed to satisfy constraint: Member must be a list" in error.cause
