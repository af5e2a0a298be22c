"""Metrics of the whole stack, put into log lines that are written anyway; CloudWatch takes them from there.

By the service's name alone, which is the stack's, so that one alarm watches all models.
"""

from __future__ import annotations

import os
import time
from typing import Any

BY = "service"  # which Powertools' logger writes on every line


def metric(name: str, value: float = 1) -> dict[str, Any]:
    """Give what a line of the logger carries to be a metric too, in the embedded metric format.

    Examples
    --------
    >>> metric("GateRejected")["GateRejected"]
    1
    """
    directive = {
        "Namespace": os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Tidegate"),
        "Dimensions": [[BY]],
        "Metrics": [{"Name": name, "Unit": "Count"}],
    }
    return {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}, name: value}
