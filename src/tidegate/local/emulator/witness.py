"""Writes down what each role was allowed to do, so that a suite can tell which of its rights were needed.

On where `TIDEGATE_IAM_RECORD` names a file: one line of JSON for each role, action, resource and context.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tidegate.local.emulator.names import policies

SETTING = "TIDEGATE_IAM_RECORD"


def listen(record: Path) -> None:
    """Have every decision about a role written to a file."""
    policies.replace("evaluate", _witnessed(policies.evaluate, record))


def _witnessed(evaluate: Callable[..., Any], record: Path) -> Callable[..., Any]:
    seen: set[str] = set()
    lock = threading.Lock()

    def witnessed(question: Any, granted: Any, *limits: Any) -> Any:
        verdict = evaluate(question, granted, *limits)
        if verdict.decision == "Allow" and ":assumed-role/" in question.principal_arn:
            request = {
                "role": question.principal_arn.split("/")[1],
                "action": question.action,
                "resource": question.resource_arn,
                "context": question.service_context,
            }
            line = json.dumps(request, sort_keys=True, default=str)
            with lock:
                if line not in seen:
                    seen.add(line)
                    with record.open("a") as file:
                        file.write(f"{line}\n")
        return verdict

    return witnessed
