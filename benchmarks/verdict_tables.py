"""Ten real tables, and unchanged windows of them by the way that production takes.

A baseline is written as a training run writes it: rows in their fixed form as CSV, profiled, as statistics,
constraints and profile. A window is a file of captured requests; `read_window` reads it as the function
`profile_window` does, and `read_baseline` and `check` compare it as `compare_window` does.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.table.baseline import suggest, whole_profile
from tidegate.table.constraints import Constraints
from tidegate.table.profile import Profile
from tidegate.table.watch.cells import read_cell
from tidegate.table.watch.comparison import check, read_baseline
from tidegate.table.watch.rows import Source, read_window

OF_DMBA = (
    "WestRoxbury",
    "UniversalBank",
    "FlightDelays",
    "Spambase",
    "accidentsFull",
    "LaptopSales",
    "GermanCredit",
    "EastWestAirlinesCluster",
)
OF_DATA = ("nz_used_vehicles_2023_2024.csv", "bike_sharing_hour.csv")
SIZES = (200, 1000, 5000)
MOST_ROWS = 30_000  # of a table: more change nothing, and take long
A_REQUEST = 50  # rows
NEW_BASELINE = 20  # windows


@dataclass(frozen=True)
class Table:
    """A table of real rows.

    Attributes
    ----------
    kinds : dict of str to str
        Each column's type, as a model file would declare it.
    rows : array of str
        The cells, as they are written.
    """

    name: str
    kinds: dict[str, str]
    rows: Any


def tables(data: Path) -> Iterator[Table]:
    """Read the tables that are on this machine, and say which are not."""
    found = importlib.util.find_spec("dmba")
    home = Path(found.origin).parent / "csvFiles" if found and found.origin else None
    for name in OF_DMBA:
        path = home / f"{name}.csv.gz" if home else None
        if path is None or not path.is_file():
            print(f"skipped {name}: pip install --no-deps dmba==0.2.4")
            continue
        yield _table(name, gzip.decompress(path.read_bytes()))
    for name in OF_DATA:
        if (data / name).is_file():
            yield _table(name.removesuffix(".csv"), (data / name).read_bytes())
        else:
            print(f"skipped {name}: {data / name} is not on this machine")


def _table(name: str, raw: bytes) -> Table:
    lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=None)))
    names = [each.strip() or f"_c{at}" for at, each in enumerate(lines[0])]
    rows = np.array([line for line in lines[1:] if len(line) == len(names)], dtype=object)
    if len(rows) > MOST_ROWS:
        rows = rows[np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS]]
    return Table(name, {each: _kind(rows[:, at]) for at, each in enumerate(names)}, rows)


def _kind(cells: Any) -> str:
    texts = set(cells.tolist())
    for kind in ("integer", "numeric", "date"):
        read = [read_cell(text, kind) for text in texts]
        if all(value is not None or text is None for text, value in read):
            return kind
    return "categorical"


def false_alarms(table: Table, size: int, windows: int, rate: float | None = None) -> dict[str, Any]:
    """Count the verdicts of random windows of a table against the rest of it.

    Where the table holds less than twice as many rows, both are drawn from it with replacement.
    """
    rng = np.random.default_rng(size)
    count = len(table.rows)
    splits = count >= 2 * size and count - size >= 500
    verdicts: Counter[str] = Counter()
    behind: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        for at in range(windows):
            if at % NEW_BASELINE == 0:
                order = rng.permutation(count) if splits else rng.integers(0, count, count)
                known = order[: count - max(size, count // 3)] if splits else order
                baseline = baseline_of(table, known, Path(scratch))
            rest = order[len(known) :]
            drawn = rng.choice(rest, size, replace=False) if splits else rng.integers(0, count, size)
            window = window_of(table, table.rows[drawn], Path(scratch))
            more = {} if rate is None else {"false_alarms": rate}
            found = check(*baseline, window, 200, **more)
            verdicts[found["verdict"]] += 1
            told = found["violations"]
            behind.update(f"{each['feature_name']}: {each['constraint_check_type']}" for each in told)
    alarms = verdicts["drift"] + verdicts["bad data"]
    return {
        "table": table.name,
        "columns": len(table.kinds),
        "of": count,
        "rows": size,
        "windows": windows,
        "alarms": alarms,
        "share": alarms / windows,
        "behind": dict(behind),
    }


def baseline_of(
    table: Table, known: Sequence[int], folder: Path, predictions: Sequence[float] | None = None
) -> tuple[Profile, Constraints]:
    """Write a baseline of some rows as a training run does, and read it as a check does.

    Parameters
    ----------
    predictions : sequence of float, optional
        What the model answers on its held-out rows.
    """
    kinds = list(table.kinds.values())
    with (folder / "train_raw.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.kinds)
        for row in table.rows[known]:
            writer.writerow([read_cell(cell, kind)[0] for cell, kind in zip(row, kinds, strict=True)])
    profile = whole_profile(folder / "train_raw.csv", kinds=table.kinds)
    statistics, rules = (json.loads(json.dumps(each)) for each in (profile.statistics(), suggest(profile)))
    answers = None if predictions is None else "\n".join(map(repr, predictions)).encode()
    return read_baseline(statistics, rules, table.kinds, answers, profile.to_bytes())


def window_of(
    table: Table,
    rows: Any,
    folder: Path,
    predictions: Sequence[float] | None = None,
    at: str = "2026-01-01T00:00:00Z",
) -> Profile:
    """Capture rows as an endpoint does, and read the file as a check does."""
    answers = [0.0] * len(rows) if predictions is None else list(predictions)
    with (folder / "capture.jsonl").open("w", encoding="utf-8") as file:
        for begin in range(0, len(rows), A_REQUEST):
            sent, answered = rows[begin : begin + A_REQUEST], answers[begin : begin + A_REQUEST]
            file.write(json.dumps(_captured(begin, sent, answered, at)) + "\n")
    source = Source("capture", "capture.jsonl", folder / "capture.jsonl")
    found = read_window([source], table.kinds, "xgboost", "", folder / "rows.parquet")
    assert found.rows == len(rows) and not found.unreadable, found.unreadable
    return found.profile


def _captured(number: int, rows: Any, answers: Sequence[float], at: str) -> Mapping[str, Any]:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    sent = {"endpointInput": out.getvalue(), "endpointOutput": "".join(f"{answer!r}\n" for answer in answers)}
    about = {"observedContentType": "text/csv", "encoding": "CSV"}
    return {
        "captureData": {side: {**about, "mode": side, "data": data.strip()} for side, data in sent.items()},
        "eventMetadata": {"eventId": str(number), "inferenceTime": at},
        "eventVersion": "0",
    }
