"""The native kernel: reads the cells of a block of CSV about as fast as memory gives them.

`kernel.c` and its headers are plain C without Python's. It is looked for beside this file, where the
table layer's build puts it, then in the user's cache, and is compiled into that cache on first use where
there is a C compiler. Where there is none, `load` gives None and `tidegate.table.scan` reads with pyarrow
instead: slower, with the same results.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("kernel.c")
SOURCES = (SOURCE, SOURCE.with_name("cells.h"), SOURCE.with_name("sorting.h"), SOURCE.with_name("texts.h"))
PACKAGED = SOURCE.with_suffix(".so")
SWITCH = "TIDEGATE_NATIVE"  # "0" keeps to pyarrow
BUILD_SECONDS = 60
FLAGS = ("-O3", "-shared", "-fPIC")

Kernel = ctypes.CDLL
_ADDRESS, _WHOLE, _SMALL = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32
_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "tg_new": (_ADDRESS, [_SMALL]),
    "tg_free": (None, [_ADDRESS]),
    "tg_begin": (None, [_ADDRESS, _ADDRESS, _WHOLE, _SMALL]),
    "tg_read_csv": (_WHOLE, [_ADDRESS, _ADDRESS, _WHOLE, _ADDRESS, _ADDRESS]),
    "tg_read_json": (_WHOLE, [_ADDRESS, _ADDRESS, _WHOLE, ctypes.c_char_p, _ADDRESS]),
    "tg_read_texts": (_WHOLE, [_ADDRESS, _SMALL, _ADDRESS, _ADDRESS, _ADDRESS, _WHOLE, _WHOLE]),
    "tg_whole_records": (_WHOLE, [_ADDRESS, _WHOLE]),
    "tg_is_text": (_WHOLE, [_ADDRESS, _WHOLE]),
    "tg_kinds": (None, [_ADDRESS, _ADDRESS]),
    "tg_entries": (None, [_ADDRESS, _SMALL, _SMALL, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS]),
    "tg_text_hash": (ctypes.c_uint64, [ctypes.c_char_p, _WHOLE]),
    "tg_joined": (None, [_ADDRESS, _ADDRESS, _WHOLE, _ADDRESS]),
    "tg_sort": (None, [_ADDRESS, _WHOLE, _SMALL, _ADDRESS, _ADDRESS]),
    "tg_number_hashes": (_WHOLE, [_ADDRESS, _WHOLE, ctypes.c_uint64, _ADDRESS]),
}


@cache
def load() -> ctypes.CDLL | None:
    """Give the kernel, or None where it is switched off or cannot be had."""
    if os.environ.get(SWITCH) == "0":
        return None
    for path in (PACKAGED, _cached()):
        if path.is_file() and (found := _open(path)):
            return found
    built = build(_cached())
    return _open(built) if built else None


def build(target: Path) -> Path | None:
    """Compile the kernel; None where there is no compiler, or it cannot.

    Parameters
    ----------
    target : Path
        Where to put it; it appears there whole or not at all.
    """
    compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        return None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            made = Path(scratch) / target.name
            subprocess.run(
                [compiler, *FLAGS, "-o", str(made), str(SOURCE), "-lm"],
                check=True,
                capture_output=True,
                timeout=BUILD_SECONDS,
            )
            made.replace(target)
    except (OSError, subprocess.SubprocessError):
        return None  # another compiler's dialect, a read-only home: pyarrow does the same work
    return target


def _cached() -> Path:
    """Name the cache's file for this source, machine and user."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()[:16]
    return home / "tidegate" / f"kernel-{sys.platform}-{platform.machine()}-{mark}.so"


def _open(path: Path) -> ctypes.CDLL | None:
    try:
        kernel = ctypes.CDLL(str(path))
        for name, (answer, takes) in _SIGNATURES.items():
            function = getattr(kernel, name)
            function.restype, function.argtypes = answer, takes
    except (OSError, AttributeError):
        return None  # built for another machine, or from another source
    return kernel
