"""What people are told: reasons out of errors, outcomes out of raw results, notifications out of outcomes."""

import json

from tidegate.core.endpoints import next_step, undo_step
from tidegate.core.messages import explain, tell_refused, tell_training
from tidegate.core.outcome import finish_training
from tidegate.core.plan import plan_run
from tidegate.core.spec import ModelSpec
from tidegate.core.training_metrics import latest_by_name


def raw(*algorithms: dict, **more: object) -> dict:
    return {
        "run": "0123456789ab",
        "model": "cars",
        "key": "cars/train/a.csv",
        "algorithms": list(algorithms),
        **more,
    }


PASSED = {
    "algorithm": "xgboost",
    "status": "SUCCEEDED",
    "reason": "RMSE 1 is at most 2",
    "endpoint": "tg-cars-xgboost",
    "evaluation": {"candidate": {"rmse": {"value": 1.5}, "mae": {"value": 1.0}, "r2": {"value": 0.9}}},
}
REJECTED = {
    "algorithm": "linear-learner",
    "status": "REJECTED",
    "reason": "model accuracy too low: 3 is above 2",
}
FAILED = {
    "algorithm": "linear-learner",
    "status": "FAILED",
    "state": "Train the model",
    "error": "States.TaskFailed",
    "cause": json.dumps(
        {
            "TrainingJobName": "tg-job",
            "TrainingJobStatus": "Failed",
            "FailureReason": "AlgorithmError: Extraneous hyperparameter found: etaa, exit code: 1",
        }
    ),
}


def test_a_run_succeeds_when_any_algorithm_serves_and_says_which_was_rejected():
    outcome = finish_training(raw(PASSED, REJECTED))
    assert outcome["status"] == "SUCCEEDED"
    assert outcome["algorithms"]["xgboost"]["rmse"] == 1.5
    assert "linear-learner: model accuracy too low" in outcome["reason"]


def test_a_tuning_job_is_named_where_there_was_one_and_not_mentioned_where_there_was_none():
    tuned = {"job": "tg-tune", "best": "tg-tune-001", "jobs": 3, "hyperparameters": {"eta": "0.3"}}
    outcome = finish_training(raw({**PASSED, "tuned": tuned}, {**REJECTED, "tuned": None}))
    assert outcome["algorithms"]["xgboost"]["tuned"] == tuned
    assert "tuned" not in outcome["algorithms"]["linear-learner"]


def test_a_run_is_rejected_only_when_every_algorithm_is():
    assert finish_training(raw(REJECTED))["status"] == "REJECTED"


def test_one_failed_algorithm_fails_the_run_with_the_job_s_own_reason():
    outcome = finish_training(raw(PASSED, FAILED))
    assert outcome["status"] == "FAILED"
    reason = outcome["algorithms"]["linear-learner"]["reason"]
    assert "in the state 'Train the model'" in reason
    assert "Extraneous hyperparameter found: etaa" in reason
    assert "Check the hyperparameters" in reason
    assert "cause" not in outcome["algorithms"]["linear-learner"]


def test_a_failure_outside_the_algorithms_names_its_state():
    failure = {"state": "Preprocess", "error": "Lambda.Unknown", "cause": "it broke"}
    outcome = finish_training(raw(failure=failure))
    assert outcome["status"] == "FAILED"
    assert outcome["reason"].startswith("in the state 'Preprocess': it broke")


def test_errors_are_explained_with_what_to_do():
    assert "longer than the state allows" in str(explain("States.Timeout", "x"))
    assert "out of memory" in str(
        explain("Runtime.OutOfMemory", json.dumps({"errorMessage": "signal: killed"}))
    )
    assert "out of time" in str(
        explain("Sandbox.Timedout", json.dumps({"errorMessage": "Task timed out after 3.00 s"}))
    )
    assert "permission is missing" in str(explain("SNS.AccessDenied", "User: x is not authorized"))
    assert "lack of capacity" in str(explain("Lambda.TooManyRequestsException", "Rate Exceeded."))
    assert "KeyError: 'x'" in str(
        explain("KeyError", json.dumps({"errorMessage": "'x'", "errorType": "KeyError"}))
    )
    stopped = json.dumps({"TrainingJobName": "j", "TrainingJobStatus": "Stopped"})
    assert "was stopped" in str(explain("States.TaskFailed", stopped))
    tuning = json.dumps({"HyperParameterTuningJobName": "t", "HyperParameterTuningJobStatus": "Stopped"})
    assert "The job t was stopped" in str(explain("States.TaskFailed", tuning))
    crash = json.dumps({"errorMessage": "Worker process died", "errorType": "Runtime.ExitError"})
    assert "process ended in the middle" in str(explain("Runtime.ExitError", crash))
    unnamed = "Rate exceeded (Service: AmazonSageMaker; Status Code: 400; Error Code: ThrottlingException)"
    assert "lack of capacity" in str(explain("SageMaker.AmazonSageMakerException", unnamed))
    assert "not what the state machine goes by" in str(explain("States.QueryEvaluationError", "undefined"))


