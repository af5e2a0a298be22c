"""Encryption with a key that the caller does not name: AWS takes the account's own for S3, the emulator none.

The SageMaker SDK uploads every script that way. And the key that a template names for a bucket or a topic,
which CloudFormation leaves out in the emulator.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from tidegate.local.emulator.definitions import after_making
from tidegate.local.emulator.names import answers, objects, topics

# Any id will do, so that it can be told from a key of one's own.
_KEY_ID = "00000000-0000-0000-0000-0000aws00s3"

Resolve = Callable[[dict[str, Any], str], Any]


def install() -> None:
    """Give objects that ask for ``aws:kms`` without a key the one that AWS manages."""
    objects.replace("encryption_of", _with_managed_key(objects.encryption_of))
    after_making("AWS::S3::Bucket", _encrypt_bucket)
    after_making("AWS::SNS::Topic", _encrypt_topic)


def _with_managed_key(original: Resolve) -> Resolve:
    def encryption_of(headers: dict[str, Any], bucket: str) -> Any:
        name = "x-amz-server-side-encryption"
        if headers.get(name) == "aws:kms" and not headers.get(f"{name}-aws-kms-key-id"):
            key = f"arn:aws:kms:{answers.region()}:{answers.account()}:key/{_KEY_ID}"
            headers = {**headers, f"{name}-aws-kms-key-id": key}
        return original(headers, bucket)

    return encryption_of


def _encrypt_bucket(bucket: str, properties: dict[str, Any]) -> None:
    """Keep a bucket's encryption by default as PutBucketEncryption would."""
    rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    if not rules:
        return
    by_default = rules[0].get("ServerSideEncryptionByDefault", {})
    said = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in by_default.items())
    whole = f"<ApplyServerSideEncryptionByDefault>{said}</ApplyServerSideEncryptionByDefault>"
    objects.encryptions[bucket] = (
        f"<ServerSideEncryptionConfiguration><Rule>{whole}</Rule></ServerSideEncryptionConfiguration>"
    )


def _encrypt_topic(topic: str, properties: dict[str, Any]) -> None:
    if key := properties.get("KmsMasterKeyId"):
        topics.all[topic]["attributes"]["KmsMasterKeyId"] = key
