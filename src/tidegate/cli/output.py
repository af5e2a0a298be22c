"""Where words go: the answer to standard output, progress and troubles to standard error.

The one door to the terminal: a text is only a text here, never markup, and shows its control characters.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tidegate.cli.visible import as_json, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tidegate.cli.console import Console
    from tidegate.cli.errors import Trouble


PIPE_WIDTH = 20_000


class Output:
    """The two streams of one verb.

    Parameters
    ----------
    as_json : bool
        Whether standard output holds one JSON document and nothing else.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    @cached_property
    def out(self) -> Console:
        """The console of the answer."""
        from tidegate.cli.console import Console

        console = Console()
        # In a pipe a line ends where its words end, whatever a terminal would have done.
        return console if console.is_terminal else Console(width=PIPE_WIDTH)

    @cached_property
    def err(self) -> Console:
        """The console of progress and troubles."""
        from tidegate.cli.console import Console

        return Console(stderr=True)

    def answer(self, document: Mapping[str, Any], *shown: RenderableType) -> None:
        """Give the answer: the document with ``--json``, what is shown to people otherwise."""
        if self.as_json:
            write_json(document)
            return
        for each in shown:
            self.out.print(each)

    def note(self, line: str) -> None:
        """Say one line of progress."""
        self.err.print(line, soft_wrap=True)

    def trouble(self, trouble: Trouble) -> None:
        """Say what went wrong and what to do."""
        if self.as_json:
            write_json(trouble.document())
        self.err.print("error:", style="bold red", end=" ")
        self.err.print(trouble.message, soft_wrap=True)
        if trouble.remedy:
            self.err.print(trouble.remedy, soft_wrap=True)


def write_json(document: Mapping[str, Any]) -> None:
    """Print one document on standard output."""
    print(as_json(document, _plain), flush=True)


def write_error(line: str) -> None:
    """Print one line on standard error, where no verb was found that has an output."""
    print(f"error: {visible(line)}", file=sys.stderr)


def _plain(value: object) -> object:
    """Turn what boto3 answers into what JSON knows."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
