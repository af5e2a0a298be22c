"""After training: gives the finished job's metrics by name. Reads DescribeTrainingJob, writes nothing."""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.training_metrics import latest_by_name
from tidegate.core.unforeseen import guarded
from tidegate.edge.storage import client

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer ``{"metrics": {name: value}}`` for ``event["training_job"]``."""
    job = client("sagemaker").describe_training_job(TrainingJobName=event["training_job"])
    metrics = latest_by_name(job.get("FinalMetricDataList", []))
    logger.info("training metrics", extra={"training_job": event["training_job"], "metrics": metrics})
    return {"metrics": metrics}
