"""Times the table engine against its peers on the same files: wall, CPU and peak memory, start-up apart.

    .venv/bin/python benchmarks/profile.py                               # 2,000,000 rows, quick peers, 3 runs
    .venv/bin/python benchmarks/profile.py --peers all --runs 1          # the slow ones too: an hour
    .venv/bin/python benchmarks/profile.py --rows 200000 2000000 20000000 --peers tidegate_profile
    .venv/bin/python benchmarks/profile.py --tables 2 --peers tidegate_profile nannyml_drift evidently_drift

The files are made here (12 float, 3 integer, 5 string columns) and kept in --folder. Runs alternate, so that
whatever else the machine does meets all alike; medians are told, and their ratios are what to trust. Each
peer has a virtual environment of its own, made by uv; one that cannot be installed is skipped with a notice.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import machine
from peer_environments import interpreter
from profile_files import generate

HERE = Path(__file__).parent
OURS = "tidegate_profile"
PEERS: dict[str, list[str]] = {
    OURS: [],
    "polars_parse": ["polars"],
    "pyarrow_parse": ["pyarrow"],
    "duckdb_parse": ["duckdb"],
    "polars_summary": ["polars"],
    "duckdb_summary": ["duckdb"],
    "pandas_summary": ["pandas", "pyarrow"],
    "pyspark_summary": ["pyspark"],
    "whylogs_summary": ["whylogs", "pandas<3", "numpy<2", "setuptools<81"],
    "nannyml_drift": ["nannyml", "pandas<3", "statsmodels"],
    "evidently_drift": ["evidently", "pandas<3"],
}
QUICK = [
    name for name in PEERS if name.endswith(("_parse", "duckdb_summary", "polars_summary", "pandas_summary"))
]
TWO_TABLES_ONLY = {"nannyml_drift"}
LIMIT_SECONDS = 480


@dataclass(frozen=True)
class Run:
    """One process from its start to its end."""

    wall_s: float
    startup_s: float
    cpu_s: float
    peak_mb: float


def python_of(peer: str, folder: Path) -> Path | None:
    """Give the Python that a peer runs by; None where its environment cannot be made."""
    return Path(sys.executable) if peer == OURS else interpreter(peer, PEERS[peer], folder)


def run(python: Path, peer: str, files: list[Path]) -> Run | str:
    """Run a peer once; give what it took, or why it failed."""
    environment = {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
        "WHYLOGS_NO_ANALYTICS": "1",
        "NML_DISABLE_USAGE_LOGGING": "1",
    }
    with tempfile.TemporaryFile() as words:
        begin, before = time.perf_counter(), _children_cpu()
        script = [str(python), str(HERE / "peers" / f"{peer}.py"), *map(str, files)]
        process = subprocess.Popen(script, stdout=subprocess.PIPE, stderr=words, env=environment)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        said, ready, peak = b"", 0.0, 0
        cpu: dict[int, float] = {}
        while process.poll() is None:
            peak = max(peak, _look(process.pid, cpu))
            said += process.stdout.read() or b""
            if not ready and b"ready" in said:
                ready = time.perf_counter() - begin
            if time.perf_counter() - begin > LIMIT_SECONDS:
                process.kill()
            time.sleep(0.02)
        wall = time.perf_counter() - begin
        if process.returncode:
            words.seek(0)
            tail = words.read().decode(errors="replace").strip().splitlines()[-1:] or ["no words"]
            return f"ended with {process.returncode}: {tail[0][:120]}"
    return Run(wall, ready, max(_children_cpu() - before, sum(cpu.values())), peak / 1024)


def _children_cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _look(pid: int, cpu: dict[int, float]) -> int:
    """Sum the resident memory in KB of a process and its children (a JVM is one); note each one's CPU."""
    total, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        try:
            status = Path(f"/proc/{each}/status").read_text()
            fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
            waiting += map(int, Path(f"/proc/{each}/task/{each}/children").read_text().split())
        except OSError:
            continue
        cpu[each] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
    return total


def measure(rows: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Time every peer on tables of so many rows."""
    files = [arguments.folder / f"{rows}-{seed}.csv" for seed in range(1, arguments.tables + 1)]
    for seed, path in enumerate(files, 1):
        if not path.exists():
            generate(path, rows, seed)
    wanted = [name for name in arguments.peers if arguments.tables == 2 or name not in TWO_TABLES_ONLY]
    pythons = {name: python_of(name, arguments.folder) for name in wanted}
    runs: dict[str, list[Run]] = {name: [] for name, python in pythons.items() if python}
    for _ in range(arguments.runs):
        for name in list(runs):
            done = run(pythons[name] or Path(), name, files)
            if isinstance(done, str):
                print(f"skipped {name}: {done}", file=sys.stderr)
                del runs[name]
            else:
                runs[name].append(done)
                print(f"  {name}: {done.wall_s:.2f} s", file=sys.stderr)
    table = {
        name: {key: statistics.median(asdict(each)[key] for each in found) for key in asdict(found[0])}
        for name, found in runs.items()
        if found
    }
    return {"rows": rows, "tables": arguments.tables, "runs": arguments.runs, "medians": table}


def shown(found: dict[str, Any]) -> str:
    """Draw the table of one size, with every wall time as a multiple of ours."""
    medians: dict[str, dict[str, float]] = found["medians"]
    lines = [f"{found['rows']:,} rows × 20, tables: {found['tables']}, medians of {found['runs']}"]
    titles = ("wall s", "start-up", "work s", "CPU s", "peak MB", "wall ×", "work ×")
    lines.append(" " * 18 + "".join(f"{title:>9}" for title in titles))
    ours = medians.get(OURS)
    own = ours["wall_s"] - ours["startup_s"] if ours else 0.0
    for name, each in sorted(medians.items(), key=lambda item: item[1]["wall_s"]):
        work = each["wall_s"] - each["startup_s"]
        figures = [each["wall_s"], each["startup_s"], work, each["cpu_s"], each["peak_mb"]]
        figures += [each["wall_s"] / ours["wall_s"], work / own] if ours else []
        lines.append(f"{name:18}" + "".join(f"{figure:9.2f}" for figure in figures))
    return "\n".join(lines)


def main() -> None:
    """Read the command line and print a table for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000_000])
    parser.add_argument("--tables", type=int, choices=(1, 2), default=1, help="2: a baseline and a window")
    parser.add_argument("--peers", nargs="+", default=[OURS, *QUICK], choices=[*PEERS, "all"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tidegate-benchmark")
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    arguments = parser.parse_args()
    print(machine.told(), file=sys.stderr, flush=True)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if "all" in arguments.peers:
        arguments.peers = list(PEERS)
    for rows in arguments.rows:
        found = measure(rows, arguments)
        print(json.dumps(found, indent=2) if arguments.json else shown(found) + "\n", flush=True)


if __name__ == "__main__":
    main()
