"""Writes a baseline for the monitor: what the training data, or the model's quality, looked like at training.

Reads the run's training rows and recipe, or its truth, predictions and held-out rows; writes
`statistics.json` and `constraints.json` in Model Monitor's schema under the run (artifacts bucket). Of the
rows it also writes the whole profile, `profile.bin`; of the model what was learned of its errors,
`estimator.json`, and what its columns are worth, `importances.json`.
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
        _of_the_model(event, home) if event["kind"] == "model_quality" else _of_rows(event, home)
    )
    storage.write_json(f"{home}/statistics.json", statistics)
    storage.write_json(f"{home}/constraints.json", constraints)
    logger.info("baseline written", extra={"kind": event["kind"], "at": home})
    return {"statistics": f"{home}/statistics.json", "constraints": f"{home}/constraints.json"}


def _of_the_model(event: dict[str, Any], home: str) -> tuple[dict[str, Any], dict[str, Any]]:
    from tidegate.table.baseline import model_quality
    from tidegate.table.estimate.baseline import estimates

    truth, answers = storage.read_bytes(event["truth"]), storage.read_parts(event["predictions"]) or b""
    columns = _recipe(event)["columns"]
    kinds = {column["name"]: column["type"] for column in columns}
    learned = estimates(truth, answers, storage.read_parts(event["rows"], ".jsonl") or b"", kinds)
    for name, document in zip(("estimator", "importances"), learned, strict=True):
        if document is not None:
            storage.write_json(f"{home}/{name}.json", document)
    return model_quality(truth, answers)


def _of_rows(event: dict[str, Any], home: str) -> tuple[dict[str, Any], dict[str, Any]]:
    from tidegate.table.baseline import suggest, whole_profile

    with tempfile.TemporaryDirectory() as scratch:
        bucket, key = storage.split_uri(event["training_rows"])
        rows = storage.download(bucket, key, None, Path(scratch) / "rows.csv")
        profile = whole_profile(rows, kinds=_kinds(event))
    storage.write_bytes(f"{home}/profile.bin", profile.to_bytes())
    return profile.statistics(), suggest(profile)


def _kinds(event: dict[str, Any]) -> dict[str, str]:
    """Give the declared types; the target is a number."""
    recipe = _recipe(event)
    columns = {column["name"]: column["type"] for column in recipe["columns"]}
    return {recipe["target"]: "numeric", **columns}


def _recipe(event: dict[str, Any]) -> dict[str, Any]:
    """Read the recipe, which lies beside the baseline."""
    recipe = storage.read_json(f"{event['baseline'].rsplit('/', 1)[0]}/recipe.json")
    if recipe is None:
        raise FileNotFoundError("the run has no recipe.json any more; train the model once more")
    return dict(recipe)
