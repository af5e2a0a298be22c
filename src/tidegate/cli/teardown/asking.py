"""Asking before something is taken down: on a terminal, or by --yes."""

from __future__ import annotations

import sys

import typer

from tidegate.cli.errors import Trouble
from tidegate.cli.exit_codes import MISUSED
from tidegate.cli.options import Session


def confirmed(session: Session, question: str, yes: bool) -> bool:
    """Ask a question that is answered with yes or no; `yes` answers it beforehand.

    Raises
    ------
    Trouble
        Nobody can be asked, as this is no terminal or the answer is for a program.
    """
    if yes:
        return True
    if session.options.json or not sys.stdin.isatty():
        raise Trouble(f"{question} Nobody can be asked here.", "Say so with --yes.", MISUSED)
    return typer.confirm(question, err=True)
