"""Setting a bad file aside: it is copied with its reason beside it before it leaves the drop folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tidegate.core import names
from tidegate.core.errors import BadDrop
from tidegate.edge.storage import client, write_json


def quarantine(event: Mapping[str, Any], refusal: BadDrop) -> str:
    """Move a refused drop to the quarantine.

    Parameters
    ----------
    event : mapping
        ``bucket``, ``key``, ``version`` (may be None), ``model`` and ``run`` of the drop.
    refusal : BadDrop
        Why it is refused.

    Returns
    -------
    str
        The S3 URI at which the file is kept from now on.
    """
    bucket, key, version = event["bucket"], event["key"], event.get("version")
    kept = names.quarantine_key(event["model"], event["run"], key)
    source = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    client("s3").copy(source, bucket, kept)
    write_json(
        f"s3://{bucket}/{names.reason_key(kept)}",
        {
            "reason": refusal.plain,
            "row": refusal.row,
            "column": refusal.column,
            "dropped_at": key,
            "run": event["run"],
        },
    )
    _remove_if_still(bucket, key, version)
    return f"s3://{bucket}/{kept}"


def _remove_if_still(bucket: str, key: str, version: str | None) -> None:
    # A newer version dropped meanwhile is another run's: it stays. One that somebody took away is away.
    try:
        newest = client("s3").head_object(Bucket=bucket, Key=key).get("VersionId")
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return
        raise
    if version is None or newest == version:
        client("s3").delete_object(Bucket=bucket, Key=key)
