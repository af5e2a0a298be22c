"""The command `tidegate`: its verbs and their parameters.

What a verb does lives in a module of its own, imported when it is typed, so that `--help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli import offline
from tidegate.cli.arguments import AnyModel, Limit, Model, Port, RunId
from tidegate.cli.group import Verbs
from tidegate.cli.options import Session, common_options, verb

app = typer.Typer(
    name="tidegate",
    cls=Verbs,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
common_options(app)


@verb(app, "up")
def up(
    session: Session,
    port: Port = None,
    auth: Annotated[
        bool | None, typer.Option("--auth/--no-auth", help="Enforce IAM policies as AWS does.")
    ] = None,
    no_deploy: Annotated[bool, typer.Option("--no-deploy", help="Do not deploy the stack.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Deploy even if nothing has changed.")] = False,
) -> int:
    """Start the local cloud and deploy the stack into it."""
    from tidegate.cli import cloud

    return cloud.up(session, port, auth, not no_deploy, force)


@verb(app, "down")
def down(session: Session) -> int:
    """Stop the local cloud; what it holds is kept."""
    from tidegate.cli import cloud

    return cloud.down(session)


@verb(app, "status")
def status(session: Session) -> int:
    """Tell which cloud is spoken to, what is deployed and what is served."""
    from tidegate.cli import cloud

    return cloud.status(session)


@verb(app, "apply")
def apply(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="MODEL.yaml", help="The file that declares the model.")],
) -> int:
    """Declare a model, or change one."""
    from tidegate.cli import apply as work

    return work.apply(session, file)


@verb(app, "train")
def train(
    session: Session,
    model: Model,
    file: Annotated[Path, typer.Argument(help="Rows to learn from, CSV or Parquet.")],
    wait: Annotated[bool, typer.Option("--wait", help="Show the run until it has ended.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Train even if this file was trained already.")
    ] = False,
) -> int:
    """Drop a file of rows to train with. Exit code 3: the gate rejected every algorithm, 5: refused."""
    from tidegate.cli import train as work

    return work.train(session, model, file, wait, again)


@verb(app, "score")
def score(
    session: Session,
    model: Model,
    file: Annotated[Path, typer.Argument(help="Rows to score, CSV, JSON Lines or Parquet.")],
    wait: Annotated[bool, typer.Option("--wait", help="Show the run until it has ended.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Wait, and write the scores there: .csv or .parquet."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Score even if this file was scored already.")
    ] = False,
) -> int:
    """Drop a file of rows to score with the approved models, in batch."""
    from tidegate.cli import score as work

    return work.score(session, model, file, wait, out, again)


@verb(app, "truth")
def truth(
    session: Session,
    model: Model,
    file: Annotated[
        Path, typer.Argument(help="What really happened: an id and the target. CSV, JSON Lines or Parquet.")
    ],
    wait: Annotated[
        bool, typer.Option("--wait", help="Check at once, and tell what matched and what waits.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Drop it even if this file was dropped already.")
    ] = False,
) -> int:
    """Drop what really happened. With --wait, exit code 4: no row has found its prediction, 5: refused."""
    from tidegate.cli import truth as work

    return work.truth(session, model, file, wait, again)


@verb(app, "predict")
def predict(
    session: Session,
    model: Model,
    file: Annotated[
        str,
        typer.Argument(
            metavar="[FILE|-]", help="CSV with a header, JSON or JSON Lines; - reads standard input."
        ),
    ] = "-",
) -> int:
    """Predict rows with the endpoints of a model."""
    from tidegate.cli import predict as work

    return work.predict(session, model, file)


@verb(app, "runs")
def runs(session: Session, model: AnyModel = None, limit: Limit = 20) -> int:
    """List runs, the newest first."""
    from tidegate.cli import runs as work

    return work.runs(session, model, limit)


@verb(app, "run")
def run(
    session: Session,
    run_id: RunId,
    no_follow: Annotated[
        bool, typer.Option("--no-follow", help="Do not wait for a run that is under way.")
    ] = False,
) -> int:
    """Show one run state by state, with times, reasons and the gate's numbers."""
    from tidegate.cli import runs as work

    return work.run(session, run_id, not no_follow)


