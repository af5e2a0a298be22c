"""The tables that benchmarks profile: 12 float, 3 integer, 5 string columns; the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WORDS = (("fuel", 5), ("make-", 40), ("suburb ", 300), ("model_", 5000), ("ref", 100_000))


def generate(path: Path, rows: int, seed: int) -> None:
    """Write a CSV of 20 columns, about 175 bytes a row."""
    rng = np.random.default_rng(seed)
    vocabularies = [np.array([f"{stem}{at}" for at in range(count)]) for stem, count in WORDS]
    names = [f"f{at}" for at in range(12)] + [f"i{at}" for at in range(3)] + [f"s{at}" for at in range(5)]
    partial = path.with_suffix(".partial")
    with partial.open("w") as file:
        file.write(",".join(names) + "\n")
        for begin in range(0, rows, 100_000):
            count = min(100_000, rows - begin)
            columns = []
            for at in range(12):
                drawn = (rng.normal(100, 15, count), rng.lognormal(3, 1, count), rng.random(count))[at % 3]
                texts = np.char.mod("%.9g" if at < 6 else "%.6f", drawn)
                if at % 4 == 0:
                    texts[rng.random(count) < 0.05] = ""
                columns.append(texts)
            columns += [rng.integers(*span, count).astype(str) for span in ((0, 2), (1900, 2025), (0, 10**6))]
            columns += [v[(rng.random(count) ** 2 * len(v)).astype(int)] for v in vocabularies]
            lines = columns[0]
            for column in columns[1:]:
                lines = np.char.add(np.char.add(lines, ","), column)
            file.write("\n".join(lines) + "\n")
    partial.replace(path)