def test_a_failed_training_run_says_how_it_is_taken_up_again_once():
    outcome = finish_training(raw(FAILED))
    assert "`tidegate retry 0123456789ab` takes it up where it failed." in tell_training(outcome).message
    closed = {**outcome, "algorithms": {}, "reason": "It was stopped. `tidegate retry 0123456789ab` …"}
    assert tell_training(closed).message.count("tidegate retry") == 1


def test_what_could_not_be_undone_is_told_beside_what_failed():
    before = {"state": "Look at the endpoint", "error": "EndpointFailed", "cause": "it did not come up"}
    entry = {**FAILED, "state": "Roll back the endpoint", "cause": "no permission", "before": before}
    reason = finish_training(raw(entry))["algorithms"]["linear-learner"]["reason"]
    assert reason.startswith("in the state 'Look at the endpoint': it did not come up")
    assert "in the state 'Roll back the endpoint': no permission" in reason


def test_a_notification_names_the_run_the_file_and_each_algorithm():
    notification = tell_training(finish_training(raw(PASSED, REJECTED)))
    assert notification.subject == "cars: trained and serving"
    for words in (
        "0123456789ab",
        "cars/train/a.csv",
        "xgboost: SUCCEEDED, RMSE 1.5, served by tg-cars-xgboost",
    ):
        assert words in notification.message


def test_a_refused_file_s_notification_says_where_it_is_kept_and_what_to_do():
    message = tell_refused(
        "cars", "r", "cars/train/a.csv", "row 3 is short", "s3://b/quarantine/cars/r/a.csv"
    ).message
    assert "row 3 is short" in message
    assert "s3://b/quarantine/cars/r/a.csv" in message
    assert "drop it again" in message


def test_the_newest_value_of_each_metric_counts_whatever_the_order():
    entries = [
        {"MetricName": "validation:rmse", "Value": 2.0, "Timestamp": 20},
        {"MetricName": "validation:rmse", "Value": 5.0, "Timestamp": 10},
        {"MetricName": "train:rmse", "Value": float("nan"), "Timestamp": 10},
    ]
    assert latest_by_name(entries) == {"validation:rmse": 2.0}


def described(status: str, config: str = "old") -> dict:
    return {"EndpointStatus": status, "EndpointConfigName": config}


def test_an_endpoint_is_created_updated_left_or_made_anew():
    assert next_step(None, "new") == "create"
    assert next_step(described("InService"), "new") == "update"
    assert next_step(described("InService", "new"), "new") == "nothing"
    assert next_step(described("Failed"), "new") == "delete"
    assert next_step(described("Updating"), "new") == "wait"


def test_a_failed_change_is_undone_to_what_served_before():
    assert undo_step(described("Failed", "new"), None) == "delete"
    assert undo_step(described("Failed", "new"), "old") == "update"
    assert undo_step(described("InService", "old"), "old") == "nothing"
    assert undo_step(described("RollingBack", "new"), "old") == "wait"
    assert undo_step(None, "old") == "nothing"


def test_a_plan_names_everything_once_and_fits_json():
    spec = ModelSpec.from_dict(
        {
            "name": "cars",
            "target": "p",
            "features": {"a": "numeric"},
            "algorithms": {"xgboost": {"spot": True, "max_runtime_seconds": 600}, "linear-learner": None},
        }
    )
    first, second = plan_run(
        spec,
        "0123456789ab",
        prefix="tg",
        parameters="tidegate",
        artifacts="bucket",
        prepared={"train": 700, "part_rows": 9, "content_types": dict.fromkeys(spec.algorithms, "text/csv")},
    )
    assert first["stopping"] == {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200}
    assert "MaxWaitTimeInSeconds" not in second["stopping"]
    assert first["recipe"] == "s3://bucket/cars/runs/0123456789ab/xgboost/recipe.tar.gz"
    assert first["capture"] == "s3://bucket/cars/capture"
    assert first["parameters"]["model"] == "/tidegate/cars/xgboost/model"
    assert json.loads(json.dumps([first, second])) == [first, second]


def test_a_function_without_room_on_its_disk_is_told_where_to_make_some():
    cause = json.dumps({"errorMessage": "[Errno 28] No space left on device", "errorType": "OSError"})
    said = explain("OSError", cause)
    assert "no room left" in said.sentence
    assert "Make room" in said.remedy
