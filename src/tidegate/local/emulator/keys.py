"""Keys of one's own with IAM in force: who uses what a key encrypts needs the key, endpoints a grant on it.

As on AWS: an object in a bucket with a key is read by who may decrypt with it and written by who may have it
make data keys, as is a message for a queue or topic; and SageMaker encrypts the disk of an endpoint by a
grant that it makes in the name of whoever creates or updates it (``kms:CreateGrant``, for AWS resources).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from tidegate.local.emulator import copies
from tidegate.local.emulator.names import actions, objects, policies, queues, topics
from tidegate.local.emulator.permissions import Need

KeyOf = Callable[[str], str | None]

_READ, _WRITE = ("kms:Decrypt",), ("kms:GenerateDataKey",)
_BOTH = (*_WRITE, *_READ)  # a message's data key is made, and read again
_USES = {
    "s3:GetObject": _READ,
    "s3:GetObjectVersion": _READ,
    "s3:PutObject": _WRITE,
    "sqs:SendMessage": _BOTH,
    "sns:Publish": _BOTH,
}
_GRANTED = ("CreateEndpoint", "UpdateEndpoint")
_ACTS_FOR_AWS = {"kms:grantisforawsresource": "true"}
# What was refused where the action itself was allowed, and its key or the tags of what it copies were not.
_refused: ContextVar[Need | None] = ContextVar("refused_key", default=None)


def install() -> None:
    """Have every call that uses something with a key ask for the key, and a refusal name it."""
    policies.replace("enforce", _with_keys(policies.enforce))
    actions.replace("refuse", _naming_keys(actions.refuse))


def key_needs(action: str, resource: str) -> list[Need]:
    """Return what an action on a resource needs of the key that encrypts it; nothing where there is none."""
    uses = _USES.get(action)
    key = _key_of(action.split(":")[0], resource) if uses else None
    # The keys that AWS manages are let by their own policies.
    if not uses or not key or ":alias/aws/" in key or key.startswith("alias/aws/"):
        return []
    return [Need(use, key) for use in uses]


def grant_needs(operation: str, request: Mapping[str, Any], key_of: KeyOf) -> list[Need]:
    """Return what an endpoint whose disk a key encrypts needs of its caller.

    Parameters
    ----------
    operation
        Of SageMaker.
    request
        What it is asked.
    key_of
        Gives the key of an endpoint configuration, None where it has none.
    """
    config = request.get("EndpointConfigName") if operation in _GRANTED else None
    key = key_of(str(config)) if config else None
    return [Need("kms:CreateGrant", key, _ACTS_FOR_AWS)] if key else []


def _key_of(service: str, resource: str) -> str | None:
    if service == "s3":
        bucket = resource.removeprefix("arn:aws:s3:::").partition("/")[0]
        return (
            str(objects.encryption_by_default(bucket).get("x-amz-server-side-encryption-aws-kms-key-id", ""))
            or None
        )
    name = resource.rpartition(":")[2]
    if service == "sqs":
        found = [each for url, each in queues.all.items() if url.rpartition("/")[2] == name]
        return found[0].get("attributes", {}).get("KmsMasterKeyId") if found else None
    topic = topics.all.get(resource)
    return topic.get("attributes", {}).get("KmsMasterKeyId") if topic else None


def _with_keys(original: Callable[..., Any]) -> Callable[..., Any]:
    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        _refused.set(None)
        denied = original(access_key_id, iam_action, service, region, resource_arn, service_context)
        if denied:
            return denied
        for need in [*copies.noted(), *key_needs(iam_action, resource_arn)]:
            if denied := original(
                access_key_id,
                need.action,
                need.action.split(":")[0],
                region,
                need.resource,
                dict(need.context),
            ):
                _refused.set(need)
                return denied
        return None

    return enforce


def _naming_keys(original: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(service: str, action: str, principal_arn: str, request_id: str, **named: Any) -> Any:
        if need := _refused.get():
            message = actions.denial(
                need.action, principal_arn, need.resource, named.get("explicit_deny", False)
            )
            named |= {"message": message, "resource_arn": need.resource}
        return original(service, action, principal_arn, request_id, **named)

    return refuse
