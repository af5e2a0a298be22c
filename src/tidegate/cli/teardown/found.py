"""What there is of a model in a cloud beside data and history: all that costs, or begins anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tidegate.cli.stack import NOT_FOUND, Stack
from tidegate.core import names
from tidegate.core.alarms import BY_STACK
from tidegate.core.algorithms import BUILT_IN
from tidegate.core.belonging import is_version_of
from tidegate.core.endpoints import VARIANT
from tidegate.core.verdict_metrics import BY_MODEL

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@dataclass(frozen=True)
class Subscription:
    """An address that hears of a model; `others` are the models that it hears of beside."""

    arn: str
    address: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What there is of a model, by kind, each by its name; in the order in which it is removed."""

    schedules: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    scaling: list[str] = field(default_factory=list)
    endpoints: list[str] = field(default_factory=list)
    endpoint_configs: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    # What the monitor goes by until it is withdrawn: a wish to retrain, and what people were told that lasts.
    standing: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    # AWS lets nobody remove these: they lapse by themselves, three days after they were made.
    unconfirmed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is anything to remove."""
        return any(getattr(self, each.name) for each in fields(self) if each.name != "unconfirmed")

    def document(self) -> dict[str, Any]:
        """Give the form that ``--json`` prints."""
        lists = {each.name: list(getattr(self, each.name)) for each in fields(self)}
        return {**lists, "subscriptions": [each.address for each in self.subscriptions]}


def find(stack: Stack, model: str) -> Found:
    """Look up everything of a model, whether it is declared still or only left over."""
    prefix = stack.output("NamePrefix")
    parameters = list(_parameters(stack, model))
    algorithms = _algorithms(stack, model, parameters)
    endpoints = [names.endpoint_name(prefix, model, each) for each in algorithms]
    confirmed, unconfirmed = _subscriptions(stack, model)

    def versions(operation: str, listed: str, member: str) -> list[str]:
        pages = stack.client("sagemaker").get_paginator(operation)
        found = [
            each[member]
            for page in pages.paginate(NameContains=f"{prefix}-{model}-")
            for each in page[listed]
        ]
        return sorted(name for name in found if is_version_of(name, prefix, model, algorithms))

    return Found(
        schedules=_schedule(stack, model),
        files=[each for each in _files(stack, model) if _is_there(stack, each)],
        names=sorted(parameters),
        scaling=sorted(_targets(stack, endpoints)),
        endpoints=[each for each in endpoints if stack.endpoint_state(each) != "Missing"],
        endpoint_configs=versions("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
        models=versions("list_models", "Models", "ModelName"),
        standing=[each for each in standing_of(model) if _is_kept(stack, each)],
        alarms=sorted(_alarms(stack, model, endpoints)),
        subscriptions=confirmed,
        unconfirmed=unconfirmed,
    )


def absent(call: Callable[..., Any], codes: Iterable[str], **named: Any) -> bool:
    """Make a call, and tell whether it finds nothing, which AWS says by an error."""
    from botocore.exceptions import ClientError

    try:
        call(**named)
    except ClientError as error:
        if error.response["Error"].get("Code") in {*codes}:
            return True
        raise
    return False


def is_known(stack: Stack, model: str) -> bool:
    """Tell whether SageMaker knows a model."""
    from botocore.exceptions import ClientError

    try:
        stack.client("sagemaker").describe_model(ModelName=model)
    except ClientError as error:
        if "Could not find" in str(error):
            return False
        raise
    return True


def group_of(stack: Stack) -> str:
    """Name the group of the stack's schedules."""
    return f"{stack.name}-monitor"


def known_models(stack: Stack) -> list[str]:
    """Name every model of which the stack has something that is not data: declared, named or scheduled."""
    declared = set(stack.models())
    pages = stack.client("ssm").get_paginator("get_parameters_by_path")
    root = f"/{stack.name}/"
    for page in pages.paginate(Path=root.rstrip("/"), Recursive=True):
        declared |= {each["Name"].removeprefix(root).partition("/")[0] for each in page["Parameters"]}
    pages = stack.client("scheduler").get_paginator("list_schedules")
    for page in pages.paginate(GroupName=group_of(stack)):
        declared |= {each["Name"] for each in page["Schedules"]}
    return sorted(declared)


def standing_of(model: str) -> list[str]:
    """Name the items of the monitor table that would act on a model of the same name."""
    return [names.retrain_id(model), names.told_id(model)]


