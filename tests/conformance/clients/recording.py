"""A plugin of pytest that writes down every JSONata expression that a session evaluates: with what, to what.

Loaded by ``-p tests.conformance.clients.recording``, where TIDEGATE_JSONATA names the file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonata

PLACE = Path(os.environ["TIDEGATE_JSONATA"])
KEPT: dict[int, tuple[str, dict[str, Any]]] = {}
SEEN: set[str] = set()
MOST_OF_ONE = 40  # a property test asks the same expression hundreds of times

_make, _assign, _evaluate = jsonata.Jsonata.__init__, jsonata.Jsonata.assign, jsonata.Jsonata.evaluate
_asked: dict[str, int] = {}


def _init(self: Any, text: str, *given: Any, **more: Any) -> None:
    _make(self, text, *given, **more)
    KEPT[id(self)] = (text, {})


def _bind(self: Any, name: str, value: Any) -> Any:
    if id(self) in KEPT:
        KEPT[id(self)][1][name] = value
    return _assign(self, name, value)


def _write(self: Any, given: Any, outcome: dict[str, Any]) -> None:
    text, bindings = KEPT.get(id(self), ("", {}))
    try:
        line = json.dumps({"text": text, "input": given, "bindings": bindings, **outcome}, sort_keys=True)
    except (TypeError, ValueError):
        return  # what is no JSON cannot come from Step Functions
    if text and line not in SEEN and _asked.get(text, 0) < MOST_OF_ONE:
        SEEN.add(line)
        _asked[text] = _asked.get(text, 0) + 1
        with PLACE.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _record(self: Any, given: Any, *rest: Any) -> Any:
    try:
        found = _evaluate(self, given, *rest)
    except jsonata.JException as error:
        _write(self, given, {"error": str(error)})
        raise
    _write(self, given, {"value": found})
    return found


jsonata.Jsonata.__init__ = _init
jsonata.Jsonata.assign = _bind
jsonata.Jsonata.evaluate = _record
