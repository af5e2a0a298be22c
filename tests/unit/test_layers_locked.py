"""What goes into a layer is what was looked at: every package is pinned, and known by its digests."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = sorted(path.parent for path in (ROOT / "layers").glob("*/Makefile"))


def pins(path: Path) -> dict[str, str]:
    """The packages of a list of requirements, each with what follows its name."""
    text = path.read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {line.split()[0]: line for line in lines}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_every_package_of_a_layer_is_locked_with_its_digests(layer: Path) -> None:
    wanted, locked = pins(layer / "requirements.in"), pins(layer / "requirements.txt")
    assert wanted and wanted.keys() == locked.keys()
    for package, line in locked.items():
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9.]*", package)
        digests = line.split()[1:]
        assert digests and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in digests)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
@pytest.mark.skipif(shutil.which("make") is None, reason="the layers are built with make")
def test_a_layer_is_built_from_digests_alone_and_locally_without_packages(layer: Path) -> None:
    def commands(*settings: str) -> str:
        target = f"build-{layer.name.capitalize()}Layer"
        listed = ["make", "-n", target, "ARTIFACTS_DIR=/nowhere", "UV=uv", *settings]
        return subprocess.run(listed, cwd=layer, capture_output=True, text=True, check=True).stdout

    installs = [line for line in commands().replace("\\\n", " ").splitlines() if "uv pip install" in line]
    assert len(installs) == 1 and "--require-hashes" in installs[0] and "--no-deps" in installs[0]
    assert "pip install" not in commands("TIDEGATE_LAYER=local")
