"""What keeps a container from serving or from answering."""

from __future__ import annotations


class CannotServe(Exception):
    """A container did not come up; the message says which, why, and what to look at.

    Parameters
    ----------
    message
        One or two sentences.
    container
        The index of the container in the pipeline.
    fault
        ``"client"`` when the model is at fault (image, archive), ``"algorithm"`` when the container is.
    """

    def __init__(self, message: str, *, container: int, fault: str) -> None:
        super().__init__(message)
        self.container = container
        self.fault = fault


class ModelUnread(CannotServe):
    """A model's data could not be fetched: nobody can say that it is bad."""


class NotAnswered(Exception):
    """A container gave no HTTP answer: it died, or took too long.

    Parameters
    ----------
    message
        What happened.
    container
        The index of the container in the pipeline.
    timed_out
        True when the time limit was reached, False when the connection broke.
    """

    def __init__(self, message: str, *, container: int, timed_out: bool) -> None:
        super().__init__(message)
        self.container = container
        self.timed_out = timed_out
