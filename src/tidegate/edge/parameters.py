"""The names that runs export to Parameter Store, read back: which model of an algorithm is approved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tidegate.edge.storage import client

NAMES_AT_ONCE = 10  # what GetParameters takes


def entries(wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Read parameters by name, each as Parameter Store describes it; what is not there is left out."""
    names = list(wanted)
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(names), NAMES_AT_ONCE):
        answer = client("ssm").get_parameters(Names=names[start : start + NAMES_AT_ONCE])
        found.update((each["Name"], each) for each in answer["Parameters"])
    return found


def values(wanted: Iterable[str]) -> dict[str, str]:
    """Read parameters by name; what is not there is left out."""
    return {name: str(each["Value"]) for name, each in entries(wanted).items()}


def value(name: str) -> str | None:
    """Read one parameter; None where there is none."""
    return values([name]).get(name)
