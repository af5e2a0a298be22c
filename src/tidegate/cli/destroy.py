"""`tidegate destroy`: takes every model down and then the stack; data stays unless it is told to go."""

from __future__ import annotations

import time
from typing import Any

from tidegate.cli.delete import take_down
from tidegate.cli.errors import Trouble
from tidegate.cli.exit_codes import FAILED, WELL
from tidegate.cli.options import Session
from tidegate.cli.stack import NOT_FOUND, Stack
from tidegate.cli.teardown.asking import confirmed
from tidegate.cli.teardown.atwork import none_at_work
from tidegate.cli.teardown.found import absent, find, known_models
from tidegate.cli.teardown.purge import empty
from tidegate.cli.watch import pause

STACK_SECONDS = 3600.0


def destroy(session: Session, purge: bool, wait: bool, yes: bool) -> int:
    """Ask, see to it that nothing is at work, and remove models and stack."""
    stack = session.stack
    models = known_models(stack)
    kept = {"buckets": [stack.data_bucket, stack.artifacts_bucket]}
    kept["tables"] = [stack.output("RunsTable"), stack.output("MonitorTable")]
    if not confirmed(session, _question(stack, models, purge), yes):
        session.output.answer({"stack": stack.name, "status": "KEPT"}, f"{stack.name} is as it was.")
        return FAILED
    none_at_work(session, None, wait)
    removed = [take_down(session, model, find(stack, model), purge=False) for model in models]
    _delete_stack(session)
    purged = _purge(session, kept) if purge else None
    document = {
        "stack": stack.name,
        "status": "DESTROYED",
        "models": [{"model": each["model"], "removed": each["removed"]} for each in removed],
        "kept": None if purge else kept,
        "purged": purged,
    }
    session.output.answer(document, *_shown(document))
    return WELL


def _question(stack: Stack, models: list[str], purge: bool) -> str:
    named = f"its models ({', '.join(models)})" if models else "no model"
    data = "and all data, history and buckets, for good" if purge else "and keep buckets and tables"
    return f"Destroy the stack {stack.name} on {stack.place} with {named}, {data}?"


def _delete_stack(session: Session) -> None:
    """Have CloudFormation delete the stack, and wait for that."""
    from botocore.exceptions import ClientError

    stack, client = session.stack, session.stack.client("cloudformation")
    arn = stack.description["StackId"]  # by which a stack that is gone can still be asked about
    session.output.note(f"deleting the stack {stack.name}")
    client.delete_stack(StackName=stack.name)
    end, told = time.monotonic() + STACK_SECONDS, ""
    while time.monotonic() < end:
        try:
            status = client.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return
        if status == "DELETE_COMPLETE":
            return
        if status == "DELETE_FAILED":
            raise Trouble(
                f"The stack {stack.name} could not be deleted: {_reasons(client, arn)}",
                "Mend that, then type the command again: it goes on from there.",
            )
        if status != told:
            session.output.note(f"the stack is {status}")
        told = status
        time.sleep(pause(stack))
    raise Trouble(f"The stack {stack.name} is not deleted after an hour.", "Look at it in the console.")


def _reasons(client: Any, arn: str) -> str:
    events = client.describe_stack_events(StackName=arn)["StackEvents"]
    failed = {
        each["LogicalResourceId"]: each.get("ResourceStatusReason", "no reason was given")
        for each in reversed(events)
        if each["ResourceStatus"] == "DELETE_FAILED"
    }
    return " ".join(f"{name}: {reason.rstrip('.')}." for name, reason in failed.items())


def _purge(session: Session, kept: dict[str, list[str]]) -> dict[str, Any]:
    """Empty and delete what the template has CloudFormation keep."""
    stack, objects = session.stack, 0
    s3, dynamodb = stack.client("s3"), stack.client("dynamodb")
    for bucket in kept["buckets"]:
        if absent(s3.head_bucket, NOT_FOUND, Bucket=bucket):
            continue
        session.output.note(f"emptying the bucket {bucket}")
        objects += empty(stack, bucket)
        s3.delete_bucket(Bucket=bucket)
    for table in kept["tables"]:
        absent(dynamodb.delete_table, ["ResourceNotFoundException"], TableName=table)
        session.output.note(f"removed the table {table}")
    return {"objects": objects, **kept}


def _shown(document: dict[str, Any]) -> list[str]:
    models = [each["model"] for each in document["models"]]
    with_them = f" with {', '.join(models)}" if models else ""
    lines = [f"The stack {document['stack']} is destroyed{with_them}."]
    if document["purged"]:
        lines.append(
            f"Gone for good: {document['purged']['objects']} objects (all versions), buckets and tables."
        )
    else:
        kept = [*document["kept"]["buckets"], *document["kept"]["tables"]]
        lines.append(f"Kept, with all data: {', '.join(kept)}. Delete them in the console when you are sure.")
    return lines
