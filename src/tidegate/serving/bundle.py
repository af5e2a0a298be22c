"""The archive that an endpoint's recipe container loads: the recipe and the code that applies it."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

CODE = ("inference.py", "apply.py", "cells.py", "texts.py")


def make_bundle(recipe: dict[str, Any]) -> bytes:
    """Pack a recipe for serving; the same recipe gives the same bytes.

    Parameters
    ----------
    recipe : dict
        The fitted recipe.

    Returns
    -------
    bytes
        A tar.gz with `recipe.json` and the code under `code/`.
    """
    here = Path(__file__).parent
    files = {"recipe.json": json.dumps(recipe, ensure_ascii=False, indent=1).encode()}
    files.update({f"code/{name}": (here / name).read_bytes() for name in CODE})
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in files.items():
            entry = tarfile.TarInfo(name)  # owner, group and time stay zero, so that the bytes repeat
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