def _is_kept(stack: Stack, item: str) -> bool:
    table = stack.output("MonitorTable")
    return "Item" in stack.client("dynamodb").get_item(TableName=table, Key={"id": {"S": item}})


def _files(stack: Stack, model: str) -> list[str]:
    return [
        f"s3://{stack.data_bucket}/{names.model_file_key(model)}",
        f"s3://{stack.artifacts_bucket}/{names.spec_key(model)}",
    ]


def _is_there(stack: Stack, uri: str) -> bool:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return not absent(stack.client("s3").head_object, NOT_FOUND, Bucket=bucket, Key=key)


def _algorithms(stack: Stack, model: str, parameters: Iterable[str]) -> list[str]:
    """Name every algorithm that the model may have had: what it declares, what it exported, what there is."""
    declaration = stack.declaration(model)
    declared = declaration.spec["algorithms"] if declaration else ()
    exported = [name.split("/")[3] for name in parameters if name.count("/") == 4]
    return sorted({*declared, *exported, *BUILT_IN})


def _parameters(stack: Stack, model: str) -> Iterator[str]:
    pages = stack.client("ssm").get_paginator("get_parameters_by_path")
    for page in pages.paginate(Path=f"/{stack.name}/{model}", Recursive=True):
        yield from (str(each["Name"]) for each in page["Parameters"])


def _schedule(stack: Stack, model: str) -> list[str]:
    group = group_of(stack)
    look = stack.client("scheduler").get_schedule
    gone = absent(look, ["ResourceNotFoundException"], Name=model, GroupName=group)
    return [] if gone else [f"{group}/{model}"]


def _targets(stack: Stack, endpoints: Iterable[str]) -> Iterator[str]:
    ids = [f"endpoint/{each}/variant/{VARIANT}" for each in endpoints]
    pages = stack.client("application-autoscaling").get_paginator("describe_scalable_targets")
    for page in pages.paginate(ServiceNamespace=NAMESPACE, ResourceIds=ids, ScalableDimension=DIMENSION):
        yield from (str(each["ResourceId"]) for each in page["ScalableTargets"])


def _alarms(stack: Stack, model: str, endpoints: Iterable[str]) -> Iterator[str]:
    """Name the stack's alarms that look at this model: by what they look at, as names may begin alike."""
    of_the_model = {(BY_STACK, stack.name), (BY_MODEL, model)}
    of_its_endpoints = {(word, each) for each in endpoints for word in ("EndpointName", "Endpoint")}
    pages = stack.client("cloudwatch").get_paginator("describe_alarms")
    # Those that scaling sets are named by the endpoint, and go with its target.
    for page in pages.paginate(AlarmNamePrefix=f"{stack.name}-"):
        for alarm in page.get("MetricAlarms", []):
            looked_at = _looked_at(alarm)
            if of_the_model <= looked_at or of_its_endpoints & looked_at:
                yield str(alarm["AlarmName"])


def _looked_at(alarm: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Give the dimensions of every metric that an alarm looks at."""
    metrics = [alarm, *(each.get("MetricStat", {}).get("Metric", {}) for each in alarm.get("Metrics", []))]
    return {(one["Name"], one["Value"]) for metric in metrics for one in metric.get("Dimensions", [])}


def _subscriptions(stack: Stack, model: str) -> tuple[list[Subscription], list[str]]:
    """Find who hears of the model; AWS tells the filter of a confirmed subscription alone."""
    sns = stack.client("sns")
    declaration = stack.declaration(model)
    declared = set((declaration.spec.get("notify") or []) if declaration else [])
    confirmed, unconfirmed = [], []
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(
        TopicArn=stack.output("NotificationTopicArn")
    ):
        for each in page["Subscriptions"]:
            if each["Protocol"] != "email":
                continue
            if not each["SubscriptionArn"].startswith("arn:"):
                unconfirmed += [each["Endpoint"]] if each["Endpoint"] in declared else []
                continue
            attributes = sns.get_subscription_attributes(SubscriptionArn=each["SubscriptionArn"])[
                "Attributes"
            ]
            models = json.loads(attributes.get("FilterPolicy") or "{}").get("model", [])
            if model in models:
                others = tuple(name for name in models if name != model)
                confirmed.append(Subscription(each["SubscriptionArn"], each["Endpoint"], others))
    return confirmed, unconfirmed
