"""Last work on the rows of the score machine: makes the algorithms' answers one table of scores.

Reads the good rows and the transform jobs' answers; writes `<model>/scores/date=…/run=…/scores.parquet` and
`scores.csv` (artifacts bucket). The machine checks the count that this answers.
"""

import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from tidegate.core.unforeseen import guarded
from tidegate.edge import storage

logger = Logger()
metrics = Metrics()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Combine one run's predictions; see `events/combine_scores.json` for the event."""
    from tidegate.table.score import combine_scores

    combine = event["combine"]
    metrics.add_dimension("model", event["model"])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        inputs = storage.download(*storage.split_uri(combine["inputs"]), None, folder / "inputs.parquet")
        answers = {
            algorithm: storage.download_folder(uri, folder / algorithm)
            for algorithm, uri in combine["outputs"].items()
        }
        out = folder / "out"
        out.mkdir()
        scored = combine_scores(
            inputs, answers, combine["columns"], combine["id"], combine["rule"], combine["weights"], out
        )
        storage.upload_folder(out, combine["scores"])
    metrics.add_metric("RowsScored", MetricUnit.Count, scored)
    logger.info("scores written", extra={"rows": scored, "at": combine["scores"]})
    return {"scored": scored, "scores": combine["scores"]}
