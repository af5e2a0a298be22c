"""What an endpoint deploys: a snapshot of its configuration and models, and what Describe shows of it.

The snapshot is kept with the endpoint, so that it outlives the deletion of its configuration, as on AWS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.local.sagemaker.containers.serving import containers_of
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.control.endpoint_configs import find_endpoint_config
from tidegate.local.sagemaker.control.models import find_model
from tidegate.local.sagemaker.store import now

Deployment = dict[str, Any]
Record = dict[str, Any]

# Keys of an endpoint's record that Describe does not answer (the wire drops what AWS does not know).
SERVING = "_Serving"
PENDING = "_Pending"


def read_deployment(ctx: Context, config_name: str) -> Deployment:
    """Return the snapshot of an endpoint configuration and of the models that it names.

    Raises
    ------
    ValidationException
        When the configuration or a model is missing.
    """
    config = find_endpoint_config(ctx, config_name)
    names = [variant["ModelName"] for variant in config["ProductionVariants"]]
    models = {name: find_model(ctx, name) for name in names}
    return {
        "EndpointConfigName": config_name,
        "Variants": config["ProductionVariants"],
        "Models": models,
        "DataCaptureConfig": config.get("DataCaptureConfig"),
    }


def retain_properties(
    deployment: Deployment, running: Sequence[Mapping[str, Any]], excluded: Sequence[Mapping[str, str]]
) -> Deployment:
    """Carry weights and instance counts of running variants over to the variants of the same names.

    Parameters
    ----------
    deployment
        What is to be deployed.
    running
        ``ProductionVariants`` of the endpoint's Describe answer.
    excluded
        ``ExcludeRetainedVariantProperties`` of the request.
    """
    without = {item["VariantPropertyType"] for item in excluded}
    kept = {variant["VariantName"]: variant for variant in running}
    variants = []
    for variant in deployment["Variants"]:
        old = kept.get(variant["VariantName"], {})
        changed = dict(variant)
        if "DesiredWeight" in old and "DesiredWeight" not in without:
            changed["InitialVariantWeight"] = old["DesiredWeight"]
        if old.get("DesiredInstanceCount") and "DesiredInstanceCount" not in without:
            changed["InitialInstanceCount"] = old["DesiredInstanceCount"]
        variants.append(changed)
    return {**deployment, "Variants": variants}


def variant_weight(variant: Mapping[str, Any]) -> float:
    """Return the weight of a configured variant; AWS's default is 1."""
    return float(variant.get("InitialVariantWeight", 1.0))


def instance_count(deployment: Deployment) -> int:
    """Return how many instances the deployment would have on AWS, at least one."""
    return max(1, sum(int(variant.get("InitialInstanceCount", 0)) for variant in deployment["Variants"]))


def variant_summaries(deployment: Deployment) -> list[Record]:
    """Return ``ProductionVariants`` as Describe answers them for a deployment that serves."""
    resolved = now()
    summaries: list[Record] = []
    for variant in deployment["Variants"]:
        weight = variant_weight(variant)
        count = int(variant.get("InitialInstanceCount", 0))
        containers = containers_of(deployment["Models"][variant["ModelName"]])
        summary: Record = {
            "VariantName": variant["VariantName"],
            "DeployedImages": [
                {
                    "SpecifiedImage": container["Image"],
                    "ResolvedImage": container["Image"],
                    "ResolutionTime": resolved,
                }
                for container in containers
                if "Image" in container
            ],
            "CurrentWeight": weight,
            "DesiredWeight": weight,
            "CurrentInstanceCount": count,
            "DesiredInstanceCount": count,
        }
        for key in ("ManagedInstanceScaling", "RoutingConfig"):
            if key in variant:
                summary[key] = variant[key]
        if serverless := variant.get("ServerlessConfig"):
            summary |= {"CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
        summaries.append(summary)
    return summaries


def pending_summary(deployment: Deployment) -> Record:
    """Return ``PendingDeploymentSummary`` as Describe answers it while a deployment is under way."""
    variants = []
    for variant, summary in zip(deployment["Variants"], variant_summaries(deployment), strict=True):
        waiting = {key: value for key, value in summary.items() if not key.startswith("Current")}
        waiting |= {"CurrentWeight": 0.0, "CurrentInstanceCount": 0}
        if "InstanceType" in variant:
            waiting["InstanceType"] = variant["InstanceType"]
        variants.append(waiting)
    return {
        "EndpointConfigName": deployment["EndpointConfigName"],
        "ProductionVariants": variants,
        "StartTime": now(),
    }


def capture_summary(config: Mapping[str, Any] | None) -> Record | None:
    """Return ``DataCaptureConfig`` as DescribeEndpoint answers it, or None where none was configured."""
    if not config:
        return None
    enabled = bool(config.get("EnableCapture", True))
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
