"""Starts on a schedule, or by `tidegate gc`: removes endpoint configurations and models that nothing names.

Reads SageMaker, Parameter Store, the runs table and the executions; deletes in SageMaker alone.
"""

import os
import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from tidegate.core.orphans import LEAST_AGE_SECONDS, orphans
from tidegate.core.unforeseen import guarded
from tidegate.edge.orphans import look, remove

logger = Logger()
metrics = Metrics()


@guarded
@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Collect, or with ``event["dry_run"]`` only tell; see `events/collect_orphans.json`."""
    scene = look(
        time.time(),
        prefix=os.environ["NAME_PREFIX"],
        root=os.environ["PARAMETER_ROOT"],
        table=os.environ["RUNS_TABLE"],
        machine=os.environ["TRAIN_MACHINE_ARN"],
    )
    found = orphans(scene, float(event.get("least_age_seconds", LEAST_AGE_SECONDS)))
    removed = not event.get("dry_run", False)
    if removed:
        remove(found)
        metrics.add_metric("OrphansRemoved", MetricUnit.Count, len(found.configs) + len(found.models))
    answer = {"removed": removed, "endpoint_configs": list(found.configs), "models": list(found.models)}
    logger.info("orphans collected", extra=answer)
    return answer
