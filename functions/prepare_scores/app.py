"""First work of the score machine: reads a dropped table and writes what the jobs read, or refuses it.

Reads the drop (data bucket), the model's spec and its approved models; writes `<model>/runs/<run>/score/…`
(artifacts bucket), bad rows in `rejects.csv` there. A file that cannot be used goes to the quarantine.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from tidegate.core import names
from tidegate.core.errors import BadDrop
from tidegate.core.scoring import (
    Champion,
    columns_of,
    known_to_all,
    layouts_of,
    missing_of,
    no_champion,
    part_rows_of,
    plan_scores,
)
from tidegate.core.spec import ModelSpec
from tidegate.core.unforeseen import guarded
from tidegate.edge import storage
from tidegate.edge.champions import approved
from tidegate.edge.quarantine import quarantine
from tidegate.edge.specs import document_in_force

logger = Logger()
metrics = Metrics()
ARTIFACTS = os.environ["ARTIFACTS_BUCKET"]


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Prepare one drop; see `events/prepare_scores.json` for the event."""
    metrics.add_dimension("model", event["model"])
    try:
        document = document_in_force(ARTIFACTS, event["model"])
        spec = ModelSpec.from_dict(document["spec"])
        found = approved(spec, os.environ["PARAMETER_ROOT"], os.environ["SAGEMAKER_ROLE_ARN"])
        champions = found.approved
        if not champions:  # nothing is wrong with the file: it stays where it is
            metrics.add_metric("FilesWithoutModel", MetricUnit.Count, 1)
            return {"accepted": False, "reason": no_champion(spec.name, found.lost), "kept_at": None}
        counts = _prepare(event, spec, champions)
    except BadDrop as refusal:
        metrics.add_metric("FilesRefused", MetricUnit.Count, 1)
        logger.warning("file refused", extra={"key": event["key"], "reason": refusal.masked})
        kept_at = quarantine(event, refusal)
        return {"accepted": False, "reason": refusal.masked, "kept_at": kept_at}
    metrics.add_metric("RowsPrepared", MetricUnit.Count, counts["good"])
    metrics.add_metric("RowsSetAside", MetricUnit.Count, counts["rejected"])
    logger.info("drop prepared", extra=counts)
    plan = plan_scores(
        spec,
        event["run"],
        champions,
        attempt=event.get("attempt", 0),
        date=event["started"][:10],
        prefix=os.environ["NAME_PREFIX"],
        artifacts=ARTIFACTS,
        lost=found.lost,
    )
    return {"accepted": True, "counts": counts, "spec_sha256": document["source_sha256"], **plan}


def _prepare(event: dict[str, Any], spec: ModelSpec, champions: list[Champion]) -> dict[str, Any]:
    from tidegate.table.score import Wanted, prepare_scores

    filename = event["key"].rsplit("/", 1)[-1]
    wanted = Wanted(
        columns_of(spec, champions), spec.id, missing_of(spec, champions), known_to_all(champions)
    )
    with tempfile.TemporaryDirectory() as scratch:
        # A name of our own on disk: the key's may hold anything.
        source = storage.download(event["bucket"], event["key"], event.get("version"), Path(scratch) / "drop")
        out = Path(scratch) / "out"
        out.mkdir()
        layouts, rows = layouts_of(champions), part_rows_of(champions)
        counts = prepare_scores(source, wanted, layouts, spec.scoring, out, filename, part_rows=rows)
        home = names.score_prefix(spec.name, event["run"], event.get("attempt", 0))
        storage.upload_folder(out, f"s3://{ARTIFACTS}/{home}")
    return counts
