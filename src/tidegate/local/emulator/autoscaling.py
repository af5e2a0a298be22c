"""Application Auto Scaling, which the emulator does not have: targets and policies are kept and described.

Nothing is scaled by them: however many instances an endpoint has, one chain of its containers runs here.
"""

from __future__ import annotations

import functools
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from tidegate.local import mending
from tidegate.local.emulator.names import router, server, step
from tidegate.local.settings import ACCOUNT, REGION

KEY = "application-autoscaling"
TARGET_PREFIX = "AnyScaleFrontendService"
Answer = tuple[int, dict[str, str], bytes]
Item = dict[str, Any]
Place = tuple[str, str, str]


class Refused(Exception):
    """A request that AWS would refuse, with the name of its error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Scaling:
    """The registered targets and their policies, in a file.

    Parameters
    ----------
    file
        Where they are kept, as JSON.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._targets: dict[Place, Item] = {}
        self._policies: dict[tuple[Place, str], Item] = {}
        try:
            self._read()
        except (ValueError, TypeError, KeyError) as error:
            mending.set_aside(file, f"is not what scaling keeps ({error})", "the scaling of endpoints")

    def _read(self) -> None:
        if not self._file.exists():
            return
        kept = json.loads(self._file.read_bytes())
        targets = {_place(item): item for item in kept["targets"]}
        policies = {(_place(item), item["PolicyName"]): item for item in kept["policies"]}
        self._targets, self._policies = targets, policies

    async def handle(
        self, _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Mapping[str, Any]
    ) -> Answer:
        """Answer one request of the JSON 1.1 protocol."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            act = _OPERATIONS.get(operation)
            if act is None:
                raise Refused(
                    "UnknownOperationException",
                    f"The local Application Auto Scaling has no operation '{operation}'.",
                )
            request = _checked(operation, body)
            with self._lock:
                answer = act(self, request)
        except Refused as refusal:
            content = {"__type": refusal.code, "message": str(refusal)}
            return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()

    def register(self, request: Item) -> Item:
        """Register a target, or change what is given of a registered one."""
        known = self._targets.get(_place(request), {})
        merged = {**known, **request}
        if not known and not {"MinCapacity", "MaxCapacity"} <= request.keys():
            raise Refused("ValidationException", "A new target needs MinCapacity and MaxCapacity.")
        if merged["MinCapacity"] > merged["MaxCapacity"]:
            raise Refused(
                "ValidationException",
                f"MinCapacity is {merged['MinCapacity']}, above MaxCapacity, {merged['MaxCapacity']}.",
            )
        arn = known.get("ScalableTargetARN") or _arn(f"scalable-target/{uuid.uuid4().hex[:28]}")
        created = known.get("CreationTime", time.time())
        self._targets[_place(request)] = {**merged, "ScalableTargetARN": arn, "CreationTime": created}
        self._save()
        return {"ScalableTargetARN": arn}

    def deregister(self, request: Item) -> Item:
        """Forget a target with its policies."""
        place = self._registered(request)
        del self._targets[place]
        self._policies = {at: policy for at, policy in self._policies.items() if at[0] != place}
        self._save()
        return {}

    def put_policy(self, request: Item) -> Item:
        """Keep a policy of a registered target."""
        place = self._registered(request)
        known = self._policies.get((place, request["PolicyName"]), {})
        arn = known.get("PolicyARN") or _arn(
            f"scalingPolicy:{uuid.uuid4()}:resource/sagemaker/{request['ResourceId']}"
            f":policyName/{request['PolicyName']}"
        )
        policy = {"Alarms": [], "CreationTime": time.time(), **known, **request, "PolicyARN": arn}
        self._policies[place, request["PolicyName"]] = policy
        self._save()
        return {"PolicyARN": arn, "Alarms": []}

    def delete_policy(self, request: Item) -> Item:
        """Forget a policy."""
        if self._policies.pop((_place(request), request["PolicyName"]), None) is None:
            raise Refused("ObjectNotFoundException", f"There is no policy {request['PolicyName']}.")
        self._save()
        return {}

    def describe_targets(self, request: Item) -> Item:
        """List targets."""
        wanted = request.get("ResourceIds")
        chosen = [item for item in self._targets.values() if not wanted or item["ResourceId"] in wanted]
        return {"ScalableTargets": _only(chosen, request)}

    def describe_policies(self, request: Item) -> Item:
        """List policies."""
        wanted = request.get("PolicyNames")
        chosen = [item for item in self._policies.values() if not wanted or item["PolicyName"] in wanted]
        return {"ScalingPolicies": _only(chosen, request)}

    def _registered(self, request: Item) -> Place:
        place = _place(request)
        if place not in self._targets:
            raise Refused(
                "ObjectNotFoundException",
                f"No scalable target registered for service namespace: {place[0]}, resource ID: {place[1]}, "
                f"scalable dimension: {place[2]}",
            )
        return place

    def _save(self) -> None:
        content = {"targets": list(self._targets.values()), "policies": list(self._policies.values())}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(".new")
        partial.write_text(json.dumps(content))
        partial.replace(self._file)


_OPERATIONS: dict[str, Callable[[Scaling, Item], Item]] = {
    "RegisterScalableTarget": Scaling.register,
    "DeregisterScalableTarget": Scaling.deregister,
    "DescribeScalableTargets": Scaling.describe_targets,
    "PutScalingPolicy": Scaling.put_policy,
    "DeleteScalingPolicy": Scaling.delete_policy,
    "DescribeScalingPolicies": Scaling.describe_policies,
}


def install(file: Path, guard: Callable[[Any], Any] = lambda handler: handler) -> None:
    """Serve Application Auto Scaling on the emulator's port and to its state machines.

    Parameters
    ----------
    file
        Where targets and policies are kept.
    guard
        Puts a handler behind IAM, where it is enforced.
    """
    server.handlers[KEY] = guard(Scaling(file).handle)
    router.patterns[KEY] = {"target_prefixes": [f"{TARGET_PREFIX}."], "host_patterns": []}
    step.sdk_services["applicationautoscaling"] = {
        "target_prefix": TARGET_PREFIX,
        "protocol": "json",
        "service_key": KEY,
    }
    step.sdk_prefixes["applicationautoscaling"] = "ApplicationAutoScaling"


@functools.cache
def _model() -> Any:
    return botocore.session.Session().get_service_model(KEY)


def _checked(operation: str, body: bytes) -> Item:
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise Refused("SerializationException", f"The request body is not valid JSON: {error}.") from error
    report = ParamValidator().validate(request, _model().operation_model(operation).input_shape)
    if report.has_errors():
        raise Refused("ValidationException", report.generate_report())
    checked: Item = request
    return checked


def _place(item: Mapping[str, Any]) -> Place:
    return item["ServiceNamespace"], item["ResourceId"], item["ScalableDimension"]


def _only(items: list[Item], request: Item) -> list[Item]:
    keys = ("ServiceNamespace", "ResourceId", "ScalableDimension")
    return [item for item in items if all(request.get(key, item[key]) == item[key] for key in keys)]


def _arn(rest: str) -> str:
    return f"arn:aws:{KEY}:{REGION}:{ACCOUNT}:{rest}"
