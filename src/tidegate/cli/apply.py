"""`tidegate apply`: declares a model by dropping its file, and waits for the word of the cloud."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.stack import Stack
from tidegate.cli.watch import NEAR_SECONDS
from tidegate.core import names
from tidegate.core.errors import BadSpec

if TYPE_CHECKING:
    from tidegate.core.spec import ModelSpec

WAIT_SECONDS = 60.0


def apply(session: Session, file: Path) -> int:
    """Check a model file here, drop it, and wait until it is in force."""
    applied = put_in_force(session, file)
    how = "was in force already" if applied["status"] == "UNCHANGED" else "is in force"
    algorithms = " and ".join(applied["algorithms"])
    session.output.answer(
        applied,
        f"{file} {how}: model {applied['model']} predicts {applied['target']} with {algorithms}.",
        f"Next: `tidegate train {applied['model']} FILE.csv --wait`.",
    )
    return 0


def put_in_force(session: Session, file: Path) -> dict[str, Any]:
    """Declare a model.

    Returns
    -------
    dict
        ``model``, ``status`` (APPLIED or UNCHANGED), ``target``, ``features`` and ``algorithms``.

    Raises
    ------
    Trouble
        When the file is refused, here or there, or nobody answers.
    """
    text = file.read_bytes()
    spec = checked(text, file)
    stack = session.stack
    if key := stack.key:
        spec = checked(text, file, key)
    digest = hashlib.sha256(text).hexdigest()
    answer = {
        "model": spec.name,
        "status": "APPLIED",
        "target": spec.target,
        "features": len(spec.features),
        "algorithms": list(spec.algorithms),
    }
    if _in_force(stack, spec.name, digest):
        return {**answer, "status": "UNCHANGED"}
    told_before = set(stack.notification_keys())
    key = names.model_file_key(spec.name)
    session.output.note(f"dropping {file} at s3://{stack.data_bucket}/{key}")
    stack.client("s3").put_object(
        Bucket=stack.data_bucket, Key=key, Body=text, ContentType="application/yaml"
    )
    _wait(stack, spec.name, digest, told_before)
    return answer


def checked(text: bytes, file: Path, key: str | None = None) -> ModelSpec:
    """Read a model file, for a stack with a KMS key or for any; one that cannot be used is a trouble."""
    from tidegate.modelfile import read_model_file

    try:
        return read_model_file(text, key=key)
    except BadSpec as refusal:
        raise Trouble(
            f"{file} is not a usable model file: {refusal}.",
            "Mend it and apply it again; nothing was changed.",
        ) from refusal


def _in_force(stack: Stack, model: str, digest: str) -> bool:
    declaration = stack.declaration(model)
    return declaration is not None and declaration.source_sha256 == digest


def _wait(stack: Stack, model: str, digest: str, told_before: set[str]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if _in_force(stack, model, digest):
            return
        told = [key for key in stack.notification_keys() if key not in told_before]
        for notification in stack.notifications(told):
            if notification.get("model") == model and notification.get("kind") == "model-refused":
                raise Trouble(str(notification["message"]).strip(), "Mend the file and apply it again.")
        told_before.update(told)
        time.sleep(NEAR_SECONDS if stack.place.is_near else 1.0)
    raise Trouble(
        f"The file of {model} is in the bucket, but nobody has read it within {WAIT_SECONDS:.0f} seconds.",
        "Look into `tidegate inbox`, and check that the stack's rule for model files is enabled.",
    )
