"""Taking in dropped ground truth: each object once, as labels in a plain form, or set aside with a reason."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tidegate.core import names
from tidegate.core.errors import BadDrop
from tidegate.core.spec import ModelSpec
from tidegate.edge.listing import listed
from tidegate.edge.quarantine import quarantine
from tidegate.edge.storage import client

MOST_FILES = 200


def take_in(spec: ModelSpec, run: str) -> list[dict[str, str]]:
    """Write every new truth drop of a model as ``id,target``, the oldest first; gives the refused ones.

    The same object twice makes the same key, so this may be repeated, and two may do it at once.
    """
    data, artifacts = os.environ["DATA_BUCKET"], os.environ["ARTIFACTS_BUCKET"]
    known = {each.key for each in listed("truth", artifacts, names.truth_prefix(spec.name))}
    refused = []
    taken = 0
    drops = listed("truth", data, names.drop_key(spec.name, "truth", ""))
    for drop in sorted(drops, key=lambda each: (each.modified, each.key)):
        kept = names.truth_key(spec.name, drop.key, drop.etag, drop.modified)
        if kept in known:
            continue
        taken += 1
        if taken > MOST_FILES:
            break
        try:
            answer = client("s3").get_object(Bucket=data, Key=drop.key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                continue  # another run has just set it aside
            raise
        try:
            body = _normalised(answer["Body"], drop.key.rsplit("/", 1)[-1], spec)
        except BadDrop as refusal:
            event: dict[str, Any] = {
                "bucket": data,
                "key": drop.key,
                "version": answer.get("VersionId"),
                "model": spec.name,
                "run": run,
            }
            refused.append({"key": drop.key, "reason": refusal.masked, "kept_at": quarantine(event, refusal)})
            continue
        client("s3").put_object(Bucket=artifacts, Key=kept, Body=body, ContentType="text/csv")
    return refused


def _normalised(stream: Any, filename: str, spec: ModelSpec) -> bytes:
    """Read a drop as all others are read; the engine is loaded only where there is one."""
    from tidegate.table.truth import read_truth

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "target"])
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "drop"  # a name of our own on disk: the key's may hold anything
        with path.open("wb") as file:
            for block in stream.iter_chunks(1 << 20):
                file.write(block)
        labels = read_truth(path, filename, identity=spec.id, target=spec.target)
        writer.writerows((identity, repr(target)) for identity, target in labels)
    return out.getvalue().encode()
