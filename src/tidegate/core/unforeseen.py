"""Errors that nobody foresaw: their words may quote the data, so that only their kind and place are told.

What a function raises is written into its log, the history of the execution and the notification about it.
Errors of ours know which of their parts are values, and AWS's speak of names and numbers; anything else, such
as ``could not convert string to float: 'Ann'``, goes no further than this.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from tidegate.core.sentences import Masked

# Whose errors have words that hold no value of the data.
OURS_AND_AWS = ("tidegate.", "botocore.", "boto3.", "s3transfer.", "aws_lambda_powertools.")
SHOWN_PLACES = 3
Handler = Callable[..., Any]


def words_of(error: BaseException) -> Masked:
    """Give what may be told of an error.

    >>> def broken(): return float("Ann")
    >>> try: broken()
    ... except ValueError as error: words_of(error).partition(" at ")[0]
    'ValueError'
    """
    if _may_be_told(error):
        return Masked(str(error))
    said = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        said += f" ({error.strerror})"
    return Masked(f"{said} at {_places(error)}; its own words are not told, as they may quote the data")


def guarded(handler: Handler) -> Handler:
    """Let no error out of a handler but with words that may be told; its kind goes on by its name."""

    @functools.wraps(handler)
    def answer(*given: Any, **named: Any) -> Any:
        try:
            return handler(*given, **named)
        except Exception as error:
            told = error if _may_be_told(error) else _kind(type(error).__name__)(words_of(error))
            # Nor may what it came from or came on top of be told, which a traceback shows as well.
            raise told from None

    return answer


class Unforeseen(Exception):
    """An error that nobody foresaw, told by its kind and place."""


def _kind(name: str) -> type[Unforeseen]:
    """Make a kind of error with a name that logs and retries know."""
    return type(name, (Unforeseen,), {"__module__": __name__})


def _may_be_told(error: BaseException) -> bool:
    kind = type(error)
    return f"{kind.__module__}.".startswith(OURS_AND_AWS)


def _places(error: BaseException) -> str:
    """Say where an error arose: the last places of its traceback, the innermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-SHOWN_PLACES:][::-1]
    named = ("/".join(PurePath(each.filename).parts[-2:]) + f", line {each.lineno}" for each in frames)
    return ", from ".join(named) or "a place unknown"
