"""`tidegate compare`: files of rows against a baseline, as the monitor checks them; no cloud is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from tidegate.cli.errors import Trouble
from tidegate.cli.exit_codes import OF_VERDICT
from tidegate.cli.options import Session
from tidegate.cli.profile import CONSTRAINTS, KEPT, STATISTICS, as_document, read_files
from tidegate.cli.render import table
from tidegate.core.monitor import DATA_FALSE_ALARMS
from tidegate.core.sentences import plainly
from tidegate.core.verdict import BAD_DATA, DRIFT, INSUFFICIENT, OK, Verdict

if TYPE_CHECKING:
    from tidegate.table.compare import Comparison
    from tidegate.table.constraints import Constraints
    from tidegate.table.profile import Profile

VIOLATIONS = "constraint_violations.json"
STYLES = {OK: "green", BAD_DATA: "magenta", DRIFT: "red", INSUFFICIENT: "yellow"}


def compare(
    session: Session,
    baseline: Path,
    files: Sequence[Path],
    out: Path | None,
    header: bool,
    least_rows: int,
    bare: bool,
) -> int:
    """Compare files with a baseline, and answer with the verdict."""
    before, rules = _baseline(session, baseline, header)
    window = read_files(session, files, header)
    from tidegate.table.compare import compare as work

    found = work(before, rules, window, false_alarms=None if bare else DATA_FALSE_ALARMS)
    verdict = found.verdict(least_rows)
    if out is not None:
        _write(out, {STATISTICS: window.statistics(), VIOLATIONS: found.violations_document()})
    session.output.answer(plainly({**verdict.to_dict(), **found.to_dict()}), *_shown(verdict, found))
    return OF_VERDICT[verdict.verdict]


def _baseline(session: Session, path: Path, header: bool) -> tuple[Profile, Constraints]:
    """Read a baseline: a folder of `tidegate profile -o` or of Model Monitor, its statistics, or rows."""
    from tidegate.table.constraints import Constraints, suggest

    folder = path if path.is_dir() else path.parent
    if path.is_dir() and not (folder / STATISTICS).is_file():
        raise Trouble(f"{path} holds no {STATISTICS}.", f"Make one: tidegate profile FILE -o {path}")
    if path.is_dir() or path.name == STATISTICS:
        profile = _kept(folder)
        rules = folder / CONSTRAINTS
        document = as_document(rules.read_bytes(), rules) if rules.is_file() else suggest(profile)
    else:
        profile = read_files(session, [path], header)
        document = suggest(profile)
    return profile, Constraints.read(document)


def _kept(folder: Path) -> Profile:
    from tidegate.table.profile import Profile, read_statistics

    kept, statistics = folder / KEPT, folder / STATISTICS
    # Whoever copies other statistics over ours means them.
    if kept.is_file() and kept.stat().st_mtime >= statistics.stat().st_mtime:
        return Profile.from_bytes(kept.read_bytes())
    return read_statistics(as_document(statistics.read_bytes(), statistics))


def _write(out: Path, documents: dict[str, object]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        (out / name).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _shown(verdict: Verdict, found: Comparison) -> list[RenderableType]:
    head = Text(verdict.verdict, style=f"bold {STYLES[verdict.verdict]}").append(
        f"  {verdict.reason.plain}", style="default not bold"
    )
    if not found.violations:
        return [head]
    ranked = sorted(found.violations, key=lambda violation: -violation.excess)
    rows = [[", ".join(each.columns), each.check, each.sentence.plain] for each in ranked]
    return [head, table(["column", "check", "what was found"], rows)]
