"""Starts when `<model>/model.yaml` is dropped: puts it in force, or tells people which line is wrong.

Reads the newest version of the file (data bucket), so that late or repeated events end at the same state;
writes `<model>/spec.json` (artifacts bucket), subscribes the file's e-mail addresses to the topic and sets
the schedule of the model's checks, and the alarm that says when they find drift.
"""

import hashlib
import os
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core import names
from tidegate.core.errors import BadSpec
from tidegate.core.messages import tell_model_file
from tidegate.core.unforeseen import guarded
from tidegate.edge import storage
from tidegate.edge.alarms import set_alarm
from tidegate.edge.schedule import schedule_checks
from tidegate.edge.subscribe import subscribe
from tidegate.edge.tell import tell

logger = Logger()


@guarded
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle S3's `Object Created` event of a model file; see `events/model_file_dropped.json`."""
    bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    model = names.model_of_key(key)
    if key != names.model_file_key(model):
        logger.info("this is no model's file, only one of that name", extra={"key": key})
        return {"model": model, "accepted": False, "reason": f"{key} is not where a model's file lies"}
    place = f"s3://{bucket}/{key}"
    answer, source = {"model": model, "accepted": False, "reason": f"{key} is not there any more"}, None
    # Two of these at work at once: whoever writes last has looked since, so that the newest file is in force.
    while (newest := storage.read_bytes_or_none(place)) not in (None, source):
        source = newest
        answer = _register(model, source)
    return answer


def _register(model: str, source: bytes) -> dict[str, Any]:
    from tidegate.modelfile import read_model_file  # with it comes the YAML reader

    digest = hashlib.sha256(source).hexdigest()
    try:
        spec = read_model_file(source, folder=model, key=os.environ.get("KMS_KEY_ID"))
    except BadSpec as refusal:
        logger.warning("model file refused", extra={"model": model, "reason": str(refusal)})
        tell(tell_model_file(model, digest[:12], str(refusal)))
        return {"model": model, "accepted": False, "reason": str(refusal)}
    home = f"s3://{os.environ['ARTIFACTS_BUCKET']}/{names.spec_key(model)}"
    before = storage.read_json(home)
    storage.write_json(home, {"source_sha256": digest, "spec": spec.to_dict()})
    subscribe(spec)
    schedule_checks(spec)
    set_alarm(spec)
    if before is None or before["source_sha256"] != digest:
        tell(tell_model_file(model, digest[:12], None))
    logger.info("model file in force", extra={"model": model, "source_sha256": digest})
    return {"model": model, "accepted": True, "source_sha256": digest}
