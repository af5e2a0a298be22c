"""Where words go: the answer to standard output, progress and troubles to standard error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

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
        from rich.console import Console

        console = Console(highlight=False)
        # In a pipe a line ends where its words end, whatever a terminal would have done.
        return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)

    @cached_property
    def err(self) -> Console:
        """The console of progress and troubles."""
        from rich.console import Console

        return Console(stderr=True, highlight=False)

    def answer(self, document: Mapping[str, Any], *shown: RenderableType) -> None:
        """Give the answer: the document with ``--json``, what is shown to people otherwise."""
        if self.as_json:
            print(json.dumps(document, indent=2, default=_plain, ensure_ascii=False), flush=True)
            return
        for each in shown:
            self.out.print(each)

    def note(self, line: str) -> None:
        """Say one line of progress."""
        self.err.print(line, markup=False, soft_wrap=True)

    def trouble(self, trouble: Trouble) -> None:
        """Say what went wrong and what to do."""
        if self.as_json:
            print(json.dumps(trouble.document(), indent=2, ensure_ascii=False), flush=True)
        self.err.print("error:", style="bold red", end=" ")
        self.err.print(trouble.message, markup=False, soft_wrap=True)
        if trouble.remedy:
            self.err.print(trouble.remedy, markup=False, soft_wrap=True)


def _plain(value: object) -> object:
    """Turn what boto3 answers into what JSON knows."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
