"""The verbs that ask no cloud: `profile` and `compare` read files of rows, `cost` a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    """Compare rows with a baseline. Exit code 0: ok, 3: drift, 4: too few rows. Needs no cloud."""
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
    training_minutes: Annotated[
        float, typer.Option(min=0, help="A training job is billed.", rich_help_panel=PANEL)
    ] = Assumptions.training_minutes,
    scoring_minutes: Annotated[
        float, typer.Option(min=0, help="A batch transform job is billed.", rich_help_panel=PANEL)
    ] = Assumptions.scoring_minutes,
    endpoint_minutes: Annotated[
        float, typer.Option(min=0, help="An endpoint takes to come into service.", rich_help_panel=PANEL)
    ] = Assumptions.endpoint_minutes,
    function_seconds: Annotated[
        float, typer.Option(min=0, help="A function that computes on rows runs.", rich_help_panel=PANEL)
    ] = Assumptions.function_seconds,
    requests: Annotated[
        int, typer.Option(min=0, help="Requests to the API a month.", rich_help_panel=PANEL)
    ] = Assumptions.requests,
    request_milliseconds: Annotated[
        float, typer.Option(min=0, help="A request takes.", rich_help_panel=PANEL)
    ] = Assumptions.request_milliseconds,
    log_kilobytes: Annotated[
        float, typer.Option(min=0, help="Logs that a request writes.", rich_help_panel=PANEL)
    ] = Assumptions.log_kilobytes,
    training_runs: Annotated[
        int, typer.Option(min=0, help="Training runs a month.", rich_help_panel=PANEL)
    ] = Assumptions.training_runs,
    scoring_runs: Annotated[
        int, typer.Option(min=0, help="Scoring runs a month.", rich_help_panel=PANEL)
    ] = Assumptions.scoring_runs,
    storage_gigabytes: Annotated[
        float, typer.Option(min=0, help="What lies in the buckets.", rich_help_panel=PANEL)
    ] = Assumptions.storage_gigabytes,
) -> int:
    """Tell what a model would cost on AWS: a run, a check, a month in use, a month idle. Needs no cloud."""
    from tidegate.cli import cost as work

    assumed = Assumptions(
        training_minutes=training_minutes,
        scoring_minutes=scoring_minutes,
        endpoint_minutes=endpoint_minutes,
        function_seconds=function_seconds,
        requests=requests,
        request_milliseconds=request_milliseconds,
        log_kilobytes=log_kilobytes,
        training_runs=training_runs,
        scoring_runs=scoring_runs,
        storage_gigabytes=storage_gigabytes,
    )
    return work.cost(session, file, assumed, price or [])
