"""`tidegate train`: drops a file of rows and, when asked to wait, shows the run until its end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.records import Record, result_of, run_or_none
from tidegate.cli.render import summary
from tidegate.cli.stack import NOT_FOUND, Stack
from tidegate.cli.watch import follow, settled, wait_for_claim
from tidegate.core import names

MOST_BYTES = 5 * 1024**3  # what S3 takes in one put, and one put is what tells its version
EXIT_CODES = {"REJECTED": 3, "FAILED": 1}


@dataclass(frozen=True)
class Drop:
    """A file to put, and where."""

    file: Path
    bucket: str
    key: str
    sha256: str


def train(session: Session, model: str, file: Path, wait: bool, again: bool) -> int:
    """Drop a file under ``<model>/train/`` and tell the run it starts."""
    result, record = start_training(session, model, file, wait=wait, again=again)
    shown: list[Any] = [summary(result, model, record)] if result["algorithms"] or wait else []
    if result["status"] == "SUBMITTED":
        shown = [
            f"run {result['run']} of {model} is on its way",
            f"Follow it with `tidegate run {result['run']}`.",
        ]
    elif result["status"] == "DUPLICATE":
        shown.append("`--again` trains with the same file once more.")
    session.output.answer(result, *shown)
    return EXIT_CODES.get(result["status"], 0)


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
    drop = _drop(stack, model, file)
    declaration = stack.declared(model)
    earlier = None if again else _same_training(stack, drop, declaration.source_sha256)
    if earlier is not None:
        return _duplicate(session, earlier, wait)
    session.output.note(f"dropping {file} at s3://{drop.bucket}/{drop.key}")
    run = names.run_id(drop.bucket, drop.key, _put(stack, drop))
    if not wait:
        return {"run": run, "status": "SUBMITTED", "reason": "", "algorithms": {}}, {}
    session.output.note(f"run {run} of {model}")
    record, _ = follow(stack, session.output, wait_for_claim(stack, run))
    return result_of(record), record


def _drop(stack: Stack, model: str, file: Path) -> Drop:
    if not file.is_file():
        what = "is a folder, not a file" if file.is_dir() else "does not exist"
        raise Trouble(f"{file} {what}.", "Give the path of a CSV or Parquet file.", exit_code=2)
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise Trouble(
            f"{file} has {size / 1024**3:.1f} GiB; a drop has at most 5 GiB.",
            "Use Parquet, or a sample of the rows.",
        )
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Drop(file, stack.data_bucket, names.drop_key(model, "train", file.name), digest)


def _put(stack: Stack, drop: Drop) -> str:
    """Put the file and give the version that S3 made of it (its ETag in a bucket without versions)."""
    with drop.file.open("rb") as body:
        answer = stack.client("s3").put_object(
            Bucket=drop.bucket, Key=drop.key, Body=body, Metadata={"sha256": drop.sha256}
        )
    return _version(answer)


def _version(answer: dict[str, Any]) -> str:
    version = answer.get("VersionId")
    return version if version and version != "null" else str(answer["ETag"]).strip('"')


def _same_training(stack: Stack, drop: Drop, spec_sha256: str) -> Record | None:
    """Find the run that trained with this content under the declaration in force and did not fail."""
    from botocore.exceptions import ClientError

    try:
        head = stack.client("s3").head_object(Bucket=drop.bucket, Key=drop.key)
    except ClientError as error:
        if error.response["Error"].get("Code") in NOT_FOUND:
            return None
        raise
    if not _same_content(head, drop):
        return None
    record = run_or_none(stack, names.run_id(drop.bucket, drop.key, _version(head)))
    if record is None:
        return None
    record = settled(stack, record)
    # A run writes down its declaration at its end; one under way has read the one in force.
    used = spec_sha256 if record["status"] == "RUNNING" else record.get("spec_sha256")
    return record if record["status"] != "FAILED" and used == spec_sha256 else None


def _same_content(head: dict[str, Any], drop: Drop) -> bool:
    written = head.get("Metadata", {}).get("sha256")
    if written is not None:
        return bool(written == drop.sha256)
    etag = str(head["ETag"]).strip('"')
    if "-" in etag or head["ContentLength"] != drop.file.stat().st_size:
        return False  # the ETag of a multipart upload is not the MD5 of the content
    with drop.file.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest() == etag


def _duplicate(session: Session, record: Record, wait: bool) -> tuple[dict[str, Any], Record]:
    if wait and record.get("status") == "RUNNING":
        session.output.note(f"run {record['run']} is training with this very file")
        record, _ = follow(session.stack, session.output, record)
    result = result_of(record)
    if result["status"] == "FAILED":
        return result, record
    verb = {"RUNNING": "is training", "REJECTED": "ended as REJECTED"}.get(result["status"], "SUCCEEDED")
    told = f" ({result['reason']})" if result["reason"] else ""
    reason = f"the same file under the same model file: run {record['run']} {verb}{told}"
    return {**result, "status": "DUPLICATE", "reason": reason}, record
