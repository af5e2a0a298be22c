"""Measures what a cold start costs each function: its package's size, and its imports from its own layers.

    .venv/bin/python benchmarks/cold_start.py [--runs 15] [--python python3.13] [--json]

The layers are built as for AWS, for the Python that is named (the one that runs this, if none is; the
template's runtime is 3.13). Each function is imported by an interpreter
that sees its folder, its layers and boto3 and writes no byte code, as in Lambda. Functions and the bare
`import boto3` take turns; medians count. Times are of the CPU, so that a busy machine tells the same.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine
from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).parent.parent
BARE = "import boto3"
TIMED = "import time; begun = time.process_time(); import {0}; print(time.process_time() - begun)"


def version_of(python: str) -> str:
    """Give the version of an interpreter as Lambda's runtimes name it."""
    told = "import sys; print(f'{sys.version_info.major}.{sys.version_info.minor}')"
    return subprocess.run([python, "-c", told], capture_output=True, text=True, check=True).stdout.strip()


def build_layer(name: str, folder: Path, python: str = sys.executable) -> Path:
    """Build a layer as `sam build` does and give the folder that Lambda puts on the path."""
    made = folder / name
    environment = {key: value for key, value in os.environ.items() if key != "TIDEGATE_LAYER"}
    environment["PATH"] = os.pathsep.join([str(Path(python).parent), environment.get("PATH", os.defpath)])
    number = version_of(python)
    command = ["make", "-s", f"build-{name}Layer", f"ARTIFACTS_DIR={made}", f"PYTHON_VERSION={number}"]
    subprocess.run(command, cwd=ROOT / "layers" / name.lower(), check=True, env=environment)
    return made / "python"


def runtime(folder: Path, python: str = sys.executable) -> Path:
    """Put boto3 into a folder of its own, compiled, as Lambda's runtime has it."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    home = folder / "runtime"
    command = [uv, "pip", "install", "-q", "--python", python, "--target", str(home)]
    subprocess.run([*command, f"boto3=={version('boto3')}", f"botocore=={version('botocore')}"], check=True)
    subprocess.run([python, "-m", "compileall", "-q", str(home)], check=True)
    return home


def functions() -> dict[str, dict[str, Any]]:
    """Read from the template each function's folder, whether it has the table layer, and its variables."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    everywhere = template["Globals"]["Function"]["Environment"]["Variables"]
    found = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            named = resource["Properties"]
            variables = {**everywhere, **named.get("Environment", {}).get("Variables", {})}
            found[Path(named["CodeUri"]).name] = {
                "folder": ROOT / named["CodeUri"],
                "table": {"Ref": "TableLayer"} in named.get("Layers", []),
                "variables": dict.fromkeys(variables, "x"),
            }
    return found


def import_seconds(python: str, statement: str, path: list[Path], variables: dict[str, str]) -> float:
    """Time an import in a clean interpreter."""
    shown = ", ".join(repr(str(each)) for each in path)
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", f"import sys; sys.path[:0] = [{shown}]; {statement}"],
        env={**variables, "AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_LOG_LEVEL": "INFO"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{statement}: {done.stderr}")
    return float(done.stdout.splitlines()[-1])


def zipped_bytes(folder: Path, scratch: Path) -> int:
    """Give a folder's size as a zip."""
    return Path(shutil.make_archive(str(scratch / "packed"), "zip", folder)).stat().st_size


def measure(runs: int, scratch: Path, python: str) -> dict[str, Any]:
    """Measure every function, in turns."""
    core, table = (build_layer(name, scratch, python) for name in ("Core", "Table"))
    boto3 = runtime(scratch, python)
    listed = functions()
    took: dict[str, list[float]] = {name: [] for name in (BARE, *listed)}
    for _ in range(runs):
        took[BARE].append(import_seconds(python, TIMED.format("boto3"), [boto3], {}))
        for name, each in listed.items():
            path = [each["folder"], *([table] if each["table"] else []), core, boto3]
            took[name].append(import_seconds(python, TIMED.format("app"), path, each["variables"]))
    bare = statistics.median(took[BARE])
    return {
        "python": version_of(python),
        "bare_boto3_ms": bare * 1000,
        "layers_zipped_bytes": {
            "core": zipped_bytes(core.parent, scratch),
            "table": zipped_bytes(table.parent, scratch),
        },
        "functions": {
            name: {
                "layers": "core, table" if each["table"] else "core",
                "zipped_bytes": zipped_bytes(each["folder"], scratch),
                "import_ms": statistics.median(took[name]) * 1000,
                "times_bare_boto3": statistics.median(took[name]) / bare,
            }
            for name, each in sorted(listed.items())
        },
    }


def show(found: dict[str, Any]) -> None:
    """Print a table for people."""
    sizes = found["layers_zipped_bytes"]
    print(f"layers, zipped: core {sizes['core'] / 1e6:.2f} MB, table {sizes['table'] / 1e6:.1f} MB")
    print(f"Python {found['python']}, import boto3 alone: {found['bare_boto3_ms']:.0f} ms")
    for name, each in found["functions"].items():
        times = f"{each['import_ms']:6.0f} ms  {each['times_bare_boto3']:.2f} times"
        print(f"{name:24} {each['zipped_bytes'] / 1e3:5.1f} KB  {times}  {each['layers']}")


def main() -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that imports")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(machine.told(), file=sys.stderr, flush=True)
    # A name may stand for a launcher, which would be timed too.
    told = [options.python, "-c", "import sys; print(sys.executable)"]
    python = subprocess.run(told, capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(options.runs, Path(scratch), python)
    print(json.dumps(found, indent=2)) if options.json else show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
