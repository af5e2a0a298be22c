"""`tidegate models`: every declared model with its algorithms, endpoints, last run, and what lasts of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rich.table import Table
from rich.text import Text

from tidegate.cli.options import Session
from tidegate.cli.records import run_or_none, runs_of
from tidegate.cli.render import status, table
from tidegate.cli.stack import Stack
from tidegate.cli.watched import sentences, watched
from tidegate.core.attempts import kind_of
from tidegate.core.figures import figure
from tidegate.core.names import champion_run

SERVICES = ("s3", "ssm", "sagemaker", "dynamodb")
WORKERS = 8


def models(session: Session) -> int:
    """List the declared models."""
    described = describe_models(session.stack)
    if described:
        lasting = [Text(said) for each in described for said in sentences(each["model"], each["watched"])]
        session.output.answer({"models": described}, models_table(described), *lasting)
    else:
        session.output.answer(
            {"models": []}, "No model is declared yet; `tidegate apply MODEL.yaml` declares one."
        )
    return 0


def describe_models(stack: Stack) -> list[dict[str, Any]]:
    """Tell about every model, asking for several at a time."""
    declared = stack.models()
    stack.output("RunsTable")
    for service in SERVICES:  # made here, as making a client is not for threads
        stack.client(service)
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda name: describe_model(stack, name), declared))


def describe_model(stack: Stack, name: str) -> dict[str, Any]:
    """Tell about one model: what is declared, what is served, and how its last training ended."""
    spec = stack.spec(name)
    served = stack.parameters(name)
    last = next((run for run in runs_of(stack, name) if kind_of(run) == "train"), None)
    results = ((last or {}).get("result") or {}).get("algorithms") or {}
    algorithms = {}
    for algorithm in {**spec["algorithms"], **served}:
        endpoint, model = (served.get(algorithm, {}).get(what) for what in ("endpoint", "model"))
        algorithms[algorithm] = {
            "endpoint": endpoint,
            "state": stack.endpoint_state(endpoint) if endpoint else None,
            "model": model,
            "rmse": _rmse(stack, algorithm, model) if model else None,
            "last_status": (results.get(algorithm) or {}).get("status"),
            "last_rmse": (results.get(algorithm) or {}).get("rmse"),
        }
    return {
        "model": name,
        "target": spec["target"],
        "algorithms": algorithms,
        "watched": watched(stack, name, spec),
        "last_run": None if last is None else {key: last.get(key) for key in ("run", "status", "started")},
    }


def _rmse(stack: Stack, algorithm: str, model: str) -> float | None:
    """Read how good the model that serves was on its held-out rows, whatever came of the runs since."""
    try:
        record = run_or_none(stack, champion_run(model)) or {}
    except ValueError:  # somebody else's, named by hand
        return None
    entry = ((record.get("result") or {}).get("algorithms") or {}).get(algorithm) or {}
    return entry.get("rmse") if entry.get("model") == model else None


def models_table(described: list[dict[str, Any]]) -> Table:
    """Draw one row an algorithm."""
    rows: list[list[Any]] = []
    for model in described:
        last = model["last_run"]
        for position, (algorithm, entry) in enumerate(model["algorithms"].items()):
            first = position == 0
            rows.append(
                [
                    model["model"] if first else "",
                    algorithm,
                    entry["endpoint"],
                    status(entry["state"]) if entry["state"] else None,
                    figure(entry["rmse"]),
                    (last["run"] if last else None) if first else "",
                    status(entry["last_status"] or (last["status"] if last else "–")),
                ]
            )
    return table(["model", "algorithm", "endpoint", "state", "test RMSE", "last run", "it ended"], rows)
