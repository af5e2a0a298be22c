"""`tidegate runs` and `tidegate run`: what ran when, and how one run went state by state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from tidegate.cli.history import read_history
from tidegate.cli.options import Session
from tidegate.cli.records import ENDED, Record, find_run, newest, result_of
from tidegate.cli.render import moment, seconds_between, states_document, status, summary, table, tree
from tidegate.cli.watch import follow, read_events, settled
from tidegate.core.attempts import kind_of
from tidegate.core.figures import figure


def runs(session: Session, model: str | None, limit: int) -> int:
    """List runs, the newest first."""
    records = newest(session.stack, model, limit)
    if model is not None and not records:  # the history of a deleted model is kept
        session.stack.spec(model)
    document = {"runs": [{**result_of(each), **_facts(each)} for each in records]}
    if records:
        columns = ["run", "kind", "model", "started", "status", "seconds", "result", "file"]
        session.output.answer(document, table(columns, [_row(each) for each in records]))
    else:
        session.output.answer(document, "There is no run yet; `tidegate train MODEL FILE` starts one.")
    return 0


def run(session: Session, run_id: str, follow_it: bool) -> int:
    """Show one run: its states with times and reasons, the gate's numbers, the endpoints."""
    stack = session.stack
    record = find_run(stack, run_id)
    if follow_it and not session.output.as_json and record.get("status") not in ENDED:
        record, view = follow(stack, session.output, record)
        shown: list[Any] = []
    else:
        view = read_history(read_events(stack, record))
        record = settled(stack, record) if view.steps else record
        shown = [tree(view, datetime.now(UTC))] if view.steps else []
        if not view.steps:
            shown = [Text("The states of this run are no longer kept.", style="dim")]
    result = result_of(record)
    document = {**result, **_facts(record), "states": states_document(view.steps, datetime.now(UTC))}
    session.output.answer(document, *shown, summary(result, str(record.get("model", "")), record))
    return 0


def _facts(record: Record) -> dict[str, Any]:
    keys = ("model", "started", "finished", "bucket", "key", "version", "execution")
    return {"kind": kind_of(record), **{key: record.get(key) for key in keys}}


def _row(record: Record) -> list[Any]:
    took = seconds_between(record.get("started"), record.get("finished"))
    return [
        record["run"],
        kind_of(record),
        record.get("model"),
        moment(record.get("started")),
        status(str(record.get("status", "RUNNING"))),
        None if took is None else f"{took:.1f}",
        _found(record),
        str(record.get("key", "–")).rsplit("/", 1)[-1],
    ]


def _found(record: Record) -> str | None:
    """Say in a few words what came of a run: the models' errors, or how many rows were scored."""
    result = record.get("result") or {}
    if kind_of(record) == "score":
        aside = f", {result['rejected']:,} set aside" if result.get("rejected") else ""
        return f"{result['scored']:,} rows{aside}" if result.get("scored") is not None else None
    if kind_of(record) == "monitor":
        return result.get("verdict")
    rmse = {name: entry.get("rmse") for name, entry in (result.get("algorithms") or {}).items()}
    told = ", ".join(f"{name} {figure(value)}" for name, value in rmse.items() if value)
    return f"RMSE {told}" if told else None
