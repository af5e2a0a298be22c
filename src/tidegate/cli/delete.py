"""`tidegate delete`: takes one model down, so that nothing of it costs or begins anything any more."""

from __future__ import annotations

from typing import Any

from tidegate.cli.exit_codes import FAILED, WELL
from tidegate.cli.options import Session
from tidegate.cli.stack import Stack
from tidegate.cli.teardown.asking import confirmed
from tidegate.cli.teardown.atwork import none_at_work
from tidegate.cli.teardown.found import Found, find
from tidegate.cli.teardown.purge import purge_model
from tidegate.cli.teardown.remove import remove
from tidegate.core import names
from tidegate.core.algorithms import BUILT_IN


def delete(session: Session, model: str, purge: bool, wait: bool, yes: bool) -> int:
    """Ask, see to it that nothing of the model is at work, and remove it."""
    stack = session.stack
    if not names.is_model_name(model):  # what is no name would stand for more than one model, or for all
        raise stack.no_such_model(model)
    found = find(stack, model)
    if not found and not (purge and has_data(stack, model)):
        raise stack.no_such_model(model)
    if not confirmed(session, question(model, found, purge), yes):
        session.output.answer({"model": model, "status": "KEPT"}, f"{model} is as it was.")
        return FAILED
    none_at_work(session, model, wait)
    document = take_down(session, model, found, purge)
    session.output.answer({"status": "DELETED", **document}, *shown(document))
    return WELL


def take_down(session: Session, model: str, found: Found, purge: bool) -> dict[str, Any]:
    """Remove a model of which nothing is at work; gives what was removed and what was kept."""
    stack = session.stack
    removed = remove(session, model, found)
    document: dict[str, Any] = {"model": model, "removed": removed.document(), "purged": None}
    document["unconfirmed"] = document["removed"].pop("unconfirmed")
    if purge:
        session.output.note(f"removing data and history of {model}")
        prefix = stack.output("NamePrefix")
        endpoints = {*removed.endpoints, *(names.endpoint_name(prefix, model, each) for each in BUILT_IN)}
        document["purged"] = purge_model(stack, model, sorted(endpoints))
    else:
        document["kept"] = [f"s3://{stack.data_bucket}/{model}/", f"s3://{stack.artifacts_bucket}/{model}/"]
    return document


def has_data(stack: Stack, model: str) -> bool:
    """Tell whether there is data or history of a model, which may be deleted already."""
    places = ((stack.data_bucket, f"{model}/"), (stack.artifacts_bucket, f"{model}/"))
    return any(
        stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents")
        for bucket, prefix in places
    )


def question(model: str, found: Found, purge: bool) -> str:
    """Say what would be done, as a question."""
    serving = (
        f", whose {_counted(found.endpoints, 'endpoint')} will answer no more" if found.endpoints else ""
    )
    data = (
        "with all its data and history, for good (files, artefacts, scores, reports, records)"
        if purge
        else "and keep its data and history"
    )
    return f"Delete the model {model}{serving}, {data}?"


def shown(document: dict[str, Any]) -> list[str]:
    """Say what was removed and what was kept."""
    removed, model = document["removed"], document["model"]
    kinds = {
        "endpoints": "endpoint",
        "endpoint_configs": "endpoint configuration",
        "models": "model of SageMaker",
        "schedules": "schedule",
        "names": "name in Parameter Store",
        "scaling": "scaling target",
        "alarms": "alarm",
        "subscriptions": "subscription",
    }
    counted = [_counted(removed[kind], word) for kind, word in kinds.items() if removed[kind]]
    lines = [f"{model} is deleted: {', '.join(counted) or 'there was nothing left of it'}."]
    if purged := document["purged"]:
        lines.append(
            f"Gone for good: {purged['objects']} objects (all versions), {purged['records']} records, "
            f"{purged['log_groups']} log groups."
        )
    else:
        lines.append(
            f"Kept: {' and '.join(document['kept'])}; `tidegate delete {model} --purge` removes them."
        )
    if document["unconfirmed"]:
        lines.append(
            f"{' and '.join(document['unconfirmed'])} never confirmed the subscription: "
            "it lapses by itself, three days after it was made."
        )
    return lines


def _counted(things: list[str], word: str) -> str:
    many = {
        "name in Parameter Store": "names in Parameter Store",
        "model of SageMaker": "models of SageMaker",
    }
    return f"{len(things)} {word if len(things) == 1 else many.get(word, word + 's')}"
