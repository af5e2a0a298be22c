"""`tidegate score`: drops a file of rows to score and, when asked to wait, brings the scores."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tidegate.cli.drop import drop_of, duplicate, same_file, submit, submitted
from tidegate.cli.errors import Trouble
from tidegate.cli.exit_codes import OF_STATUS, WELL
from tidegate.cli.options import Session
from tidegate.cli.records import Record
from tidegate.cli.render import summary
from tidegate.cli.stack import Stack

ENDINGS = (".csv", ".parquet")


def score(session: Session, model: str, file: Path, wait: bool, out: Path | None, again: bool) -> int:
    """Drop a file under ``<model>/score/``, tell the run it starts, and bring what it wrote."""
    if out is not None:
        _check_place(out)
    wait = wait or out is not None
    stack = session.stack
    drop = drop_of(stack, model, "score", file, "CSV, JSON Lines or Parquet")
    declaration = stack.declared(model)
    earlier = None if again else same_file(stack, drop, declaration.source_sha256)
    if earlier is not None and _same_models(stack, model, earlier):
        result, record = duplicate(session, earlier, wait, "scoring")
    else:
        result, record = submit(session, model, drop, wait)
    shown: list[Any] = [summary(result, model, record)] if record else submitted(result, model)
    if result["status"] == "DUPLICATE":
        shown.append("`--again` scores the same file once more.")
    if out is not None and result.get("scores"):
        _download(stack, f"{result['scores']}/scores{out.suffix.lower()}", out)
        result = {**result, "written": str(out)}
        shown.append(f"written to {out}")
    session.output.answer(result, *shown)
    return OF_STATUS.get(result["status"], WELL)


def _check_place(out: Path) -> None:
    if out.suffix.lower() not in ENDINGS:
        raise Trouble(
            f"{out} ends neither in .csv nor in .parquet, which says in what form to write the scores.",
            f"Name for example {out.with_suffix('.csv')}.",
            exit_code=2,
        )
    if not out.parent.is_dir():
        raise Trouble(f"There is no folder {out.parent}.", "Make it, or name another place.", exit_code=2)


def _same_models(stack: Stack, model: str, record: Record) -> bool:
    """Tell whether a run of before asked the models that are approved now; one under way surely does."""
    if record["status"] == "RUNNING":
        return True
    approved = {name: entry["model"] for name, entry in stack.parameters(model).items() if "model" in entry}
    used = {
        name: entry.get("model")
        for name, entry in ((record.get("result") or {}).get("algorithms") or {}).items()
    }
    return bool(used) and all(approved.get(name) == asked for name, asked in used.items())


def _download(stack: Stack, uri: str, out: Path) -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        stack.client("s3").download_file(bucket, key, str(partial))
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
