"""How a verb is declared: its own parameters, the options every verb has, and the guard around its work."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.errors import Trouble, explain
from tidegate.cli.output import Output
from tidegate.cli.place import Options, Place

if TYPE_CHECKING:
    from tidegate.cli.stack import Stack

PANEL = "Options of every verb"


@dataclass(frozen=True)
class Session:
    """What a verb works with: where it speaks, and to whom."""

    place: Place
    output: Output

    @property
    def options(self) -> Options:
        """The options every verb has."""
        return self.place.options

    @cached_property
    def stack(self) -> Stack:
        """The deployed stack."""
        from tidegate.cli.stack import Stack

        return Stack(self.place)


Verb = Callable[..., int | None]

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else.", rich_help_panel=PANEL)
]
StackName = Annotated[
    str | None,
    typer.Option("--stack", help="CloudFormation stack.", show_default="tidegate", rich_help_panel=PANEL),
]
Profile = Annotated[
    str | None, typer.Option("--profile", help="AWS profile; implies --aws.", rich_help_panel=PANEL)
]
Region = Annotated[str | None, typer.Option("--region", help="AWS region.", rich_help_panel=PANEL)]
State = Annotated[
    Path | None,
    typer.Option(
        "--state", help="Folder of the local cloud.", show_default=".tidegate", rich_help_panel=PANEL
    ),
]
Aws = Annotated[
    bool, typer.Option("--aws", help="Speak to AWS even if a local cloud is up.", rich_help_panel=PANEL)
]
COMMON: dict[str, tuple[Any, Any]] = {
    "json": (Json, False),
    "stack": (StackName, None),
    "profile": (Profile, None),
    "region": (Region, None),
    "state": (State, None),
    "aws": (Aws, False),
}


def merged(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> Options:
    """Join the options given before the verb and after it; the later ones win."""
    given = {name: value for part in (outer, inner) for name, value in part.items() if value}
    return Options(**given)


def common_options(app: typer.Typer) -> None:
    """Let the common options stand before the verb too."""

    def remember(**given: Any) -> None:
        context: typer.Context = given.pop("context")
        context.obj = given

    _declare(remember, [], "tidegate", "Drop a file, get a gated, monitored endpoint.")
    app.callback()(remember)


def verb(app: typer.Typer, name: str, **settings: Any) -> Callable[[Verb], Verb]:
    """Declare a verb: a function of a Session and its own parameters that returns the exit code.

    Parameters
    ----------
    app : typer.Typer
        Where it belongs.
    name : str
        What people type.
    **settings
        Passed on to `typer.Typer.command`.
    """

    def register(work: Verb) -> Verb:
        own = list(inspect.signature(work, eval_str=True).parameters.values())[1:]

        def run(**given: Any) -> None:
            context: typer.Context = given.pop("context")
            options = merged(context.obj or {}, {each: given.pop(each) for each in COMMON})
            raise typer.Exit(guarded(work, options, given))

        _declare(run, own, name, inspect.getdoc(work) or "")
        app.command(name, **settings)(run)
        return work

    return register


def guarded(work: Verb, options: Options, given: Mapping[str, Any]) -> int:
    """Do the work of a verb; put what goes wrong into words, unless TIDEGATE_DEBUG asks for the traceback."""
    session = Session(Place(options), Output(options.json))
    try:
        return work(session, **given) or 0
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        session.output.note("Stopped here; what runs in the cloud goes on.")
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("TIDEGATE_DEBUG"):
            raise
        trouble = explain(error, _where(session.place)) or Trouble(
            f"Something unexpected happened: {type(error).__name__}: {error}.",
            "Run it again with TIDEGATE_DEBUG=1 to see where, and report it.",
        )
        session.output.trouble(trouble)
        return trouble.exit_code


def _where(place: Place) -> str:
    try:
        return str(place)
    except Exception:  # the place itself is what cannot be found; the first error is the one to tell
        return "the cloud"


def _declare(run: Callable[..., None], own: list[inspect.Parameter], name: str, doc: str) -> None:
    """Give a function the signature that Typer reads: its own parameters, then the common options."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("context", keyword, annotation=typer.Context)]
    parameters += [each.replace(kind=keyword) for each in own]
    parameters += [
        inspect.Parameter(option, keyword, annotation=kind, default=default)
        for option, (kind, default) in COMMON.items()
    ]
    # What `inspect` and so Typer look at first; the type of a function knows nothing of it.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {}
    run.__name__, run.__doc__ = name, doc
