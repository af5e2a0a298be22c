"""Times batch scoring: from a dropped file to its scores, and the memory of the two functions that read rows.

    .venv/bin/python benchmarks/batch_scoring.py [--rows 50000 500000] [--runs 3] [--json]

A local cloud of its own is started, deployed and taken down; the reference model is trained on the
demonstration's cars, and files of such cars (drawn again with noise) are scored. Reported for each size,
times as medians over the runs:

- wall: from the put of the file until the run's record says that it ended;
- model: the part of it in which a transform job was under way (start of the containers, recipe, model, and
  the cutting and joining of records around them);
- functions and orchestration: the rest, as in `train_pipeline.py`;
- containers CPU: what the processes of recipe and model used, against the local cloud's own (S3, Step
  Functions, cutting and joining);
- library alone: the same rows through the recipe and the xgboost library in one process, read from the file
  that the run prepared; its predictions must be the run's, to the last bit;
- peak memory of `prepare_scores` and of `combine_scores`, each alone in a fresh process on the run's files,
  and of that process before it read the first row.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
from train_pipeline import ROOT, Bench, corollas, covered, free_port, lasted, spans

from tidegate.cli.progress import View
from tidegate.core import names
from tidegate.local import cloud as local_cloud
from tidegate.local.deploy import deploy

MODEL = {"Score with the champion"}
FUNCTIONS = {"Prepare the rows", "Combine the predictions", "Tell people"}
TICKS = os.sysconf("SC_CLK_TCK")

PREPARE = """
from tidegate.table.score import Wanted, prepare_scores
from tidegate.core.usage import Scoring
import pyarrow.csv, pyarrow.parquet, pyarrow.compute
before = peak()
wanted = Wanted(job["columns"], job["id"])
prepare_scores(Path(job["drop"]), wanted, [list(job["columns"])], Scoring(), out, "x")
"""
COMBINE = """
from tidegate.table.score import combine_scores
import pyarrow.csv, pyarrow.parquet, pyarrow.compute
before = peak()
answers = {name: [Path(part) for part in parts] for name, parts in job["answers"].items()}
combine_scores(Path(job["inputs"]), answers, list(job["columns"]), job["id"], "max", {}, out)
"""
ALONE = """
import json, re, sys, tempfile
from pathlib import Path
job = json.loads(sys.argv[1])
# Not getrusage: its peak is inherited from the process that started this one.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
with tempfile.TemporaryDirectory() as folder:
    out = Path(folder)
    {body}
print(json.dumps([before, peak()]))
"""


def alone(body: str, job: dict[str, Any]) -> list[float]:
    """Run one function's work in a fresh process; gives its megabytes before the first row and at most."""
    code = ALONE.format(body=body.strip().replace("\n", "\n    "))
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(job)], check=True, capture_output=True, text=True
    )
    found: list[float] = json.loads(done.stdout)
    return found


