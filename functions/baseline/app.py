"""Writes a baseline for the monitor: what the training data, or the model's quality, looked like at training.

Reads the run's training rows and recipe, or its truth and predictions; writes `statistics.json` and
`constraints.json` in Model Monitor's schema under the run (artifacts bucket), and of the rows the whole
profile, `profile.bin`.
"""

import tempfile
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.unforeseen import guarded
from tidegate.edge import storage

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Write one baseline; ``event["kind"]`` is ``data_quality`` or ``model_quality``."""
    home = f"{event['baseline']}/{event['kind']}"
    statistics, constraints = (
        _of_the_model(event) if event["kind"] == "model_quality" else _of_rows(event, home)
    )
    storage.write_json(f"{home}/statistics.json", statistics)
    storage.write_json(f"{home}/constraints.json", constraints)
    logger.info("baseline written", extra={"kind": event["kind"], "at": home})
    return {"statistics": f"{home}/statistics.json", "constraints": f"{home}/constraints.json"}


def _of_the_model(event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    from tidegate.table.baseline import model_quality

    return model_quality(storage.read_bytes(event["truth"]), storage.read_bytes(event["predictions"]))


def _of_rows(event: dict[str, Any], home: str) -> tuple[dict[str, Any], dict[str, Any]]:
    from tidegate.table.baseline import suggest, whole_profile

    with tempfile.TemporaryDirectory() as scratch:
        bucket, key = storage.split_uri(event["training_rows"])
        rows = storage.download(bucket, key, None, Path(scratch) / "rows.csv")
        profile = whole_profile(rows, kinds=_kinds(event))
    storage.write_bytes(f"{home}/profile.bin", profile.to_bytes())
    return profile.statistics(), suggest(profile)


def _kinds(event: dict[str, Any]) -> dict[str, str]:
    """Read the declared types off the recipe, which lies beside the baseline; the target is a number."""
    recipe = storage.read_json(f"{event['baseline'].rsplit('/', 1)[0]}/recipe.json")
    if recipe is None:
        raise FileNotFoundError("the run has no recipe.json any more; train the model once more")
    columns = {column["name"]: column["type"] for column in recipe["columns"]}
    return {recipe["target"]: "numeric", **columns}
