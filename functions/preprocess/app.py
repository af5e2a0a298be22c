"""First work of the train machine: reads a dropped table and writes what the jobs need, or refuses it.

Reads the drop (data bucket) and the model's spec; writes `<model>/runs/<run>/…` (artifacts bucket). A bad
file goes to the quarantine with its reason, and the answer says so: a refusal is an outcome, not an error.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from tidegate.core import names
from tidegate.core.algorithms import BUILT_IN
from tidegate.core.errors import BadDrop
from tidegate.core.plan import plan_run
from tidegate.core.spec import ModelSpec
from tidegate.core.unforeseen import guarded
from tidegate.edge import storage
from tidegate.edge.quarantine import quarantine
from tidegate.edge.specs import document_in_force

logger = Logger()
metrics = Metrics()
ARTIFACTS = os.environ["ARTIFACTS_BUCKET"]


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Prepare one drop; see `events/preprocess.json` for the event."""
    metrics.add_dimension("model", event["model"])
    try:
        return _prepare(event)
    except BadDrop as refusal:
        metrics.add_metric("FilesRefused", MetricUnit.Count, 1)
        logger.warning("file refused", extra={"key": event["key"], "reason": refusal.masked})
        kept_at = quarantine(event, refusal)
        return {"accepted": False, "reason": refusal.masked, "kept_at": kept_at}


def _prepare(event: dict[str, Any]) -> dict[str, Any]:
    from tidegate.serving.bundle import make_bundle
    from tidegate.table.prepare import prepare

    model, run = event["model"], event["run"]
    # First, as a model may have been deleted since: its runs are not taken up again.
    document = document_in_force(ARTIFACTS, model)
    home = f"s3://{ARTIFACTS}/{names.prepared_key(model, run)}"
    if before := storage.read_json(home):
        # The same version under the same declaration: a retried run, or a lost answer of this function.
        logger.info("drop was prepared before")
        return dict(before)
    spec = ModelSpec.from_dict(document["spec"])
    filename = event["key"].rsplit("/", 1)[-1]
    with tempfile.TemporaryDirectory() as scratch:
        # A name of our own on disk: the key's may hold anything.
        source = storage.download(event["bucket"], event["key"], event.get("version"), Path(scratch) / "drop")
        scale = {name: BUILT_IN[name].scaled for name in spec.algorithms}
        out = Path(scratch) / "out"
        out.mkdir()
        rows = prepare(source, spec, out, filename, scale=scale, bundle=make_bundle)
        storage.upload_folder(out, f"s3://{ARTIFACTS}/{names.run_prefix(model, run)}")
    storage.write_json(f"s3://{ARTIFACTS}/{names.run_spec_key(model, run)}", document)
    metrics.add_metric("RowsPrepared", MetricUnit.Count, rows["rows"])
    logger.info("drop prepared", extra=rows)
    plan = plan_run(
        spec,
        run,
        prefix=os.environ["NAME_PREFIX"],
        parameters=os.environ["PARAMETER_ROOT"],
        artifacts=ARTIFACTS,
        prepared=rows,
    )
    answer = {
        "accepted": True,
        "rows": rows,
        "algorithms": plan,
        "spec_sha256": document["source_sha256"],
        "when_busy": spec.training.when_busy,
    }
    storage.write_json(home, answer)
    return answer
