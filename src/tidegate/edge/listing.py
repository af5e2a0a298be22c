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


def contents(source: str, bucket: str, prefix: str) -> Iterator[tuple[Found, str]]:
    """List every content that objects under a prefix had since they were last deleted, with its version.

    So what was replaced before anybody looked is found too. In a bucket without versions there is one each.
    """
    pages = client("s3").get_paginator("list_object_versions")
    deleted: set[str] = set()
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        # Of one key the newest comes first; a page may hold markers of the next.
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        entries.sort(key=lambda each: (each["LastModified"], each["IsLatest"]), reverse=True)
        for each in entries:
            key = each["Key"]
            if "ETag" not in each:
                deleted.add(key)
            elif key not in deleted and not key.endswith("/"):
                found = Found(
                    source, key, each["ETag"].strip('"'), int(each["Size"]), each["LastModified"].isoformat()
                )
                yield found, each["VersionId"]


def folders(bucket: str, prefix: str) -> list[str]:
    """List the folders right under a prefix, each with the prefix and a slash at its end."""
    pages = client("s3").get_paginator("list_objects_v2")
    return [
        each["Prefix"]
        for page in pages.paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        for each in page.get("CommonPrefixes", [])
    ]
