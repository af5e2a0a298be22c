"""A virtual environment of its own for each peer, made by uv: none of them is a dependency of ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def interpreter(peer: str, requirements: Sequence[str], folder: Path) -> Path | None:
    """Give the Python of a peer's environment, made where there is none; None where it cannot be."""
    home = folder / "venvs" / peer
    python = home / "bin" / "python"
    mark, wanted = home / "installed", " ".join(requirements)
    if mark.exists() and mark.read_text() == wanted:
        return python
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    try:
        subprocess.run([uv, "venv", "-q", "--clear", str(home)], check=True, timeout=60)
        install = [uv, "pip", "install", "-q", "--python", str(python), *requirements]
        subprocess.run(install, check=True, timeout=600, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"skipped {peer}: it cannot be installed here ({error})", file=sys.stderr)
        return None
    mark.write_text(wanted)
    return python
