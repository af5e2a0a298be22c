"""Times what the monitor does with windows: one check, and a week made of its hours.

    .venv/bin/python benchmarks/windows.py [--rows 10000] [--runs 7] [--json]

- cold: a fresh process reads a window of CSV, profiles it and compares it with a kept baseline;
- warm: the same again in a process that has done it before;
- lambda: the same of captured requests, a row each, as the monitor's functions do it: read into rows with
  ids, profiled, compared, written for queries. Cold is a fresh interpreter that sees the function's folder,
  its layers and boto3 alone, from its start to its end, the function's imports included; S3 is left out;
- week: 168 hourly profiles of 20 columns, read from their bytes, merged, and the sum compared.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import machine
from cold_start import build_layer, runtime
from profile_files import generate

from tidegate.table.compare import compare
from tidegate.table.constraints import Constraints, suggest
from tidegate.table.profile import Profile
from tidegate.table.scan import profile_file
from tidegate.table.watch.comparison import check as check_window
from tidegate.table.watch.comparison import read_baseline
from tidegate.table.watch.results import write_results
from tidegate.table.watch.rows import Source, read_window

ROOT = Path(__file__).parent.parent
HOURS = 168
TYPES = {"f": "numeric", "i": "integer", "s": "categorical"}
ABOUT = {"model": "m", "algorithm": "a", "check": "c", "window": 1, "verdict": "ok", "drifting": ""}
COLD = """
import sys
from pathlib import Path
from tidegate.table.compare import compare
from tidegate.table.constraints import Constraints, suggest
from tidegate.table.profile import Profile
from tidegate.table.scan import profile_file
baseline = Profile.from_bytes(Path(sys.argv[1]).read_bytes())
window = profile_file(Path(sys.argv[2]))
print(compare(baseline, Constraints.read(suggest(baseline)), window).verdict().verdict)
"""


IN_LAMBDA = """
import json, sys
from pathlib import Path
home, window = Path(sys.argv[1]), sys.argv[2]
sys.path.insert(0, sys.argv[3])
import machine
import app
if "profile_window" in sys.argv[3]:
    from tidegate.table.profile.keep import to_bytes
    from tidegate.table.watch.rows import Source, read_window
    columns = json.loads((home / "columns.json").read_text())
    read = read_window([Source("capture", "k", home / window)], columns, "a", "", home / "rows.parquet")
    (home / "profile.bin").write_bytes(to_bytes(read.profile))
    print(read.rows, read.unreadable)
else:
    from tidegate.table.profile.keep import from_bytes
    from tidegate.table.watch.comparison import check, read_baseline
    documents = [json.loads((home / f"{name}.json").read_text()) for name in ("statistics", "constraints")]
    columns = json.loads((home / "columns.json").read_text())
    baseline, rules = read_baseline(*documents, list(columns), (home / "predictions").read_bytes())
    print(check(baseline, rules, from_bytes((home / "profile.bin").read_bytes()), 200)["verdict"])
"""


def check(baseline: Profile, rules: Constraints, window: Path) -> str:
    """Profile a window and compare it."""
    return compare(baseline, rules, profile_file(window)).verdict().verdict


def timed(work: Callable[[], object], runs: int) -> float:
    """Give the median seconds of some runs."""
    took = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        took.append(time.perf_counter() - begin)
    return statistics.median(took)


def captured(window: Path, encoding: str) -> Path:
    """Write a window's rows as an endpoint captures them, a request each."""
    out = window.with_suffix(f".{encoding.lower()}.capture")
    with window.open(newline="") as file, out.open("w") as lines:
        names, *rows = csv.reader(file)
        for at, row in enumerate(rows):
            values = {name: row[place] for place, name in enumerate(names)}
            record = {
                name: value if name[0] == "s" else json.loads(value)
                for name, value in values.items()
                if value
            }
            data = ",".join(row) if encoding == "CSV" else json.dumps([record], separators=(",", ":"))
            sides = {
                "endpointInput": {
                    "observedContentType": "x",
                    "mode": "INPUT",
                    "data": data,
                    "encoding": encoding,
                },
                "endpointOutput": {
                    "observedContentType": "text/csv",
                    "mode": "OUTPUT",
                    "data": str(at % 997 / 7),
                    "encoding": "CSV",
                },
            }
            event = f"6a4d3e30-0d8e-4a7e-8f5f-{at:012d}"
            meta = {"eventId": event, "inferenceId": event, "inferenceTime": "2024-05-04T10:00:00Z"}
            lines.write(json.dumps({"captureData": sides, "eventMetadata": meta, "eventVersion": "0"}) + "\n")
    return out