def processor(pid: int) -> tuple[float, float]:
    """Give the seconds of CPU of a process, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    own, children = fields[11:13], fields[13:15]
    return sum(map(int, own)) / TICKS, sum(map(int, children)) / TICKS


class Scoring(Bench):
    """A trained model in a deployed local cloud, and files to score with it."""

    def __init__(self, cloud: local_cloud.Cloud, text: bytes) -> None:
        super().__init__(cloud, text)
        self.cloud = cloud
        self.clients["sagemaker"] = cloud.client("sagemaker")
        self.train("cars.csv", corollas(1436))

    def score(self, filename: str, content: bytes) -> tuple[dict[str, Any], dict[str, Any], View]:
        """Drop a file and wait; gives the measured seconds, the run's result and its states."""
        before = processor(self.cloud.pid)
        wall, result, view = self.run("score", filename, content)
        after = processor(self.cloud.pid)
        model = covered(spans(view, MODEL))
        functions = covered(spans(view, MODEL | FUNCTIONS)) - model
        return (
            {
                "wall_seconds": wall,
                "model_seconds": model,
                "functions_seconds": functions,
                "orchestration_seconds": wall - model - functions,
                "outside_model_share": 1 - model / wall,
                "cloud_cpu_seconds": after[0] - before[0],
                "containers_cpu_seconds": after[1] - before[1],
                "prepare_seconds": covered(spans(view, {"Prepare the rows"})),
                "combine_seconds": covered(spans(view, {"Combine the predictions"})),
            },
            result,
            view,
        )

    def fetch(self, uri: str, folder: Path) -> list[Path]:
        """Download what is under a prefix."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        folder.mkdir(parents=True)
        pages = self.clients["s3"].get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = []
        for key in sorted(each["Key"] for page in pages for each in page.get("Contents", [])):
            found.append(folder / key.rsplit("/", 1)[-1])
            self.clients["s3"].download_file(bucket, key, str(found[-1]))
        return found

    def library(self, champion: str, parts: list[Path]) -> tuple[float, list[float]]:
        """Score the prepared rows with recipe and library in this process; gives seconds and predictions."""
        import numpy as np
        import xgboost

        from tidegate.serving.apply import Recipe

        containers = self.clients["sagemaker"].describe_model(ModelName=champion)["Containers"]
        recipe_uri, model_uri = (each["ModelDataUrl"] for each in containers)
        recipe_uri = f"{recipe_uri.rsplit('/', 1)[0]}/recipe.json"
        recipe_text, archive = (
            self.clients["s3"].get_object(Bucket=bucket, Key=key)["Body"].read()
            for bucket, _, key in (
                uri.removeprefix("s3://").partition("/") for uri in (recipe_uri, model_uri)
            )
        )
        recipe = Recipe(json.loads(recipe_text))
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            member = packed.extractfile("xgboost-model")
            if member is None:
                raise ValueError(f"{model_uri} holds no xgboost-model")
            booster = xgboost.Booster(model_file=bytearray(member.read()))
        start = time.perf_counter()
        predictions: list[float] = []
        for part in parts:
            lines = part.read_bytes().splitlines()
            rows = b"\n".join(line[line.index(b'"features":') + 11 : -1] for line in lines)
            text = recipe.encode(rows, "application/jsonlines")
            numbers = np.array(list(map(float, text.replace("\n", ",").split(","))))
            matrix = numbers.reshape(text.count("\n") + 1, -1)
            predictions += booster.predict(xgboost.DMatrix(matrix)).tolist()
        return time.perf_counter() - start, predictions


def measure(bench: Scoring, rows: int, runs: int) -> dict[str, Any]:
    """Score one size several times, and look at the last run's files."""
    import pyarrow.parquet as pq

    content = corollas(rows)
    times = []
    for number in range(runs):
        seconds, result, view = bench.score(f"{rows}-{number}.csv", content)
        if (result["rows"], result["scored"], result["rejected"]) != (rows, rows, 0):
            sys.exit(f"{rows} rows came in, and the run tells {result}")
        times.append(seconds)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "drop").write_bytes(content)
        run = f"s3://{bench.outputs['ArtifactsBucket']}/{names.score_prefix(bench.spec.name, result['run'])}"
        parts = bench.fetch(f"{run}/rows/0/", folder / "rows")
        [inputs] = bench.fetch(f"{run}/inputs.parquet", folder / "inputs")
        answers = {name: bench.fetch(f"{run}/{name}/", folder / name) for name in result["algorithms"]}
        scores = {path.suffix: path for path in bench.fetch(f"{result['scores']}/", folder / "scores")}
        library_seconds, predictions = bench.library(result["algorithms"]["xgboost"]["model"], parts)
        table = pq.read_table(scores[".parquet"])
        if table.column("prediction_xgboost").to_pylist() != predictions:
            sys.exit("the scores differ from the library's")
        job = {
            "drop": str(folder / "drop"),
            "columns": {name: feature.type for name, feature in bench.spec.features.items()},
            "id": bench.spec.id,
            "inputs": str(inputs),
            "answers": {name: [str(part) for part in found] for name, found in answers.items()},
        }
        memory = {"prepare": alone(PREPARE, job), "combine": alone(COMBINE, job)}
    return {
        "rows_in": rows,
        "rows_out": table.num_rows,
        **{name: statistics.median(each[name] for each in times) for name in times[0]},
        "library_seconds": library_seconds,
        "memory_mb": memory,
        "states_seconds": {
            " · ".join((*labels, step.name)): lasted(step)
            for labels, step in view.walk()
            if lasted(step) > 0.02
        },
    }


def show(found: dict[str, Any]) -> None:
    """Print one size for a person."""
    wall = found["wall_seconds"]
    print(
        f"\n{found['rows_in']:,} rows in, {found['rows_out']:,} out: {wall:.1f} s, "
        f"{found['rows_in'] / wall:,.0f} rows a second with two algorithms"
    )
    for part in ("model", "functions", "orchestration"):
        seconds = found[f"{part}_seconds"]
        print(f"  {part:14} {seconds:6.2f} s  {seconds / wall:5.0%}")
    print(f"    prepare {found['prepare_seconds']:.2f} s, combine {found['combine_seconds']:.2f} s")
    print(
        f"  CPU            containers {found['containers_cpu_seconds']:.1f} s, "
        f"local cloud {found['cloud_cpu_seconds']:.1f} s"
    )
    print(
        f"  library alone  {found['library_seconds']:6.2f} s for xgboost; predictions equal to the last bit"
    )
    for name, (before, peak) in found["memory_mb"].items():
        print(f"  peak memory    {name} {peak:.0f} MB ({before:.0f} MB before the first row)")


def main() -> int:
    """Measure every size asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 500_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(machine.told(), file=sys.stderr, flush=True)
    found = []
    with tempfile.TemporaryDirectory() as state:
        cloud = local_cloud.up(Path(state), free_port())
        try:
            deploy(cloud, ROOT, "tidegate")
            model = ROOT / "models" / "used-car-price" / "model.yaml"
            bench = Scoring(cloud, model.read_bytes())
            bench.score("warm up.csv", corollas(1000))
            for rows in options.rows:
                found.append(measure(bench, rows, options.runs))
                if not options.json:
                    show(found[-1])
        finally:
            local_cloud.down(Path(state))
    if options.json:
        print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
