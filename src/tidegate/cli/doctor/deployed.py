"""How a deployed stack is: its roles, the names that it keeps, and who hears of its models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.cli.doctor.finding import Finding, looked
from tidegate.cli.stack import NOT_FOUND, Stack
from tidegate.cli.teardown.found import absent, is_known

GONE = ("NoSuchEntity", *NOT_FOUND)
SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")


def look(stack: Stack) -> Iterator[Finding]:
    """Look at a stack that is deployed."""
    status = stack.description["StackStatus"]
    well = status in SETTLED
    yield Finding(f"the stack {stack.name}", well, status, "" if well else "Deploy it again.")
    resources = _resources(stack)
    yield from looked("roles", _roles, stack, resources)
    yield from looked("the Glue job's script", _script, stack, resources)
    declared = {model: stack.spec(model) for model in stack.models()}
    for model in declared:
        yield from looked(f"what serves {model}", _serving, stack, model)
    yield from looked("subscriptions", _subscriptions, stack, declared)


def _resources(stack: Stack) -> dict[str, list[str]]:
    """Name what the stack is made of, by type."""
    found: dict[str, list[str]] = {}
    pages = stack.client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=stack.name):
        for each in page["StackResourceSummaries"]:
            found.setdefault(each["ResourceType"], []).append(str(each.get("PhysicalResourceId", "")))
    return found


def _roles(stack: Stack, resources: Mapping[str, list[str]]) -> Iterator[Finding]:
    roles = resources.get("AWS::IAM::Role", [])
    gone = [each for each in roles if absent(stack.client("iam").get_role, GONE, RoleName=each)]
    if gone:
        remedy = (
            "Somebody deleted them: delete the stack and deploy it anew, as an update finds nothing to do."
        )
        yield Finding(f"{len(roles)} roles", False, f"without {', '.join(gone)}", remedy)
    else:
        yield Finding(f"{len(roles)} roles", True, "all there")


def _script(stack: Stack, resources: Mapping[str, list[str]]) -> Iterator[Finding]:
    """See whether the Glue job may read its script: its role reads below the stack's name alone."""
    for job in resources.get("AWS::Glue::Job", []):
        place = stack.client("glue").get_job(JobName=job)["Job"]["Command"]["ScriptLocation"]
        what = "the Glue job may read its script"
        if f"/{stack.name}/" in place:
            yield Finding(what, True, place)
        else:
            remedy = f"Deploy with --s3-prefix {stack.name}, as --guided does."
            yield Finding(what, False, f"{place} is not below /{stack.name}/", remedy)


def _serving(stack: Stack, model: str) -> Iterator[Finding]:
    """See whether what Parameter Store names is there and serves."""
    for algorithm, named in stack.parameters(model).items():
        if "endpoint" not in named:
            continue
        what = f"{model}: {algorithm} serves"
        state = stack.endpoint_state(named["endpoint"])
        again = f"Train {model} again, or take it down: tidegate delete {model}."
        if not is_known(stack, named.get("model", "")):
            yield Finding(what, False, f"the model {named.get('model')} that is named is no more", again)
        elif state == "Missing":
            yield Finding(what, False, f"the endpoint {named['endpoint']} that is named is no more", again)
        else:
            yield Finding(
                what,
                state == "InService",
                f"{named['endpoint']} is {state}",
                "" if state == "InService" else again,
            )


def _subscriptions(stack: Stack, declared: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """See whether every address of a model file hears of the model."""
    wanted = {address: name for name, spec in declared.items() for address in spec.get("notify") or []}
    pages = stack.client("sns").get_paginator("list_subscriptions_by_topic")
    held = {
        each["Endpoint"]: each["SubscriptionArn"].startswith("arn:")
        for page in pages.paginate(TopicArn=stack.output("NotificationTopicArn"))
        for each in page["Subscriptions"]
    }
    for address, model in sorted(wanted.items()):
        what = f"{address} hears of {model}"
        if address not in held:
            yield Finding(what, False, "not subscribed", f"Apply the model file of {model} with a change.")
        elif not held[address]:
            mail = (
                "Open the mail from AWS Notifications and confirm; it holds for three days, then apply again."
            )
            yield Finding(what, False, "not confirmed", mail)
        else:
            yield Finding(what, True, "subscribed and confirmed")
    if not wanted:
        yield Finding("people who hear of the models", True, "no model file names an address under notify")
