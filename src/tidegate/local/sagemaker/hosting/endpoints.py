"""The endpoint operations: create, update, weights, describe, list and delete.

Each changes the endpoint's record, leaves the work to a thread (see `rollout`) and answers, as AWS does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.control.tags import replace_tags
from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.hosting import rollout
from tidegate.local.sagemaker.hosting.deployment import (
    PENDING,
    SERVING,
    pending_summary,
    read_deployment,
    retain_properties,
)
from tidegate.local.sagemaker.hosting.live import hosting_of
from tidegate.local.sagemaker.hosting.traffic import check_deployment_config
from tidegate.local.sagemaker.paging import list_page, pick
from tidegate.local.sagemaker.store import AlreadyExists, now

Request = Mapping[str, Any]
Record = dict[str, Any]


def create_endpoint(ctx: Context, request: Request) -> Record:
    """Start an endpoint; it is ``Creating`` until its model servers answer, then ``InService``."""
    name = request["EndpointName"]
    arn = ctx.arn("endpoint", name)
    check_deployment_config(request.get("DeploymentConfig"))
    deployment = read_deployment(ctx, request["EndpointConfigName"])
    hosting = hosting_of(ctx)
    hosting.check_room(len(deployment["Variants"]))
    time = now()
    record: Record = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": request["EndpointConfigName"],
        "EndpointStatus": "Creating",
        "CreationTime": time,
        "LastModifiedTime": time,
        "PendingDeploymentSummary": pending_summary(deployment),
        PENDING: deployment,
    }
    if "DeploymentConfig" in request:
        record["LastDeploymentConfig"] = request["DeploymentConfig"]
    try:
        ctx.store.create("endpoint", name, record)
    except AlreadyExists as error:
        raise ValidationException(f'Cannot create already existing endpoint "{arn}".') from error
    # The front door does this too, after us: but the event of the creation carries the tags already.
    replace_tags(ctx, arn, request.get("Tags", []))
    rollout.tell(ctx, record)
    hosting.run(f"create endpoint {name}", rollout.create, hosting, name)
    return {"EndpointArn": arn}


def update_endpoint(ctx: Context, request: Request) -> Record:
    """Replace an endpoint's fleet by that of another configuration while the old one goes on serving.

    An update that fails ends as it does on AWS: the old fleet was never touched and serves on, the endpoint
    is ``InService`` under its old ``EndpointConfigName``, and ``FailureReason`` tells why. (AWS shows
    ``UpdateRollbackFailed`` where even the way back fails; here there is no way back to fail.)
    """
    name = request["EndpointName"]
    check_deployment_config(request.get("DeploymentConfig"))
    deployment = read_deployment(ctx, request["EndpointConfigName"])
    hosting = hosting_of(ctx)
    # The old fleet goes on beside the new one for a while, and both count.
    hosting.check_room(len(deployment["Variants"]))

    def begin(record: Record) -> Record:
        _check_settled(record)
        _check_serves(record, "updated")
        wanted = deployment
        if request.get("RetainAllVariantProperties"):
            wanted = retain_properties(
                deployment,
                record.get("ProductionVariants", []),
                request.get("ExcludeRetainedVariantProperties", []),
            )
        config = request.get("DeploymentConfig")
        if config is None and request.get("RetainDeploymentConfig"):
            config = record.get("LastDeploymentConfig")
        changed = {key: value for key, value in record.items() if key != "LastDeploymentConfig"}
        if config is not None:
            changed["LastDeploymentConfig"] = config
        return _without_failure(changed) | {
            "EndpointStatus": "Updating",
            "PendingDeploymentSummary": pending_summary(wanted),
            PENDING: wanted,
        }

    record = _change(ctx, name, begin)
    rollout.tell(ctx, record)
    hosting.run(f"update endpoint {name}", rollout.update, hosting, name)
    return {"EndpointArn": record["EndpointArn"]}


def update_endpoint_weights_and_capacities(ctx: Context, request: Request) -> Record:
    """Change the weights and instance counts of variants; no server is started or stopped.

    One process chain serves a variant here, whatever its instance count, which is only recorded.
    """
    name = request["EndpointName"]
    wanted = {item["VariantName"]: item for item in request["DesiredWeightsAndCapacities"]}
    for variant, item in wanted.items():
        if "ServerlessUpdateConfig" in item:
            raise ValidationException(
                f"The local SageMaker does not change the concurrency of serverless variants, as asked for "
                f"{variant}. Leave ServerlessUpdateConfig out."
            )

    def begin(record: Record) -> Record:
        _check_settled(record)
        _check_serves(record, "changed")
        variants = record["ProductionVariants"]
        known = [variant["VariantName"] for variant in variants]
        for missing in sorted(set(wanted) - set(known)):
            raise ValidationException(
                f"Endpoint {name} has no variant {missing}. Its variants: {', '.join(known)}."
            )
        changed = []
        for variant in variants:
            item = wanted.get(variant["VariantName"], {})
            keys = [key for key in ("DesiredWeight", "DesiredInstanceCount") if key in item]
            changed.append({**variant, **{key: item[key] for key in keys}})
        return _without_failure(record) | {"EndpointStatus": "Updating", "ProductionVariants": changed}

    record = _change(ctx, name, begin)
    rollout.tell(ctx, record)
    hosting = hosting_of(ctx)
    hosting.run(f"weigh endpoint {name}", rollout.weigh, hosting, name)
    return {"EndpointArn": record["EndpointArn"]}


def describe_endpoint(ctx: Context, request: Request) -> Record:
    """Answer an endpoint's state."""
    record = ctx.store.get("endpoint", request["EndpointName"])
    if record is None:
        raise _not_found(ctx, request["EndpointName"])
    return {key: value for key, value in record.items() if key not in (SERVING, PENDING)}


def list_endpoints(ctx: Context, request: Request) -> Record:
    """Answer a page of endpoints."""
    return list_page(
        ctx.store.list("endpoint"),
        request,
        answer="Endpoints",
        name="EndpointName",
        status="EndpointStatus",
        summarize=pick("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus"),
    )


def delete_endpoint(ctx: Context, request: Request) -> Record:
    """Let an endpoint finish its requests and remove it."""
    name = request["EndpointName"]

    def begin(record: Record) -> Record:
        _check_settled(record)
        return record | {"EndpointStatus": "Deleting"}

    record = _change(ctx, name, begin)
    rollout.tell(ctx, record)
    hosting = hosting_of(ctx)
    hosting.run(f"delete endpoint {name}", rollout.delete, hosting, name)
    return {}


def _change(ctx: Context, name: str, change: Any) -> Record:
    try:
        return ctx.store.change("endpoint", name, change)
    except KeyError as error:
        raise _not_found(ctx, name) from error


def _not_found(ctx: Context, name: str) -> ValidationException:
    return ValidationException(f'Could not find endpoint "{ctx.arn("endpoint", name)}".')


def _check_settled(record: Record) -> None:
    if record["EndpointStatus"] not in ("InService", "Failed", "OutOfService"):
        raise ValidationException(
            f'Cannot update in-progress endpoint "{record["EndpointArn"]}". '
            f"It is {record['EndpointStatus']}; wait until it is InService."
        )


def _check_serves(record: Record, verb: str) -> None:
    if record["EndpointStatus"] != "InService":
        raise ValidationException(
            f'Endpoint "{record["EndpointArn"]}" is {record["EndpointStatus"]} and cannot be {verb}. '
            "Delete it and create it again."
        )


def _without_failure(record: Record) -> Record:
    return {key: value for key, value in record.items() if key != "FailureReason"}
