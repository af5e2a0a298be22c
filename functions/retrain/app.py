"""Starts on `Drift Detected`: decides whether to retrain, and if so drops what the training learns from.

Reads the newest training drop (data bucket) and the predictions labelled since the last training; writes both
as `<model>/train/retrain-<check>.csv`, which starts the train machine as any drop does. Tells people of it.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core import names
from tidegate.core.monitoring import tell_retrain
from tidegate.core.retrain import Decision, decide
from tidegate.core.spec import ModelSpec
from tidegate.core.unforeseen import guarded
from tidegate.edge import storage
from tidegate.edge.fetch import fetch, put
from tidegate.edge.retraining import claim, last_retraining, look
from tidegate.edge.specs import document_in_force
from tidegate.edge.tell import tell

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="detail.run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle the event of the monitor machine; see `events/retrain.json`."""
    model, run = event["detail"]["model"], event["detail"]["run"]
    spec = ModelSpec.from_dict(document_in_force(os.environ["ARTIFACTS_BUCKET"], model)["spec"])
    last = last_retraining(model)
    situation, labelled = look(spec, last)
    place = f"s3://{os.environ['DATA_BUCKET']}/{names.retrain_key(model, run)}"
    if last.run == run and storage.exists(place):
        return {"start": True, "reason": "this check has started a retraining already"}
    # A claim of this very check whose drop is not there was interrupted: its work is done now.
    decision = Decision(True, "resumed") if last.run == run else decide(spec.monitor, situation)
    if decision.start and last.run != run and not claim(model, run, last, situation.now):
        decision = Decision(False, "another event has just started a retraining")
    reason = decision.reason
    if decision.start and situation.drop:
        reason = _drop(spec, situation.drop, labelled, place)
    if spec.monitor.retrain == "on_drift":
        tell(tell_retrain(model, run, decision.start, reason))
    logger.info("retraining decided", extra={"start": decision.start, "reason": reason})
    return {"start": decision.start, "reason": reason}


def _drop(spec: ModelSpec, drop: str, labelled: list[str], place: str) -> str:
    from tidegate.table.watch.relearn import write_drop

    name = drop.rsplit("/", 1)[-1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = fetch(f"s3://{os.environ['DATA_BUCKET']}/{drop}", folder / "drop")
        paths = [fetch(uri, folder / f"labelled-{at}") for at, uri in enumerate(labelled)]
        old, fresh = write_drop(source, name, paths, spec, folder / "out.csv")
        put(place, folder / "out.csv")
    return f"training starts with {old:,} rows of {name} and {fresh:,} rows labelled since"
