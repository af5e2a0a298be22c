"""New Zealand's cars of 2024, day by day, by a model of 2023: what people hear, and what retraining brings.

Each day its cars are asked about and its truths arrive, as they did: the price of a car is known when its
auction ends. Every check goes through the functions' own code, from captured requests to what people are
told and whether a retraining starts; a retraining learns from all cars whose price is known by then.
The target is the logarithm of the price: of prices themselves a dozen of 40,000 make the R².
"""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from verdict_tables import Table, baseline_of, window_of

from tidegate.core.check import evaluate, state_after, summary_of
from tidegate.core.monitor import Monitor, rates
from tidegate.core.monitoring import weigh
from tidegate.core.retrain import Situation, Wish, causes_in, decide
from tidegate.core.telling import Memory
from tidegate.core.windows import Manifest
from tidegate.table.profile import Profile
from tidegate.table.quality.answers import Answers, quality_files
from tidegate.table.watch.comparison import check
from tidegate.table.watch.known import Known, Truth
from tidegate.table.watch.quality import judge
from tidegate.table.watch.recent import Recent

NUMBERS = ("year", "mileage", "seats", "keys")
TEXTS = ("manufacturer", "model", "fuel_type", "transmission", "registration_status")
KINDS = {**dict.fromkeys(NUMBERS, "numeric"), **dict.fromkeys(TEXTS, "categorical")}
TARGET = "price_last_nzd"
FIRST, LAST = date(2024, 1, 1), date(2024, 12, 31)
LEVELS, ROUNDS = 40, 60
TRUTH_DAYS = 30
POLICIES = {
    "never": Monitor(every="1 day", retrain="off"),
    "on_drift": Monitor(every="1 day", retrain="on_drift", cooldown="30 days"),
    "on_quality": Monitor(every="1 day", retrain="on_quality", cooldown="30 days"),
    "monthly": Monitor(every="1 day", retrain="schedule: monthly"),
}


