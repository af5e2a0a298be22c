"""First work of the monitor machine: says what came since the last check, and opens a window on it.

Takes in ground truth (data bucket, `<model>/truth/`), lists captured requests and scores (artifacts bucket),
writes a manifest for each algorithm's window and claims it in the monitor table. Moves no bookmark: that is
done when the window is kept.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.champions import whys
from tidegate.core.errors import BadDrop
from tidegate.core.monitor import policy_of
from tidegate.core.spec import ModelSpec
from tidegate.core.unforeseen import guarded
from tidegate.edge.champions import Champions, approved
from tidegate.edge.specs import document_in_force
from tidegate.edge.truth import take_in
from tidegate.edge.windows import open_next

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Open the next windows of a model; see `events/collect.json`."""
    model, run = event["model"], event["run"]
    try:
        spec = ModelSpec.from_dict(document_in_force(os.environ["ARTIFACTS_BUCKET"], model)["spec"])
    except BadDrop as absent:
        return {**_nothing(), "reason": absent.masked, "unknown": True}
    champions = approved(spec, os.environ["PARAMETER_ROOT"])
    if not champions.approved:
        return {**_nothing(), "reason": _no_model(model, champions)}
    answer = {**_nothing(), "refused": take_in(spec, run), "policy": policy_of(spec.monitor)}
    for champion in champions.approved:
        opened = open_next(spec, champion, run, event["execution"])
        bookmark = opened.bookmark
        summary = bookmark.summary or {"algorithm": champion.algorithm, "verdict": bookmark.verdict}
        answer["standing"][champion.algorithm] = summary
        if opened.busy:
            answer["busy"][champion.algorithm] = opened.busy
        elif opened.manifest is not None:
            answer["algorithms"].append(opened.manifest.plan())
    answer["reason"] = _reason(answer)
    logger.info("collected", extra={key: answer[key] for key in ("algorithms", "busy", "refused")})
    return answer


def _no_model(model: str, champions: Champions) -> str:
    if champions.lost:
        return f"no model of {model} serves ({whys(champions.lost)}); train it once more, then check again"
    return f"no model of {model} serves yet; train one, then check again"


def _nothing() -> dict[str, Any]:
    return {
        "algorithms": [],
        "standing": {},
        "busy": {},
        "refused": [],
        "unknown": False,
        "policy": {"retrain": "off", "digest": "off"},
    }


def _reason(answer: dict[str, Any]) -> str:
    if answer["algorithms"]:
        return ""
    if answer["busy"]:
        runs = ", ".join(sorted(set(answer["busy"].values())))
        return f"the run {runs} is checking the same predictions right now"
    return "nothing new since the last check"
