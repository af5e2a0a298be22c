"""Looks at a model's retrain policy after a check: keeps the wish for a retraining, serves it when it may.

Reads what checks have found that lasts (monitor table), the training runs, the newest training drop and the
predictions labelled since the last training. Keeps the wish in the monitor table; to serve it, writes old and
labelled rows as `<model>/train/retrain-<check>.csv` (data bucket), which starts the train machine as any drop
does. Tells people of a wish, of its end, and of a start, and notes it in the check's report.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.spec import ModelSpec
from tidegate.core.unforeseen import guarded
from tidegate.edge import storage
from tidegate.edge.fetch import fetch, put
from tidegate.edge.specs import document_in_force
from tidegate.edge.wishes import consider

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Look at the policy after a check; see `events/retrain.json`."""
    model, run = event["model"], event["run"]
    spec = ModelSpec.from_dict(document_in_force(os.environ["ARTIFACTS_BUCKET"], model)["spec"])

    def make_drop(drop: str, labelled: tuple[str, ...], place: str) -> str:
        return _drop(spec, drop, labelled, place)

    standing = consider(spec, run, context, make_drop)
    answer = {
        "wish": standing.wish.to_dict() if standing.wish else None,
        "started": standing.run == run,
        "reason": standing.reason,
    }
    logger.info("retraining considered", extra=answer)
    if event.get("report"):
        _note(event["report"], spec.monitor.retrain, answer)
    return answer


def _drop(spec: ModelSpec, drop: str, labelled: tuple[str, ...], place: str) -> str:
    from tidegate.table.watch.relearn import write_drop

    name = drop.rsplit("/", 1)[-1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = fetch(f"s3://{os.environ['DATA_BUCKET']}/{drop}", folder / "drop")
        paths = [fetch(uri, folder / f"labelled-{at}") for at, uri in enumerate(labelled)]
        old, fresh = write_drop(source, name, paths, spec, folder / "out.csv")
        put(place, folder / "out.csv")
    return f"training starts with {old:,} rows of {name} and {fresh:,} rows labelled since"


def _note(report: str, policy: str, answer: dict[str, Any]) -> None:
    """Say in the check's report what is wanted and what it waits for."""
    from tidegate.console.report import with_retraining

    page = storage.read_bytes_or_none(report)
    if page is not None:
        noted = with_retraining(page.decode(), policy, answer)
        storage.write_bytes(report, noted.encode(), "text/html; charset=utf-8")
