"""Each layer is built once for all tests that look at it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from layers_building import X86_64, build

Built = Callable[..., Path]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Give a layer for a Python and a processor, by its name; the folder that becomes ``/opt``."""
    if sys.platform != "linux":
        pytest.skip("the layers hold Linux wheels")
    homes: dict[tuple[str, str, str], Path] = {}

    def of(layer: str, version: str, platform: str = X86_64) -> Path:
        wanted = (layer, version, platform)
        if wanted not in homes:
            homes[wanted] = build(*wanted, tmp_path_factory.mktemp("-".join(wanted)))
        return homes[wanted]

    return of
