"""Builds layers as `sam build` does, for any Python and processor, and finds the Pythons of this machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
X86_64, ARM64 = "x86_64-manylinux_2_28", "aarch64-manylinux_2_28"


def build(layer: str, version: str, platform: str, home: Path) -> Path:
    """Build one layer with its third-party packages; give the folder that becomes ``/opt``."""
    made = subprocess.run(
        [
            "make",
            f"build-{layer}Layer",
            f"ARTIFACTS_DIR={home}",
            f"PYTHON_VERSION={version}",
            f"PLATFORM={platform}",
        ],
        cwd=ROOT / "layers" / layer.lower(),
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return home


def interpreters(version: str) -> Iterator[str]:
    """Find an interpreter on the path or among pyenv's."""
    named = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    for python in filter(None, named):
        if subprocess.run([python, "-V"], capture_output=True).returncode == 0:
            yield str(python)


def size_of(folder: Path) -> int:
    """Add up the bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
