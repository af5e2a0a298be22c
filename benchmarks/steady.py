"""The suite again and again, in random order, while other programs keep the machine busy: `make steady`.

A test that fails once in fifty runs, or on a busy machine, tells nothing the day it fails for a reason.
Every run is one line on the terminal and one of `benchmarks/steady.jsonl`, with the seed that puts the tests
into the same order again; a run with failures does not keep the next from starting.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from machine import machine

ROOT = Path(__file__).parents[1]
FIGURES = Path(__file__).with_name("steady.jsonl")
# As the Makefile runs them; end to end, each worker has a local cloud of its own.
PARTS = {
    "unit": ["tests/unit", "tests/conformance", "--ignore", "tests/conformance/clients"],
    "integration": ["tests/integration", "--dist", "loadfile"],
    "e2e": ["tests/e2e", "--dist", "loadfile"],
    "iam": ["tests/e2e", "--dist", "loadfile", "--iam"],
}
# It ends by itself when we are gone, be it by kill -9.
BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]):\n    sum(range(100_000))"


@contextlib.contextmanager
def busy(programs: int) -> Iterator[None]:
    """Keep the machine busy with so many programs."""
    command = [sys.executable, "-c", BUSY, str(os.getpid())]
    started = [subprocess.Popen(command) for _ in range(programs)]
    try:
        yield
    finally:
        for each in started:
            each.kill()
            each.wait()


def run(parts: list[str], seed: int, workers: int) -> dict[str, Any]:
    """Run the parts once; gives what came of it."""
    counted = {"tests": 0, "skipped": 0}
    failures: list[str] = []
    began = time.monotonic()
    for part in parts:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            order = ["--random-order", f"--random-order-seed={seed}"]
            command = [sys.executable, "-m", "pytest", *PARTS[part], *order, "-n", str(workers)]
            command += ["-p", "no:cacheprovider", f"--junit-xml={report}"]
            done = patiently(command)
            found = read(report) if report.exists() else {"tests": 0, "skipped": 0, "failures": []}
        for what in counted:
            counted[what] += found[what]
        failures += found["failures"]
        if (
            done.returncode and not found["failures"]
        ):  # something was left behind, say, or nothing was collected
            failures.append(f"{part}: {(done.stdout.strip().splitlines() or ['no word'])[-1]}")
        if done.returncode:
            print(done.stdout[-20_000:], flush=True)
    load = round(os.getloadavg()[0], 1)  # who else was at work
    return {**counted, "failures": failures, "seconds": round(time.monotonic() - began), "load": load}


def patiently(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the tests; whoever ends us ends them as Ctrl-C does, so that they take their local clouds down."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said, _ = process.communicate()
    except BaseException:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    return subprocess.CompletedProcess(command, process.returncode, said)


def read(report: Path) -> dict[str, Any]:
    """Read what pytest wrote about a run."""
    found: dict[str, Any] = {"tests": 0, "skipped": 0, "failures": []}
    for case in ElementTree.parse(report).iter("testcase"):  # our own file
        found["tests"] += 1
        found["skipped"] += case.find("skipped") is not None
        if case.find("failure") is not None or case.find("error") is not None:
            found["failures"].append(f"{case.get('classname')}::{case.get('name')}")
    return found


def commit() -> str:
    """Name what is tested."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def main() -> int:
    """Run the suite as often as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--busy", type=int, default=4, help="programs that keep the machine busy meanwhile")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=["unit", "integration", "e2e"])
    parser.add_argument("--seed", type=int, help="the first seed, to have an order again; each run adds one")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    first = given.seed if given.seed is not None else random.SystemRandom().randrange(1 << 20)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failed = 0
    for number in range(given.times):
        with busy(given.busy):
            told = run(given.parts, first + number, given.workers)
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "parts": " ".join(given.parts),
            "seed": first + number,
            "busy": given.busy,
            **told,
            **machine(),
            "commit": commit(),
        }
        with FIGURES.open("a") as figures:
            figures.write(json.dumps(line, ensure_ascii=False) + "\n")
        print(json.dumps(line, ensure_ascii=False), flush=True)
        failed += bool(told["failures"])
    print(f"{given.times - failed} of {given.times} runs were green")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
