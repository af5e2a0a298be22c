"""`tidegate dlq`: the events that could not be delivered, and sending them again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.render import moment, table
from tidegate.cli.stack import Stack
from tidegate.core.parked import Parked, read_parked

# For so long nobody else sees what we have read: time enough to send a batch again.
HIDDEN_SECONDS = 30
MOST = 1000


def dlq(session: Session, send_again: bool) -> int:
    """List what lies in the dead-letter queue; with `send_again`, deliver it once more and take it out."""
    stack = session.stack
    queue = stack.output("DeadLetterQueueUrl")
    rows, failed = [], 0
    for parked in _read(stack, queue):
        trouble = _send(stack, queue, parked) if send_again else None
        failed += trouble is not None
        rows.append((parked, trouble))
    _give_back(stack, queue, [parked for parked, trouble in rows if trouble or not send_again])
    documents = [_document(parked, trouble, send_again) for parked, trouble in rows]
    session.output.answer({"parked": documents}, *_shown(rows, send_again))
    return 1 if failed else 0


def _read(stack: Stack, queue: str) -> Iterator[Parked]:
    sqs = stack.client("sqs")
    for _ in range(MOST):
        answer = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
            AttributeNames=["SentTimestamp"],
        )
        if not answer.get("Messages"):
            return
        yield from map(read_parked, answer["Messages"])


def _give_back(stack: Stack, queue: str, read: list[Parked]) -> None:
    for parked in read:
        stack.client("sqs").change_message_visibility(
            QueueUrl=queue, ReceiptHandle=parked.receipt, VisibilityTimeout=0
        )


def _send(stack: Stack, queue: str, parked: Parked) -> str | None:
    """Deliver an event again and take it out of the queue; gives what went wrong, in which case it stays."""
    from botocore.exceptions import ClientError

    try:
        targets = [parked.target] if parked.target else functions_for(stack, parked.body)
        if not targets:
            return "no rule of the stack takes this event"
        for target in targets:
            deliver(stack, target, parked.body)
    except ClientError as error:
        return str(error.response["Error"].get("Message") or error)
    stack.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=parked.receipt)
    return None


def deliver(stack: Stack, target: str, body: str) -> None:
    """Give an event to a state machine or a function; both know an event that they have had before."""
    if ":stateMachine:" in target:
        stack.client("stepfunctions").start_execution(stateMachineArn=target, input=body)
    elif ":function:" in target:
        stack.client("lambda").invoke(FunctionName=target, InvocationType="Event", Payload=body.encode())
    else:
        raise Trouble(f"Events for {target} cannot be sent again from here.", "Send it by other means.")


def functions_for(stack: Stack, body: str) -> list[str]:
    """Find the functions that the stack's rules would give an event to."""
    events = stack.client("events")
    found = []
    for rule in _rules(stack):
        pattern = events.describe_rule(Name=rule).get("EventPattern")
        if pattern and events.test_event_pattern(EventPattern=pattern, Event=_complete(body))["Result"]:
            targets = events.list_targets_by_rule(Rule=rule)["Targets"]
            found += [each["Arn"] for each in targets if ":function:" in each["Arn"]]
    return found


def _rules(stack: Stack) -> list[str]:
    pages = stack.client("cloudformation").get_paginator("list_stack_resources")
    resources = [
        each for page in pages.paginate(StackName=stack.name) for each in page["StackResourceSummaries"]
    ]
    return [each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::Events::Rule"]


def _complete(body: str) -> str:
    """Fill in what TestEventPattern insists on, and an event that was made by hand may lack."""
    try:
        event = json.loads(body)
    except ValueError:
        event = {}
    given = {"id": "0", "account": "0", "source": "", "time": "", "region": "", "resources": []}
    complete = {**given, "detail-type": "", "detail": {}}
    return json.dumps({**complete, **event} if isinstance(event, dict) else complete)


def _document(parked: Parked, trouble: str | None, sent: bool) -> dict[str, Any]:
    facts = {"at": parked.at, "what": parked.what, "why": parked.why, "target": parked.target}
    return {**facts, "event": parked.body, **({"sent": trouble is None, "trouble": trouble} if sent else {})}


def _shown(rows: list[tuple[Parked, str | None]], sent: bool) -> list[Any]:
    if not rows:
        return ["Every event was delivered: the dead-letter queue is empty."]
    columns = ["parked", "event", "why", *(["sent again"] if sent else [])]
    lines = [
        [moment(parked.at), parked.what, parked.why, *([trouble or "yes"] if sent else [])]
        for parked, trouble in rows
    ]
    hint = [] if sent else ["", "`tidegate dlq --send-again` delivers them once more."]
    return [table(columns, lines), *hint]
