"""A task's resource ARN taken apart, and the history events that AWS writes for its kind."""

from __future__ import annotations

import json
from typing import Any

from tidegate.local.emulator.names import answers, step

Event = tuple[str, dict[str, Any] | None, str | None]

_INTEGRATION = "arn:aws:states:::"


class Resource:
    """What a Task state calls.

    >>> Resource("arn:aws:states:::sagemaker:createTrainingJob.sync").service
    'sagemaker'
    >>> Resource("arn:aws:states:::aws-sdk:sagemaker:describeTrainingJob").action
    'describeTrainingJob'
    """

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.service, self.action = "", arn
        if arn.startswith(_INTEGRATION):
            # The last colon parts the action from the service, but the one in `.sync:2` does not count.
            name = arn.removeprefix(_INTEGRATION).replace(".sync:", ".sync;")
            self.service, _, action = name.rpartition(":")
            self.action = action.replace(".sync;", ".sync:")

    def scheduled(self, arguments: Any, limit: float | None) -> Event:
        """The event that says what will be called, and with what."""
        timeout = {} if limit is None else {"timeoutInSeconds": int(limit)}
        text = json.dumps(arguments)
        if self._kind == "Task":
            details = {**self._names, "region": answers.region(), "parameters": text, **timeout}
        else:
            details = {"resource": self.arn, "input": text, **timeout}
        return self._event("Scheduled", details)

    def started(self) -> Event:
        """The event that says that the call has begun."""
        if self._kind == "LambdaFunction":
            return "LambdaFunctionStarted", None, None
        return self._event("Started", self._names if self._kind == "Task" else {})

    def succeeded(self, output: str) -> Event:
        """The event with the call's answer."""
        return self._event("Succeeded", {**self._names, "output": output})

    def failed(self, error: str, cause: str) -> Event:
        """The event with the call's failure."""
        return self._event("Failed", {**self._names, "error": error, "cause": cause})

    def timed_out(self, error: str, cause: str) -> Event:
        """The event of a call that took too long."""
        return self._event("TimedOut", {**self._names, "error": error, "cause": cause})

    @property
    def _kind(self) -> str:
        if self.service:
            return "Task"
        if ":activity:" in self.arn:
            return "Activity"
        return "LambdaFunction" if step.lambda_of(self.arn) else "Task"

    @property
    def _names(self) -> dict[str, str]:
        if self._kind != "Task":
            return {}
        return {"resourceType": self.service, "resource": self.action}

    def _event(self, what: str, details: dict[str, Any]) -> Event:
        name = f"{self._kind}{what}"
        return name, details, f"{name[0].lower()}{name[1:]}EventDetails"
