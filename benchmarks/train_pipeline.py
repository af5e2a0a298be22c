"""Times the training pipeline: from a dropped file to endpoints in service, state by state.

    .venv/bin/python benchmarks/train_pipeline.py [--rows 1436 47000] [--runs 3] [--json]
    .venv/bin/python benchmarks/train_pipeline.py --rows 47000 --wide
    .venv/bin/python benchmarks/train_pipeline.py --file CARS.csv --model MODEL.yaml

A local cloud of its own is started, deployed and taken down. The rows are the demonstration's cars;
more rows than there are come of drawing cars again with new ids and noise in mileage and price.
With --wide a second model is trained on 46,405 cars with four categoricals more, 614 encoded columns in all,
and its time is held against the largest size's.
Reported for each size, as medians over the runs:

- wall: from the put of the file until the run's record says that it ended, both endpoints in service;
- jobs: the part of it in which at least one SageMaker job or endpoint change was under way;
- functions: the part in which none was, but a Lambda function (reading, encoding, judging, baselines) ran;
- orchestration: the rest, in which only Step Functions, events and Parameter Store were at work.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib.util
import io
import json
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import machine

from tidegate.cli.history import read_history
from tidegate.cli.progress import Step, View
from tidegate.core import names
from tidegate.core.spec import ModelSpec
from tidegate.local import cloud as local_cloud
from tidegate.local.deploy import deploy
from tidegate.modelfile import read_model_file

ROOT = Path(__file__).parent.parent
JOBS = {
    "Train the model",
    "Score with the candidate",
    "Score with the champion",
    "Look at the endpoint",
    "Wait for the endpoint",
}
FUNCTIONS = {
    "Preprocess",
    "Query the training metrics",
    "Evaluate",
    "Judge the candidate",
    "Data quality baseline",
    "Model quality baseline",
    "Create or update the endpoint",
    "Tell people",
}
Span = tuple[datetime, datetime]


WIDE_ROWS = 46_405
# Beside the 31 encoded columns of the reference model, with the column for all other levels of each: 614.
WIDE_LEVELS = {"Dealer": 250, "Town": 200, "Colour": 100, "Trim": 29}


def wide_model(text: bytes) -> bytes:
    """Give the reference model more categoricals, and a name of its own."""
    more = "".join(f"  {name}: {{type: categorical, levels: 300}}\n" for name in WIDE_LEVELS)
    named = text.decode().replace("name: used-car-price", "name: wide-cars", 1)
    return (
        named.replace("features:", "features: # as in the reference model, and four more", 1)
        .replace("algorithms:", f"{more}algorithms:", 1)
        .encode()
    )


def wide_cars() -> bytes:
    """Give cars with hundreds of levels, some of them common and most rare, each worth something."""
    dice = random.Random(21)
    worth = {name: [dice.gauss(0, 300) for _ in range(count)] for name, count in WIDE_LEVELS.items()}
    cars = list(csv.DictReader(io.StringIO(corollas(WIDE_ROWS).decode())))
    for at, car in enumerate(cars):
        price = float(car["Price"])
        for name, values in worth.items():
            # Every level occurs in every part; beyond that, the lower its number the commoner.
            level = at % len(values) if at % 3 == 0 else int(len(values) * dice.random() ** 3)
            car[name] = f"{name} {level}"
            price += values[level]
        car["Price"] = str(round(max(price, 100)))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(cars[0]))
    writer.writeheader()
    writer.writerows(cars)
    return out.getvalue().encode()


def corollas(rows: int) -> bytes:
    """Give the demonstration's cars, drawn again with noise where more are asked for than there are."""
    found = importlib.util.find_spec("dmba")
    if found is None or not found.submodule_search_locations:
        sys.exit("the demonstration's data is missing: run `make demo` once, or give --file and --model")
    packed = Path(found.submodule_search_locations[0]) / "csvFiles" / "ToyotaCorolla.csv.gz"
    cars = list(csv.DictReader(io.StringIO(gzip.decompress(packed.read_bytes()).decode())))
    dice = random.Random(20)
    made = list(cars[:rows])
    while len(made) < rows:
        car = dict(dice.choice(cars))
        car["Id"] = str(100_000 + len(made))
        car["KM"] = str(max(1, round(float(car["KM"]) * dice.gauss(1, 0.1))))
        car["Price"] = str(round(float(car["Price"]) * dice.gauss(1, 0.05)))
        made.append(car)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(cars[0]))
    writer.writeheader()
    writer.writerows(made)
    return out.getvalue().encode()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def covered(spans: Iterable[Span]) -> float:
    """Add up the seconds that a set of spans covers, what overlaps counted once."""
    total, end = 0.0, None
    for start, stop in sorted(spans):
        if end is None or start > end:
            total += (stop - start).total_seconds()
            end = stop
        elif stop > end:
            total += (stop - end).total_seconds()
            end = stop
    return total


def spans(view: View, wanted: set[str]) -> list[Span]:
    """Give when the states of some names were under way."""
    return [(step.started, step.ended) for _, step in view.walk() if step.name in wanted and step.ended]


