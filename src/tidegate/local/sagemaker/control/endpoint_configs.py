"""Endpoint configurations: which models an endpoint serves, on what, and what it captures."""

from __future__ import annotations

from typing import Any

from tidegate.core.disks import has_own_disks
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.control.kept import Kept
from tidegate.local.sagemaker.control.models import find_model
from tidegate.local.sagemaker.errors import ValidationException

_CONFIGS = Kept("endpoint-config", "endpoint configuration", "EndpointConfig")
_NOT_SERVED = {
    "AsyncInferenceConfig": "asynchronous inference",
    "ExplainerConfig": "explanations by Clarify",
    "ShadowProductionVariants": "shadow variants",
}


def create_endpoint_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Keep a configuration whose models exist and whose variants fit together."""
    name = request["EndpointConfigName"]
    for member, feature in _NOT_SERVED.items():
        if request.get(member):
            raise ValidationException(
                f"The local SageMaker does not serve {feature}. "
                f"Leave {member} out of the endpoint configuration '{name}'."
            )
    _check_names([variant["VariantName"] for variant in request["ProductionVariants"]])
    variants = [_check_variant(ctx, variant) for variant in request["ProductionVariants"]]
    _check_serverless(variants, request)
    _check_key(variants, request)
    record = {
        **{key: value for key, value in request.items() if key != "Tags"},
        "ProductionVariants": variants,
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
    }
    if "DataCaptureConfig" in request:
        # Capture is on unless it is switched off, and the record says so in so many words.
        record["DataCaptureConfig"] = {"EnableCapture": True, **request["DataCaptureConfig"]}
    return _CONFIGS.create(ctx, name, record)


def describe_endpoint_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the configuration's record."""
    return find_endpoint_config(ctx, request["EndpointConfigName"])


def list_endpoint_configs(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List configurations."""
    return _CONFIGS.list(ctx, request)


def delete_endpoint_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Forget the configuration. As in AWS, nothing holds back who deletes one that an endpoint uses."""
    return _CONFIGS.delete(ctx, request["EndpointConfigName"])


def find_endpoint_config(ctx: Context, name: str) -> dict[str, Any]:
    """Return a configuration's record, or raise the error that AWS gives for an unknown name."""
    return _CONFIGS.find(ctx, name)


def _check_names(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValidationException(
                f"Two production variants are called '{name}'. Give each variant a name of its own."
            )


def _check_variant(ctx: Context, variant: dict[str, Any]) -> dict[str, Any]:
    """Return a variant with SageMaker's defaults, once it is complete and its model exists."""
    name = variant["VariantName"]
    if "ModelName" not in variant:
        raise ValidationException(
            f"The variant '{name}' names no model. The local SageMaker does not serve inference components: "
            "give ModelName."
        )
    find_model(ctx, variant["ModelName"])
    for member in ("InstanceType", "InitialInstanceCount"):
        if "ServerlessConfig" in variant and member in variant:
            raise ValidationException(f"The serverless variant '{name}' must not have {member}.")
        if "ServerlessConfig" not in variant and member not in variant:
            raise ValidationException(f"The variant '{name}' needs {member}, or else a ServerlessConfig.")
    return {"InitialVariantWeight": 1.0, **variant}


def _check_key(variants: list[dict[str, Any]], request: dict[str, Any]) -> None:
    """Refuse a key where disks are encrypted by the hardware alone, as AWS does."""
    if not request.get("KmsKeyId"):
        return
    for variant in variants:
        if has_own_disks(str(variant.get("InstanceType", "ml.none.none"))):
            raise ValidationException(
                f"The instance type {variant['InstanceType']} of the variant '{variant['VariantName']}' has "
                "local storage, which is encrypted by a hardware module. Leave KmsKeyId out, or take an "
                "instance type without local storage."
            )


def _check_serverless(variants: list[dict[str, Any]], request: dict[str, Any]) -> None:
    serverless = [variant["VariantName"] for variant in variants if "ServerlessConfig" in variant]
    if serverless and len(variants) > 1:
        raise ValidationException(
            f"An endpoint with a serverless variant has that one variant only, and here '{serverless[0]}' "
            f"is one of {len(variants)}."
        )
    if serverless and request.get("DataCaptureConfig", {"EnableCapture": False}).get("EnableCapture", True):
        raise ValidationException(
            f"Serverless endpoints have no data capture. Give the variant '{serverless[0]}' an InstanceType "
            "to capture its traffic, or leave DataCaptureConfig out."
        )


OPERATIONS = {
    "CreateEndpointConfig": create_endpoint_config,
    "DescribeEndpointConfig": describe_endpoint_config,
    "ListEndpointConfigs": list_endpoint_configs,
    "DeleteEndpointConfig": delete_endpoint_config,
}
