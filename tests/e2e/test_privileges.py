"""No right of a role is spare: taken away, something fails, and people are told what was not allowed.

Two proofs. `test_every_right_was_needed` looks back at the whole suite (`make privileges` runs it with IAM
enforced and has every allowed request written down): for each statement of each role, and each of its
actions, there is a request that the local cloud's own evaluator denies without it; what the local cloud has
no occasion to ask for is listed here with the reason. The other tests really take statements away, one at a
time, from the running local cloud: the run fails where it says, with the action that was not allowed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e import cars, watching
from tests.e2e.privileges import Right, read_requests, roles_of, spare_rights
from tests.e2e.town import Town, csv_bytes
from tidegate.local.emulator.witness import SETTING

pytestmark = pytest.mark.faults

DELIVERY = "the local cloud delivers events without asking the role of the rule, the schedule or the queue"
DELIVERS_LOGS = "Step Functions asks for it once, when the machine is made, to set up log delivery"
ABSENT = "S3 asks for it when a key is not there: without it the answer is 403 and not 404"
SCALING = "Application Auto Scaling's guide asks it of whoever registers an endpoint's variant"
IMAGES = "the local cloud's images are programs of this machine; nothing is pulled"
SPARK = "where there is no Spark the job is a process of the local cloud, for windows of gigabytes"
SELDOM = "the suite does not come to it: "
# What no test can need here, by statement or by statement and action.
UNASKED = {
    "WriteLogs": DELIVERS_LOGS,
    "TellAbsentFromForbidden": ABSENT,
    "LetScalingLookAndAct": SCALING,
    "LetScalingSetAlarms": SCALING,
    "LetScalingHaveItsRole": SCALING,
    "PullImages": IMAGES,
    "LogInToTheRegistry": IMAGES,
    "WriteJobLogs: logs:DescribeLogStreams": "SageMaker's guide lists it among what a job's role needs",
    "StartChecks": DELIVERY,
    "CallTheCollector": DELIVERY,
    "ParkWhatFails": DELIVERY,
    "LendSchedulesTheirRole": "the local scheduler does not ask for the right to pass a schedule's role",
    "ReadLargeWindows": SPARK,
    "TellPeople: sns:Subscribe": f"{SELDOM}addresses in a model file (tests/unit/functions tries them)",
    "TellPeople: sns:ListSubscriptionsByTopic": f"{SELDOM}addresses in a model file",
    "ReadTheirTags: s3:GetObjectTagging": "drops have versions here; AWS's guide asks both of who copies",
    "KeepFilters": f"{SELDOM}addresses in a model file that change",
    "ChangeEndpoints: sagemaker:DeleteEndpoint": f"{SELDOM}an endpoint that fails as it is made",
    "LiftScaling": f"{SELDOM}another instance type for an endpoint that scales",
    "TellOnce: dynamodb:DeleteItem": f"{SELDOM}a message that cannot be sent",
    "SeeTrainingsAtWork": f"{SELDOM}drift while a training is at work",
    "SeeWhatRefersToWhat: sagemaker:DescribeTransformJob": f"{SELDOM}a collection while a job reads a model",
}
# SAM's own statements, which have no name.
UNNAMED = {"sqs:SendMessage": DELIVERY, "states:StartExecution": DELIVERY}


def unasked(right: Right) -> bool:
    """Tell whether a right is one that the local cloud has no occasion to ask for."""
    if right.role == "ProfileWindowJobRole":
        return bool(SPARK)
    if right.sid.startswith("statement of "):
        return right.actions <= UNNAMED.keys()
    return right.sid in UNASKED or f"{right.sid}: {right.action}" in UNASKED


@contextmanager
def without(town: Town, logical: str, sid: str) -> Iterator[None]:
    """Take one statement of one role away, for a while."""
    iam = town.client("iam")
    role = next(each.name for each in roles_of(town) if each.logical == logical)
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        left = [each for each in document["Statement"] if each.get("Sid") != sid]
        if len(left) < len(document["Statement"]):
            break
    else:
        raise AssertionError(f"{logical} has no statement {sid}")

    def put(statements: list[dict]) -> None:
        if not statements:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
            return
        whole = json.dumps({**document, "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=whole)

    put(left)
    try:
        yield
    finally:
        put(document["Statement"])


XGBOOST = {"xgboost": {"hyperparameters": {"num_round": 20}, "instance": "ml.m5.large"}}


@pytest.fixture
def enforced(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--iam"):
        pytest.skip("nothing is denied where IAM is not enforced: run it with --iam")


def told(town: Town, record: dict, action: str) -> None:
    """The run failed, its reason names what was not allowed, and people have heard of it."""
    assert record["status"] == "FAILED"
    # S3 answers a HEAD request with a status alone.
    assert action in record["reason"] or "Forbidden" in record["reason"], record["reason"]
    assert [each["subject"] for each in town.notifications(record["run"])], "the inbox has nothing of it"


@pytest.mark.parametrize(
    ("role", "sid", "action"),
    [
        ("TrainMachineRole", "RunJobs", "sagemaker:CreateTrainingJob"),
        ("TrainMachineRole", "LendTheJobsTheirRole", "iam:PassRole"),
        ("TrainMachineRole", "HearOfJobsEnding", "events:PutTargets"),
        ("TrainMachineRole", "KeepTheNames", "ssm:PutParameter"),
        ("PreprocessFunctionRole", "ReadDrops", "s3:GetObject"),
        ("PreprocessFunctionRole", "ReadSpecs", "s3:GetObject"),
        ("PreprocessFunctionRole", "WriteRuns", "s3:PutObject"),
        ("SageMakerRole", "ReadAndWriteRuns", "s3:GetObject"),
        ("SageMakerRole", "ListRuns", "s3:ListBucket"),
        ("QueryTrainingMetricsFunctionRole", "LookAtTheJob", "sagemaker:DescribeTrainingJob"),
        ("EvaluateFunctionRole", "ReadAndWriteRuns", "s3:GetObject"),
        ("BaselineFunctionRole", "ReadAndWriteRuns", "s3:GetObject"),
        ("UpsertEndpointFunctionRole", "WriteConfigurations", "sagemaker:CreateEndpointConfig"),
        ("UpsertEndpointFunctionRole", "ChangeEndpoints", "sagemaker:DescribeEndpoint"),
    ],
)
def test_a_training_run_fails_where_a_statement_was_taken_away(
    town: Town, enforced: None, role: str, sid: str, action: str
):
    name = f"p-{role[:8]}-{sid[:16]}".lower()
    town.declare(cars.spec(name, algorithms=XGBOOST))
    with without(town, role, sid):
        record = town.train(name, "cars.csv", csv_bytes(cars.rows(200)))
    told(town, record, action)


@pytest.fixture(scope="module")
def trained(town: Town) -> str:
    name = "p-trained"
    town.declare(cars.spec(name, algorithms=XGBOOST))
    assert town.train(name, "cars.csv", csv_bytes(cars.rows(200)))["status"] == "SUCCEEDED"
    return name


@pytest.mark.parametrize(
    ("role", "sid", "action"),
    [
        ("PrepareScoresFunctionRole", "ReadDrops", "s3:GetObject"),
        ("PrepareScoresFunctionRole", "ReadSpecs", "s3:GetObject"),
        ("PrepareScoresFunctionRole", "ReadRecipes", "s3:GetObject"),
        ("PrepareScoresFunctionRole", "WriteRuns", "s3:PutObject"),
        ("PrepareScoresFunctionRole", "FindApprovedModels", "ssm:GetParameters"),
        ("PrepareScoresFunctionRole", "FindTheirRecipes", "sagemaker:DescribeModel"),
        ("ScoreMachineRole", "RunJobs", "sagemaker:CreateTransformJob"),
        ("ScoreMachineRole", "HearOfJobsEnding", "events:PutTargets"),
        ("CombineScoresFunctionRole", "ReadRuns", "s3:GetObject"),
        ("CombineScoresFunctionRole", "ListRuns", "s3:ListBucket"),
        ("CombineScoresFunctionRole", "WriteScores", "s3:PutObject"),
    ],
)
def test_a_scoring_run_fails_where_a_statement_was_taken_away(
    town: Town, enforced: None, trained: str, role: str, sid: str, action: str
):
    with without(town, role, sid):
        record = town.score(trained, f"{sid}.csv", csv_bytes(cars.rows(20)))
    told(town, record, action)


@pytest.mark.parametrize(
    ("role", "sid", "action"),
    [
        ("CollectFunctionRole", "ReadWhatIsInForce", "s3:GetObject"),
        ("CollectFunctionRole", "SeeWhatCame", "s3:ListBucket"),
        ("CollectFunctionRole", "OpenWindows", "dynamodb:"),
        ("CollectFunctionRole", "LookUpChampions", "ssm:GetParameters"),
        ("CollectFunctionRole", "LookAtChampions", "sagemaker:DescribeModel"),
        ("CollectFunctionRole", "WriteManifests", "s3:PutObject"),
        ("ProfileWindowFunctionRole", "ReadPredictions", "s3:GetObject"),
        ("ProfileWindowFunctionRole", "WriteWindows", "s3:PutObject"),
        ("CompareWindowFunctionRole", "ReadBaselinesAndWindows", "s3:GetObject"),
        ("CompareWindowFunctionRole", "WriteComparisons", "s3:PutObject"),
        ("EvaluateDriftFunctionRole", "ReadAndWriteChecks", "s3:"),
    ],
)
def test_a_check_fails_where_a_statement_was_taken_away(
    town: Town, enforced: None, trained: str, role: str, sid: str, action: str
):
    watching.capture(town, trained, cars.rows(30, seed=5))
    with without(town, role, sid):
        run, execution = watching.start(town, trained)
        assert watching.over(town, execution) == "FAILED"
    told(town, {**(town.record(run) or {}), "run": run}, action)


def test_with_the_words_denied_each_machine_tells_the_topic_itself(town: Town, enforced: None, trained: str):
    with without(town, "NotifyFunctionRole", "TellPeople"):
        learnt = town.train(trained, "more.csv", csv_bytes(cars.rows(220)))
    with without(town, "NotifyFunctionRole", "TellOnce"):
        scored = town.score(trained, "cars.csv", csv_bytes(cars.rows(20)))
        run, execution = watching.start(town, trained)
        watching.over(town, execution)
    for record, action in ((learnt, "sns:Publish"), (scored, "dynamodb:"), (town.record(run), "dynamodb:")):
        assert record is not None
        assert "Tell people plainly" in town.states_of(record)
        assert action in record["reason"], record["reason"]
    # Given back, all is well again.
    assert town.score(trained, "again.csv", csv_bytes(cars.rows(30)))["status"] == "SUCCEEDED"


def test_every_right_was_needed(town: Town):
    record = os.environ.get(SETTING)
    if not record:
        pytest.skip(f"{SETTING} names no file: `make privileges` runs the whole suite with it")
    spare = spare_rights(roles_of(town), read_requests(Path(record)))
    found = [str(right) for right in spare if not unasked(right)]
    assert found == [], (
        "no request of the whole suite needed these: take them out of template.yaml, or use them"
    )
