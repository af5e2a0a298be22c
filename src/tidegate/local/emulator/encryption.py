"""Encryption with a key that the caller does not name: AWS takes the account's own for S3, the emulator none.

The SageMaker SDK uploads every script that way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tidegate.local.emulator.names import answers, objects

# Any id will do, so that it can be told from a key of one's own.
_KEY_ID = "00000000-0000-0000-0000-0000aws00s3"

Resolve = Callable[[dict[str, Any], str], Any]


def install() -> None:
    """Give objects that ask for ``aws:kms`` without a key the one that AWS manages."""
    objects.replace("encryption_of", _with_managed_key(objects.encryption_of))


def _with_managed_key(original: Resolve) -> Resolve:
    def encryption_of(headers: dict[str, Any], bucket: str) -> Any:
        name = "x-amz-server-side-encryption"
        if headers.get(name) == "aws:kms" and not headers.get(f"{name}-aws-kms-key-id"):
            key = f"arn:aws:kms:{answers.region()}:{answers.account()}:key/{_KEY_ID}"
            headers = {**headers, f"{name}-aws-kms-key-id": key}
        return original(headers, bucket)

    return encryption_of
