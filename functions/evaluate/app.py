"""Judges predictions on the held-out rows: candidate, and champion if there is one, on the same rows.

Reads the truth and the transform jobs' answers (artifacts bucket); writes `evaluation.json` beside them.
"""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.unforeseen import guarded
from tidegate.edge import storage

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer RMSE, MAE and R² with bootstrap intervals; see `events/evaluate.json`."""
    from tidegate.table.evaluate import evaluate

    champion = event.get("champion")
    evaluation = evaluate(
        storage.read_bytes(event["truth"]),
        storage.read_bytes(event["candidate"]),
        storage.read_bytes(champion) if champion else None,
        event["run"],
    )
    storage.write_json(f"{event['candidate'].rsplit('/', 1)[0]}/evaluation.json", evaluation)
    logger.info("evaluated", extra={"algorithm": event["algorithm"], "evaluation": evaluation})
    return evaluation
