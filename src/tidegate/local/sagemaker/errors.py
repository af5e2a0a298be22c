"""Errors of the local SageMaker as callers see them on the wire: a code, a sentence, an HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SageMakerError(Exception):
    """An answer that is an error.

    Parameters
    ----------
    code
        AWS's error code, which boto3 shows as ``error.response["Error"]["Code"]``.
    message
        What was wrong and how to mend it, in one or two sentences.
    http_status
        The HTTP status of the answer.
    members
        Further members of the error body, such as ``OriginalStatusCode`` of a ``ModelError``.
    """

    def __init__(
        self, code: str, message: str, http_status: int = 400, *, members: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.http_status = http_status
        self.members = dict(members or {})

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


# The names below are AWS's error codes, which people know; hence no "Error" at their end.


class ValidationException(SageMakerError):
    """A request that SageMaker refuses, and its answer to an unknown or already existing name."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class ResourceNotFound(SageMakerError):
    """A job, or a resource that a job names, does not exist."""

    def __init__(self, message: str = "Requested resource not found.") -> None:
        super().__init__("ResourceNotFound", message)


class ResourceInUse(SageMakerError):
    """A job of this name exists already."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceInUse", message)


class ResourceLimitExceeded(SageMakerError):
    """A limit of the account, or here of this machine, is reached."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceLimitExceeded", message)


class ValidationError(SageMakerError):
    """The runtime API's (``InvokeEndpoint``) word for a request that it refuses."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message)


class ModelError(SageMakerError):
    """The model's container answered a request with an error of its own.

    Parameters
    ----------
    message
        The sentence for the caller.
    original_status
        The HTTP status that the container gave.
    original_message
        The body that the container gave.
    log_stream_arn
        Where the container's log is.
    """

    def __init__(
        self, message: str, *, original_status: int, original_message: str, log_stream_arn: str = ""
    ) -> None:
        super().__init__(
            "ModelError",
            message,
            424,
            members={
                "OriginalStatusCode": original_status,
                "OriginalMessage": original_message,
                "LogStreamArn": log_stream_arn,
            },
        )
