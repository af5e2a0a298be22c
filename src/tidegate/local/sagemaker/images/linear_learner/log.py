"""Log lines in the form of the built-in algorithm, which the platform's metric expressions read."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

HOST = "algo-1"


def log(message: str, level: str = "INFO") -> None:
    """Print one line with the time, level and process id in front."""
    stamp = datetime.now(UTC).strftime("%m/%d/%Y %H:%M:%S")
    sys.stdout.write(f"[{stamp} {level} {os.getpid()}] {message}\n")
    sys.stdout.flush()


def epoch_metric(epoch: int, channel: str, name: str, value: float) -> None:
    """Print one epoch's objective, ``#quality_metric: host=…, epoch=0, train mse_objective <loss>=…``."""
    log(f"#quality_metric: host={HOST}, epoch={epoch}, {channel} {name} <loss>={value!r}")


def final_metric(channel: str, name: str, kind: str, value: float) -> None:
    """Print one metric of the finished model; ``kind`` is ``loss`` (less is better) or ``score``."""
    log(f"#{channel}_score ({HOST}) : ('{name}', {value!r})")
    log(f"#quality_metric: host={HOST}, {channel} {name} <{kind}>={value!r}")


def progress(done: int, total: int) -> None:
    """Print the share of epochs that is done."""
    log(f"#progress_metric: host={HOST}, completed {round(100 * done / total, 2)} % of epochs")
