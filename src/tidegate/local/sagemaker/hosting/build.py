"""Turns a deployment into a fleet that can be started: which containers, which logs, which capture."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from tidegate.local.sagemaker.containers.logs import LogStream, translate
from tidegate.local.sagemaker.containers.serving import (
    CannotServe,
    ModelServers,
    containers_of,
    role_of,
    start_model,
)
from tidegate.local.sagemaker.hosting.capture import CaptureSettings, CaptureStream
from tidegate.local.sagemaker.hosting.deployment import Deployment, variant_weight
from tidegate.local.sagemaker.hosting.fleet import Fleet, Variant
from tidegate.local.sagemaker.hosting.live import Hosting
from tidegate.local.sagemaker.hosting.replica import PING_EVERY_SECONDS, OnExit, Replica

# SageMaker's own patience with a container that does not answer its ping.
PING_PATIENCE_SECONDS = 480.0
# As many requests as the local cloud takes at once.
_CONNECTIONS = 32


def log_group(endpoint: str) -> str:
    """Return the log group of an endpoint's containers."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def container_names(model: dict[str, Any]) -> list[str]:
    """Return what messages and log streams call the containers of a model.

    >>> container_names({"PrimaryContainer": {}})
    ['primary']
    >>> container_names({"Containers": [{"ContainerHostname": "recipe"}, {}]})
    ['recipe', 'container-2']
    """
    containers = containers_of(model)
    if len(containers) == 1:
        return ["primary"]
    return [item.get("ContainerHostname") or f"container-{n}" for n, item in enumerate(containers, 1)]


def build_fleet(hosting: Hosting, endpoint: str, deployment: Deployment) -> Fleet:
    """Return the fleet of a deployment, not started yet.

    However many instances a variant asks for, one chain of its containers runs: they would share this
    machine's cores anyway.
    """
    settings = CaptureSettings.read(deployment.get("DataCaptureConfig"))
    variants = [
        Variant(
            variant["VariantName"],
            _replica(hosting, endpoint, variant, deployment["Models"][variant["ModelName"]]),
            CaptureStream(
                endpoint,
                variant["VariantName"],
                settings,
                role_of(deployment["Models"][variant["ModelName"]]),
            )
            if settings
            else None,
        )
        for variant in deployment["Variants"]
    ]
    weights = {item["VariantName"]: variant_weight(item) for item in deployment["Variants"]}
    return Fleet(deployment, variants, weights)


def _replica(hosting: Hosting, endpoint: str, variant: dict[str, Any], model: dict[str, Any]) -> Replica:
    name = variant["VariantName"]
    instance = f"i-{uuid.uuid4().hex[:17]}"
    names = container_names(model)
    streams = [
        f"{name}/{instance}" if len(names) == 1 else f"{name}/{instance}/{container}" for container in names
    ]
    patience = float(variant.get("ContainerStartupHealthCheckTimeoutInSeconds", PING_PATIENCE_SECONDS))

    access = hosting.ctx.acting_as(role_of(model))
    logs = [LogStream(access.client("logs"), log_group(endpoint), stream) for stream in streams]

    def start(on_exit: OnExit, check: Callable[[], None]) -> ModelServers:
        try:
            with hosting.starts:
                check()
                return start_model(
                    hosting.ctx,
                    model,
                    f"endpoint-{endpoint}-{name}-{instance}",
                    on_line=lambda number, line: logs[number].write(translate(line)),
                    on_exit=on_exit,
                    timeout_seconds=patience,
                    check=check,
                    connections=_CONNECTIONS,
                )
        except CannotServe as error:
            failed = "did not pass the ping health check" if error.fault == "algorithm" else "did not start"
            raise type(error)(
                f"The {names[error.container]} container for production variant {name} {failed}. {error} "
                f"What it wrote is in the log group {log_group(endpoint)}.",
                container=error.container,
                fault=error.fault,
            ) from error

    def close_logs() -> None:
        for stream in logs:
            stream.close()

    return Replica(
        f"variant {name} of endpoint {endpoint}",
        start,
        container_names=names,
        on_given_up=lambda reason: hosting.note_failure(endpoint, reason),
        on_stopped=close_logs,
        ping_every_seconds=PING_EVERY_SECONDS,
    )
