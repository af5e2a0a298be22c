"""How it stands with a watched model: what lasts of what checks found, and what a retraining waits for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tidegate.cli.stack import Stack
from tidegate.core import names
from tidegate.core.monitor import read_monitor
from tidegate.core.news import SHOWN_COLUMNS, TRENDS, moment
from tidegate.core.standing import Standing
from tidegate.core.telling import Memory


def watched(stack: Stack, model: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Give what lasts of a model and its wish to be retrained, as ``--json`` prints them."""
    memory = Memory.from_dict(_document(stack, names.told_id(model)))
    standing = Standing.from_dict(_document(stack, names.retrain_id(model)))
    wish = standing.wish
    return {
        "severity": memory.severity,
        "lasts": [
            {
                "algorithm": algorithm or None,
                "what": question,
                "since": episode.since,
                "severity": episode.severity,
                "columns": list(episode.parts),
                "checks": episode.checks,
                "trend": episode.trend,
            }
            for algorithm, question, episode in memory.open
        ],
        "retraining": {
            "policy": read_monitor(spec.get("monitor", {})).retrain,
            "wanted_since": wish.since if wish else None,
            "for": list(wish.causes) if wish else [],
            "waits_for": list(wish.waits) if wish else [],
            "last_started": standing.started,
        },
    }


def sentences(model: str, found: Mapping[str, Any]) -> list[str]:
    """Say what lasts and what is wanted, a sentence each; nothing where all is well."""
    told = [_lasts(model, each) for each in found["lasts"]]
    retraining = found["retraining"]
    if retraining["wanted_since"]:
        since, why = moment(retraining["wanted_since"]), " and ".join(retraining["for"])
        waits = "; ".join(retraining["waits_for"])
        ends = f"; it waits for {waits}" if waits else ", and is about to start"
        told.append(f"{model}: a retraining is wanted since {since} for {why}{ends}")
    return told


def _lasts(model: str, found: Mapping[str, Any]) -> str:
    columns = f" in {', '.join(found['columns'][:SHOWN_COLUMNS])}" if found["columns"] else ""
    how = ", ".join(filter(None, (found["severity"], TRENDS[found["trend"]])))
    return f"{model}: {found['what']} since {moment(found['since'])}{columns} ({how})"


def _document(stack: Stack, identity: str) -> dict[str, Any]:
    table = stack.outputs.get("MonitorTable")
    if table is None:
        return {}
    answer = stack.client("dynamodb").get_item(TableName=table, Key={"id": {"S": identity}})
    item = answer.get("Item", {})
    if "document" in item:
        document: dict[str, Any] = json.loads(item["document"]["S"])
        return document
    # Of before: what stands in the item is the document.
    return {name: next(iter(typed.values())) for name, typed in item.items() if name != "id"}
