"""How large what people give us may be: every bound of a table in one place, each with its reason.

They hold for every format and every way in. What is packed (gzip, Parquet) is held to them before it is
unpacked wherever it says its own size, and while it is unpacked otherwise.
"""

from __future__ import annotations

# A row is read as a whole, so its length is memory. No table that people keep has longer ones.
MOST_ROW_BYTES = 8 << 20
# Python's `csv` has this bound by default; a longer "cell" nearly always is a quotation mark never closed.
MOST_CELL_BYTES = 131_072
# As many as a sheet of Excel has; each costs memory of its own however few the rows are.
MOST_COLUMNS = 16_384
# Drops are split, encoded and judged in the memory of a function: 20 million numbers a column are 160 MB.
MOST_ROWS = 20_000_000
# What is larger does not fit the disk of a function beside what is made of it.
MOST_TEXT_BYTES = 4 << 30
# Tables pack to a tenth or a fiftieth. What unpacks to hundreds of times its size is made to do so.
MOST_TIMES_UNPACKED = 200
SMALL_UNPACKED_BYTES = 64 << 20  # up to here nobody is harmed, whatever the share
# A line of data capture holds a request and its answer; SageMaker takes requests of 25 MB, here in base64.
MOST_CAPTURE_LINE_BYTES = 64 << 20
# A cell of a table that was packed as Parquet takes at least a digit and a comma as text.
LEAST_CELL_BYTES = 2


def unpacks_too_far(packed: int, unpacked: int) -> bool:
    """Tell whether something grows in unpacking as no table does.

    >>> unpacks_too_far(1 << 20, 50 << 20), unpacks_too_far(1 << 20, 300 << 20)
    (False, True)
    """
    return unpacked > max(SMALL_UNPACKED_BYTES, MOST_TIMES_UNPACKED * packed)


def cell_is_too_long(text: str) -> bool:
    """Tell whether a cell has more bytes than one may have."""
    if len(text) * 4 <= MOST_CELL_BYTES:
        return False
    return len(text) > MOST_CELL_BYTES or len(text.encode("utf-8", "surrogatepass")) > MOST_CELL_BYTES