@verb(app, "retry")
def retry(
    session: Session,
    run_id: RunId,
    wait: Annotated[bool, typer.Option("--wait", help="Show the run until it has ended.")] = False,
) -> int:
    """Take a failed run up where it failed."""
    from tidegate.cli import retry as work

    return work.retry(session, run_id, wait)


@verb(app, "dlq")
def dlq(
    session: Session,
    send_again: Annotated[
        bool, typer.Option("--send-again", help="Deliver them once more, and take out what was delivered.")
    ] = False,
) -> int:
    """Show the events that could not be delivered."""
    from tidegate.cli import dlq as work

    return work.dlq(session, send_again)


@verb(app, "gc")
def gc(
    session: Session,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    older_than: Annotated[
        float, typer.Option(help="Hours since the run that made it ended, and names last changed.", min=0)
    ] = 24,
) -> int:
    """Remove endpoint configurations and models that nothing refers to; they also go every night."""
    from tidegate.cli import gc as work

    return work.gc(session, dry_run, older_than)


@verb(app, "logs")
def logs(session: Session, run_id: RunId) -> int:
    """Show what a run's functions and jobs wrote."""
    from tidegate.cli import logs as work

    return work.logs(session, run_id)


@verb(app, "inbox")
def inbox(
    session: Session,
    limit: Limit = 10,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on showing new ones.")] = False,
) -> int:
    """Show the notifications that were sent."""
    from tidegate.cli import inbox as work

    return work.inbox(session, limit, follow)


@verb(app, "models")
def models(session: Session) -> int:
    """List the declared models with their endpoints and last runs."""
    from tidegate.cli import models as work

    return work.models(session)


Purge = Annotated[
    bool, typer.Option("--purge", help="Remove data and history too, every version of them, for good.")
]
WaitForRuns = Annotated[
    bool, typer.Option("--wait", help="Wait for runs at work; else they are a reason to refuse.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@verb(app, "delete")
def delete(
    session: Session, model: Model, purge: Purge = False, wait: WaitForRuns = False, yes: Yes = False
) -> int:
    """Take a model down: whatever of it serves, costs or begins. Without --purge its data stays."""
    from tidegate.cli import delete as work

    return work.delete(session, model, purge, wait, yes)


@verb(app, "destroy")
def destroy(session: Session, purge: Purge = False, wait: WaitForRuns = False, yes: Yes = False) -> int:
    """Take every model down, then the stack. Without --purge buckets and tables stay."""
    from tidegate.cli import destroy as work

    return work.destroy(session, purge, wait, yes)


@verb(app, "doctor")
def doctor(
    session: Session,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[MODEL.yaml]...", help="Model files whose needs count, not those declared."),
    ] = None,
    port: Port = None,
) -> int:
    """Look at what Tidegate needs, here or on AWS, and say what to do. Exit code 1: something is not ok."""
    from tidegate.cli.doctor import verb as work
    from tidegate.local.settings import DEFAULT_PORT

    return work.doctor(session, files or [], port or DEFAULT_PORT)


offline.declare(app)


@verb(app, "monitor")
def monitor(
    session: Session,
    model: Model,
    wait: Annotated[bool, typer.Option("--wait", help="Show the check until it has ended.")] = False,
) -> int:
    """Check what a model predicted since the last check. With --wait, exit code 3: drift, 4: too few rows."""
    from tidegate.cli import monitor as work

    return work.monitor(session, model, wait)


@verb(app, "report")
def report(
    session: Session,
    model: Model,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write it to; else `reports` in the state folder."),
    ] = None,
) -> int:
    """Bring the report of a model's newest check, one HTML page."""
    from tidegate.cli import monitor as work

    return work.report(session, model, out, show)


@verb(app, "demo")
def demo(session: Session, port: Port = None) -> int:
    """Go from nothing to two served models on real used cars."""
    from tidegate.cli import demo as work

    return work.demo(session, port)
