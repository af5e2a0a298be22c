"""What the collector looks at in SageMaker, Parameter Store and the runs, and what it removes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from tidegate.core import names
from tidegate.core.orphans import LONGEST_RUN_SECONDS, Config, Maker, Orphans, Scene
from tidegate.edge.hosting import describe, describe_config
from tidegate.edge.sagemaker import if_there
from tidegate.edge.storage import client

RECORDS_AT_ONCE = 100  # what BatchGetItem takes
JOBS_AT_WORK = ("InProgress", "Stopping")


def look(now: float, *, prefix: str, root: str, table: str, machine: str) -> Scene:
    """Look at everything that may refer to a model or an endpoint configuration.

    Parameters
    ----------
    now : float
        Seconds since 1970.
    prefix : str
        The deployment's prefix of SageMaker names.
    root : str
        The first folder of the deployment's names in Parameter Store.
    table : str
        The runs table.
    machine : str
        The train machine, whose executions may be taken up again without their record saying so.
    """
    configs = [
        _config(name) for name in _names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName")
    ]
    models = list(_names("list_models", "Models", "ModelName", NameContains=f"{prefix}-"))
    runs = {names.maker_of(prefix, name) for name in (*models, *(config.name for config in configs))}
    executions = _executions_at_work(machine)
    makers = dict(_makers(table, sorted(run for run in runs if run), executions))
    uses = sorted({maker.model for maker in makers.values()})
    parameters = {use: list(_parameters(root, use)) for use in uses}
    return Scene(
        now=now,
        prefix=prefix,
        configs=configs,
        models=models,
        served=frozenset(_served()),
        used=frozenset(_used()),
        makers=makers,
        named=frozenset(each["Value"] for found in parameters.values() for each in found),
        renamed={
            use: max(each["LastModifiedDate"].timestamp() for each in found)
            for use, found in parameters.items()
            if found
        },
        in_flight=dict(_in_flight(table, uses, executions, now)),
    )


def remove(found: Orphans) -> None:
    """Remove configurations and models; one that is gone already is as good."""
    sagemaker = client("sagemaker")
    for config in found.configs:
        if_there(sagemaker.delete_endpoint_config, EndpointConfigName=config)
    for model in found.models:
        if_there(sagemaker.delete_model, ModelName=model)


def _names(operation: str, listed: str, member: str, **asked: Any) -> Iterator[str]:
    for page in client("sagemaker").get_paginator(operation).paginate(**asked):
        yield from (str(each[member]) for each in page[listed])


def _config(name: str) -> Config:
    described = describe_config(name) or {}  # what is gone since it was listed refers to nothing
    variants = [*described.get("ProductionVariants", []), *described.get("ShadowProductionVariants", [])]
    return Config(name, tuple(each["ModelName"] for each in variants if "ModelName" in each))


def _served() -> Iterator[str]:
    """Give the configuration of every endpoint of the account, and the one that it is being updated to."""
    for endpoint in _names("list_endpoints", "Endpoints", "EndpointName"):
        described = describe(endpoint) or {}
        if now := described.get("EndpointConfigName"):
            yield now
        if coming := described.get("PendingDeploymentSummary", {}).get("EndpointConfigName"):
            yield coming


def _used() -> Iterator[str]:
    for status in JOBS_AT_WORK:
        for job in _names(
            "list_transform_jobs", "TransformJobSummaries", "TransformJobName", StatusEquals=status
        ):
            described = if_there(client("sagemaker").describe_transform_job, TransformJobName=job) or {}
            if "ModelName" in described:
                yield described["ModelName"]


def _parameters(root: str, use: str) -> Iterator[dict[str, Any]]:
    pages = client("ssm").get_paginator("get_parameters_by_path")
    for page in pages.paginate(Path=f"/{root}/{use}", Recursive=True):
        yield from page["Parameters"]


def _executions_at_work(machine: str) -> set[str]:
    pages = client("stepfunctions").get_paginator("list_executions")
    return {
        str(each["executionArn"])
        for page in pages.paginate(stateMachineArn=machine, statusFilter="RUNNING")
        for each in page["executions"]
    }


def _makers(table: str, runs: list[str], executions: set[str]) -> Iterator[tuple[str, Maker]]:
    """Read the records of runs; one without an end, or that is at work again, has not finished."""
    for item in _records(table, runs):
        over = _text(item, "status") != "RUNNING" and _text(item, "execution") not in executions
        finished = _seconds(_text(item, "finished")) if over and "finished" in item else None
        yield _text(item, "run"), Maker(_text(item, "model"), finished)


def _records(table: str, runs: list[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(runs), RECORDS_AT_ONCE):
        keys = [{"run": {"S": run}} for run in runs[start : start + RECORDS_AT_ONCE]]
        asked: dict[str, Any] = {table: {"Keys": keys, "ConsistentRead": True}}
        while asked:
            answer = client("dynamodb").batch_get_item(RequestItems=asked)
            yield from answer["Responses"].get(table, [])
            asked = answer.get("UnprocessedKeys") or {}


def _in_flight(
    table: str, uses: Iterable[str], executions: set[str], now: float
) -> Iterator[tuple[str, float]]:
    since = datetime.fromtimestamp(now - LONGEST_RUN_SECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    pages = client("dynamodb").get_paginator("query")
    for use in uses:
        asked = pages.paginate(
            TableName=table,
            IndexName="by-model",
            KeyConditionExpression="#model = :model AND #started > :since",
            ExpressionAttributeNames={"#model": "model", "#started": "started"},
            ExpressionAttributeValues={":model": {"S": use}, ":since": {"S": since}},
        )
        started = [
            _seconds(_text(item, "started"))
            for page in asked
            for item in page["Items"]
            if _text(item, "status") == "RUNNING" or _text(item, "execution") in executions
        ]
        if started:
            yield use, min(started)


def _text(item: dict[str, Any], name: str) -> str:
    return str(item.get(name, {}).get("S", ""))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
