"""Dropping a file and following the run that it starts, unless that very file was dropped before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.records import Record, result_of, run_or_none
from tidegate.cli.stack import NOT_FOUND, Stack
from tidegate.cli.watch import follow, settled, wait_for_claim
from tidegate.core import names

MOST_BYTES = 5 * 1024**3  # what S3 takes in one put, and one put is what tells its version


@dataclass(frozen=True)
class Drop:
    """A file to put, where, and for which kind of run."""

    file: Path
    bucket: str
    key: str
    sha256: str


def drop_of(stack: Stack, model: str, kind: str, file: Path, formats: str) -> Drop:
    """Look at a file that is to be dropped.

    Parameters
    ----------
    kind : str
        ``train``, ``score`` or ``truth``.
    formats : str
        What may be dropped, in words.
    """
    if not file.is_file():
        what = "is a folder, not a file" if file.is_dir() else "does not exist"
        raise Trouble(f"{file} {what}.", f"Give the path of a {formats} file.", exit_code=2)
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise Trouble(
            f"{file} has {size / 1024**3:.1f} GiB; a drop has at most 5 GiB.",
            "Use Parquet, or a sample of the rows.",
        )
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Drop(file, stack.data_bucket, names.drop_key(model, kind, file.name), digest)


def submit(session: Session, model: str, drop: Drop, wait: bool) -> tuple[dict[str, Any], Record]:
    """Put a file; with `wait`, show the run that it starts until its end.

    Returns
    -------
    tuple of dict
        The run's result as ``--json`` prints it, and its record.
    """
    stack = session.stack
    session.output.note(f"dropping {drop.file} at s3://{drop.bucket}/{drop.key}")
    run = names.run_id(drop.bucket, drop.key, put(stack, drop))
    if not wait:
        return {"run": run, "status": "SUBMITTED", "reason": "", "algorithms": {}}, {}
    session.output.note(f"run {run} of {model}")
    record, _ = follow(stack, session.output, wait_for_claim(stack, run))
    return result_of(record), record


def same_file(stack: Stack, drop: Drop, spec_sha256: str) -> Record | None:
    """Find the run of this very content under the declaration in force, unless it failed or refused it."""
    from botocore.exceptions import ClientError

    try:
        head = stack.client("s3").head_object(Bucket=drop.bucket, Key=drop.key)
    except ClientError as error:
        if error.response["Error"].get("Code") in NOT_FOUND:
            return None
        raise
    if not same_content(head, drop):
        return None
    record = run_or_none(stack, names.run_id(drop.bucket, drop.key, _version(head)))
    if record is None:
        return None
    record = settled(stack, record)
    # A run writes down its declaration at its end; one under way has read the one in force.
    used = spec_sha256 if record["status"] == "RUNNING" else record.get("spec_sha256")
    again = record["status"] in ("FAILED", "REFUSED")
    return record if not again and used == spec_sha256 else None


def duplicate(session: Session, record: Record, wait: bool, doing: str) -> tuple[dict[str, Any], Record]:
    """Answer with a run of before instead of a new one; `doing` is what it does while it is under way."""
    if wait and record.get("status") == "RUNNING":
        session.output.note(f"run {record['run']} is {doing} this very file")
        record, _ = follow(session.stack, session.output, record)
    result = result_of(record)
    if result["status"] in ("FAILED", "REFUSED"):
        return result, record
    verb = {"RUNNING": f"is {doing} it", "REJECTED": "ended as REJECTED"}.get(result["status"], "SUCCEEDED")
    told = f" ({result['reason']})" if result["reason"] else ""
    reason = f"the same file under the same model file: run {record['run']} {verb}{told}"
    return {**result, "status": "DUPLICATE", "reason": reason}, record


def submitted(result: dict[str, Any], model: str) -> list[Any]:
    """Say that a run is on its way."""
    return [
        f"run {result['run']} of {model} is on its way",
        f"Follow it with `tidegate run {result['run']}`.",
    ]


def put(stack: Stack, drop: Drop) -> str:
    """Put the file and give the version that S3 made of it (its ETag in a bucket without versions)."""
    with drop.file.open("rb") as body:
        answer = stack.client("s3").put_object(
            Bucket=drop.bucket, Key=drop.key, Body=body, Metadata={"sha256": drop.sha256}
        )
    return _version(answer)


def _version(answer: dict[str, Any]) -> str:
    version = answer.get("VersionId")
    return version if version and version != "null" else str(answer["ETag"]).strip('"')


def same_content(head: dict[str, Any], drop: Drop) -> bool:
    written = head.get("Metadata", {}).get("sha256")
    if written is not None:
        return bool(written == drop.sha256)
    etag = str(head["ETag"]).strip('"')
    if "-" in etag or head["ContentLength"] != drop.file.stat().st_size:
        return False  # the ETag of a multipart upload is not the MD5 of the content
    with drop.file.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest() == etag
