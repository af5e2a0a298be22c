"""What happens after each boosting round: the metric line, the checkpoint, the early end after SIGTERM."""

from __future__ import annotations

import re
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from tidegate.local.sagemaker.images.xgboost.library import xgboost

CHECKPOINT = "xgboost-checkpoint"
_KEEP = 5
_SECONDS_BETWEEN_CHECKPOINTS = 1.0


class StopRequest:
    """Remembers SIGTERM. Before training starts there is nothing to save, so the process just leaves."""

    def __init__(self) -> None:
        self.came = False
        self.training = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
        if not self.training:
            print("[INFO] Stopped before training began: there is no model to save.", flush=True)
            sys.exit(0)


class MetricLines(xgboost.callback.TrainingCallback):
    """Prints `[3]<tab>train-rmse:0.75332<tab>validation-rmse:0.84544`, the line that metric regexes read."""

    def __init__(self, rounds_before: int) -> None:
        self._rounds_before = rounds_before

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        """Print the newest value of each metric of each channel."""
        cells = [
            f"\t{channel}-{metric}:{values[-1]:.5f}"
            for channel, metrics in evals_log.items()
            for metric, values in metrics.items()
        ]
        sys.stdout.write(f"[{epoch + self._rounds_before}]{''.join(cells)}\n")
        sys.stdout.flush()
        return False


class EndWhenStopped(xgboost.callback.TrainingCallback):
    """Ends training after the round in which SIGTERM came, where there are no checkpoints."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        """Tell the library whether to end here."""
        return self._stop.came


class Checkpoints(xgboost.callback.TrainingCallback):
    """Saves `xgboost-checkpoint.<round>` files, keeps the newest few, and ends training after a stop."""

    def __init__(self, folder: Path, rounds_before: int, stop: StopRequest) -> None:
        self._folder = folder
        self._rounds_before = rounds_before
        self._stop = stop
        self._saved: list[Path] = []
        self._last = time.monotonic()

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        """Save at most once a second, and always when this is the last round before a stop.

        Whether it is, is decided here, once: the signal may come between two callbacks of one round.
        """
        stops = self._stop.came
        if stops or time.monotonic() - self._last >= _SECONDS_BETWEEN_CHECKPOINTS:
            self._save(model, epoch + self._rounds_before)
        return stops

    def _save(self, model: Any, iteration: int) -> None:
        path = self._folder / f"{CHECKPOINT}.{iteration}"
        # Written aside and renamed: a checkpoint is whole, or it is not there.
        part = self._folder / f".{CHECKPOINT}.{iteration}.ubj"
        model.save_model(part)
        part.rename(path)
        self._saved.append(path)
        self._last = time.monotonic()
        while len(self._saved) > _KEEP:
            self._saved.pop(0).unlink(missing_ok=True)


def latest_checkpoint(folder: Path) -> tuple[Path | None, int]:
    """The newest checkpoint in the folder and how many rounds it has behind it; (None, 0) without one."""
    found = []
    for path in folder.glob(f"{CHECKPOINT}.*"):
        match = re.fullmatch(rf"{CHECKPOINT}\.(\d+)", path.name)
        if match:
            found.append((int(match[1]), path))
    if not found:
        return None, 0
    iteration, path = max(found)
    return path, iteration + 1
