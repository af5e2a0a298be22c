"""The core of the suite on the oldest Python that is claimed and on the newest: `make pythons`.

Interpreters are looked for on this machine: in the PATH, where the system keeps its own, and where pyenv
and uv put theirs. Each gets an environment of its own from the same lock file, kept in `.venv/pythons`.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOMES = ROOT / ".venv" / "pythons"
OLDEST, NEWEST = (3, 11), (3, 13)
# What meets the interpreter's own libraries most: archives, processes, sockets, sqlite, asyncio.
SMALL = [
    "tests/unit/sagemaker/test_archives_hostile.py",
    "tests/unit/sagemaker/test_archives_laws.py",
    "tests/unit/sagemaker/test_jobs_containers.py",
    "tests/unit/serving",
    "tests/unit/local/test_emulator_stepfunctions.py",
    "tests/integration/sagemaker/test_jobs_training.py",
    "tests/integration/sagemaker/test_hosting_servers.py",
]
CORE = [
    "tests/unit",
    "tests/conformance",
    "--ignore",
    "tests/conformance/clients",
    "tests/integration/sagemaker",
]
CORE += ["tests/integration/local/test_emulator_cloud.py", "tests/integration/local/test_emulator_deploy.py"]
TRAINING = ["tests/e2e/test_training.py", "-k", "test_a_good_drop_ends_with_two_gated_endpoints_that_predict"]


def interpreters() -> dict[tuple[int, ...], Path]:
    """Find Pythons by their whole version."""
    minors = range(OLDEST[1], NEWEST[1] + 1)
    places = [Path(found) for minor in minors if (found := shutil.which(f"python3.{minor}"))]
    places += [Path("/usr/bin/python3"), Path("/usr/local/bin/python3"), Path(sys.executable)]
    for kept in (Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python"):
        places += sorted(kept.glob("*/bin/python3"))
    found: dict[tuple[int, ...], Path] = {}
    for place in places:
        ask = [str(place), "-c", "import sys; print(*sys.version_info[:3])"]
        try:
            said = subprocess.run(ask, capture_output=True, text=True, check=True, timeout=60).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        version = tuple(map(int, said.split()))
        if OLDEST <= version[:2] <= NEWEST:
            found.setdefault(version, place)
    return found


def environment(version: tuple[int, ...], interpreter: Path, uv: str) -> Path:
    """Make the environment of an interpreter, once for a lock file; gives its Python."""
    home = HOMES / ".".join(map(str, version))
    python, mark = home / "bin" / "python", home / ".installed"
    locked = hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()
    if not (mark.exists() and mark.read_text() == locked):
        install = [uv, "pip", "install", "-q", "--python", str(python), "--no-deps"]
        subprocess.run([uv, "venv", "-q", "--clear", "--python", str(interpreter), str(home)], check=True)
        subprocess.run([*install, "-r", str(ROOT / "requirements.lock")], check=True)
        subprocess.run([*install, "-e", str(ROOT)], check=True)
        mark.write_text(locked)
    return python


def main() -> int:
    """Run the core on the oldest and the newest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uv", default="uv")
    parser.add_argument("--small", action="store_true", help="a minute of it, on the oldest alone")
    given = parser.parse_args()
    found = interpreters()
    wanted = {"oldest": min(found)} if given.small else {"oldest": min(found), "newest": max(found)}
    for name, minor in (("oldest", OLDEST), ("newest", NEWEST)):
        if name in wanted and wanted[name][:2] != minor:
            print(f"No Python {minor[0]}.{minor[1]} is here: the {name} that is claimed is not tried.")
            del wanted[name]
    failed = False
    for version in dict.fromkeys(wanted.values()):
        shown = ".".join(map(str, version))
        if given.small and version == sys.version_info[:3]:
            print(f"Python {shown} is what the suite itself runs on: nothing more to try.")
            continue
        python = environment(version, found[version], given.uv)
        print(f"Python {shown}, {found[version]}", flush=True)
        pytest = [str(python), "-m", "pytest", "-p", "no:cacheprovider"]
        for what in [SMALL] if given.small else [CORE, TRAINING]:
            spread = [] if what is TRAINING else ["-n", "2", "--dist", "loadfile"]
            done = subprocess.run([*pytest, *what, *spread], cwd=ROOT, check=False)
            failed |= done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
