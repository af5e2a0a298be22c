"""The JSONPath of batch transform's filters: the part that SageMaker takes, parsed and applied."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(
    r"""
    \.(?P<name>[A-Za-z_][\w-]*)
    | (?P<all>\.\*|\[\s*\*\s*\])
    | \.?\[\s*(?P<names>'(?:[^'\\]|\\.)*'(?:\s*,\s*'(?:[^'\\]|\\.)*')*)\s*\]
    | \[\s*(?P<indexes>-?\d+(?:\s*,\s*-?\d+)*)\s*\]
    | \[\s*(?P<start>\d*)\s*:\s*(?P<end>\d*)\s*\]
    """,
    re.VERBOSE,
)
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")


class BadPath(ValueError):
    """A filter is not one that SageMaker takes; the message says which are."""


class NotThere(LookupError):
    """A record lacks what a filter asks for."""


@dataclass(frozen=True)
class _Step:
    """Names or indexes to choose, or a slice; `single` when the answer is the value and not a collection.

    A negative index counts from the end. With nothing to choose, all values of a list or object are chosen.
    """

    names: tuple[str, ...] = ()
    indexes: tuple[int, ...] = ()
    part: slice | None = None
    single: bool = False


@dataclass(frozen=True)
class Path:
    """A filter such as ``$``, ``$[1:]``, ``$[0,-1]``, ``$.features`` or ``$['id','SageMakerOutput']``.

    Examples
    --------
    >>> parse("$[1:]").choose(["7", "a", "b"])
    ['a', 'b']
    >>> parse("$['id','SageMakerOutput']").choose({"id": 7, "x": 1, "SageMakerOutput": 2.5})
    {'id': 7, 'SageMakerOutput': 2.5}
    """

    text: str
    steps: tuple[_Step, ...]

    @property
    def everything(self) -> bool:
        """True for ``$``, which chooses the whole record."""
        return not self.steps

    @property
    def indexes_only(self) -> bool:
        """True when it suits a CSV row: at most one step, by index."""
        return len(self.steps) <= 1 and not any(step.names for step in self.steps)

    def choose(self, value: Any) -> Any:
        """Return the chosen part of a record; raise `NotThere` when the record lacks it."""
        for step in self.steps:
            value = self._one(step, value)
        return value

    def choose_fields(self, row: list[str]) -> list[str]:
        """Return the chosen fields of a CSV row, always a row."""
        chosen = self.choose(row)
        return chosen if isinstance(chosen, list) else [chosen]

    def _one(self, step: _Step, value: Any) -> Any:
        if step.names:
            if not isinstance(value, dict):
                raise NotThere(f"{self.text} asks for a member, and the record has no members there.")
            for name in step.names:
                if name not in value:
                    raise NotThere(f"{self.text} asks for {name!r}, which the record does not have.")
            return value[step.names[0]] if step.single else {name: value[name] for name in step.names}
        if not step.indexes and step.part is None:
            return self._all(value)
        if not isinstance(value, list):
            raise NotThere(f"{self.text} asks for an index, and the record has no list there.")
        if step.part is not None:
            if max(step.part.start or 0, step.part.stop or 0) > len(value):
                raise NotThere(f"{self.text} reaches beyond the {len(value)} values of a record.")
            return value[step.part]
        for index in step.indexes:
            if not -len(value) <= index < len(value):
                raise NotThere(
                    f"{self.text} asks for index {index}, and a record has {len(value)} values "
                    "(the first has index 0, the last -1)."
                )
        return value[step.indexes[0]] if step.single else [value[index] for index in step.indexes]

    def _all(self, value: Any) -> list[Any]:
        if isinstance(value, dict):
            return list(value.values())
        if isinstance(value, list):
            return value
        raise NotThere(f"{self.text} asks for all values of something that is neither a list nor an object.")


def parse(text: str) -> Path:
    """Read a filter; raise `BadPath` when it is not one of those that SageMaker takes.

    A slice ends before its second index, as in JSONPath. AWS's guide describes it as included, so that an
    open end (``$[1:]``) is what means the same everywhere.
    """
    if not text.startswith("$"):
        raise BadPath(_refusal(text, "it does not begin with $"))
    steps: list[_Step] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise BadPath(_refusal(text, f"{text[at:]!r} cannot be read"))
        if steps and not steps[-1].single:
            raise BadPath(_refusal(text, "nothing may follow a choice of several"))
        steps.append(_step(found))
        at = found.end()
    return Path(text, tuple(steps))


def _step(found: re.Match[str]) -> _Step:
    if found["all"]:
        return _Step()
    if found["name"]:
        return _Step(names=(found["name"],), single=True)
    if found["names"]:
        names = tuple(re.sub(r"\\(.)", r"\1", name) for name in _QUOTED.findall(found["names"]))
        return _Step(names=names, single=len(names) == 1)
    if found["indexes"]:
        indexes = tuple(int(index) for index in found["indexes"].split(","))
        return _Step(indexes=indexes, single=len(indexes) == 1)
    start, end = found["start"], found["end"]
    return _Step(part=slice(int(start) if start else None, int(end) if end else None))


def _refusal(text: str, why: str) -> str:
    return (
        f"The filter {text} cannot be used: {why}. "
        "Write $, $[0], $[1:], $[:3], $[0,-1], $.name, $.name.* or $['name','other']; "
        "ranges and single indexes cannot be mixed."
    )
