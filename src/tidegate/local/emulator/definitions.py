"""What CloudFormation makes of a template, where the emulator's leaves something out.

State machine definitions may be YAML, functions keep the queue for what they fail on, and what a stack makes
is never called as what one of the same name made before it: a table that was kept is not written over, and a
role that went does not come back under a new one's hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from tidegate.local.emulator.names import answers, deployments, functions, stacks


def install() -> None:
    """Have CloudFormation turn a YAML definition into the JSON that Step Functions keeps."""
    stacks.replace("machine_definition", _as_json(stacks.machine_definition))
    after_making("AWS::Lambda::Function", _keep_queue)
    deployments.replace("make", _under_a_new_name(deployments.make))


def _under_a_new_name(original: Callable[..., Any]) -> Callable[..., Any]:
    """Draw anew what is mixed into the names of resources without one; updates find it on their records."""

    def make(*given: Any) -> Any:
        if not deployments.seed.get():
            deployments.seed.set(answers.new_id()[:8])
        return original(*given)

    return make


def after_making(kind: str, complete: Callable[[str, dict[str, Any]], None]) -> None:
    """Have CloudFormation complete each resource of a kind that it makes or changes.

    Parameters
    ----------
    kind
        The type of the resource.
    complete
        Is given what the resource is called and its properties.
    """

    def then(original: Callable[..., Any]) -> Callable[..., Any]:
        def make(*positional: Any, **named: Any) -> Any:
            made = original(*positional, **named)
            # create(logical, properties, stack), update(physical, old, new, stack, logical)
            complete(str(made[0]), positional[1 if len(positional) == 3 else 2])
            return made

        return make

    handlers = stacks.kinds[kind]
    handlers["create"], handlers["update"] = then(handlers["create"]), then(handlers["update"])


def _keep_queue(function: str, properties: dict[str, Any]) -> None:
    _, config, _ = functions.record_of(function)
    if config is not None and properties.get("DeadLetterConfig"):
        config["DeadLetterConfig"] = properties["DeadLetterConfig"]


def _as_json(original: Callable[..., str]) -> Callable[..., str]:
    def machine_definition(props: dict[str, Any]) -> str:
        text = original(props)
        try:
            json.loads(text)
        except ValueError:
            # What is neither is left as it is: Step Functions refuses it with its own words.
            try:
                parsed = yaml.safe_load(text)
            except yaml.YAMLError:
                return text
            return json.dumps(parsed) if isinstance(parsed, dict) else text
        return text

    return machine_definition
