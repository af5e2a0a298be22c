"""The verbs that ask no cloud: `profile` and `compare` read files of rows, `cost` a model file."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from tidegate.cli.options import Session, verb
from tidegate.core.assumptions import Assumptions

PANEL = "Assumptions"


def declare(app: typer.Typer) -> None:
    """Make them known to the command."""
    for work in (profile, compare, cost):
        verb(app, work.__name__)(work)


def profile(
    session: Session,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…", help="Rows: CSV, Parquet, JSON Lines or captured requests.", exists=True
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder to write statistics and suggested constraints to."),
    ] = None,
    no_header: Annotated[bool, typer.Option("--no-header", help="CSV begins with a row.")] = False,
) -> int:
    """Tell what files hold, column by column; --json prints statistics.json. Needs no cloud."""
    from tidegate.cli import profile as work

    return work.profile(session, files, out, not no_header)


def compare(
    session: Session,
    baseline: Annotated[
        Path,
        typer.Argument(help="A folder that `profile -o` or Model Monitor wrote, or rows.", exists=True),
    ],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="The rows that came since.", exists=True)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write statistics and violations to.")
    ] = None,
    no_header: Annotated[bool, typer.Option("--no-header", help="CSV begins with a row.")] = False,
    least_rows: Annotated[int, typer.Option(help="Fewer rows give no verdict.", min=1)] = 200,
    bare: Annotated[
        bool, typer.Option("--bare", help="Model Monitor's rules alone, without control of false alarms.")
    ] = False,
) -> int:
    """Compare rows with a baseline. Exit code 0: ok, 3: drift or bad data, 4: few rows. Needs no cloud."""
    from tidegate.cli import compare as work

    return work.compare(session, baseline, files, out, not no_header, least_rows, bare)


def cost(
    session: Session,
    file: Annotated[
        Path, typer.Argument(metavar="MODEL.yaml", help="The file that declares the model.", exists=True)
    ],
    price: Annotated[
        list[str] | None,
        typer.Option(
            "--price",
            metavar="NAME=DOLLARS",
            help="A price of your own, for example ml.m5.large=0.1; again for more.",
        ),
    ] = None,
    **assumed: Any,
) -> int:
    """Tell what a model would cost on AWS: a run, a check, a month in use, a month idle. Needs no cloud."""
    from tidegate.cli import cost as work

    return work.cost(session, file, Assumptions(**assumed), price or [])


def _spread(work: Callable[..., int]) -> None:
    """Have Typer ask for each assumption where a verb takes them all together."""
    kinds = get_type_hints(Assumptions)
    signature = inspect.signature(work, eval_str=True)
    options = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=Annotated[
                kinds[each.name], typer.Option(min=0, help=each.metadata["help"], rich_help_panel=PANEL)
            ],
        )
        for each in fields(Assumptions)
    ]
    own = list(signature.parameters.values())[:-1]
    # What `inspect` looks at first, and so `verb`.
    work.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]


_spread(cost)