class Bench:
    """A deployed local cloud and one model in it."""

    def __init__(self, cloud: local_cloud.Cloud, text: bytes) -> None:
        self.spec: ModelSpec = read_model_file(text)
        self.clients = {name: cloud.client(name) for name in ("s3", "dynamodb", "stepfunctions")}
        stack = cloud.client("cloudformation").describe_stacks(StackName="tidegate")["Stacks"][0]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        key = names.model_file_key(self.spec.name)
        self.clients["s3"].put_object(Bucket=self.outputs["DataBucket"], Key=key, Body=text)
        while "KeyCount" not in (seen := self._spec_listing()) or not seen["KeyCount"]:
            time.sleep(0.1)

    def _spec_listing(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.clients["s3"].list_objects_v2(
            Bucket=self.outputs["ArtifactsBucket"], Prefix=names.spec_key(self.spec.name)
        )
        return answer

    def train(self, filename: str, content: bytes) -> tuple[float, dict[str, Any], View]:
        """Drop a file to train with and give the seconds until its run ended, its result and its states."""
        return self.run("train", filename, content)

    def run(self, kind: str, filename: str, content: bytes) -> tuple[float, dict[str, Any], View]:
        """Drop a file for one kind of run."""
        bucket, key = self.outputs["DataBucket"], names.drop_key(self.spec.name, kind, filename)
        start = time.perf_counter()
        version = self.clients["s3"].put_object(Bucket=bucket, Key=key, Body=content)["VersionId"]
        run = {"run": {"S": names.run_id(bucket, key, version)}}
        item: dict[str, Any] = {}
        while item.get("status", {}).get("S", "RUNNING") == "RUNNING":
            time.sleep(0.05)
            item = (
                self.clients["dynamodb"]
                .get_item(TableName=self.outputs["RunsTable"], Key=run)
                .get("Item", {})
            )
        wall = time.perf_counter() - start
        if item["status"]["S"] != "SUCCEEDED":
            sys.exit(f"the run ended as {item['status']['S']}: {item['reason']['S']}")
        pages = self.clients["stepfunctions"].get_paginator("get_execution_history")
        events = [e for page in pages.paginate(executionArn=item["execution"]["S"]) for e in page["events"]]
        return wall, json.loads(item["result"]["S"]), read_history(events)


def measure(wall: float, result: dict[str, Any], view: View) -> dict[str, Any]:
    """Divide one run's time."""
    jobs = covered(spans(view, JOBS))
    functions = covered(spans(view, JOBS | FUNCTIONS)) - jobs
    states: dict[str, float] = {}
    for labels, step in view.walk():
        states[" · ".join((*labels, step.name))] = states.get(" · ".join((*labels, step.name)), 0) + lasted(
            step
        )
    return {
        "wall_seconds": wall,
        "jobs_seconds": jobs,
        "functions_seconds": functions,
        "orchestration_seconds": wall - jobs - functions,
        "orchestration_share": (wall - jobs - functions) / wall,
        "outside_jobs_share": 1 - jobs / wall,
        "rmse": {name: entry["rmse"] for name, entry in result["algorithms"].items()},
        "states_seconds": states,
    }


def lasted(step: Step) -> float:
    """Give the seconds of a state."""
    return (step.ended - step.started).total_seconds() if step.ended else 0.0


def medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Take the median of each figure over the runs."""
    plain = {k: statistics.median(run[k] for run in runs) for k in runs[0] if isinstance(runs[0][k], float)}
    states = runs[0]["states_seconds"]
    return {
        **plain,
        "rmse": runs[0]["rmse"],
        "states_seconds": {
            name: statistics.median(run["states_seconds"].get(name, 0.0) for run in runs) for name in states
        },
    }


def show(rows: int, found: dict[str, Any], least: float = 0.02) -> None:
    """Print one size for a person."""
    print(f"\n{rows:,} rows: {found['wall_seconds']:.1f} s from drop to endpoints in service")
    print(f"  the first run, with cold functions and no champion: {found['first_wall_seconds']:.1f} s")
    for part in ("jobs", "functions", "orchestration"):
        seconds = found[f"{part}_seconds"]
        print(f"  {part:14} {seconds:6.2f} s  {seconds / found['wall_seconds']:5.0%}")
    print("  test RMSE      " + ", ".join(f"{name} {value:,.0f}" for name, value in found["rmse"].items()))
    for name, seconds in found["states_seconds"].items():
        if seconds >= least:
            print(f"    {seconds:7.2f} s  {name}")


def main() -> int:
    """Measure every size asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1436, 47000])
    parser.add_argument("--runs", type=int, default=3, help="counted runs a size, after one warm-up")
    parser.add_argument("--file", type=Path, help="a CSV of your own instead of the cars")
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "used-car-price" / "model.yaml")
    parser.add_argument("--wide", action="store_true", help="614 encoded columns, against the largest size")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(machine.told(), file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as state:
        cloud = local_cloud.up(Path(state), free_port())
        try:
            deploy(cloud, ROOT, "tidegate")
            text = options.model.read_bytes()
            bench = Bench(cloud, text)
            drops = {0: options.file.read_bytes()} if options.file else {n: corollas(n) for n in options.rows}
            cases = [(rows or content.count(b"\n") - 1, bench, content) for rows, content in drops.items()]
            found: dict[int, dict[str, Any]] = {}
            if options.wide:
                cases.append((WIDE_ROWS, Bench(cloud, wide_model(text)), wide_cars()))
            for rows, of, content in cases:
                runs = [measure(*of.train(f"{rows}-{n}.csv", content)) for n in range(options.runs + 1)]
                found[rows] = {**medians(runs[1:]), "first_wall_seconds": runs[0]["wall_seconds"]}
                if not options.json:
                    show(rows, found[rows])
            if options.wide and not options.json:
                largest = max(rows for rows in found if rows != WIDE_ROWS)
                ratio = found[WIDE_ROWS]["wall_seconds"] / found[largest]["wall_seconds"]
                columns = sum(WIDE_LEVELS.values()) + len(WIDE_LEVELS) + 31
                print(f"\n{columns} encoded columns take {ratio:.2f} times as long as {largest:,} rows of 31")
        finally:
            local_cloud.down(Path(state))
    if options.json:
        print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
