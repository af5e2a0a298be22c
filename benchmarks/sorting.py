"""Times the engine's sort beside NumPy's: nanoseconds of CPU a value, by kind of numbers and how many.

.venv/bin/python benchmarks/sorting.py

`NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL"` before it keeps NumPy from sorting by AVX-512.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import machine
import numpy as np

from tidegate.table.columns import Floats
from tidegate.table.sorting import sorted_numbers

COUNTS = (2_000, 24_000, 2_000_000)


def nanoseconds(sort: Callable[[Floats], Floats], values: Floats) -> float:
    """Give the best time a value of as many goes as take a moment."""
    best = float("inf")
    for _ in range(5 if len(values) > 100_000 else 50):
        began = time.process_time_ns()
        sort(values)
        best = min(best, time.process_time_ns() - began)
    return best / len(values)


def main() -> int:
    """Print a table."""
    print(machine.told(), file=sys.stderr, flush=True)
    rng = np.random.default_rng(1)
    kinds = {
        "normal": rng.normal(100, 15, max(COUNTS)),
        "lognormal": rng.lognormal(3, 1, max(COUNTS)),
        "years": rng.integers(1900, 2025, max(COUNTS)).astype(np.float64),
    }
    print(f"{'numbers':<10}{'how many':>10}{'ours ns':>9}{'NumPy ns':>10}")
    for name, values in kinds.items():
        for count in COUNTS:
            ours, theirs = nanoseconds(sorted_numbers, values[:count]), nanoseconds(np.sort, values[:count])
            print(f"{name:<10}{count:>10,}{ours:>9.1f}{theirs:>10.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
