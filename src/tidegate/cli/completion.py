"""What the shell offers after Tab: model names and run ids, or nothing where the cloud does not answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from tidegate.cli.options import COMMON, merged
from tidegate.cli.visible import visible

MOST_RUNS = 50


def _offered(context: typer.Context, ask: Callable[[Any], list[Any]]) -> list[Any]:
    """Ask the stack that the typed options name; a shell has no use for an error while somebody types."""
    try:
        from tidegate.cli.place import Place
        from tidegate.cli.stack import Stack

        outer = context.parent.params if context.parent is not None else {}
        pick = [{name: params.get(name) for name in COMMON} for params in (outer, context.params)]
        return ask(Stack(Place(merged(*pick))))
    except Exception:
        return []


def model_names(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the declared models."""
    names = _offered(context, lambda stack: stack.models())
    return [name for name in names if name.startswith(incomplete) and name == visible(name, "")]


def run_ids(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Offer the newest runs, each with its model and status."""
    from tidegate.cli.records import newest

    records = _offered(context, lambda stack: newest(stack, None, MOST_RUNS))
    return [
        (
            each["run"],
            visible(
                f"{each.get('model', '')} {each.get('status', '')} {str(each.get('started', ''))[:19]}", ""
            ),
        )
        for each in records
        if each["run"].startswith(incomplete)
    ]
