"""The wire: what a request may hold, how faults are told, how answers are shaped."""

from __future__ import annotations

import json
import re
import timeit
from datetime import UTC, datetime
from typing import Any

import pytest
from control_stand_ins import training_job

from tidegate.local.sagemaker import wire
from tidegate.local.sagemaker.errors import SageMakerError
from tidegate.local.sagemaker.validation import compile_pattern

MODEL = {"ModelName": "cars", "PrimaryContainer": {"Image": "prices:1"}}


def fault(operation: str, request: dict[str, Any]) -> str:
    with pytest.raises(SageMakerError) as caught:
        wire.check_request(operation, request)
    # Which of the two it is, test_errors_generated.py checks for every member there is.
    assert caught.value.code in ("ValidationException", "SerializationException")
    return caught.value.message


def test_a_good_request_passes_unchanged() -> None:
    assert wire.check_request("CreateModel", MODEL) == MODEL
    assert wire.check_request("CreateTrainingJob", training_job("a")) == training_job("a")


def test_a_missing_member_is_named() -> None:
    assert fault("CreateModel", {}) == (
        "1 validation error detected: Value null at 'ModelName' failed to satisfy constraint: "
        "Member must not be null"
    )
    assert "at 'OutputDataConfig.S3OutputPath'" in fault(
        "CreateTrainingJob", training_job("a", OutputDataConfig={})
    )


def test_a_null_member_counts_as_absent() -> None:
    assert wire.check_request("CreateModel", {**MODEL, "VpcConfig": None}) == MODEL
    assert "Value null at 'ModelName'" in fault("CreateModel", {**MODEL, "ModelName": None})


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        (
            "ModelName",
            "two words",
            "'two words' at 'ModelName' failed to satisfy constraint: Member must satisfy regular",
        ),
        ("ModelName", "cars\n", "must satisfy regular expression"),
        ("ModelName", "c" * 64, "must have length less than or equal to 63"),
        ("ModelName", 7, "must be a string"),
        ("EnableNetworkIsolation", 1, "must be true or false"),
        ("EnableNetworkIsolation", "true", "must be true or false"),
        ("PrimaryContainer", [], "must be an object"),
        ("Containers", {}, "must be a list"),
        (
            "Tags",
            [{"Key": "", "Value": ""}],
            "'Tags[0].Key' failed to satisfy constraint: Member must have length greater",
        ),
        ("Tags", [{"Key": "!", "Value": ""}], "'Tags[0].Key'"),
        ("PrimaryContainer", {"Mode": "Two"}, "Member must be one of [SingleModel, MultiModel]"),
        (
            "PrimaryContainer",
            {"Environment": {"1a": "x"}},
            "at 'PrimaryContainer.Environment (the key '1a')'",
        ),
        ("PrimaryContainer", {"Environment": {"a": 1}}, "at 'PrimaryContainer.Environment.a'"),
        ("PrimaryContainer", {"Imge": "x"}, "PrimaryContainer has no member 'Imge'; did you mean 'Image'?"),
        ("Wheels", 4, "The request has no member 'Wheels'"),
    ],
)
def test_a_faulty_member_is_named_with_its_value_and_the_rule(member: str, value: Any, words: str) -> None:
    assert words in fault("CreateModel", {**MODEL, member: value})


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("StoppingCondition", {"MaxRuntimeInSeconds": 0}, "value greater than or equal to 1"),
        ("StoppingCondition", {"MaxRuntimeInSeconds": True}, "must be an integer"),
        ("StoppingCondition", {"MaxRuntimeInSeconds": 1.5}, "must be an integer"),
        ("HyperParameters", {"num_round": 300}, "Value '300' at 'HyperParameters.num_round'"),
        (
            "ResourceConfig",
            {"InstanceType": "ml.m5.lrage", "VolumeSizeInGB": 1},
            "did you mean 'ml.m5.large'?",
        ),
    ],
)
def test_a_faulty_training_job_is_refused(member: str, value: Any, words: str) -> None:
    message = fault("CreateTrainingJob", training_job("a", **{member: value}))
    assert words in message


def test_all_faults_are_told_at_once() -> None:
    message = fault("CreateModel", {"ModelName": "a b", "Tags": [{"Key": "k"}], "Wheels": 4})
    assert message.startswith("3 validation errors detected: ")


