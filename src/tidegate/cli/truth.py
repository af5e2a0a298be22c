"""`tidegate truth`: drops what really happened and, when asked to wait, tells what it was matched to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from tidegate.cli.drop import Drop, drop_of, put, same_content
from tidegate.cli.errors import Trouble
from tidegate.cli.exit_codes import FAILED, REFUSED, TOO_FEW, WELL
from tidegate.cli.monitor import start_check
from tidegate.cli.options import Session
from tidegate.cli.records import Record, runs_of
from tidegate.cli.render import table
from tidegate.cli.stack import NOT_FOUND, Stack
from tidegate.cli.watch import follow, settled, wait_for_claim
from tidegate.core import names
from tidegate.core.attempts import kind_of
from tidegate.core.errors import BadDrop
from tidegate.core.figures import figure
from tidegate.core.monitor import Monitor
from tidegate.core.verdict import counted
from tidegate.core.windows import TRUTH_DAYS

LATEST_RUNS = 50
FARED = ("rows", "matched", "corrected", "repeated", "waiting")


def truth(session: Session, model: str, file: Path, wait: bool, again: bool) -> int:
    """Read a file of ground truth, drop it under ``<model>/truth/``, and tell how its rows fared."""
    stack = session.stack
    drop = drop_of(stack, model, "truth", file, "CSV, JSON Lines or Parquet")
    spec = stack.spec(model)
    found = _look(file, spec)
    head = _head(stack, drop)
    if head is not None and same_content(head, drop) and not again:
        found["status"] = "DUPLICATE"
    else:
        session.output.note(f"dropping {file} at s3://{drop.bucket}/{drop.key}")
        put(stack, drop)
        head = _head(stack, drop)
        found["status"] = "SUBMITTED"
    document: dict[str, Any] = {"model": model, **found, "at": f"s3://{drop.bucket}/{drop.key}"}
    if not wait:
        session.output.answer(document, *_said(document), _next(document, spec))
        return WELL
    digest = names.truth_digest(drop.key, str((head or {}).get("ETag", "")).strip('"'))
    record, _ = follow(stack, session.output, wait_for_claim(stack, start_check(stack, model)))
    fared = _fared(stack, model, record, digest)
    for other in () if fared else _at_work(stack, model):  # it has the predictions, and may have the file
        session.output.note(f"run {other['run']} is checking the same predictions")
        fared = _fared(stack, model, follow(stack, session.output, other)[0], digest)
    document |= {
        "run": record["run"],
        "status": "FAILED" if record.get("status") == "FAILED" else document["status"],
        "reason": record.get("reason") or "",
        "verdict": (record.get("result") or {}).get("verdict"),
        "algorithms": fared,
    }
    session.output.answer(document, *_said(document), *_drawn(document, spec))
    if document["status"] == "FAILED":
        return FAILED
    return WELL if any(each["waiting"] < each["rows"] for each in fared.values()) else TOO_FEW


def _look(file: Path, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Read the whole file as the check will; say what it holds.

    Raises
    ------
    Trouble
        Where the check would refuse it.
    """
    from tidegate.table.truth import read_truth, truth_columns

    own, wanted = spec.get("id"), str(spec["target"])
    rows, ids = 0, set()
    try:
        for name, _ in read_truth(file, file.name, identity=own, target=wanted):
            rows += 1
            ids.add(name)
        identity, target = truth_columns(file, file.name, identity=own, target=wanted)
    except BadDrop as refusal:
        raise Trouble(refusal.plain, "Nothing was dropped.", exit_code=REFUSED) from None
    return {
        "file": str(file),
        "rows": rows,
        "ids": len(ids),
        "id_column": identity,
        "target_column": target,
        "matched_by": "id" if identity == own else "prediction id",
    }


def _head(stack: Stack, drop: Drop) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        head: dict[str, Any] = stack.client("s3").head_object(Bucket=drop.bucket, Key=drop.key)
        return head
    except ClientError as error:
        if error.response["Error"].get("Code") in NOT_FOUND:
            return None
        raise


