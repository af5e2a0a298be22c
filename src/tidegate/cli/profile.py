"""`tidegate profile`: what files of rows hold, column by column; no cloud is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.render import table
from tidegate.core.figures import figure

if TYPE_CHECKING:
    from tidegate.table.profile import ColumnProfile, Profile

STATISTICS, CONSTRAINTS, KEPT = "statistics.json", "constraints.json", "profile.bin"
LONG_BYTES = 64 << 20  # about a fifth of a second of CSV
BARS = " ▁▂▃▄▅▆▇█"
SHOWN_TEXTS = 3


def profile(session: Session, files: Sequence[Path], out: Path | None, header: bool) -> int:
    """Profile files as one table; show it, and write Model Monitor's files where asked."""
    found = read_files(session, files, header)
    written = write_baseline(found, out) if out is not None else []
    session.output.answer(found.statistics(), _shown(found))
    for path in written:
        session.output.note(f"wrote {path}")
    return 0


def read_files(session: Session, files: Sequence[Path], header: bool) -> Profile:
    """Read files of rows, with a bar while that takes long.

    Raises
    ------
    Trouble
        When the engine's libraries are not installed, or there are no rows.
    """
    try:
        from tidegate.table.scan import profile_files
    except ImportError as error:
        raise Trouble(
            f"The table engine needs {error.name}, which is not installed.", "pip install 'tidegate[table]'"
        ) from error
    with _bar(session, files) as progress:
        found = profile_files(files, header=header, progress=progress)
    if not found.columns:
        named = ", ".join(str(path) for path in files)
        raise Trouble(f"{named}: there are column names and no rows.", "Give a file with rows.")
    return found


def write_baseline(found: Profile, out: Path) -> list[Path]:
    """Write the statistics, the suggested constraints and the profile itself into a folder."""
    from tidegate.table.constraints import suggest

    out.mkdir(parents=True, exist_ok=True)
    documents = {STATISTICS: found.statistics(), CONSTRAINTS: suggest(found)}
    for name, document in documents.items():
        (out / name).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (out / KEPT).write_bytes(found.to_bytes())
    return [out / name for name in (*documents, KEPT)]


@contextmanager
def _bar(session: Session, files: Sequence[Path]) -> Iterator[Callable[[int], None] | None]:
    total = sum(path.stat().st_size for path in files)
    if total < LONG_BYTES or not session.output.err.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=session.output.err, transient=True) as bar:
        task = bar.add_task("reading", total=total)
        yield lambda done: bar.advance(task, done)


def _shown(found: Profile) -> Table:
    rows = []
    for name, column in found.columns.items():
        missing = f"{1 - column.types.completeness:.1%}" if column.types.missing else ""
        rows.append([name, _type(column), missing, f"{column.distinct_count:,}", *_numbers(column)])
    shown = table(["column", "type", "missing", "distinct", "least", "mean", "most", "deviation", ""], rows)
    shown.caption = f"{found.rows:,} rows"
    shown.caption_justify = "left"
    return shown


def _type(column: ColumnProfile) -> str:
    mix = column.types.mix
    if len(mix) < 2 or set(mix) == {"Integral", "Fractional"}:
        return column.types.inferred
    return (
        column.types.inferred + " (" + ", ".join(f"{kind} {share:.1%}" for kind, share in mix.items()) + ")"
    )


def _numbers(column: ColumnProfile) -> list[str]:
    moments = column.moments
    if column.types.inferred not in ("Integral", "Fractional"):
        known = column.categories()
        ranked = (column.texts.ranked() if known is None else list(known.items()))[:SHOWN_TEXTS]
        return ["", "", "", "", ", ".join(f"{text[:20]} {_share(count, column)}" for text, count in ranked)]
    figures = moments.least, moments.mean, moments.most, moments.deviation
    counts = [bucket["count"] for bucket in column.histogram()]
    most = max(counts) or 1.0
    bars = "".join(BARS[-(-int(count * 8) // int(most)) if most >= 1 else 0] for count in counts)
    return [*(figure(each) for each in figures), bars]


def _share(count: int, column: ColumnProfile) -> str:
    return f"{count / column.types.present:.0%}"


def as_document(raw: bytes, path: Path) -> dict[str, Any]:
    """Read a JSON document of Model Monitor's.

    Raises
    ------
    Trouble
        When it is none.
    """
    try:
        found = json.loads(raw)
    except ValueError as error:
        raise Trouble(
            f"{path}: this is not JSON ({error}).", "Write it again with `tidegate profile -o`."
        ) from error
    if not isinstance(found, dict):
        raise Trouble(f"{path}: this is no JSON object.", "Write it again with `tidegate profile -o`.")
    return found