class Cars:
    """All cars with a price, their cells as text, and what trees see of them."""

    def __init__(self, path: Path) -> None:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                row
                for row in csv.DictReader(file)
                if float(row[TARGET] or 0) > 0 and row["first_seen"] and row["last_seen"]
            ]
        self.cells = np.array([[row[name] for name in KINDS] for row in rows], dtype=object)
        self.target = np.log1p(np.array([float(row[TARGET]) for row in rows]))
        self.asked, self.known = (np.array([row[n] for row in rows]) for n in ("first_seen", "last_seen"))
        self._numbers = self.cells[:, : len(NUMBERS)]

    def matrix(self, learned: Any) -> Any:
        """Encode all cars as a model sees them that learned from some."""
        columns = [
            np.array([float(cell) if cell else np.nan for cell in column]) for column in self._numbers.T
        ]
        for at in range(len(NUMBERS), len(KINDS)):
            texts = self.cells[:, at]
            frequent = Counter(texts[learned].tolist()).most_common(LEVELS)
            columns += [(texts == text).astype(float) for text, count in frequent if count > LEVELS // 2]
        return np.stack(columns, axis=1)


@dataclass
class Champion:
    """A model in service: its predictions for all cars, and its baselines."""

    name: str
    predictions: Any
    baseline: tuple[Any, Any]
    quality: tuple[dict[str, Any], dict[str, Any]]


def train(cars: Cars, day: date, folder: Path) -> Champion:
    """Learn from all cars whose price is known by a day, but for each fifth, which is held out."""
    import xgboost

    known = np.flatnonzero(cars.known < day.isoformat())
    held, learned = known[::5], np.delete(known, np.s_[::5])
    matrix = cars.matrix(learned)
    data = xgboost.DMatrix(matrix[learned], cars.target[learned])
    trees = xgboost.train({"max_depth": 6, "eta": 0.1, "nthread": 1}, data, ROUNDS)
    predictions = trees.predict(xgboost.DMatrix(matrix)).astype(float)
    table = Table("cars", KINDS, cars.cells)
    baseline = baseline_of(table, learned, folder, predictions[held].tolist())
    answers = Answers.of_numbers("Regression", cars.target[held], predictions[held])
    return Champion(f"model-{day.isoformat()}", predictions, baseline, quality_files(answers))


@dataclass
class Replay:
    """A year under one policy."""

    cars: Cars
    monitor: Monitor
    folder: Path
    champion: Champion
    served: datetime
    trainings: list[date] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    fresh: int = 0

    def __post_init__(self) -> None:
        self.table = Table("cars", KINDS, self.cars.cells)
        self.given = np.full(len(self.cars.target), np.nan)  # what was answered
        self.by: dict[int, str] = {}
        self.state: dict[str, Any] = {}
        self.profiles: dict[str, Profile] = {}
        self.truths = Known()
        self.memory: dict[str, Any] = {}
        self.wish: Wish | None = None
        self.retrained: datetime | None = None
        self.standing: dict[str, Any] = {}
        self.checks = 0

    def run(self) -> dict[str, Any]:
        """Live through the year."""
        day = FIRST
        while day <= LAST:
            self._day(day)
            day += timedelta(days=1)
        asked = np.flatnonzero(~np.isnan(self.given))
        months = {f"{FIRST.year}-{month:02}": [] for month in range(1, 13)}
        for at in asked:
            months[self.cars.asked[at][:7]].append(at)
        return {
            "r2": self._r2(asked),
            "r2_by_month": {month: self._r2(np.array(rows)) for month, rows in months.items()},
            "trainings": [each.isoformat() for each in self.trainings],
            "messages": [each["subject"] for each in self.messages],
            "verdicts": dict(self.verdicts),
        }

    def _r2(self, rows: Any) -> float:
        truth, answers = self.cars.target[rows], self.given[rows]
        return float(1 - ((truth - answers) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())

    def _day(self, day: date) -> None:
        cars, now = self.cars, datetime.fromisoformat(f"{day.isoformat()}T23:00:00+00:00")
        asked = np.flatnonzero(cars.asked == day.isoformat())
        self.given[asked] = self.champion.predictions[asked]
        self.by |= dict.fromkeys(asked.tolist(), self.champion.name)
        ended = [at for at in np.flatnonzero(cars.known == day.isoformat()).tolist() if at in self.by]
        self.fresh += len(ended)
        self.checks += 1
        manifest = self._manifest(now)
        found = evaluate(
            manifest,
            self.state,
            {"rows": len(asked), "repeated": 0, "first": None, "last": None, "unreadable": []},
            self._compared(manifest, asked),
            self._matched(manifest, ended),
            manifest.opened,
        )
        self.state = state_after(manifest, self.state, found)
        self.verdicts[found["verdict"]] += 1
        self._told(summary_of(found, "report"), now)
        self._policy(now, day)

    def _manifest(self, now: datetime) -> Manifest:
        return Manifest(
            model="cars",
            algorithm="xgboost",
            run=f"run{self.checks}",
            window=self.checks,
            objects=[],
            labels=[],
            state=None,
            champion=self.champion.name,
            baseline="",
            columns=KINDS,
            target=TARGET,
            identity="",
            endpoint="cars",
            least_rows=self.monitor.least_rows,
            left=0,
            seen={},
            newest=None,
            waiting=None,
            home=f"window-{self.checks}",
            every=self.monitor.every,
            opened=now.isoformat(),
        )

    def _same(self) -> dict[str, Any]:
        return self.state if self.state.get("champion") == self.champion.name else {}

    def _compared(self, manifest: Manifest, asked: Any) -> dict[str, Any]:
        """Compare the day's cars, as `compare_window` does."""
        rows, answers = self.cars.cells[asked], self.champion.predictions[asked].tolist()
        window = (
            window_of(self.table, rows, self.folder, answers, manifest.opened) if len(asked) else Profile()
        )
        self.profiles[manifest.home] = window
        state = self._same()
        homes = [*state.get("carried", []), manifest.home]
        window = Profile.sum_of([self.profiles[home] for home in homes])
        recent = Recent.from_dict(state.get("recent"))
        came = [self.profiles[place] for place in recent.places]
        rate = rates(manifest.every, state.get("data_at"), now=manifest.opened).data
        found = check(
            *self.champion.baseline,
            window,
            manifest.least_rows,
            inputs=KINDS,
            before=recent.before(came),
            fronts=recent.fronts,
            false_alarms=rate,
        )
        few = found["verdict"] == "insufficient"
        found["carried"] = homes if few and window.rows else []
        if not few:
            place = f"recent-{self.checks}"
            newer = came[-1] if recent.newer else None
            recent, kept = recent.after(newer, window, place, bool(found["denied"]), found["fronts"])
            self.profiles[place] = kept
        found["recent"] = recent.to_dict()
        return found

    def _matched(self, manifest: Manifest, ended: list[int]) -> dict[str, Any]:
        """Judge by the truths that came, as `match_truth` does."""
        came = manifest.opened
        for at in ended:
            truth = Truth(self.checks, self.by[at], float(self.given[at]), float(self.cars.target[at]), came)
            self.truths.truths[str(at)] = truth
        self.truths = self.truths.only(range(self.checks - TRUTH_DAYS, self.checks + 1))
        pool = [*self._same().get("truth_pool", []), *map(str, ended)]
        own = [each for each in pool if self.by[int(each)] == self.champion.name]
        places = [int(each) for each in own]
        pairs = {"target": self.cars.target[places], "prediction": self.given[places], "in_order": True}
        quality = None
        if own:
            statistics, rules = self.champion.quality
            rate = rates(manifest.every, None, self.state.get("quality_at"), manifest.opened).quality
            before = self.truths.before(self.champion.name, own, self.state.get("truths_since", ""))
            found = judge(pairs, {}, rules, manifest.least_rows, statistics, rate, before)
            quality = {**found, "since": self.truths.since(own)}
        labels = {"came": len(ended), "matched": len(ended), "waiting": 0, "repeated": 0, "corrected": 0}
        return {"labels": labels, "pool": pool, "quality": quality}

    def _told(self, summary: dict[str, Any], now: datetime) -> None:
        raw = {"run": summary["window"], "model": "cars", "algorithms": [summary], "standing": self.standing}
        found = weigh(raw, self.memory, self.monitor.digest, now)
        self.messages += found["outbox"]["messages"]
        self.memory = {"version": found["held"], "document": found["document"]}
        self.standing = {"xgboost": summary}

    def _policy(self, now: datetime, day: date) -> None:
        last = self.trainings[-1] if self.trainings else FIRST - timedelta(days=1)
        situation = Situation(
            now,
            None,
            self.retrained,
            datetime.fromisoformat(f"{last.isoformat()}T00:00:00+00:00"),
            self.served,
            self.fresh,
            len(self.by),
            "2023.csv",
        )
        causes = causes_in(Memory.from_dict(self.memory.get("document")))
        decision = decide(self.monitor, self.wish, causes, situation, f"run{self.checks}")
        self.wish = decision.wish
        if decision.start:
            self.champion = train(self.cars, day, self.folder)
            self.trainings.append(day)
            self.retrained, self.served, self.fresh, self.wish = now, now, 0, None


def replay(path: Path) -> dict[str, dict[str, Any]]:
    """Live through 2024 under each policy."""
    cars = Cars(path)
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        first = train(cars, FIRST, Path(scratch))
        for name, monitor in POLICIES.items():
            began = datetime.fromisoformat(f"{FIRST.isoformat()}T00:00:00+00:00")
            found[name] = Replay(cars, monitor, Path(scratch), first, began).run()
    return found
