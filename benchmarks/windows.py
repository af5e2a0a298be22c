"""Times what the monitor does with windows: one check, and a week made of its hours.

    .venv/bin/python benchmarks/windows.py [--rows 10000] [--runs 7] [--json]

- cold: a fresh process reads a window of CSV, profiles it and compares it with a kept baseline;
- warm: the same again in a process that has done it before;
- week: 168 hourly profiles of 20 columns, read from their bytes, merged, and the sum compared.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from profile_files import generate

from tidegate.table.compare import compare
from tidegate.table.constraints import Constraints, suggest
from tidegate.table.profile import Profile
from tidegate.table.scan import profile_file

HOURS = 168
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


def check(baseline: Profile, rules: Constraints, window: Path) -> str:
    """Profile a window and compare it."""
    return compare(baseline, rules, profile_file(window)).verdict().verdict


def timed(work: object, runs: int) -> float:
    """Give the median seconds of some runs."""
    took = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()  # type: ignore[operator]
        took.append(time.perf_counter() - begin)
    return statistics.median(took)


def main() -> None:
    """Read the command line and print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    arguments = parser.parse_args()
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
        }
    if arguments.json:
        print(json.dumps({"rows": arguments.rows, **found}, indent=2))
        return
    print(f"a window of {arguments.rows:,} × 20: cold {found['cold_s']:.2f} s, warm {found['warm_s']:.3f} s")
    print(
        f"{HOURS} hours of {arguments.rows // 10:,} × 20 read, merged and compared: {found['week_s']:.2f} s"
    )
    print(f"kept: {found['hour_kb']:.0f} KB an hour, {found['baseline_kb']:.0f} KB the baseline")


if __name__ == "__main__":
    main()
