"""`tidegate train`: drops a file of rows and, when asked to wait, shows the run until its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidegate.cli.drop import drop_of, duplicate, same_file, submit, submitted
from tidegate.cli.exit_codes import OF_STATUS, WELL
from tidegate.cli.options import Session
from tidegate.cli.records import Record
from tidegate.cli.render import summary


def train(session: Session, model: str, file: Path, wait: bool, again: bool) -> int:
    """Drop a file under ``<model>/train/`` and tell the run it starts."""
    result, record = start_training(session, model, file, wait=wait, again=again)
    shown: list[Any] = [summary(result, model, record)] if result["algorithms"] or wait else []
    if result["status"] == "SUBMITTED":
        shown = submitted(result, model)
    elif result["status"] == "DUPLICATE":
        shown.append("`--again` trains with the same file once more.")
    session.output.answer(result, *shown)
    return OF_STATUS.get(result["status"], WELL)


def start_training(
    session: Session, model: str, file: Path, *, wait: bool, again: bool = False
) -> tuple[dict[str, Any], Record]:
    """Train a model with a file, unless the very same training was done already.

    Returns
    -------
    tuple of dict
        The result as ``train --wait --json`` prints it, and the record of the run.
    """
    stack = session.stack
    drop = drop_of(stack, model, "train", file, "CSV or Parquet")
    declaration = stack.declared(model)
    earlier = None if again else same_file(stack, drop, declaration.source_sha256)
    if earlier is not None:
        return duplicate(session, earlier, wait, "training with")
    return submit(session, model, drop, wait)
