"""The truth that is known: of each prediction of the last weeks at most one, the newest that came."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tidegate.table.columns import Floats
from tidegate.table.quality.errors import RegressionErrors


class Truth(NamedTuple):
    """What is known of a prediction.

    Attributes
    ----------
    window : int
        The window that the prediction is of.
    champion : str or None
        The model that made it.
    came : str
        When its label came, see `labels.Label`.
    """

    window: int
    champion: str | None
    prediction: float
    target: float
    came: str


LAST = 3000  # truths that a check looks back on
KINDS = {
    "event": "string",
    "window": "int64",
    "champion": "string",
    "prediction": "float64",
    "target": "float64",
    "came": "string",
}


@dataclass
class Known:
    """Truths by the name of the row that they are about.

    It is kept whole beside each window, so that a check reads one file, and a repeated check finds the same.
    """

    truths: dict[str, Truth] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Known:
        """Read what `write` wrote."""
        import pyarrow.parquet as pq

        columns = [column.to_pylist() for column in pq.read_table(path, columns=list(KINDS)).columns]
        return cls({event: Truth(*rest) for event, *rest in zip(*columns, strict=True)})

    def write(self, path: Path) -> None:
        """Write all of it."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = [(event, *truth) for event, truth in self.truths.items()]
        columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(KINDS)
        schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in KINDS.items()])
        arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, compression="zstd")

    def only(self, windows: Collection[int]) -> Known:
        """Keep the truths of some windows: those whose rows a label may still be about."""
        return Known({event: each for event, each in self.truths.items() if each.window in windows})

    def before(self, champion: str, events: Collection[str], since: str) -> dict[str, Floats] | None:
        """Give the last truths about a model's predictions, but for those of a check; None where none is.

        The truths of one check are few, and a quality that falls slowly does not show in them. More than
        `LAST` tell no more: how good the model was at training is not known better.

        Parameters
        ----------
        events : collection of str
            The predictions that the check is about.
        since : str
            When labels came that denied what those before them showed; empty where none did.
        """
        import numpy as np

        own = set(events)
        pairs = [
            (each.target, each.prediction)
            for event, each in self.truths.items()
            if each.champion == champion and event not in own and each.came >= since
        ]
        if not pairs:
            return None
        targets, predictions = np.array(pairs[-LAST:], dtype=np.float64).T
        return {"target": targets, "prediction": predictions}

    def since(self, events: Collection[str]) -> str:
        """Tell when the first label about some predictions came."""
        return min((self.truths[event].came for event in events if event in self.truths), default="")

    def so_far(self, champion: str) -> dict[str, Any] | None:
        """Measure all predictions of a model whose truth is known, each once; None where none is."""
        import numpy as np

        pairs = [(each.target, each.prediction) for each in self.truths.values() if each.champion == champion]
        if not pairs:
            return None
        truth: Floats
        truth, predictions = np.array(pairs, dtype=np.float64).T
        with np.errstate(over="ignore", invalid="ignore"):
            metrics = RegressionErrors.of(truth, predictions).metrics()
        finite = {name: value if np.isfinite(value) else None for name, value in metrics.items()}
        return {"rows": len(pairs), "metrics": finite}
