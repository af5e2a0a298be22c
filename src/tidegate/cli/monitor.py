"""`tidegate monitor` and `tidegate report`: checks what a model predicted, and brings the page about it."""

from __future__ import annotations

import json
import uuid
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from tidegate.cli.errors import Trouble
from tidegate.cli.exit_codes import FAILED, OF_VERDICT, TOO_FEW
from tidegate.cli.options import Session
from tidegate.cli.records import Record, result_of, runs_of
from tidegate.cli.render import table
from tidegate.cli.stack import Stack
from tidegate.cli.watch import follow, wait_for_claim
from tidegate.core import names
from tidegate.core.attempts import kind_of
from tidegate.core.figures import figure

STYLES = {"ok": "green", "bad data": "magenta", "drift": "red", "insufficient": "yellow"}
LATEST_RUNS = 200


def monitor(session: Session, model: str, wait: bool) -> int:
    """Start a check of a model, and when asked to wait, tell what it found."""
    stack = session.stack
    stack.declared(model)
    run = start_check(stack, model)
    if not wait:
        document = {"run": run, "status": "SUBMITTED"}
        session.output.answer(
            document, f"check {run} of {model} is on its way", f"Follow it with `tidegate run {run}`."
        )
        return 0
    record, _ = follow(stack, session.output, wait_for_claim(stack, run))
    document = document_of(record)
    session.output.answer(document, *drawn(document, model))
    if document["status"] == "FAILED":
        return FAILED
    return OF_VERDICT.get(str(document["verdict"]), TOO_FEW)


def start_check(stack: Stack, model: str) -> str:
    """Start a check of a model, and give its run."""
    asked = f"on demand {uuid.uuid4().hex[:12]}"
    run = names.monitor_run_id(model, asked)
    stack.client("stepfunctions").start_execution(
        stateMachineArn=stack.output("MonitorMachineArn"),
        name=f"{model}-{run}",
        input=json.dumps({"model": model, "asked": asked}),
    )
    return run


def report(session: Session, model: str, out: Path | None, show: bool) -> int:
    """Bring the page of the newest check of a model."""
    stack = session.stack
    stack.declared(model)
    record = next(
        (
            each
            for each in runs_of(stack, model, LATEST_RUNS)
            if kind_of(each) == "monitor" and (each.get("result") or {}).get("report")
        ),
        None,
    )
    if record is None:
        raise Trouble(
            f"No check of {model} has written a report yet.", f"Run `tidegate monitor {model} --wait` first."
        )
    uri = str(record["result"]["report"])
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    page = stack.read_object(bucket, key)
    if page is None:
        raise Trouble(f"{uri} is not there any more.", f"Run `tidegate monitor {model} --wait` once more.")
    place = out or _own_place(session.options.state, f"{model}-{key.split('/')[-2]}.html")
    place.write_bytes(page)
    if show:
        webbrowser.open(place.resolve().as_uri())
    document = {**document_of(record), "written": str(place)}
    session.output.answer(document, *drawn(document, model), f"written to {place}")
    return 0


def _own_place(state: Path, name: str) -> Path:
    """Give a place that only this person reads and writes, as the page shows what is in the data."""
    folder = state / "reports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / name


def document_of(record: Record) -> dict[str, Any]:
    """Give what ``--json`` prints of a check."""
    result = record.get("result") or {}
    return {
        **result_of(record),
        "verdict": result.get("verdict", "insufficient"),
        "report": result.get("report"),
        "refused": result.get("refused") or [],
        "severity": result.get("severity"),
        "told": result.get("told") or [],
        "retraining": result.get("retraining"),
    }


def drawn(document: Mapping[str, Any], model: str) -> list[RenderableType]:
    """Draw a check: the verdict, the algorithms, the worst columns."""
    verdict = str(document["verdict"])
    head = Text.assemble("check ", (str(document["run"]), "bold"), " of ", (model, "bold"), ": ")
    failed = document["status"] == "FAILED"
    head.append("failed" if failed else verdict, style="red" if failed else STYLES.get(verdict, ""))
    parts: list[RenderableType] = [head]
    algorithms = document.get("algorithms") or {}
    if algorithms:
        rows = [_row(name, entry) for name, entry in algorithms.items()]
        parts.append(table(["algorithm", "verdict", "rows", "new", "labels", "RMSE now", "estimated"], rows))
    for name, entry in algorithms.items():
        parts.append(Text(f"{name}: {entry.get('reason', '')}"))
        told = (entry[each]["sentence"] for each in ("estimate", "record") if entry.get(each))
        parts += [Text(f"  {sentence}") for sentence in told]
        parts += [Text(f"  {_column(each)}") for each in (entry.get("columns") or [])[:5]]
    if not algorithms:
        parts.append(Text(str(document.get("reason", ""))))
    parts += [Text(f"refused: {each['key']}: {each['reason']}") for each in document["refused"]]
    retraining = document.get("retraining") or {}
    if retraining.get("wish") or retraining.get("started"):
        parts.append(Text(f"retraining: {retraining['reason']}"))
    if document.get("report"):
        parts.append(Text(f"report: {document['report']}", style="dim"))
    return parts


def _column(column: Mapping[str, Any]) -> str:
    """Say what is wrong with a column, how far it moved, and how much predictions hang on it."""
    distance, allowed, importance = (column.get(each) for each in ("distance", "threshold", "importance"))
    said = str(column["sentence"])
    if distance is not None and allowed is not None:
        said += f"; distance {figure(distance, 3)} where {figure(allowed)} is allowed"
    return said if importance is None else f"{said}; importance {100 * importance:.0f} %"


def _row(name: str, entry: Mapping[str, Any]) -> list[Any]:
    verdict = str(entry.get("verdict") or entry.get("status", "")).lower()
    quality = (entry.get("quality") or {}).get("metrics") or {}
    return [
        name,
        Text(verdict, style=STYLES.get(verdict, "red")),
        entry.get("rows"),
        entry.get("new_rows"),
        (entry.get("labels") or {}).get("matched"),
        figure((quality.get("rmse") or {}).get("value")),
        figure((((entry.get("estimate") or {}).get("metrics") or {}).get("rmse") or {}).get("value")),
    ]
