"""What the cells of a pyarrow array of texts hold, found by pyarrow alone: slower than the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from tidegate.serving.texts import MARKERS
from tidegate.table.columns import floats_of
from tidegate.table.hashing import Hashes, word_hashes
from tidegate.table.profile.column import Cells
from tidegate.table.profile.frequencies import MOST_NUMERALS, Frequencies, Numerals, cut_of, one_text_each
from tidegate.table.profile.value_types import (
    BOOLEAN_PATTERN,
    NUMBER_PATTERN,
    ValueTypes,
)

SPACES = " \t\n\v\f\r"


def cells_of(texts: Any) -> Cells:
    """Type values one by one by their text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim(texts, characters=SPACES)
    filled = pc.fill_null(trimmed, "")
    marked = pc.is_in(pc.ascii_lower(filled), pa.array(sorted(MARKERS), pa.string()))
    present = filled.filter(pc.invert(marked))
    markers = {each["values"]: each["counts"] for each in pc.value_counts(filled.filter(marked)).to_pylist()}
    missing = markers.pop("", 0)
    numeric = pc.match_substring_regex(present, NUMBER_PATTERN)
    numbers = pc.cast(pc.utf8_ltrim(present.filter(numeric), characters="+"), pa.float64())
    finite = pc.is_finite(numbers)  # 1e999 is written like a number and is none
    written = present.filter(numeric).filter(finite)
    values = floats_of(numbers.filter(finite))
    others = pa.concat_arrays(
        [
            *_chunks(present.filter(pc.invert(numeric))),
            *_chunks(present.filter(numeric).filter(pc.invert(finite))),
        ]
    )
    integral = int((values == np.floor(values)).sum())
    is_boolean = pc.match_substring_regex(others, BOOLEAN_PATTERN)
    boolean = int(pc.sum(is_boolean).as_py() or 0)
    others = pc.if_else(is_boolean, pc.ascii_lower(others), others)
    numerals = pc.value_counts(written)
    hashes, texts_counted = _counted(pc.value_counts(others))
    return Cells(
        types=ValueTypes(
            integral=integral,
            fractional=len(written) - integral,
            boolean=boolean,
            string=len(others) - boolean,
            missing=missing,
        ),
        values=values,
        numerals=Numerals(
            one_text_each({each["values"]: each["counts"] for each in numerals.to_pylist()})
            if len(numerals) <= MOST_NUMERALS
            else None
        ),
        hashes=hashes,
        texts=texts_counted,
        markers=markers,
    )


def counted_texts(texts: Any, missing: int) -> Cells:
    """Count texts as nothing but texts."""
    import pyarrow.compute as pc

    hashes, counts = _counted(pc.value_counts(texts))
    return Cells(types=ValueTypes(string=len(texts), missing=missing), hashes=hashes, texts=counts)


def _counted(counted: Any) -> tuple[Hashes, Frequencies]:
    """Hash every text, and take the most frequent over."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names, counts = counted.field("values"), floats_of(pc.cast(counted.field("counts"), "float64"))
    _, where, data = names.buffers()
    if data is None:
        return np.empty(0, dtype=np.uint64), Frequencies()
    begins = np.frombuffer(where, np.int32, len(names) + 1, names.offset * 4)
    hashes = word_hashes(begins, np.frombuffer(data, np.uint8))
    whole = counts.astype(np.int64)
    cut = cut_of(whole)
    kept = np.flatnonzero(whole > cut)
    taken = names.take(pa.array(kept.tolist(), pa.int64())).to_pylist()
    return hashes, Frequencies(dict(zip(taken, (whole[kept] - cut).tolist(), strict=True)), cut)


def _chunks(array: Any) -> list[Any]:
    return array.chunks or [array.combine_chunks()] if hasattr(array, "chunks") else [array]
