"""`tidegate compare`: files of rows against a baseline, as the monitor checks them; no cloud is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from tidegate.cli.errors import Trouble
from tidegate.cli.exit_codes import OF_VERDICT
from tidegate.cli.options import Session
from tidegate.cli.profile import BARS, CONSTRAINTS, KEPT, STATISTICS, as_document, read_files
from tidegate.cli.render import table
from tidegate.core.monitor import DATA_FALSE_ALARMS
from tidegate.core.own_names import PREDICTION
from tidegate.core.sentences import plainly
from tidegate.core.verdict import BAD_DATA, DRIFT, INSUFFICIENT, OK, Verdict

if TYPE_CHECKING:
    from tidegate.table.compare import Comparison
    from tidegate.table.constraints import Constraints
    from tidegate.table.profile import Profile

VIOLATIONS = "constraint_violations.json"
IMPORTANCES = "importances.json"
MOST_DRAWN = 20
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
    from tidegate.table.watch.comparison import worth_of

    found = work(before, rules, window, false_alarms=None if bare else DATA_FALSE_ALARMS)
    weighed = _importances(baseline)
    worth = worth_of(weighed, PREDICTION)
    verdict = found.verdict(least_rows, worth)
    if out is not None:
        _write(out, {STATISTICS: window.statistics(), VIOLATIONS: found.violations_document()})
    document = {**verdict.to_dict(), **found.to_dict(), **({"importances": weighed} if weighed else {})}
    session.output.answer(plainly(document), *_shown(verdict, found, before, window, weighed, worth))
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


def _importances(path: Path) -> dict[str, float]:
    """Read what columns are worth to a model, where the baseline is that of a training run."""
    folder = path if path.is_dir() else path.parent
    for place in (folder / IMPORTANCES, folder.parent / "model_quality" / IMPORTANCES):
        if place.is_file():
            return dict(as_document(place.read_bytes(), place)["columns"])
    return {}


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


def _shown(
    verdict: Verdict,
    found: Comparison,
    before: Profile,
    window: Profile,
    weighed: Mapping[str, float],
    worth: Callable[[str], float],
) -> list[RenderableType]:
    head = Text(verdict.verdict, style=f"bold {STYLES[verdict.verdict]}").append(
        f"  {verdict.reason.plain}", style="default not bold"
    )
    parts: list[RenderableType] = [head]
    if found.violations:
        ranked = sorted(found.violations, key=lambda each: -each.excess * max(map(worth, each.columns)))
        rows = [[", ".join(each.columns), each.check, each.severity, each.sentence.plain] for each in ranked]
        parts.append(table(["column", "check", "severity", "what was found"], rows))
    return [*parts, _distances(found, before, window, weighed, worth)]


def _distances(
    found: Comparison,
    before: Profile,
    window: Profile,
    weighed: Mapping[str, float],
    worth: Callable[[str], float],
) -> RenderableType:
    """Draw how far each column is from the baseline, and both distributions.

    The farthest is the first; where it is known what columns are worth, that which moves predictions most.
    """
    from tidegate.table.watch.drawing import drawing

    ranked = sorted(
        (each for each in found.columns.values() if each.moved is not None and each.distance is not None),
        key=lambda each: (
            -(each.distance or 0.0) / (each.moved.threshold if each.moved else 1.0) * worth(each.name)
        ),
    )
    rows = []
    for each in ranked[:MOST_DRAWN]:
        assert each.moved is not None
        drawn = drawing(each.expected_type, before.column(each.name), window.column(each.name))
        rows.append(
            [
                each.name,
                *([f"{weighed.get(each.name, 0.0):.0%}"] if weighed else []),
                f"{each.distance:.3f}",
                f"{each.moved.threshold:.3g}",
                _chance(each.moved.p_value),
                _chance(each.q_value),
                *(sparkline(drawn[side]) if drawn else "" for side in ("baseline", "window")),
            ]
        )
    more = len(ranked) - len(rows)
    heads = ["distance", "allowed", "p", "over all checks", "baseline", "these rows"]
    shown = table(["column", *(["importance"] if weighed else []), *heads], rows)
    if more > 0:
        shown.caption = f"and {more} more column{'s' if more > 1 else ''}, nearer"
    return shown


def _chance(value: float | None) -> str:
    return "" if value is None else "below 1e-12" if value < 1e-12 else f"{value:.2g}"


def sparkline(shares: Sequence[float]) -> str:
    """Draw shares as bars of eight heights, the greatest the full height.

    >>> sparkline([0.0, 0.25, 0.5])
    ' ▄█'
    """
    most = max(shares, default=0.0) or 1.0
    return "".join(BARS[-(-int(8000 * share / most) // 1000)] for share in shares)
