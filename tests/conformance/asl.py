"""Reading a state machine as data: every state wherever it is nested, and every service call's arguments.

Used by the tests beside it. Nothing here runs a state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
import yaml
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

EXPRESSION = re.compile(r"^\{%(.*)%\}$", re.S)
# Names that Step Functions spells in its own way.
OPTIMIZED = {
    "lambda": "lambda",
    "dynamodb": "dynamodb",
    "sns": "sns",
    "sagemaker": "sagemaker",
    "events": "events",
    "glue": "glue",
}
SDK = {"sfn": "stepfunctions", "eventbridge": "events", "applicationautoscaling": "application-autoscaling"}


@dataclass(frozen=True)
class State:
    """One state, the path of names that leads to it, and whether something around it catches its errors."""

    path: tuple[str, ...]
    body: dict[str, Any]
    caught: bool

    @property
    def name(self) -> str:
        return " / ".join(self.path)


def read_machine(path: Path, partition: str = "aws") -> dict[str, Any]:
    """Read a shipped state machine as it is deployed in a partition of AWS."""
    text = path.read_text().replace("${Partition}", partition)
    machine: dict[str, Any] = yaml.safe_load(text)
    return machine


def states(machine: dict[str, Any], above: tuple[str, ...] = (), caught: bool = False) -> Iterator[State]:
    """Give every state, those of Map and Parallel states too."""
    for name, body in machine["States"].items():
        here = (*above, name)
        yield State(here, body, caught or "Catch" in body)
        inner = [body["ItemProcessor"]] if "ItemProcessor" in body else body.get("Branches", [])
        for part in inner:
            yield from states(part, here, caught or "Catch" in body)


def expressions(value: Any) -> Iterator[str]:
    """Give the text inside every ``{% … %}`` of a value."""
    if isinstance(value, str):
        if found := EXPRESSION.match(value):
            yield found.group(1).strip()
    elif isinstance(value, dict):
        for each in value.values():
            yield from expressions(each)
    elif isinstance(value, list):
        for each in value:
            yield from expressions(each)


def operation(resource: str) -> OperationModel:
    """Find botocore's model of what a Task's resource calls."""
    parts = resource.split(":")
    service, action = (parts[6], parts[7]) if parts[5] == "aws-sdk" else (parts[5], parts[6])
    action = action.split(".", 1)[0]
    model = botocore.session.get_session().get_service_model(SDK.get(service, service))
    wanted = (action[0].upper() + action[1:]).lower()
    name = next((each for each in model.operation_names if each.lower() == wanted), None)
    if name is None:
        raise LookupError(f"{service} has no operation {action}")
    return model.operation_model(name)


def complaints(arguments: Any, shape: Shape | None, at: str = "Arguments") -> Iterator[str]:
    """Give one sentence for everything in a call's arguments that the service would not understand.

    An expression may be anything, so it is believed; names, required members, kinds and words are checked.
    """
    if shape is None or (isinstance(arguments, str) and EXPRESSION.match(arguments)):
        return
    if isinstance(shape, StructureShape):
        yield from _structure(arguments, shape, at)
    elif isinstance(shape, ListShape):
        if not isinstance(arguments, list):
            yield f"{at}: expected a list"
            return
        for index, each in enumerate(arguments):
            yield from complaints(each, shape.member, f"{at}[{index}]")
    elif isinstance(shape, MapShape):
        if not isinstance(arguments, dict):
            yield f"{at}: expected a map"
            return
        for key, each in arguments.items():
            yield from complaints(each, shape.value, f"{at}.{key}")
    else:
        yield from _scalar(arguments, shape, at)


def _structure(arguments: Any, shape: StructureShape, at: str) -> Iterator[str]:
    if not isinstance(arguments, dict):
        yield f"{at}: expected members"
        return
    # Step Functions takes every member with a capital, also where the service's own wire has none.
    members = {_capital(name): member for name, member in shape.members.items()}
    for name in map(_capital, shape.required_members):
        if name not in arguments:
            yield f"{at}: {name} is missing"
    for name, value in arguments.items():
        if name not in members:
            yield f"{at}: {name} is not a member"
        else:
            yield from complaints(value, members[name], f"{at}.{name}")


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
}


def _scalar(value: Any, shape: Shape, at: str) -> Iterator[str]:
    # Step Functions takes a document where the service takes bytes or its text: a payload, an event's detail.
    if isinstance(value, dict) and at.endswith(".Detail"):
        return
    kind = KINDS.get(shape.type_name)
    if kind is None:
        return
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        yield f"{at}: {value!r} is not a {shape.type_name}"
        return
    words = getattr(shape, "enum", None)
    if words and value not in words:
        yield f"{at}: {value!r} is not one of {', '.join(words)}"
