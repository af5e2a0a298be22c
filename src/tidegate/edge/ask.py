"""Asking a model's endpoints, all at once over kept connections, and capturing where SageMaker cannot."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from tidegate.api.exchange import JSON
from tidegate.api.failures import EndpointTrouble, kind_of
from tidegate.api.model import Model, Served
from tidegate.api.predictions import rows_for
from tidegate.core.answers import read_answer
from tidegate.core.capture import capture_key, capture_line
from tidegate.core.endpoints import VARIANT
from tidegate.core.errors import BadPredictions
from tidegate.core.sentences import of_the_data, say, told
from tidegate.edge.storage import client

MOST_AT_ONCE = 16
# Two attempts of this fit within the 29 seconds of the function.
ANSWER_SECONDS = 12

Outcome = list[float] | EndpointTrouble


def ask(
    model: Model, records: Sequence[Mapping[str, Any]], inference_id: str, artifacts: str
) -> tuple[dict[str, list[float]], dict[str, EndpointTrouble]]:
    """Ask every endpoint of a model for every record.

    Returns
    -------
    tuple of dict
        By algorithm the predictions, one a record; and what went wrong with the others.
    """
    bodies: dict[tuple[str, ...], str] = {}
    for served in model.served:
        wanted = tuple(served.features)
        bodies[wanted] = bodies.get(wanted) or rows_for(wanted, records)

    def one(served: Served) -> Outcome:
        return _ask(model, served, bodies[tuple(served.features)], len(records), inference_id, artifacts)

    first, *others = model.served
    waiting = [(served, _pool().submit(one, served)) for served in others]
    outcomes = {first.algorithm: one(first), **{served.algorithm: each.result() for served, each in waiting}}
    answers = {name: each for name, each in outcomes.items() if isinstance(each, list)}
    troubles = {name: each for name, each in outcomes.items() if isinstance(each, EndpointTrouble)}
    return answers, troubles


def _ask(model: Model, served: Served, rows: str, count: int, inference_id: str, artifacts: str) -> Outcome:
    recipe = served.recipe
    body, kind = (rows, JSON) if recipe is None else (recipe.encode(rows, JSON), recipe.content_type)
    try:
        answer = runtime().invoke_endpoint(
            EndpointName=served.endpoint,
            ContentType=kind,
            Accept=served.accept,
            Body=body.encode(),
            InferenceId=inference_id,
        )
        text, answer_type = (
            answer["Body"].read().decode("utf-8", "replace"),
            str(answer.get("ContentType", "")),
        )
        values = read_answer(text, answer_type, count)
    except ClientError as error:
        return _refused(error)
    except ReadTimeoutError as error:
        return EndpointTrouble("late", str(error))
    except (BotoCoreError, BadPredictions) as error:
        return EndpointTrouble("failed", str(error))
    if served.recipe is not None:
        _capture(model, served, rows, (text, answer_type), inference_id, artifacts)
    return values


def _refused(error: ClientError) -> EndpointTrouble:
    code: str = error.response["Error"]["Code"]
    status: Any = error.response.get("OriginalStatusCode")
    words = str(error)
    if code == "ModelError":  # the words of the container, which may quote what it was asked
        words = str(
            say(
                "the container answered {status}: {message}",
                status=told(status or "nothing"),
                message=of_the_data(error.response.get("OriginalMessage") or words),
            )
        )
    return EndpointTrouble(kind_of(code, status, str(error)), words)


def _capture(
    model: Model, served: Served, rows: str, answer: tuple[str, str], inference_id: str, artifacts: str
) -> None:
    if random.random() * 100 >= model.spec.serving.capture_percent:  # nosec B311 # a sample
        return
    at, event_id = datetime.now(UTC), str(uuid.uuid4())
    text, kind = answer
    line = capture_line(
        request={"data": rows, "type": JSON, "encoding": "JSON"},
        response={"data": text, "type": kind, "encoding": "JSON" if "json" in kind else "CSV"},
        event_id=event_id,
        inference_id=inference_id,
        at=at,
    )
    key = capture_key(model.spec.name, served.endpoint, VARIANT, at, event_id)
    client("s3").put_object(Bucket=artifacts, Key=key, Body=line.encode())


@cache
def runtime() -> Any:
    """Make the client of the endpoints, kept with its connections for the life of the process."""
    make: Any = boto3.client
    # No tcp_keepalive: botocore's way of setting it brings Nagle's algorithm back, and with it 40 ms a call.
    return make(
        "sagemaker-runtime",
        config=Config(
            connect_timeout=2,
            read_timeout=ANSWER_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
            max_pool_connections=MOST_AT_ONCE,
        ),
    )


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_AT_ONCE)
