"""Drops many files over many models at once, to train with and to score, and accounts for every one of them.

    .venv/bin/python -m benchmarks.burst [--drops 1000] [--models 50] [--scores 100] [--minutes 15] [--json]
    .venv/bin/python -m benchmarks.burst --drops 200 --models 10 --scores 20

A local cloud of its own is started, deployed and taken down. Each model takes the newest file where several
wait (`training.when_busy: supersede`; `--queue` trains every one). One model serves from before; while the
burst is on it is asked for predictions and `tidegate runs` is typed, to see whether the machine stays usable.
The files to score are its; a check of every model falls due at once, as on the hour.
Few rows and three trees a model: what is looked at is the flow, not the training. A model's gate lets nothing
pass but for every tenth model, so that as many endpoints come up as a laptop has room for.

The exit code is 1 unless every drop has exactly one run with an end, one execution and one notification,
every check one run with an end, no run failed, no event was parked, nobody is left in a line, and no job
or run is still on.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from benchmarks import machine
from benchmarks.cloud_samples import Sampler
from benchmarks.local_town import LOOSE, QUICK, deployed_town, type_runs, watched
from tests.e2e import cars
from tests.e2e.caller import Caller
from tests.e2e.town import Town, csv_bytes
from tests.e2e.watching import start

SERVED = "cars-served"
STRICT = {"metric": "rmse", "at_most": 0.001}
SAMPLE_SECONDS, ASK_SECONDS, TYPE_SECONDS = 2.0, 0.5, 15.0


@dataclass
class Found:
    """What a burst came to."""

    drops: int
    models: int
    scores: int = 0
    put_seconds: float = 0.0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)


class Usage:
    """Asks for predictions and types a command again and again while something else goes on."""

    def __init__(self, town: Town) -> None:
        self._town, self._caller = town, Caller(town)
        self._car = {name: cars.rows(1)[0][name] for name in ("km", "year", "make", "automatic")}
        self.asked: list[float] = []
        self.typed: list[float] = []
        self.jobs: list[int] = []
        self.troubles: list[str] = []
        self._stop = threading.Event()
        works = ((self._ask, ASK_SECONDS), (self._type, TYPE_SECONDS), (self._count_jobs, SAMPLE_SECONDS))
        self._threads = [threading.Thread(target=self._again, args=work, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop asking."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _again(self, work: Any, every_seconds: float) -> None:
        while not self._stop.wait(every_seconds):
            try:
                work()
            except Exception as error:
                self.troubles.append(f"{work.__name__}: {error!r}")

    def _ask(self) -> None:
        began = time.perf_counter()
        said = self._caller.predict(SERVED, self._car)
        self.asked.append(time.perf_counter() - began)
        if said.status != 200:
            self.troubles.append(f"a prediction was answered with {said.status}: {said.body[:120]!r}")

    def _type(self) -> None:
        began = time.perf_counter()
        trouble = type_runs(self._town)
        self.typed.append(time.perf_counter() - began)
        if trouble:
            self.troubles.append(trouble)

    def _count_jobs(self) -> None:
        self.jobs.append(jobs_on(self._town))


def jobs_on(town: Town) -> int:
    """Count the SageMaker jobs whose container runs or is about to."""
    sagemaker = town.client("sagemaker")
    training = sagemaker.list_training_jobs(StatusEquals="InProgress", MaxResults=100)["TrainingJobSummaries"]
    transform = sagemaker.list_transform_jobs(StatusEquals="InProgress", MaxResults=100)
    return len(training) + len(transform["TransformJobSummaries"])


def records(town: Town) -> dict[str, dict[str, str]]:
    """Read the records of all runs."""
    pages = town.client("dynamodb").get_paginator("scan").paginate(TableName=town.outputs["RunsTable"])
    items = [item for page in pages for item in page["Items"]]
    plain = [{name: next(iter(value.values())) for name, value in item.items()} for item in items]
    return {each["run"]: each for each in plain}


def drop_all(town: Town, models: list[str], drops: int) -> list[str]:
    """Drop files over the models in turn, several at a time; gives the runs that they start."""
    content = [csv_bytes(cars.rows(60, seed=seed)) for seed in range(8)]
    names = [(models[number % len(models)], f"{number:05d}.csv") for number in range(drops)]
    with ThreadPoolExecutor(8) as pool:
        return list(
            pool.map(lambda each: town.drop(each[0], each[1], random.Random(each[1]).choice(content)), names)
        )


def score_all(town: Town, scores: int) -> list[str]:
    """Drop files to score for the model that serves, several at a time; gives the runs that they start."""
    content = csv_bytes(cars.rows(60, seed=9))
    with ThreadPoolExecutor(8) as pool:
        names = [f"{number:05d}.csv" for number in range(scores)]
        return list(pool.map(lambda name: town.drop(SERVED, name, content, "score"), names))


def check_all(town: Town, models: list[str]) -> list[str]:
    """Let a check of every model fall due, as EventBridge Scheduler starts them; gives their runs."""
    due = "2026-01-01T10:00:00Z"
    with ThreadPoolExecutor(8) as pool:
        return [run for run, _ in pool.map(lambda name: start(town, name, due), models)]


def burst(town: Town, drops: int, models: int, scores: int, queue: bool, seconds: float) -> Found:
    """Drop everything, watch, account."""
    named = [f"cars-{number:02d}" for number in range(models)]
    training = {} if queue else {"training": {"when_busy": "supersede"}}
    town.declare(cars.spec(SERVED, algorithms=QUICK, gate=LOOSE))
    first = town.train(SERVED, "cars.csv", csv_bytes(cars.rows(60)))
    if first["status"] != "SUCCEEDED":
        sys.exit(f"the model that is asked while the burst is on was not trained: {first['reason']}")
    for number, name in enumerate(named):
        gate = STRICT if number % 10 else LOOSE
        town.declare(cars.spec(name, algorithms=QUICK, gate=gate, **training))
    found = Found(drops, models, scores)
    sampler, usage = Sampler(town.cloud, SAMPLE_SECONDS), Usage(town)
    began = time.monotonic()
    try:
        with ThreadPoolExecutor(3) as pool:
            works = [
                pool.submit(drop_all, town, named, drops),
                pool.submit(score_all, town, scores),
                pool.submit(check_all, town, [SERVED, *named]),
            ]
            trained, scored, checked = (each.result() for each in works)
        found.put_seconds = time.monotonic() - began
        wanted = {*trained, *scored, *checked}

        def over() -> bool:
            known = records(town)
            ended = sum(known.get(run, {}).get("status", "RUNNING") != "RUNNING" for run in wanted)
            print(f"{time.monotonic() - began:6.0f} s  {ended:5} of {len(wanted)} ended", file=sys.stderr)
            return ended == len(wanted)

        in_time = watched(over, 5.0, seconds)
        found.seconds = time.monotonic() - began
    finally:
        usage.close()
        sampler.close()
    if not in_time:
        found.troubles.append(f"not all runs ended within {seconds:.0f} s")
    account(town, found, trained, scored, checked)
    found.troubles += usage.troubles
    found.figures = figures(sampler, usage)
    return found


def account(town: Town, found: Found, trained: list[str], scored: list[str], checked: list[str]) -> None:
    """Say what is missing, double or left over."""
    known = records(town)
    runs = [*trained, *scored, *checked]
    own = {run: known[run] for run in runs if run in known}
    found.statuses = dict(Counter(each["status"] for each in own.values()))
    say = found.troubles.append
    wanted = found.drops + found.scores + found.models + 1
    if len(set(runs)) != wanted or len(own) != wanted:
        say(f"{wanted} drops and checks, {len(set(runs))} run ids, {len(own)} records")
    others = [run for run in known if "/" not in run and run not in own and known[run]["model"] != SERVED]
    if others:
        say(f"{len(others)} records of no drop: {sorted(others)[:5]}")
    for run, record in own.items():
        if record["status"] in ("FAILED", "REFUSED"):
            say(f"run {run} failed: {record['reason']}")
        if "finished" not in record:
            say(f"run {run} has no end")
    every = [*town.executions(), *executions_of(town, "ScoreMachineArn")]
    executions = Counter(
        json.loads(town.execution({"execution": each["executionArn"]})["input"])["detail"]["object"]["key"]
        for each in every
    )
    if twice := {key: count for key, count in executions.items() if count > 1}:
        say(f"{len(twice)} drops started more than one execution: {sorted(twice)[:5]}")
    told = Counter(key.split("-")[1] for key in town.keys(town.artifacts, "notifications/"))
    # Of a check people hear only what is news.
    if wrong := {run: told[run] for run in (*trained, *scored) if told[run] != 1}:
        say(f"{len(wrong)} runs were not told exactly once: {dict(list(wrong.items())[:5])}")
    if waiting := [
        run for run, item in known.items() if "/" in run and any(name.startswith("ticket ") for name in item)
    ]:
        say(f"{len(waiting)} lines have somebody left in them: {waiting[:5]}")
    parked = town.client("sqs").get_queue_attributes(
        QueueUrl=town.outputs["DeadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]["ApproximateNumberOfMessages"]
    if parked != "0":
        say(f"{parked} events were parked")
    if not watched(lambda: jobs_on(town) == 0, 1.0, 30.0):
        say(f"{jobs_on(town)} jobs are still on")
    every = [
        *town.executions(),
        *executions_of(town, "ScoreMachineArn"),
        *executions_of(town, "MonitorMachineArn"),
    ]
    if still := [
        each for each in every if town.execution({"execution": each["executionArn"]})["status"] == "RUNNING"
    ]:
        say(f"{len(still)} executions are still on")


def executions_of(town: Town, machine: str) -> list[dict[str, Any]]:
    """List every execution of another machine than the train machine."""
    pages = town.client("stepfunctions").get_paginator("list_executions")
    found = pages.paginate(stateMachineArn=town.outputs[machine])
    return [each for page in found for each in page["executions"]]


def figures(sampler: Sampler, usage: Usage) -> dict[str, float]:
    """Sum up what was measured meanwhile."""
    asked, typed = sorted(usage.asked), sorted(usage.typed)
    return {
        "predictions": len(asked),
        "prediction_p50_ms": round(statistics.median(asked) * 1000, 1),
        "prediction_p99_ms": round(asked[int(len(asked) * 0.99)] * 1000, 1),
        "prediction_worst_ms": round(asked[-1] * 1000, 1),
        "runs_command_p50_seconds": round(statistics.median(typed), 2) if typed else 0.0,
        "runs_command_worst_seconds": round(typed[-1], 2) if typed else 0.0,
        "most_jobs_in_progress": max(usage.jobs, default=0),
        "most_processes": sampler.most("children") + 1,
        "daemon_peak_mb": sampler.most("daemon_mb"),
        "all_peak_mb": max(each.daemon_mb + each.children_mb for each in sampler.samples),
        "daemon_threads_peak": sampler.most("daemon_threads"),
        "daemon_cpu_seconds": round(
            sampler.samples[-1].daemon_cpu_seconds - sampler.samples[0].daemon_cpu_seconds, 1
        ),
        "disk_mb": sampler.samples[-1].disk_mb,
        "load_average": round(os.getloadavg()[0], 1),
    }


def show(found: Found) -> None:
    """Print the result for a person."""
    print(f"{found.drops} drops over {found.models} models, {found.scores} files to score, ", end="")
    print(f"a check of each: put in {found.put_seconds:.1f} s, ", end="")
    print(f"all ended after {found.seconds:.0f} s")
    print("  " + ", ".join(f"{count} {status}" for status, count in sorted(found.statuses.items())))
    for name, value in found.figures.items():
        print(f"  {name.replace('_', ' '):28} {value:10,.1f}")
    for trouble, count in Counter(found.troubles).items():
        print(f"  TROUBLE: {trouble}" + (f" ({count} times)" if count > 1 else ""))
    print("every drop is accounted for" if not found.troubles else f"{len(found.troubles)} troubles")


def main() -> int:
    """Run a burst."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drops", type=int, default=1000)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--scores", type=int, default=100, help="files to score, of the model that serves")
    parser.add_argument("--minutes", type=float, default=15.0, help="the longest it may take")
    parser.add_argument("--queue", action="store_true", help="train every file, one after the other")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(machine.told(), file=sys.stderr, flush=True)
    with deployed_town() as town:
        sizes = options.drops, options.models, options.scores
        found = burst(town, *sizes, options.queue, options.minutes * 60)
    if options.json:
        print(json.dumps(found.__dict__, indent=2))
    else:
        show(found)
    return 1 if found.troubles else 0


if __name__ == "__main__":
    sys.exit(main())