def test_a_long_wrong_value_is_not_repeated_in_full() -> None:
    assert len(fault("CreateModel", {**MODEL, "ModelName": "x" * 100_000})) < 300


def test_a_whole_number_may_be_written_as_a_float() -> None:
    request = training_job("a", StoppingCondition={"MaxRuntimeInSeconds": 60.0})
    native = wire.check_request("CreateTrainingJob", request)["StoppingCondition"]["MaxRuntimeInSeconds"]
    assert native == 60 and isinstance(native, int)


@pytest.mark.parametrize(
    "value", [1767225600, 1767225600.0, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"]
)
def test_times_become_aware_datetimes(value: Any) -> None:
    native = wire.check_request("ListModels", {"CreationTimeAfter": value})
    assert native["CreationTimeAfter"] == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", ["soon", True, 1e300, [1]])
def test_what_is_no_time_is_refused(value: Any) -> None:
    assert "Member must be a time" in fault("ListModels", {"CreationTimeAfter": value})


def test_letters_and_marks_of_every_script_are_good_in_a_tag() -> None:
    request = {**MODEL, "Tags": [{"Key": "Größe café", "Value": "東京-1 @a/b"}]}
    assert wire.check_request("CreateModel", request) == request


def test_every_pattern_of_sagemakers_model_can_be_checked() -> None:
    model = wire.service_model()
    patterns = {model.shape_for(name).metadata.get("pattern") for name in model.shape_names} - {None}
    assert len(patterns) > 100
    for pattern in patterns:
        assert isinstance(compile_pattern(pattern), re.Pattern)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[1]", b'"x"', b'{"a": NaN}', b"[" * 200_000])
def test_a_body_that_is_no_json_object_is_a_serialization_error(body: bytes) -> None:
    with pytest.raises(SageMakerError) as caught:
        wire.read_body(body)
    assert caught.value.code == "SerializationException"


def test_an_empty_body_is_an_empty_request() -> None:
    assert wire.read_body(b"") == {}


@pytest.mark.parametrize("target", ["SageMaker", "SageMaker.", "DynamoDB.CreateModel", ""])
def test_a_target_of_another_service_is_unknown(target: str) -> None:
    with pytest.raises(SageMakerError, match="UnknownOperationException"):
        wire.operation_name(target)


def test_an_operation_that_sagemaker_does_not_have_is_unknown() -> None:
    with pytest.raises(SageMakerError, match="no operation 'MakeCoffee'"):
        wire.operation("MakeCoffee")


def test_an_answer_keeps_the_members_of_the_output_and_writes_times_as_seconds() -> None:
    time = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
    record = {
        "ModelName": "cars",
        "CreationTime": time,
        "Private": 1,
        "VpcConfig": None,
        "Containers": [{"Image": "a", "Private": 2, "Environment": {"k": "v"}}],
    }
    assert wire.shape_answer("DescribeModel", record) == {
        "ModelName": "cars",
        "CreationTime": 1767225600.123,
        "Containers": [{"Image": "a", "Environment": {"k": "v"}}],
    }
    assert (
        wire.shape_answer("DescribeModel", record, wire.epoch_milliseconds)["CreationTime"] == 1767225600123
    )
    assert wire.shape_answer("DeleteModel", {}) == {}


def test_numbers_that_json_lacks_are_written_as_words() -> None:
    metrics = [
        {"MetricName": str(value), "Value": value} for value in (float("nan"), float("inf"), -float("inf"))
    ]
    shaped = wire.shape_answer("DescribeTrainingJob", {"FinalMetricDataList": metrics})
    assert [metric["Value"] for metric in shaped["FinalMetricDataList"]] == ["NaN", "Infinity", "-Infinity"]
    json.dumps(shaped, allow_nan=False)


def test_checking_and_shaping_cost_far_less_than_two_milliseconds() -> None:
    request = training_job("a", HyperParameters={f"p{n}": "1" for n in range(50)})
    best = (
        min(timeit.repeat(lambda: wire.check_request("CreateTrainingJob", request), number=10, repeat=5)) / 10
    )
    assert best < 0.002