def in_lambda(home: Path, window: Path, runs: int) -> dict[str, dict[str, float]]:
    """Time the monitor's functions on a captured window: warm in this process, cold in fresh ones."""
    names = list(profile_file(window).columns)
    columns = {name: TYPES[name[0]] for name in names}
    baseline = profile_file(home / "baseline.csv")
    statistics_document, constraints = baseline.statistics(), suggest(baseline)
    predictions = "\n".join(str(at % 997 / 7) for at in range(5_000)).encode()
    (home / "columns.json").write_text(json.dumps(columns))
    (home / "statistics.json").write_text(json.dumps(statistics_document))
    (home / "constraints.json").write_text(json.dumps(constraints))
    (home / "predictions").write_bytes(predictions)
    layers = [build_layer(name, home) for name in ("Core", "Table")]
    path = os.pathsep.join(map(str, [*layers, runtime(home)]))
    environment = {"PYTHONPATH": path, "AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_SERVICE_NAME": "x"}
    environment |= {"POWERTOOLS_METRICS_NAMESPACE": "x", "PYTHONDONTWRITEBYTECODE": "1"}

    def warm(capture: Path) -> None:
        read = read_window([Source("capture", "k", capture)], columns, "a", "", home / "rows.parquet")
        profiled, rules = read_baseline(statistics_document, constraints, names, predictions)
        found = check_window(profiled, rules, Profile.from_bytes(read.profile.to_bytes()), 200)
        write_results(home / "rows.parquet", home, ABOUT, found["limits"], "2024-05-04")

    def cold(function: str, capture: Path) -> None:
        command = [sys.executable, "-S", "-B", "-c", IN_LAMBDA, str(home), capture.name]
        command.append(str(ROOT / "functions" / function))
        subprocess.run(command, check=True, capture_output=True, env=environment)

    found = {}
    for encoding in ("CSV", "JSON"):
        capture = captured(window, encoding)
        warm(capture)
        begin = time.process_time()
        seconds = timed(lambda capture=capture: warm(capture), runs)
        found[encoding] = {
            "warm_s": seconds,
            "warm_cpu_s": (time.process_time() - begin) / runs,
            "cold_profile_window_s": timed(lambda capture=capture: cold("profile_window", capture), runs),
            "cold_compare_window_s": timed(lambda capture=capture: cold("compare_window", capture), runs),
        }
    return found


def main() -> None:
    """Read the command line and print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    arguments = parser.parse_args()
    print(machine.told(), file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        generate(home / "baseline.csv", 100_000, 1)
        generate(home / "window.csv", arguments.rows, 2)
        baseline = profile_file(home / "baseline.csv")
        rules = Constraints.read(suggest(baseline))
        (home / "baseline.bin").write_bytes(baseline.to_bytes())
        hours = []
        for hour in range(HOURS):
            generate(home / "hour.csv", arguments.rows // 10, hour)
            hours.append(profile_file(home / "hour.csv").to_bytes())
        command = [sys.executable, "-c", COLD, str(home / "baseline.bin"), str(home / "window.csv")]
        found = {
            "cold_s": timed(lambda: subprocess.run(command, check=True, capture_output=True), arguments.runs),
            "warm_s": timed(lambda: check(baseline, rules, home / "window.csv"), arguments.runs),
            "week_s": timed(
                lambda: compare(baseline, rules, Profile.sum_of(map(Profile.from_bytes, hours))).verdict(),
                arguments.runs,
            ),
            "hour_kb": statistics.median(map(len, hours)) / 1024,
            "baseline_kb": len(baseline.to_bytes()) / 1024,
            "lambda": in_lambda(home, home / "window.csv", arguments.runs),
        }
    if arguments.json:
        print(json.dumps({"rows": arguments.rows, **found}, indent=2))
        return
    print(f"a window of {arguments.rows:,} × 20: cold {found['cold_s']:.2f} s, warm {found['warm_s']:.3f} s")
    for encoding, each in found["lambda"].items():
        print(
            f"captured as {encoding}, in the Lambda: "
            f"warm {each['warm_s']:.3f} s ({each['warm_cpu_s']:.3f} s of CPU), "
            f"cold {each['cold_profile_window_s']:.2f} s to read "
            f"and {each['cold_compare_window_s']:.2f} s to compare"
        )
    print(
        f"{HOURS} hours of {arguments.rows // 10:,} × 20 read, merged and compared: {found['week_s']:.2f} s"
    )
    print(f"kept: {found['hour_kb']:.0f} KB an hour, {found['baseline_kb']:.0f} KB the baseline")


if __name__ == "__main__":
    main()
