"""Numbers out of much CSV by Arrow; what it does not take as plain numbers is left to the slower reader."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow
from pyarrow import csv


def parse(text: bytes, width: int) -> npt.NDArray[np.float64] | None:
    """Parse rows of `width` numbers; None when any cell or row is something else."""
    names = [str(number) for number in range(width)]
    try:
        table = csv.read_csv(
            pyarrow.BufferReader(text),
            read_options=csv.ReadOptions(column_names=names, block_size=len(text) + 1),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.float64()), null_values=[]
            ),
        )
    except pyarrow.ArrowInvalid:
        return None
    block = np.empty((table.num_rows, width))
    for place, column in enumerate(table.columns):
        # Through the buffers: Arrow's own way to NumPy imports pandas wherever it is installed.
        parts = [
            np.frombuffer(chunk.buffers()[1], np.float64)[chunk.offset :][: len(chunk)]
            for chunk in column.chunks
        ]
        block[:, place] = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return block
