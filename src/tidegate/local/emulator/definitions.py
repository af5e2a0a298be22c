"""State machine definitions in YAML, which CloudFormation reads from S3 as it reads JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from tidegate.local.emulator.names import stacks


def install() -> None:
    """Have CloudFormation turn a YAML definition into the JSON that Step Functions keeps."""
    stacks.replace("machine_definition", _as_json(stacks.machine_definition))


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
