"""How often eight injected shifts are found in one window: by us, Model Monitor, Evidently and NannyML.

Every tool sees the same baselines of 5,000 rows and the same windows of twenty columns, changed or not,
and says of each column how far it is beyond the tool's own threshold. So it can be asked twice: with the
tools' defaults, and with each one's thresholds stretched until only `EQUAL` of the unchanged windows alarm.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from peer_environments import interpreter
from verdict_hours import CHANGES, POWER_SIZES, drawn, profile

from tidegate.core.monitor import DATA_FALSE_ALARMS
from tidegate.table.compare import Comparison, compare
from tidegate.table.compare.violations import DRIFT
from tidegate.table.constraints import Constraints, suggest

HERE = Path(__file__).parent
OF = 5000  # rows of a baseline
BASELINES = 4
EQUAL = 0.02  # of unchanged windows
OURS = ("ours", "ours_equal")
UNCHANGED = "nothing"
PEERS = {
    "evidently": ("evidently_verdicts", ("evidently", "pandas<3")),
    "nannyml": ("nannyml_verdicts", ("nannyml", "pandas<3", "statsmodels")),
}
Scores = dict[str, list[float]]  # by column, of each window: from 1 on it is an alarm by default
LIMIT_SECONDS = 1500


@dataclass(frozen=True)
class Series:
    """Windows of one size that changed in one way, against one baseline."""

    change: str
    rows: int
    seed: int
    windows: int

    @property
    def column(self) -> str:
        """The column that changes."""
        return CHANGES[self.change][1] if self.change != UNCHANGED else ""

    def tables(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Draw the baseline and the windows."""
        baseline = drawn(np.random.default_rng(self.seed), OF)
        number = 1 + [UNCHANGED, *CHANGES].index(self.change)
        rng = np.random.default_rng([self.seed, self.rows, number])
        found = []
        for _ in range(self.windows):
            window = drawn(rng, self.rows)
            if self.change != UNCHANGED:
                CHANGES[self.change][0](window, rng)
            found.append(window)
        return baseline, found


def every_series(times: int, unchanged: int) -> Iterator[Series]:
    """List all of them: so many windows of each change and size, shared by the baselines."""
    for rows in POWER_SIZES:
        for seed in range(BASELINES):
            yield Series(UNCHANGED, rows, seed, unchanged // BASELINES)
            for change in CHANGES:
                yield Series(change, rows, seed, times // BASELINES)


def written(series: Series, path: Path) -> None:
    """Write a series for the peers: all of an unchanged window's columns, or the one that changed."""
    baseline, windows = series.tables()
    names = [series.column] if series.column else list(baseline)
    arrays = {f"baseline_{name}": baseline[name] for name in names}
    arrays |= {f"windows_{name}": np.concatenate([each[name] for each in windows]) for name in names}
    np.savez(path, columns=np.array(names), rows=np.array(series.rows), **arrays)


def of_peer(name: str, every: list[Series], folder: Path) -> list[Scores] | None:
    """Ask a peer about all series; None, with a sentence, where it is not to be had."""
    script, requirements = PEERS[name]
    python = interpreter(script, requirements, folder)
    if python is None:
        return None
    quiet = {"OPENBLAS_NUM_THREADS": "1", "NML_DISABLE_USAGE_LOGGING": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{at}.npz" for at in range(len(every))]
        for series, path in zip(every, paths, strict=True):
            written(series, path)
        try:
            done = subprocess.run(
                [str(python), str(HERE / "peers" / f"{script}.py"), *map(str, paths)],
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
                env={**os.environ, **quiet},
                check=True,
            )
        except subprocess.SubprocessError as error:
            words = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            print(f"skipped {name}: {words[-1][:200] if words else error}", file=sys.stderr)
            return None
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def of_ours(rate: float | None) -> Callable[[Series], Scores]:
    """Ask our verdicts at a rate, or by Model Monitor's rules where it is None."""

    def asked(series: Series) -> Scores:
        baseline, windows = series.tables()
        before = profile(baseline)
        rules = Constraints.read(suggest(before))
        found = [compare(before, rules, profile(each), false_alarms=rate) for each in windows]
        return {name: [_score(each, name, rate) for each in found] for name in baseline}

    return asked


def _score(found: Comparison, name: str, rate: float | None) -> float:
    told = [each for each in found.violations if name in each.columns]
    if rate is not None:
        return float(bool(told))
    moved = found.columns[name].moved if name in found.columns else None
    distance = moved.by_the_letter.distance / moved.threshold if moved else 0.0
    return np.inf if any(each.check != DRIFT for each in told) else distance


def of_unchanged(every: list[Series], scores: list[Scores], rows: int) -> Any:
    """Give by how much each unchanged window is beyond a threshold in any column, the most first."""
    worst = [
        max(each)
        for series, found in zip(every, scores, strict=True)
        if series.rows == rows and series.change == UNCHANGED
        for each in zip(*found.values(), strict=True)
    ]
    return np.sort(worst)[::-1]


def shares(every: list[Series], scores: list[Scores], rows: int, change: str, above: float) -> float:
    """Give the share of windows in which the column that changed is beyond the stretched threshold."""
    found = [
        each > above
        for series, of in zip(every, scores, strict=True)
        if series.rows == rows and series.change == change
        for each in of[series.column]
    ]
    return float(np.mean(found))


def compared(times: int, unchanged: int, folder: Path) -> list[dict[str, Any]]:
    """Ask all tools; a line for each change and size, and one for the unchanged windows of each size."""
    every = list(every_series(times, unchanged))
    asked: dict[str, list[Scores]] = {
        "ours": [of_ours(DATA_FALSE_ALARMS)(each) for each in every],
        "ours_equal": [of_ours(EQUAL)(each) for each in every],
        "model_monitor": [of_ours(None)(each) for each in every],
    }
    for name in PEERS:
        scores = of_peer(name, every, folder)
        if scores is not None:
            asked[name] = scores
    found = []
    for rows in POWER_SIZES:
        quiet = {name: of_unchanged(every, scores, rows) for name, scores in asked.items()}
        # Our rates are set, not found: at `EQUAL` the verdicts are asked again.
        fair = {
            name: 0.5 if name in OURS else float(each[int(EQUAL * len(each))]) for name, each in quiet.items()
        }
        line: dict[str, Any] = {"change": UNCHANGED, "rows": rows, "windows": unchanged}
        for name, each in quiet.items():
            limits = {"default": _usual(name), "equal": fair[name]}
            line[name] = {what: float(np.mean(each > limit)) for what, limit in limits.items()}
        found.append(line)
        for change in CHANGES:
            line = {"change": change, "rows": rows, "windows": times}
            for name, scores in asked.items():
                limits = {"default": _usual(name), "equal": fair[name]}
                line[name] = {
                    what: shares(every, scores, rows, change, limit) for what, limit in limits.items()
                }
            found.append(line)
    return found


def _usual(name: str) -> float:
    return 0.5 if name in OURS else 1.0
