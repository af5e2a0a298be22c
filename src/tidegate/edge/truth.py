"""Taking in dropped ground truth: each object once, as labels in a plain form, or set aside with a reason."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tidegate.core import names
from tidegate.core.errors import BadDrop
from tidegate.core.spec import ModelSpec
from tidegate.edge.listing import contents, listed
from tidegate.edge.quarantine import quarantine
from tidegate.edge.storage import client

MOST_FILES = 200


def take_in(spec: ModelSpec, run: str) -> list[dict[str, str]]:
    """Write every new truth drop of a model as ``id,target``, the oldest first; gives the refused ones.

    What a drop held before it was replaced counts too, whether or not a check came in between. The same
    content of the same moment makes the same key, so this may be repeated, and two may do it at once.
    """
    data, artifacts = os.environ["DATA_BUCKET"], os.environ["ARTIFACTS_BUCKET"]
    prefixes = names.truth_prefix(spec.name), names.refused_truth_prefix(spec.name)
    known = {
        each.key.rsplit("/", 1)[-1] for prefix in prefixes for each in listed("truth", artifacts, prefix)
    }
    refused = []
    taken = 0
    earlier: Counter[tuple[str, str]] = Counter()  # what an object held before within a second
    drops = list(contents("truth", data, names.drop_key(spec.name, "truth", "")))
    drops.reverse()  # they come the newest first
    for drop, version in sorted(drops, key=lambda each: (each[0].modified[:19], each[0].key)):
        moment = drop.key, drop.modified[:19]
        kept = names.truth_key(spec.name, drop.key, drop.etag, drop.modified, earlier[moment])
        earlier[moment] += 1
        name = kept.rsplit("/", 1)[-1]
        if name in known:
            continue
        taken += 1
        if taken > MOST_FILES:
            break
        try:
            answer = client("s3").get_object(Bucket=data, Key=drop.key, VersionId=version)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion"):
                continue  # another run has just set it aside
            raise
        try:
            body = _normalised(answer["Body"], drop.key.rsplit("/", 1)[-1], spec)
        except BadDrop as refusal:
            event: dict[str, Any] = {
                "bucket": data,
                "key": drop.key,
                "version": version,
                "model": spec.name,
                "run": run,
            }
            refused.append({"key": drop.key, "reason": refusal.masked, "kept_at": quarantine(event, refusal)})
            # Where newer content lies on it, it stays a version of its key: once is enough to refuse it.
            remembered = f"{names.refused_truth_prefix(spec.name)}{name}"
            client("s3").put_object(Bucket=artifacts, Key=remembered, Body=b"")
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