def _fared(stack: Stack, model: str, record: Record, digest: str) -> dict[str, dict[str, Any]]:
    """Find how a file fared: in this check, or in the one that took it in before."""
    for each in (record, *_checks(stack, model, record["run"])):
        found = {}
        for algorithm in (each.get("result") or {}).get("algorithms") or {}:
            key = f"{names.check_prefix(model, each['run'])}/{algorithm}/check.json"
            check = json.loads(stack.read_object(stack.artifacts_bucket, key) or b"{}")
            if digest in check.get("files", {}):
                about = {"check": each["run"], "so_far": check.get("so_far")}
                found[algorithm] = {**check["files"][digest], **about}
        if found:
            return found
    return {}


def _at_work(stack: Stack, model: str) -> list[Record]:
    """Give the checks that are under way: one may have begun before ours, as when a schedule started it."""
    return [
        each
        for each in runs_of(stack, model, LATEST_RUNS)
        if kind_of(each) == "monitor" and settled(stack, each).get("status") == "RUNNING"
    ]


def _checks(stack: Stack, model: str, but: str) -> Iterator[Record]:
    """Give the checks of before, the newest first."""
    yield from (
        each
        for each in runs_of(stack, model, LATEST_RUNS)
        if kind_of(each) == "monitor" and each["run"] != but
    )


def _said(document: Mapping[str, Any]) -> list[RenderableType]:
    by = "the model's id column" if document["matched_by"] == "id" else "the id that each prediction got"
    lines = [
        Text.assemble(
            (str(document["file"]), "bold"),
            f": {counted(document['rows'])}; the target is '{document['target_column']}', matched by "
            f"'{document['id_column']}', {by}",
        )
    ]
    twice = document["rows"] - document["ids"]
    if twice:
        names_again = "names an id" if twice == 1 else "name an id"
        lines.append(Text(f"{counted(twice)} {names_again} again; the last row of each counts"))
    if document["status"] == "DUPLICATE":
        lines.append(Text("this very file was dropped before, and counts once; `--again` drops it once more"))
    return list(lines)


def _next(document: Mapping[str, Any], spec: Mapping[str, Any]) -> Text:
    every = (spec.get("monitor") or {}).get("every", Monitor.every)
    return Text(
        f"The next check (one every {every}) matches it; "
        f"`tidegate truth {document['model']} {document['file']} --wait` checks at once."
    )


def _drawn(document: Mapping[str, Any], spec: Mapping[str, Any]) -> list[RenderableType]:
    fared = document["algorithms"]
    if not fared:
        why = document["reason"] or "the check could not take it in yet"
        return [Text(f"All its rows wait for the next check: {why}.")]
    rows = [
        [name, *(each[what] for what in FARED), _error(each.get("so_far"))] for name, each in fared.items()
    ]
    shown: list[RenderableType] = [
        table(["algorithm", "rows", "matched", "corrected", "repeated", "waiting", "RMSE so far"], rows)
    ]
    waiting = max(fared.values(), key=lambda each: each["waiting"])
    if waiting["waiting"]:
        own = f"'{spec['id']}' or the prediction id" if spec.get("id") else "the prediction id"
        such = ", ".join(f"'{name}'" for name in waiting["first_waiting"])
        shown.append(
            Text(
                f"{counted(waiting['waiting'])} without a prediction: of those of the last {TRUTH_DAYS} days "
                f"that were checked none is called so ({such}) by {own}. What waits is looked for at each "
                f"check, for {TRUTH_DAYS} days; predictions count once they are captured, some minutes later."
            )
        )
    shown.append(Text(f"check {document['run']}: {document['verdict']}; {document['reason']}"))
    return shown


def _error(so_far: Mapping[str, Any] | None) -> str:
    if not so_far:
        return "–"
    return f"{figure(so_far['metrics'].get('rmse'))} by {so_far['rows']:,} truths"
