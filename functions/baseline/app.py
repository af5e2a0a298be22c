"""Writes a baseline for the monitor: what the training data, or the model's quality, looked like at training.

Reads the run's training rows, or its truth and predictions; writes `statistics.json` and `constraints.json`
in Model Monitor's schema under the run (artifacts bucket).
"""

import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.edge import storage

logger = Logger()


@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Write one baseline; ``event["kind"]`` is ``data_quality`` or ``model_quality``."""
    statistics, constraints = _measure(event)
    home = f"{event['baseline']}/{event['kind']}"
    storage.write_json(f"{home}/statistics.json", statistics)
    storage.write_json(f"{home}/constraints.json", constraints)
    logger.info("baseline written", extra={"kind": event["kind"], "at": home})
    return {"statistics": f"{home}/statistics.json", "constraints": f"{home}/constraints.json"}


def _measure(event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    from tidegate.table import baseline

    if event["kind"] == "model_quality":
        return baseline.model_quality(
            storage.read_bytes(event["truth"]), storage.read_bytes(event["predictions"])
        )
    with tempfile.TemporaryDirectory() as scratch:
        bucket, key = storage.split_uri(event["training_rows"])
        return baseline.data_quality(storage.download(bucket, key, None, Path(scratch) / "rows.csv"))
