"""The verb: looks at everything that matters to the cloud that is meant, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from tidegate.cli.apply import checked
from tidegate.cli.doctor import account, deployed, laptop
from tidegate.cli.doctor.finding import Finding, looked
from tidegate.cli.errors import Trouble
from tidegate.cli.exit_codes import FAILED, WELL
from tidegate.cli.options import Session
from tidegate.cli.render import table
from tidegate.core.quotas import needs
from tidegate.core.spec import ModelSpec

MARKS = {True: ("ok", "green"), False: ("not ok", "bold red"), None: ("?", "yellow")}
REFERENCE = "models/*/model.yaml"


def doctor(session: Session, files: Sequence[Path], port: int) -> int:
    """Look at what Tidegate needs and say how it is; 1 where something is not as it must be."""
    findings = list(_findings(session, files, port))
    bad = [each for each in findings if each.ok is False]
    rows: list[list[Any]] = [[Text(*MARKS[each.ok]), each.what, each.found, each.remedy] for each in findings]
    seen = sum(each.ok is None for each in findings)
    total = f"{len(findings)} looked at, {len(bad)} not ok" + (f", {seen} could not be seen" if seen else "")
    document = {"ok": not bad, "findings": [each.document() for each in findings]}
    session.output.answer(document, table(["", "what", "found", "what to do"], rows), "", f"{total}.")
    return FAILED if bad else WELL


def _findings(session: Session, files: Sequence[Path], port: int) -> Iterator[Finding]:
    place = session.place
    if not (session.options.aws or session.options.profile):
        yield from laptop.look(session.options.state, port)
        if place.is_near:
            yield from looked(f"the stack {session.options.stack}", _stack, session)
        return
    specs = [checked(file.read_bytes(), file) for file in files]
    yield from account.look(place, needs(specs or _known(session)))
    yield from looked(f"the stack {session.options.stack}", _stack, session)


def _stack(session: Session) -> Iterator[Finding]:
    """Look at the stack, if it is deployed; before its deployment there is none, and that is well."""
    try:
        assert session.stack.description
    except Trouble as none:
        yield Finding(f"the stack {session.options.stack}", True, "not deployed", none.remedy)
    else:
        yield from deployed.look(session.stack)


def _known(session: Session) -> list[ModelSpec]:
    """Read the models that are declared, or else those of this folder."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        stack = session.stack
        declared = [ModelSpec.from_dict(stack.spec(name)) for name in stack.models()]
    except (Trouble, ClientError, BotoCoreError):  # what hides it is told where the stack is looked at
        declared = []
    return declared or [checked(file.read_bytes(), file) for file in sorted(Path().glob(REFERENCE))]
