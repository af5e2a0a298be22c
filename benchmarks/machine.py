"""Says what figures were measured on: every benchmark prints it, for a figure is one of a processor, too."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Name Python, the processor and its cores, and what else is at work."""
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        told = dict(
            line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line
        )
        facts = {name.strip(): value.strip() for name, value in told.items()}
        family = f"family {facts['cpu family']}, model {facts['model']}" if "cpu family" in facts else ""
        processor = ", ".join(filter(None, [facts.get("model name", processor), family]))
    return {"python": platform.python_version(), "processor": processor, "cores": os.cpu_count()}


def told() -> str:
    """Say the same in one line.

    >>> told().startswith("Measured on ")
    True
    """
    facts = machine()
    load = f"load {os.getloadavg()[0]:.1f}"
    return f"Measured on {facts['processor']}, {facts['cores']} cores, Python {facts['python']}, {load}."
