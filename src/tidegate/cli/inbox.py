"""`tidegate inbox`: the notifications that were sent, newest first, or as they come."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from textwrap import indent
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.render import moment
from tidegate.cli.watch import pause

STYLES = {
    "succeeded": "green",
    "accepted": "green",
    "rejected": "yellow",
    "refused": "yellow",
    "failed": "red",
    "on": "red",
}


def inbox(session: Session, limit: int, follow: bool) -> int:
    """Show the notifications."""
    if follow:
        return _follow(session)
    stack = session.stack
    keys = stack.notification_keys()
    newest = keys[-limit:][::-1]
    told = list(stack.notifications(newest))
    shown = [part for each in told for part in drawn(each)]
    if not shown:
        shown = [Text("Nothing was sent yet.")]
    elif len(keys) > len(newest):
        shown.append(Text(f"{len(keys) - len(newest)} older ones; --limit shows more.", style="dim"))
    session.output.answer({"notifications": told}, *shown)
    return 0


def _follow(session: Session) -> int:
    if session.output.as_json:
        raise Trouble(
            "--follow never ends, and --json prints one document.", "Leave out one of them.", exit_code=2
        )
    stack = session.stack
    seen = set(stack.notification_keys())
    session.output.note("waiting for notifications; Ctrl-C ends it")
    while True:
        fresh = [key for key in stack.notification_keys() if key not in seen]
        for notification in stack.notifications(fresh):
            for part in drawn(notification):
                session.output.out.print(part)
        seen.update(fresh)
        time.sleep(pause(stack))


def drawn(notification: Mapping[str, Any]) -> list[RenderableType]:
    """Draw one notification: when, what, and the text below."""
    kind = str(notification.get("kind", ""))
    head = Text(moment(notification.get("at")) + "  ", style="dim")
    head.append(
        str(notification.get("subject", "")), style=f"bold {STYLES.get(kind.rpartition('-')[2], '')}".strip()
    )
    message = notification.get("message", "")
    text = message if isinstance(message, str) else json.dumps(message)
    return [head, Text(indent(text.strip(), "  ") + "\n")]
