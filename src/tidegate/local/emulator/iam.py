"""IAM where the emulator leaves it out: SageMaker's wire calls, what state machines call, a condition key.

In force when the local cloud was started with it (``auth``); the emulator itself guards its own services.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from tidegate.local.emulator import copies
from tidegate.local.emulator.keys import KeyOf, grant_needs, key_needs
from tidegate.local.emulator.names import actions, answers, policies, router, server, step
from tidegate.local.emulator.permissions import (
    Need,
    parameter_arns,
    sagemaker_needs,
    scaling_needs,
    task_needs,
)
from tidegate.local.emulator.strands import current
from tidegate.local.settings import ACCOUNT, REGION

ServiceHandler = Callable[
    [str, str, Mapping[str, str], bytes, Mapping[str, Any]], Awaitable[tuple[int, dict[str, str], bytes]]
]

# How the optimized integrations name a refusal; the SDK integrations use the service's base exception.
_REFUSALS = {
    "dynamodb": "DynamoDB.AmazonDynamoDBException",
    "glue": "Glue.AWSGlueException",
    "events": "EventBridge.AmazonEventBridgeException",
    "lambda": "Lambda.AWSLambdaException",
    "sagemaker": "SageMaker.AmazonSageMakerException",
    "sns": "SNS.AmazonSNSException",
    "sqs": "SQS.AmazonSQSException",
    "states": "StepFunctions.AWSStepFunctionsException",
}


def install() -> None:
    """Put what the emulator does not know of a request where its policies look for it."""
    # What stays on this machine counts as secure transport: who refuses plain HTTP means the network.
    pin = server.pin_origin
    server.replace("pin_origin", lambda source_ip, _secure: pin(source_ip, True))
    keys = actions.request_keys

    def with_namespace(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        named = {"cloudwatch:namespace": _namespace(body)} if action == "cloudwatch:PutMetricData" else {}
        return {**keys(service, action, body, params), **named}

    actions.replace("request_keys", with_namespace)
    resource_of = actions.resource_of

    def with_names(service: str, method: str, path: str, headers: Any, body: bytes, *more: Any) -> str:
        # A schedule is in a group, which the emulator takes to be the default one.
        if service == "scheduler" and (group := _request(body).get("GroupName")):
            name = path.rstrip("/").rpartition("/")[2]
            return f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{group}/{name}"
        if layer := _layer_version(service, method, path):
            return f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{layer[1]}:{layer[2]}"
        # Of several names the first stands for all: the emulator asks about one resource a call.
        named = parameter_arns(_request(body)) if service == "ssm" else []
        found = named[0] if named else str(resource_of(service, method, path, headers, body, *more))
        copies.note(service, headers, found)
        return found

    actions.replace("resource_of", with_names)
    action_of = actions.action_of

    def with_layers(service: str, method: str, path: str, *more: Any) -> str | None:
        if _layer_version(service, method, path):
            return "lambda:GetLayerVersion"
        found: str | None = action_of(service, method, path, *more)
        return found

    actions.replace("action_of", with_layers)


def _layer_version(service: str, method: str, path: str) -> re.Match[str] | None:
    """Match a look at one version of a layer, which the emulator takes for a list of all layers."""
    if (service, method) != ("lambda", "GET"):
        return None
    return re.fullmatch(r"/2018-10-31/layers/([^/]+)/versions/([0-9]+)", unquote(path))


def guarded(handler: ServiceHandler, key_of: KeyOf = lambda _: None) -> ServiceHandler:
    """Return SageMaker's handler behind the policies of whoever calls.

    Parameters
    ----------
    handler
        SageMaker's.
    key_of
        Gives the key of an endpoint configuration, None where it has none.
    """

    def needs(path: str, headers: Mapping[str, str], body: bytes) -> list[Need]:
        granted = grant_needs(_operation(headers), _request(body), key_of)
        return [*_wire_needs(path, headers, body), *granted]

    return _guarded(handler, "sagemaker", needs)


def guarded_scaling(handler: ServiceHandler) -> ServiceHandler:
    """Return Application Auto Scaling's handler behind the policies of whoever calls."""
    return _guarded(
        handler,
        "application-autoscaling",
        lambda _, headers, body: scaling_needs(_operation(headers), _request(body)),
    )


def _guarded(
    handler: ServiceHandler,
    service: str,
    needs_of: Callable[[str, Mapping[str, str], bytes], list[Need]],
) -> ServiceHandler:

    async def guard(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        # A state machine's call was checked against the machine's role before it came here.
        if current.get() is None:
            needs = needs_of(path, headers, body)
            key = router.access_key(dict(headers), dict(query))
            for need in needs:
                denied = policies.enforce(
                    key, need.action, service, REGION, need.resource, dict(need.context)
                )
                if denied:
                    return _refusal(need, denied, headers)
        return await handler(method, path, headers, body, query)

    return guard


def authorize_task(role: str, resource: str, arguments: Any) -> None:
    """Raise the failure that AWS raises when a state machine's role does not allow a task."""
    name = role.rpartition("/")[2]
    principal = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{uuid.uuid4().hex}"
    granted = policies.of_role(name, ACCOUNT)
    needs = task_needs(resource, arguments)
    for need in [*needs, *(each for one in needs for each in key_needs(one.action, one.resource))]:
        question = policies.Question(
            principal_arn=principal,
            principal_type="AssumedRole",
            principal_account=ACCOUNT,
            action=need.action,
            resource_arn=need.resource,
            region=REGION,
            secure_transport=True,
            service_context=dict(need.context),
        )
        verdict = policies.evaluate(question, granted)
        if verdict.decision != "Allow":
            cause = actions.denial(need.action, principal, need.resource, verdict.decision == "Deny")
            raise step.Failure(_refusal_name(resource), cause)


def _refusal_name(resource: str) -> str:
    parts = resource.split(":")
    service = parts[6] if "aws-sdk" in parts else parts[5]
    if "aws-sdk" in parts:
        return str(step.prefix_sdk_error(service, "AccessDeniedException"))
    return _REFUSALS.get("lambda" if ":lambda:" in resource else service, "States.Permissions")


def _namespace(body: bytes) -> str | None:
    """Return the namespace of a PutMetricData request in JSON or as a form."""
    try:
        given = json.loads(body)
        return str(given["Namespace"])
    except (ValueError, KeyError, TypeError):
        return parse_qs(body.decode("utf-8", "replace")).get("Namespace", [None])[0]


def _wire_needs(path: str, headers: Mapping[str, str], body: bytes) -> list[Need]:
    if headers.get("x-amz-target"):
        return sagemaker_needs(_operation(headers), _request(body))
    _, _, name, *_ = [*unquote(path).split("/"), "", ""]
    return sagemaker_needs("InvokeEndpoint", {"EndpointName": name})


def _operation(headers: Mapping[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}  # the handler says what is wrong with it
    return request if isinstance(request, dict) else {}


def _refusal(need: Need, denied: Any, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    if isinstance(denied, policies.CredentialError):
        code, message = denied.code, denied.message
    else:
        code = "AccessDeniedException"
        message = actions.denial(need.action, denied.principal_arn, need.resource, denied.decision == "Deny")
    status = 400 if "x-amz-target" in headers else 403
    content = json.dumps({"__type": code, "message": message, "Message": message}).encode()
    kind = "application/x-amz-json-1.1" if "x-amz-target" in headers else "application/json"
    return (
        status,
        {"content-type": kind, "x-amzn-errortype": code, "x-amzn-requestid": answers.new_id()},
        content,
    )
