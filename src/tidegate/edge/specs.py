"""The declaration in force for a model, as `register_model` keeps it."""

from __future__ import annotations

from typing import Any

from tidegate.core import names
from tidegate.core.errors import BadDrop
from tidegate.core.sentences import say, told
from tidegate.edge.storage import read_json


def document_in_force(artifacts: str, model: str) -> dict[str, Any]:
    """Read a model's declaration: ``spec``, and ``source_sha256`` of the file that it came from.

    Raises
    ------
    BadDrop
        When nobody declared the model, so that nothing can be done with a file for it.
    """
    document: dict[str, Any] | None = read_json(f"s3://{artifacts}/{names.spec_key(model)}")
    if document is None:
        raise BadDrop(
            say(
                "no model file is in force for '{model}'; put one at {place} (tidegate apply MODEL.yaml), "
                "then drop the file again",
                model=told(model),
                place=told(names.model_file_key(model)),
            )
        )
    return document
