"""What the default handlers read and write: JSON, CSV and NumPy's npy, to and from arrays."""

from __future__ import annotations

import io
import json
from typing import Any

JSON, CSV, NPY, ANY = "application/json", "text/csv", "application/x-npy", "*/*"
TEXT_TYPES = (JSON, CSV)


class UnsupportedFormat(Exception):
    """No default handler reads or writes this content type; the message says what to write instead."""


def decode(data: str | bytes, content_type: str) -> Any:
    """Turn a request body into an array; text becomes 32-bit floats, as in AWS's image."""
    import numpy as np

    base = content_type.partition(";")[0].strip().lower()
    if base == JSON:
        return np.array(json.loads(data), dtype=np.float32)
    if base == CSV:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        return np.genfromtxt(io.StringIO(text), delimiter=",", dtype=np.float32)
    if base == NPY and isinstance(data, bytes):
        # AWS's image would also load pickled objects from a request; nothing here ever does.
        return np.load(io.BytesIO(data), allow_pickle=False)
    raise UnsupportedFormat(
        f"Content type {content_type} is not read by the default input_fn ({JSON}, {CSV}, {NPY}); "
        "write an input_fn for it."
    )


def encode(value: Any, accept: str) -> tuple[bytes, str]:
    """Turn a prediction into the first of the accepted media types that can be written."""
    for wanted in accept.replace(" ", "").split(","):
        base = wanted.partition(";")[0].lower()
        if base == JSON:
            return json.dumps(value, default=_plain).encode(), base
        if base == CSV:
            return _csv(value), base
        if base == NPY:
            import numpy as np

            buffer = io.BytesIO()
            np.save(buffer, value, allow_pickle=False)
            return buffer.getvalue(), base
    raise UnsupportedFormat(
        f"Accept type {accept} is not written by the default output_fn ({JSON}, {CSV}, {NPY}); "
        "write an output_fn for it."
    )


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} has no JSON form; write an output_fn for it")


def _csv(value: Any) -> bytes:
    import numpy as np

    stream = io.StringIO()
    np.savetxt(stream, np.atleast_1d(value), delimiter=",", fmt="%s")
    return stream.getvalue().encode()
