"""Events on their way, as AWS delivers them: at least once, tried again, and parked when all fails.

The emulator's own deliveries are threads that a throttle or a crash loses without a word.
"""

from __future__ import annotations

import contextvars
import inspect
import json
import logging
import random
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from tidegate.local.emulator import journal
from tidegate.local.emulator.names import answers, buses, functions, objects, server, step

_log = logging.getLogger("tidegate.deliveries")

# AWS waits one minute and then two between the attempts of an asynchronous call; a laptop need not.
_ATTEMPTS, _PAUSE_SECONDS = 3, 1.0
_LONGEST_PAUSE_SECONDS = 20.0
_GIVE_UP_SECONDS = 6 * 3600.0

Facts = dict[str, Any]

# What the event that is being delivered is delivered by: the target with its queue for what fails, the rule.
_by: ContextVar[tuple[Facts, Facts]] = ContextVar("tidegate_delivered_by", default=({}, {}))
_number: ContextVar[str | None] = ContextVar("tidegate_delivery", default=None)


def install() -> None:
    """Have S3's events and asynchronous calls noted until they are done, and failed ones parked."""
    objects.replace("fire_async", _noted(objects.fire_async))
    objects.replace("fire", _done(objects.fire))
    buses.replace("invoke_target", _known(buses.invoke_target))
    buses.replace("to_machine", _to_machine(buses.to_machine))
    buses.replace("to_function", to_function)
    functions.replace("route_failure", _parking(functions.route_failure))


def deliver(pending: list[Facts]) -> None:
    """Deliver what a crash left on its way; receivers are told twice rather than never."""
    for each in pending:
        if each["to"] == "function":
            to_function(each["arn"], each["payload"])
        else:
            objects.fire_async(**each["event"])


def _noted(original: Callable[..., None]) -> Callable[..., None]:
    signature = inspect.signature(original)

    def fire_async(*positional: Any, **named: Any) -> None:
        given = signature.bind(*positional, **named).arguments
        if given["bucket_name"] not in objects.notifications:
            return
        number = answers.new_id()
        journal.note(journal.PENDING, number, {"to": "rules", "event": given})
        token = _number.set(number)
        try:
            original(*positional, **named)
        finally:
            _number.reset(token)

    return fire_async


def _done(original: Callable[..., None]) -> Callable[..., None]:
    def fire(*positional: Any, **named: Any) -> None:
        number = _number.get()
        # What this event sets off is on its own.
        _number.set(None)
        original(*positional, **named)
        if number:
            journal.note(journal.DELIVERED, number)

    return fire


def _known(original: Callable[..., None]) -> Callable[..., None]:
    def invoke_target(target: Facts, event: Facts, rule: Facts, view: Any = None) -> None:
        token = _by.set((target, rule))
        try:
            original(target, event, rule, view)
        finally:
            _by.reset(token)

    return invoke_target


def _to_machine(original: Callable[[str, str], None]) -> Callable[[str, str], None]:
    def to_machine(arn: str, payload: str) -> None:
        if step.machine_of(arn) is None:
            target, rule = _by.get()
            facts = {
                "ERROR_CODE": "RESOURCE_NOT_FOUND",
                "ERROR_MESSAGE": f"State machine {arn} does not exist",
                "RULE_ARN": str(rule.get("Arn", "")),
                "TARGET_ARN": arn,
            }
            park((target.get("DeadLetterConfig") or {}).get("Arn"), payload, facts)
            return
        original(arn, payload)

    return to_machine


def to_function(arn: str, payload: str) -> None:
    """Call a function without waiting for it."""
    number = answers.new_id()
    journal.note(journal.PENDING, number, {"to": "function", "arn": arn, "payload": payload})

    def call() -> None:
        _call(arn, payload)
        journal.note(journal.DELIVERED, number)

    threading.Thread(target=contextvars.copy_context().run, args=(call,), daemon=True).start()


def _call(arn: str, payload: str) -> None:
    began, failures, throttles = time.monotonic(), 0, 0
    while True:
        function, config, name = functions.record_of(arn)
        if not function or not config:
            _log.warning("An event for the function %s was dropped: there is none of that name.", name)
            return
        result = functions.run_scoped(functions.execution_record(function, config), json.loads(payload))
        if not result.get("error"):
            return
        if result.get("throttle") and time.monotonic() - began < _GIVE_UP_SECONDS:
            throttles += 1
            longest = min(_LONGEST_PAUSE_SECONDS, 0.5 * 2 ** min(throttles, 10))
            time.sleep(random.uniform(0.1, longest))  # nosec B311 # jitter
            continue
        failures += 1
        if failures == _ATTEMPTS:
            park((config.get("DeadLetterConfig") or {}).get("TargetArn"), payload, _failure(result))
            return
        time.sleep(_PAUSE_SECONDS * failures)


def _parking(original: Callable[..., None]) -> Callable[..., None]:
    def route_failure(target: str, name: str, event: Any, result: Facts) -> None:
        """Park what a function called by Invoke failed on, in its queue's own form."""
        _, config, _ = functions.record_of(name)
        if ((config or {}).get("DeadLetterConfig") or {}).get("TargetArn") == target and ":sqs:" in target:
            park(target, json.dumps(event), _failure(result))
        else:
            original(target, name, event, result)

    return route_failure


def _failure(result: Facts) -> dict[str, str]:
    body = result.get("body") if isinstance(result.get("body"), dict) else {}
    message = str((body or {}).get("errorMessage", ""))[:1024]
    return {"RequestID": answers.new_id(), "ErrorCode": "200", "ErrorMessage": message}


def park(queue: str | None, payload: str, facts: dict[str, str]) -> None:
    """Put an event that could not be delivered into a queue, with what is known about the failure."""
    if not queue:
        _log.warning("An event could not be delivered and has no queue to go to: %s", facts)
        return
    *_, account, name = queue.split(":")
    request = {
        "QueueUrl": f"http://127.0.0.1/{account}/{name}",
        "MessageBody": payload,
        "MessageAttributes": {
            key: {"DataType": "String", "StringValue": value} for key, value in facts.items() if value
        },
    }
    headers = {"x-amz-target": "AmazonSQS.SendMessage", "content-type": "application/x-amz-json-1.0"}
    body = json.dumps(request).encode()
    status, _, answer = server.call_handler(server.handlers["sqs"], "POST", "/", headers, body, {})
    if status >= 400:
        _log.error("An event could not be parked in %s: %s", name, answer)
