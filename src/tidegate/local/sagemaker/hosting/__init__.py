"""Endpoints of the local SageMaker: real model servers behind variants, blue/green updates, data capture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.hosting.endpoints import (
    create_endpoint,
    delete_endpoint,
    describe_endpoint,
    list_endpoints,
    update_endpoint,
    update_endpoint_weights_and_capacities,
)
from tidegate.local.sagemaker.hosting.invoke import invoke_endpoint
from tidegate.local.sagemaker.hosting.live import close_hosting as shutdown
from tidegate.local.sagemaker.hosting.recovery import recover

OPERATIONS: dict[str, Callable[[Context, dict[str, Any]], dict[str, Any]]] = {
    "CreateEndpoint": create_endpoint,
    "UpdateEndpoint": update_endpoint,
    "UpdateEndpointWeightsAndCapacities": update_endpoint_weights_and_capacities,
    "DescribeEndpoint": describe_endpoint,
    "ListEndpoints": list_endpoints,
    "DeleteEndpoint": delete_endpoint,
}

__all__ = ["OPERATIONS", "invoke_endpoint", "recover", "shutdown"]
