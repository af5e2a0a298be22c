"""Works a local cloud for an hour as people would, and says whether it grows.

    make soak                        an hour
    make soak MINUTES=12
    .venv/bin/python -m benchmarks.soak [--minutes 60] [--plot soak.svg] [--json]

A local cloud of its own is started, deployed and taken down. Files are dropped to train and to score, good
ones and some that must be refused; predictions are asked for over the API; ground truth comes in; checks are
started; commands are typed. Every few minutes all of it pauses until no run is on: at these rests memory,
handles, threads and processes are compared, so that what is at work does not hide what is left over. (Every
ten seconds they are looked at too, for the plot.)

Judged is the straight line through the rests after the warm-up, with the 95 % interval of its slope. The exit
code is 0 only where every verdict is `flat` and no run ended otherwise than it had to.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.cloud_samples import Sampler
from benchmarks.local_town import LOOSE, QUICK, deployed_town, type_runs, watched
from benchmarks.soak_verdict import LIMITS, judge, plot
from tests.e2e import cars
from tests.e2e.caller import Caller
from tests.e2e.town import Town, csv_bytes
from tests.e2e.watching import INPUTS, label, start

MODELS = ("cars-a", "cars-b", "cars-c")
BOTH = {**QUICK, "linear-learner": {"hyperparameters": {"epochs": 2}, "instance": "ml.m5.large"}}
# After a run has ended, the endpoint's servers of before stay for some seconds more.
SAMPLE_SECONDS, SETTLE_SECONDS = 10.0, 12.0
# So many times it rests; between two it works for not less, and not more, than so long.
RESTS, LEAST_WORK_SECONDS, MOST_WORK_SECONDS = 18, 40.0, 180.0
# So many runs are under way at once; more are not dropped before one of them has ended.
AT_ONCE = 3


@dataclass
class Work:
    """What was done, and what did not end as it had to."""

    done: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    under_way: dict[str, str] = field(default_factory=dict)


class Visitors:
    """People and programs that use a deployed town, side by side, until they are told to rest or to stop."""

    def __init__(self, town: Town) -> None:
        self.town, self.work = town, Work()
        self._caller, self._dice = Caller(town), random.Random(7)
        self._at_work, self._stop = threading.Event(), threading.Event()
        habits: list[tuple[Callable[[], None], float]] = [
            (self._train, 8.0),
            (self._score, 6.0),
            (self._ask, 0.25),
            (self._check, 25.0),
            (self._tell_the_truth, 40.0),
            (self._type, 30.0),
        ]
        self._resting = [threading.Event() for _ in habits]
        for (habit, every), resting in zip(habits, self._resting, strict=True):
            threading.Thread(target=self._again, args=(habit, every, resting), daemon=True).start()

    def begin(self) -> None:
        """Go to work, or go on."""
        for resting in self._resting:
            resting.clear()
        self._at_work.set()

    def rest(self, seconds: float = 300.0) -> None:
        """Begin nothing new and wait until nothing is under way."""
        self._at_work.clear()
        for resting in self._resting:
            resting.wait(seconds)
        if not watched(lambda: self._look_at_runs() == 0, 0.5, seconds):
            self.work.troubles.append(f"still on after {seconds:.0f} s: {self.work.under_way}")
        time.sleep(SETTLE_SECONDS)

    def stop(self) -> None:
        """Go home."""
        self._stop.set()
        self._at_work.set()

    def _again(self, habit: Callable[[], None], every: float, resting: threading.Event) -> None:
        while not self._stop.is_set():
            if not self._at_work.is_set():
                resting.set()
                self._at_work.wait()
                continue
            try:
                habit()
            except Exception as error:
                self.work.troubles.append(f"{habit.__name__}: {error!r}")
            # In short steps, so that a rest begins soon.
            end = time.monotonic() + every
            while self._at_work.is_set() and time.monotonic() < end:
                time.sleep(min(0.5, every))

    def _train(self) -> None:
        model, number = self._dice.choice(MODELS), self.work.done["train"]
        bad = number % 7 == 6
        content = b"nothing,of,use\n1,2,3\n" if bad else csv_bytes(cars.rows(80, seed=number))
        self._drop(model, "train", content, "REFUSED" if bad else "SUCCEEDED")

    def _score(self) -> None:
        model, number = self._dice.choice(MODELS), self.work.done["score"]
        bad = number % 7 == 6
        rows = [{name: car[name] for name in car if name != "price"} for car in cars.rows(40, seed=number)]
        content = b"listing\nx\n" if bad else csv_bytes(rows)
        self._drop(model, "score", content, "REFUSED" if bad else "SUCCEEDED")

    def _drop(self, model: str, kind: str, content: bytes, expected: str) -> None:
        while self._look_at_runs() >= AT_ONCE:
            time.sleep(0.5)
        run = self.town.drop(model, f"{self.work.done[kind]:05d}.csv", content, kind)
        self.work.under_way[run] = expected
        self.work.done[kind] += 1

    def _ask(self) -> None:
        car = self._dice.choice([each for each in cars.rows(50, seed=3) if each["km"] != ""])
        said = self._caller.predict(self._dice.choice(MODELS), {name: car[name] for name in INPUTS})
        self.work.done["predict"] += 1
        if said.status != 200:
            self.work.troubles.append(f"a prediction was answered with {said.status}: {said.body[:120]!r}")

    def _check(self) -> None:
        run, _ = start(self.town, self._dice.choice(MODELS))
        self.work.under_way[run] = "SUCCEEDED"
        self.work.done["check"] += 1

    def _tell_the_truth(self) -> None:
        number = self.work.done["truth"]
        label(self.town, self._dice.choice(MODELS), cars.rows(20, seed=number), f"{number:05d}.csv")
        self.work.done["truth"] += 1

    def _type(self) -> None:
        trouble = type_runs(self.town)
        self.work.done["command"] += 1
        if trouble:
            self.work.troubles.append(trouble)

    def _look_at_runs(self) -> int:
        """Take the runs that have ended off the list; gives how many are left on it."""
        for run, expected in list(self.work.under_way.items()):
            record = self.town.record(run)
            if record and record["status"] != "RUNNING" and self.work.under_way.pop(run, None):
                self.work.done[f"ended {record['status']}"] += 1
                if record["status"] != expected:
                    say = f"run {run} is {record['status']}, not {expected}: {record.get('reason')}"
                    self.work.troubles.append(say)
        return len(self.work.under_way)


def soak(town: Town, minutes: float) -> tuple[Sampler, list[int], Work]:
    """Work and rest in turn; gives all samples, which of them are rests, and what was done."""
    for name in MODELS:
        algorithms = BOTH if name == MODELS[0] else QUICK
        monitor = {"every": "1 day", "least_rows": 50}
        town.declare(cars.spec(name, algorithms=algorithms, gate=LOOSE, monitor=monitor))
    for name in MODELS:
        first = town.train(name, "first.csv", csv_bytes(cars.rows(80)))
        if first["status"] != "SUCCEEDED":
            sys.exit(f"{name} could not be trained: {first['reason']}")
    sampler, visitors = Sampler(town.cloud, SAMPLE_SECONDS), Visitors(town)
    rests: list[int] = []
    work_seconds = min(MOST_WORK_SECONDS, max(LEAST_WORK_SECONDS, minutes * 60 / RESTS))
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        visitors.begin()
        time.sleep(max(0.0, min(work_seconds, end - time.monotonic())))
        visitors.rest()
        rests.append(sampler.look())
        latest = sampler.samples[rests[-1]]
        print(f"rest at {latest.seconds:5.0f} s: {latest} {dict(visitors.work.done)}", file=sys.stderr)
    visitors.stop()
    sampler.close()
    return sampler, rests, visitors.work


def main() -> int:
    """Run a soak and judge it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--plot", type=Path, help="where to write the plot (SVG)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(machine.told(), file=sys.stderr, flush=True)
    with deployed_town() as town:
        sampler, rests, work = soak(town, options.minutes)
    verdicts = judge([sampler.samples[at] for at in rests])
    if options.plot:
        options.plot.write_text(plot(sampler.samples, rests, verdicts))
    found: dict[str, Any] = {
        "minutes": options.minutes,
        "done": dict(work.done),
        "troubles": work.troubles,
        "limits": LIMITS,
        "verdicts": {name: verdict.__dict__ for name, verdict in verdicts.items()},
        "rests": rests,
        "samples": sampler.documents(),
    }
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print(", ".join(f"{count} {what}" for what, count in sorted(work.done.items())))
        for name, verdict in verdicts.items():
            print(f"  {name.replace('_', ' '):18} {verdict.sentence}")
        for trouble, count in Counter(work.troubles).items():
            print(f"  TROUBLE: {trouble}" + (f" ({count} times)" if count > 1 else ""))
    return 1 if work.troubles or any(v.word != "flat" for v in verdicts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
