"""No value of the data is in what is told: canaries in every kind of file and request, looked for everywhere."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from botocore.exceptions import ClientError

from tests.e2e import cars, watching
from tests.e2e.town import Town, csv_bytes
from tidegate.core import names

CANARY = "Xq7Canary"  # letters and digits that nothing else has
SETTINGS: dict[str, Any] = {
    "algorithms": {"xgboost": {"hyperparameters": {"num_round": 3}, "instance": "ml.m5.large"}},
    "monitor": {"every": "1 hour", "least_rows": 100},
}


def canaries(count: int, make: str = "make") -> list[dict[str, Any]]:
    """Make cars whose every text is a canary: ids, a category, and what is not asked for."""
    made = cars.rows(count, seed=77)
    return [
        {
            **car,
            "listing": f"{CANARY}-{make}-id-{n}",
            "make": f"{CANARY}-{make}",
            "owner": f"{CANARY}-owner-{n}",
        }
        for n, car in enumerate(made)
    ]


def without_header(rows: list[dict[str, Any]]) -> bytes:
    return csv_bytes(rows).split(b"\r\n", 1)[1]


def put(town: Town, model: str, kind: str, filename: str, content: bytes) -> str:
    """Drop a file whose object carries a canary in its metadata; gives the run that it starts.

    Its key holds none: by that a file is found, so it is told.
    """
    key, metadata = names.drop_key(model, kind, filename), {"owner": f"{CANARY}-metadata"}
    answer = town.client("s3").put_object(Bucket=town.data, Key=key, Body=content, Metadata=metadata)
    return names.run_id(town.data, key, answer["VersionId"])


@contextmanager
def heard_on_the_bus(town: Town) -> Iterator[list[str]]:
    """Keep every event of the default bus in a list, to be read after the block."""
    sqs, events, name = town.client("sqs"), town.client("events"), f"canary-{uuid.uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sources = ["aws.s3", "aws.states", "aws.sagemaker", "aws.cloudwatch", {"prefix": "tidegate"}]
    events.put_rule(Name=name, EventPattern=json.dumps({"source": sources}))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    heard: list[str] = []
    try:
        yield heard
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            heard += [each["Body"] for each in messages]
            for each in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    finally:
        events.remove_targets(Rule=name, Ids=["queue"])
        events.delete_rule(Name=name)
        sqs.delete_queue(QueueUrl=url)


def logs(town: Town, since: float) -> Iterator[tuple[str, str]]:
    client = town.client("logs")
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            found = client.get_paginator("filter_log_events").paginate(
                logGroupName=name, startTime=int(since * 1000)
            )
            yield f"log {name}", "\n".join(event["message"] for each in found for event in each["events"])


def tables(town: Town) -> Iterator[tuple[str, str]]:
    client = town.client("dynamodb")
    for page in client.get_paginator("list_tables").paginate():
        for table in page["TableNames"]:
            for number, found in enumerate(client.get_paginator("scan").paginate(TableName=table)):
                yield f"table {table}, page {number}", json.dumps(found["Items"], default=str)


def histories(town: Town, since: float) -> Iterator[tuple[str, str]]:
    """Read what executions were given, did and answered."""
    client = town.client("stepfunctions")
    machines = [town.outputs[f"{each}MachineArn"] for each in ("Train", "Score", "Monitor")]
    for arn in machines:
        for page in client.get_paginator("list_executions").paginate(stateMachineArn=arn):
            for execution in page["executions"]:
                if execution["startDate"].timestamp() >= since:
                    pages = client.get_paginator("get_execution_history").paginate(
                        executionArn=execution["executionArn"]
                    )
                    yield f"history {execution['name']}", json.dumps(list(pages), default=str)


def everything_said(town: Town, model: str, since: float) -> dict[str, str]:
    """Read all that is told of a model to those who may not read its data, by where it stands."""
    said = {**dict(logs(town, since)), **dict(tables(town)), **dict(histories(town, since))}
    for key in town.keys(town.artifacts, "notifications/"):
        said[key] = town.read(town.artifacts, key).decode()
    watch = town.client("cloudwatch")
    for number, page in enumerate(watch.get_paginator("list_metrics").paginate()):
        said[f"metrics, page {number}"] = json.dumps(page["Metrics"])
    said["alarms"] = json.dumps(watch.describe_alarms()["MetricAlarms"], default=str)
    for page in town.client("sagemaker").get_paginator("list_training_jobs").paginate(NameContains=model):
        for job in page["TrainingJobSummaries"]:
            described = town.client("sagemaker").describe_training_job(TrainingJobName=job["TrainingJobName"])
            said[f"job {job['TrainingJobName']}"] = json.dumps(described, default=str)
    return said


def files_that_are_refused(town: Town, model: str) -> list[dict[str, Any]]:
    """Drop a file of each kind that quotes itself when it is refused."""
    rows = canaries(80)
    bad = [{**row, "km": f"{CANARY}-km" if n == 40 else row["km"]} for n, row in enumerate(rows)]
    target = [{**row, "price": f"{CANARY}-price" if n == 7 else row["price"]} for n, row in enumerate(rows)]
    contents = {
        "bad cell": csv_bytes(bad),
        "bad target": csv_bytes(target),
        "ragged": csv_bytes(rows) + f"{CANARY},{CANARY}-cut\n".encode(),
        "no header": without_header(rows),
        "words": f"{CANARY},street\n".encode() * 3,
        "semicolons": f"{CANARY};street\n".encode() * 3,
        "other names": f"{CANARY} one,{CANARY} two\n1,2\n".encode(),
        "a name misspelt": csv_bytes(rows).replace(b"make", CANARY.encode() + b"make", 1),
        "no text": f"{CANARY}\0".encode() * 30,
    }
    runs = [put(town, model, "train", f"{what}.csv", content) for what, content in contents.items()]
    ended = [town.ended(run) for run in runs]
    assert {each["status"] for each in ended} == {"REFUSED"}, [each["reason"] for each in ended]
    alike = [
        town.score(model, f"{what}.csv", contents[what]) for what in ("no header", "words", "semicolons")
    ]
    assert {each["status"] for each in alike} == {"REFUSED"}, [each["reason"] for each in alike]
    return ended


def truth_that_is_refused(town: Town, model: str) -> None:
    for what, content in {
        "values": f"listing,price\n{CANARY}-id-1,{CANARY}-price\n",
        "names": f"{CANARY} a,{CANARY} b\n1,2\n",
        "ragged": f"listing,price\n{CANARY},1,2\n",
        "json": f'{{"listing": "{CANARY}", "price": "{CANARY}"}}\n',
    }.items():
        put(town, model, "truth", f"{what}.csv", content.encode())


def requests_that_are_refused(town: Town, model: str, endpoint: str) -> None:
    """Ask the function behind the API, and the endpoint itself, what they cannot answer."""
    function = next(
        each["PhysicalResourceId"]
        for page in town.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName="tidegate")
        for each in page["StackResourceSummaries"]
        if each["LogicalResourceId"] == "PredictFunction"
    )
    good = {"km": 1, "year": 2000, "make": f"{CANARY}-make", "automatic": "no"}
    for record in ({**good, "km": f"{CANARY}-km"}, {**good, CANARY: 1}, good, [CANARY]):
        event = {
            "version": "2.0",
            "routeKey": "POST /models/{model}/predictions",
            "pathParameters": {"model": model},
            "headers": {"content-type": "application/json", "x-owner": CANARY},
            "body": json.dumps(record),
            "isBase64Encoded": False,
        }
        answer = town.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        assert json.loads(answer["Payload"].read())["statusCode"] in (200, 400, 422), record
    with suppress(ClientError):
        town.invoke(endpoint, f"{CANARY}-km,2000,{CANARY}-make,no")


def test_no_value_of_the_data_is_in_anything_that_is_told(town: Town):
    began = time.time()
    name = f"canary-{uuid.uuid4().hex[:6]}"
    with heard_on_the_bus(town) as heard:
        town.declare(cars.spec(name, gate={"at_most": 1e9}, **SETTINGS))
        good = town.train(name, "good.csv", csv_bytes(canaries(300)))
        assert good["status"] == "SUCCEEDED", good["reason"]
        endpoint = good["result"]["algorithms"]["xgboost"]["endpoint"]
        watching.capture(town, name, watching.shifted(canaries(150)))
        moved = watching.check(town, name)
        assert moved["result"]["verdict"] == "drift", moved["reason"]
        refused = files_that_are_refused(town, name)
        rows = canaries(200, "another-make")
        rows[40] = {**rows[40], "km": f"{CANARY}-km"}
        scored = town.score(name, "new.csv", csv_bytes(rows))
        assert scored["result"].get("rejected") == 1, scored["reason"]
        requests_that_are_refused(town, name, endpoint)
        watching.capture(town, name, canaries(150, "another-make"))
        truth_that_is_refused(town, name)
        found = watching.check(town, name)
        assert found["result"]["verdict"] in ("drift", "bad data"), found["reason"]
        assert "make" in found["reason"] and len(found["result"]["refused"]) == 4
        broken = {"xgboost": {"hyperparameters": {"num_round": 3, "objective": "reg:logistic"}}}
        town.declare(cars.spec(name, algorithms=broken, gate={"at_most": 1e8}))
        failed = town.train(name, "failing.csv", csv_bytes(canaries(81)))
        assert "for logistic loss" in failed["reason"]
    assert any("Drift Detected" in each for each in heard)
    said = {**everything_said(town, name, began), **{f"event {n}": each for n, each in enumerate(heard)}}
    for place in ("TrainingJobs", "history", "table", "notifications/", "metrics", "alarms", "event", "job"):
        assert any(place in where for where in said), f"nothing was read of {place}"
    told = {
        where: text[max(0, text.index(CANARY) - 80) :][:160] for where, text in said.items() if CANARY in text
    }
    assert told == {}
    the_values_are_where_they_may_be_read(town, name, refused[0], found)


def the_values_are_where_they_may_be_read(
    town: Town, model: str, refused: dict[str, Any], found: dict[str, Any]
) -> None:
    kept = refused["result"]["kept_at"].removeprefix(f"s3://{town.data}/")
    assert f"{CANARY}-km" in town.read(town.data, f"{kept}.reason.json").decode()
    report = f"{names.check_prefix(model, found['run'])}/report.html"
    assert f"{CANARY}-another-make" in town.read(town.artifacts, report).decode()
