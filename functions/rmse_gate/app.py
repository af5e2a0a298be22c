"""The gate: may the candidate serve? Reads only its event, writes nothing; the rule is `core.gate`."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from tidegate.core.gate import judge
from tidegate.core.spec import Gate
from tidegate.core.unforeseen import guarded
from tidegate.edge.metering import metric

logger = Logger()
metrics = Metrics()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer ``passed``, ``reason`` and every check; see `events/rmse_gate.json`."""
    judgement = judge(Gate(**event["gate"]), event["evaluation"])
    metrics.add_dimension("model", event["model"])
    metrics.add_dimension("algorithm", event["algorithm"])
    metrics.add_metric("GatePassed" if judgement.passed else "GateRejected", MetricUnit.Count, 1)
    rejected = {} if judgement.passed else metric("GateRejected")
    logger.info("judged", extra={"algorithm": event["algorithm"], **judgement.to_dict(), **rejected})
    return judgement.to_dict()
