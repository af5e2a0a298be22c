"""Judges predictions on the held-out rows: candidate, and champion if there is one, on the same rows.

Reads the truth, the transform jobs' answers and both recipes (artifacts bucket); writes `evaluation.json`
beside them.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core import names
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
        storage.read_parts(event["candidate"]) or b"",
        (storage.read_parts(champion) or b"") if champion else None,
        event["run"],
    )
    if champion:
        evaluation["champion_lacks"] = _lacking(event)
    if event.get("champion_lost"):
        evaluation["champion_lost"] = event["champion_lost"]
    storage.write_json(f"{event['candidate'].rsplit('/', 1)[0]}/evaluation.json", evaluation)
    logger.info("evaluated", extra={"algorithm": event["algorithm"], "evaluation": evaluation})
    return evaluation


def _lacking(event: dict[str, Any]) -> list[str]:
    """Name the columns that the champion reads and the rows of this run do not have."""
    runs = names.champion_run(event["champion_model"]), event["run"]
    keys = [names.recipe_key(event["model"], run, event["algorithm"]) for run in runs]
    theirs, ours = [storage.read_json(f"s3://{os.environ['ARTIFACTS_BUCKET']}/{key}") for key in keys]
    if theirs is None or ours is None:  # which of them are not there was told by who looked the champion up
        return []
    return [name for name in theirs["inputs"] if name not in ours["inputs"]]
