"""Removing what there is of a model, piece by piece; what is gone already is as good as removed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.stack import Stack
from tidegate.cli.teardown.atwork import none_at_work
from tidegate.cli.teardown.found import DIMENSION, NAMESPACE, Found, absent, find, group_of
from tidegate.cli.watch import pause
from tidegate.core.endpoints import BUSY

PARAMETERS_AT_ONCE = 10  # what DeleteParameters takes
ALARMS_AT_ONCE = 100  # what DeleteAlarms takes
ENDPOINT_SECONDS = 3600.0
GONE = ("ResourceNotFoundException", "ObjectNotFoundException", "NotFound", "NotFoundException")

Note = Callable[[str], None]


def remove(session: Session, model: str, found: Found) -> Found:
    """Remove what was found of a model, and what came since; gives all that was removed.

    First whatever could begin something: from then on nothing new does. What began a moment before is waited
    for, as it may have made more; then what serves, then what it was made of.
    """
    stack, note = session.stack, session.output.note
    _schedules(stack, model, found.schedules, note)
    _files(stack, found.files, note)
    none_at_work(session, model, wait=True)
    now = find(stack, model)
    _names(stack, now.names, note)
    _scaling(stack, now.scaling, note)
    _endpoints(stack, now.endpoints, note)
    _each(stack.client("sagemaker").delete_endpoint_config, "EndpointConfigName", now.endpoint_configs)
    _told(note, "endpoint configuration", now.endpoint_configs)
    _each(stack.client("sagemaker").delete_model, "ModelName", now.models)
    _told(note, "model of SageMaker", now.models)
    _standing(stack, now.standing)
    _alarms(stack, now.alarms, note)
    _subscriptions(stack, model, now, note)
    return Found(
        schedules=found.schedules,
        files=found.files,
        names=now.names,
        scaling=now.scaling,
        endpoints=now.endpoints,
        endpoint_configs=now.endpoint_configs,
        models=now.models,
        standing=now.standing,
        alarms=now.alarms,
        subscriptions=now.subscriptions,
        unconfirmed=found.unconfirmed,
    )


def _schedules(stack: Stack, model: str, schedules: Iterable[str], note: Note) -> None:
    for each in schedules:
        absent(stack.client("scheduler").delete_schedule, GONE, Name=model, GroupName=group_of(stack))
        note(f"removed the schedule {each}")


def _files(stack: Stack, files: Iterable[str], note: Note) -> None:
    for each in files:
        bucket, _, key = each.removeprefix("s3://").partition("/")
        stack.client("s3").delete_object(Bucket=bucket, Key=key)  # its versions are kept
        note(f"removed {each}")


def _names(stack: Stack, names: list[str], note: Note) -> None:
    for start in range(0, len(names), PARAMETERS_AT_ONCE):
        stack.client("ssm").delete_parameters(Names=names[start : start + PARAMETERS_AT_ONCE])
    _told(note, "name in Parameter Store", names)


def _scaling(stack: Stack, targets: Iterable[str], note: Note) -> None:
    deregister = stack.client("application-autoscaling").deregister_scalable_target
    for each in targets:  # with a target go its policies and their alarms
        named = {"ServiceNamespace": NAMESPACE, "ResourceId": each, "ScalableDimension": DIMENSION}
        absent(deregister, GONE, **named)
        note(f"removed the scaling of {each}")


def _endpoints(stack: Stack, endpoints: Iterable[str], note: Note) -> None:
    """Delete endpoints, and wait until they are gone: as long as they are there they cost."""
    client = stack.client("sagemaker")
    for each in endpoints:
        _until(stack, each, lambda state: state not in BUSY or state == "Deleting", note)
        if stack.endpoint_state(each) not in ("Missing", "Deleting"):
            _unless_gone(client.delete_endpoint, EndpointName=each)
    for each in endpoints:
        _until(stack, each, lambda state: state == "Missing", note)
        note(f"removed the endpoint {each}")


def _until(stack: Stack, endpoint: str, settled: Callable[[str], bool], note: Note) -> None:
    end, told = time.monotonic() + ENDPOINT_SECONDS, ""
    while not settled(state := stack.endpoint_state(endpoint)):
        if time.monotonic() > end:
            raise Trouble(
                f"The endpoint {endpoint} has been {state} for an hour.",
                "Look at it in the console of SageMaker, then type the command again: it goes on from there.",
            )
        if state != told:
            note(f"waiting for the endpoint {endpoint}, which is {state}")
        told = state
        time.sleep(pause(stack))


def _each(delete: Callable[..., Any], member: str, names: Iterable[str]) -> None:
    for name in names:
        _unless_gone(delete, **{member: name})


def _unless_gone(delete: Callable[..., Any], **named: str) -> None:
    """Delete something of SageMaker, which says by its words alone that there is no such thing."""
    from botocore.exceptions import ClientError

    try:
        delete(**named)
    except ClientError as error:
        if "Could not find" not in str(error):
            raise


def _standing(stack: Stack, items: Iterable[str]) -> None:
    table = stack.output("MonitorTable")
    for each in items:
        stack.client("dynamodb").delete_item(TableName=table, Key={"id": {"S": each}})


def _alarms(stack: Stack, alarms: list[str], note: Note) -> None:
    for start in range(0, len(alarms), ALARMS_AT_ONCE):
        stack.client("cloudwatch").delete_alarms(AlarmNames=alarms[start : start + ALARMS_AT_ONCE])
    _told(note, "alarm", alarms)


def _subscriptions(stack: Stack, model: str, found: Found, note: Note) -> None:
    sns = stack.client("sns")
    for each in found.subscriptions:
        if each.others:
            sns.set_subscription_attributes(
                SubscriptionArn=each.arn,
                AttributeName="FilterPolicy",
                AttributeValue=json.dumps({"model": list(each.others)}),
            )
        else:
            absent(sns.unsubscribe, GONE, SubscriptionArn=each.arn)
        note(f"{each.address} hears of {model} no more")


def _told(note: Note, what: str, names: Iterable[str]) -> None:
    for each in names:
        note(f"removed the {what} {each}")
