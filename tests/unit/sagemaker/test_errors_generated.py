"""Every member of every served operation's request, made wrong in every way that botocore's model tells of.

Asked over the front door, so that the code and the HTTP status are those that a caller sees.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control_stand_ins import make_context

from tidegate.local.sagemaker import service, wire
from tidegate.local.sagemaker.validation import compile_pattern

OPERATIONS = sorted(service.all_rooms().operations)
MISTYPED: dict[str, Any] = {
    "string": 5,
    "integer": "x",
    "long": "x",
    "float": "x",
    "double": "x",
    "boolean": "yes",
    "timestamp": "never",
    "list": {},
    "map": [],
    "structure": "x",
}
# Tried in turn for a text that a pattern refuses.
_ODD = ("\n", "!", "-", " ", "", "\u0000", "x" * 40)
# A shape may hold itself; deeper than this nothing new comes.
_DEEPEST = 7

Case = tuple[str, dict[str, Any], str]  # where, the request, the error code


def ask(handler: Any, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    headers = {"X-Amz-Target": f"SageMaker.{operation}"}
    status, _, body = asyncio.run(handler("POST", "/", headers, json.dumps(request).encode(), {}))
    return status, json.loads(body)


def cases(shape: Any, at: str = "", depth: int = 0) -> Iterator[Case]:
    """Give wrong values of a shape's members, each with the path of what is wrong."""
    if shape is None or depth > _DEEPEST:
        return
    for name in shape.required_members:
        yield f"{at}.{name}".lstrip("."), {}, "ValidationException"
    yield "NoSuchMember", {"NoSuchMember": 1}, "ValidationException"
    for name, member in shape.members.items():
        path = f"{at}.{name}".lstrip(".")
        for where, value, code in wrong_values(member, path, depth):
            yield where, {name: value}, code


def wrong_values(shape: Any, at: str, depth: int) -> Iterator[tuple[str, Any, str]]:
    kind, rules = shape.type_name, shape.metadata
    yield at, MISTYPED[kind], "SerializationException"
    if kind == "structure":
        yield from cases(shape, at, depth + 1)
    elif kind == "list":
        for where, value, code in wrong_values(shape.member, f"{at}[0]", depth + 1):
            yield where, [value], code
        if "max" in rules and rules["max"] < 1000:
            yield at, [None] * (rules["max"] + 1), "any"
        if rules.get("min", 0) > 0:
            yield at, [], "ValidationException"
    elif kind == "map":
        for where, value, code in wrong_values(shape.value, f"{at}.key", depth + 1):
            yield where, {"key": value}, code
    elif kind == "string":
        yield from wrong_texts(rules, at)
    elif kind in ("integer", "long", "float", "double"):
        if "min" in rules:
            yield at, rules["min"] - 1, "ValidationException"
        if "max" in rules:
            yield at, rules["max"] + 1, "ValidationException"


def wrong_texts(rules: dict[str, Any], at: str) -> Iterator[tuple[str, Any, str]]:
    if "enum" in rules:
        yield at, "no such value", "ValidationException"
        return
    if "max" in rules and rules["max"] < 100_000:
        yield at, "a" * (rules["max"] + 1), "ValidationException"
    if rules.get("min", 0) > 0:
        yield at, "", "ValidationException"
    if pattern := rules.get("pattern"):
        least, most = rules.get("min", 0), rules.get("max", 1000)
        odd = [
            text
            for text in _ODD
            if least <= len(text) <= most and not compile_pattern(pattern).fullmatch(text)
        ]
        if odd:
            yield at, odd[0], "ValidationException"


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_wrong_request_gets_the_code_and_status_of_aws_and_the_name_of_what_is_wrong(
    operation: str, tmp_path: Path
) -> None:
    handler = service.make_handler(make_context(tmp_path))
    found = []
    count = 0
    for where, request, expected in cases(wire.operation(operation).input_shape):
        count += 1
        status, answer = ask(handler, operation, request)
        codes = ("ValidationException", "SerializationException") if expected == "any" else (expected,)
        if status != 400 or answer["__type"] not in codes or where not in answer["message"]:
            found.append((where, expected, status, answer["__type"], answer["message"][:200]))
    assert count > 2
    assert found == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff", b'{"ModelName": NaN}'])
def test_a_body_that_is_no_json_object_is_a_serialization_error(body: bytes, tmp_path: Path) -> None:
    handler = service.make_handler(make_context(tmp_path))
    headers = {"X-Amz-Target": "SageMaker.CreateModel"}
    status, _, content = asyncio.run(handler("POST", "/", headers, body, {}))
    assert (status, json.loads(content)["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("operation", ["CreatePipeline", "ListDomains", "NoSuchThing"])
def test_what_is_not_served_is_an_unknown_operation(operation: str, tmp_path: Path) -> None:
    status, answer = ask(service.make_handler(make_context(tmp_path)), operation, {})
    assert (status, answer["__type"]) == (400, "UnknownOperationException")
