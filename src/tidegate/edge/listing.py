"""What lies in a bucket for the monitor to look at: captured requests, scores, ground truth."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.bookmark import Found
from tidegate.edge.storage import client


def listed(source: str, bucket: str, prefix: str, *, first: str = "") -> Iterator[Found]:
    """List the objects under a prefix, from the key `prefix` + `first` on; folder markers are left out."""
    pages = client("s3").get_paginator("list_objects_v2")
    after = {"StartAfter": prefix + first} if first else {}
    for page in pages.paginate(Bucket=bucket, Prefix=prefix, **after):
        for each in page.get("Contents", []):
            if not each["Key"].endswith("/"):
                yield Found(
                    source,
                    each["Key"],
                    each["ETag"].strip('"'),
                    int(each["Size"]),
                    each["LastModified"].isoformat(),
                )


def folders(bucket: str, prefix: str) -> list[str]:
    """List the folders right under a prefix, each with the prefix and a slash at its end."""
    pages = client("s3").get_paginator("list_objects_v2")
    return [
        each["Prefix"]
        for page in pages.paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        for each in page.get("CommonPrefixes", [])
    ]
