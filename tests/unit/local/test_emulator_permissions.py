"""What each call must be allowed to do, as AWS documents it."""

from __future__ import annotations

import pytest

from tidegate.local.emulator.permissions import parameter_arns, sagemaker_needs, task_needs

SAGEMAKER = "arn:aws:sagemaker:us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/jobs"


def _said(needs: list) -> list[str]:
    return [f"{need.action} {need.resource}" for need in needs]


@pytest.mark.parametrize(
    "request_", [{"Name": "/t/cars"}, {"Names": ["/t/cars"]}, {"Path": "/t/cars", "Recursive": True}], ids=str
)
def test_a_parameter_is_the_same_resource_however_it_is_asked_for(request_: dict) -> None:
    assert parameter_arns(request_) == ["arn:aws:ssm:us-east-1:000000000000:parameter/t/cars"]


def test_creating_a_job_passes_its_role_and_tags_it() -> None:
    needs = sagemaker_needs("CreateTrainingJob", {"TrainingJobName": "TG-1", "RoleArn": ROLE, "Tags": [{}]})
    assert _said(needs) == [
        f"sagemaker:CreateTrainingJob {SAGEMAKER}:training-job/tg-1",
        f"sagemaker:AddTags {SAGEMAKER}:training-job/tg-1",
        f"iam:PassRole {ROLE}",
    ]
    assert needs[-1].context == {"iam:passedtoservice": "sagemaker.amazonaws.com"}


def test_waiting_for_a_job_needs_to_look_at_it_stop_it_and_hear_of_its_end() -> None:
    resource = "arn:aws:states:::sagemaker:createTransformJob.sync"
    job = f"{SAGEMAKER}:transform-job/t"
    rule = "arn:aws:events:us-east-1:000000000000:rule/StepFunctionsGetEventsForSageMakerTransformJobsRule"
    assert _said(task_needs(resource, {"TransformJobName": "t"})) == [
        f"sagemaker:CreateTransformJob {job}",
        f"sagemaker:AddTags {job}",
        f"sagemaker:DescribeTransformJob {job}",
        f"sagemaker:StopTransformJob {job}",
        f"sagemaker:ListTags {job}",
        f"events:PutTargets {rule}",
        f"events:PutRule {rule}",
        f"events:DescribeRule {rule}",
    ]


@pytest.mark.parametrize(
    ("resource", "arguments", "needs"),
    [
        (
            "arn:aws:states:::lambda:invoke",
            {"FunctionName": "greet"},
            ["lambda:InvokeFunction arn:aws:lambda:us-east-1:000000000000:function:greet"],
        ),
        (
            "arn:aws:lambda:us-east-1:000000000000:function:greet:live",
            {"any": "thing"},
            ["lambda:InvokeFunction arn:aws:lambda:us-east-1:000000000000:function:greet:live"],
        ),
        (
            "arn:aws:states:::dynamodb:putItem",
            {"TableName": "runs", "Item": {}},
            ["dynamodb:PutItem arn:aws:dynamodb:us-east-1:000000000000:table/runs"],
        ),
        (
            "arn:aws:states:::aws-sdk:ssm:getParameters",
            {"Names": ["/a/b", "c"]},
            [
                "ssm:GetParameters arn:aws:ssm:us-east-1:000000000000:parameter/a/b",
                "ssm:GetParameters arn:aws:ssm:us-east-1:000000000000:parameter/c",
            ],
        ),
        (
            "arn:aws:states:::aws-sdk:s3:copyObject",
            {"Bucket": "to", "Key": "k", "CopySource": "from/a/b.csv"},
            ["s3:GetObject arn:aws:s3:::from/a/b.csv", "s3:PutObject arn:aws:s3:::to/k"],
        ),
        ("arn:aws:states:::aws-sdk:s3:listObjectsV2", {"Bucket": "b"}, ["s3:ListBucket arn:aws:s3:::b"]),
        (
            "arn:aws:states:::sns:publish",
            {"TopicArn": "arn:aws:sns:us-east-1:000000000000:t"},
            ["sns:Publish arn:aws:sns:us-east-1:000000000000:t"],
        ),
        (
            "arn:aws:states:::events:putEvents",
            {"Entries": [{"EventBusName": "own"}, {}]},
            [
                "events:PutEvents arn:aws:events:us-east-1:000000000000:event-bus/default",
                "events:PutEvents arn:aws:events:us-east-1:000000000000:event-bus/own",
            ],
        ),
        (
            "arn:aws:states:::aws-sdk:sagemaker:updateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c"},
            [f"sagemaker:UpdateEndpoint {SAGEMAKER}:{part}" for part in ("endpoint/e", "endpoint-config/c")],
        ),
        ("arn:aws:states:::aws-sdk:sagemaker:listModels", {}, ["sagemaker:ListModels *"]),
        (
            "arn:aws:states:::sqs:sendMessage",
            {"QueueUrl": "http://127.0.0.1:1/000000000000/q"},
            ["sqs:SendMessage arn:aws:sqs:us-east-1:000000000000:q"],
        ),
    ],
)
def test_a_task_needs_its_action_on_its_resource(resource: str, arguments: dict, needs: list[str]) -> None:
    assert _said(task_needs(resource, arguments)) == needs


def test_a_nested_execution_that_is_waited_for_can_be_stopped() -> None:
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m"
    said = _said(task_needs("arn:aws:states:::states:startExecution.sync:2", {"StateMachineArn": machine}))
    assert said[:3] == [
        f"states:StartExecution {machine}",
        "states:DescribeExecution arn:aws:states:us-east-1:000000000000:execution:m:*",
        "states:StopExecution arn:aws:states:us-east-1:000000000000:execution:m:*",
    ]
