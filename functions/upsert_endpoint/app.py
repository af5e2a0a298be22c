"""Brings an endpoint to serve a model, or back to what served before. The machine does the waiting.

Writes an endpoint configuration (data capture on) and creates, updates or deletes the endpoint in SageMaker;
reads from Parameter Store which model is approved.
"""

from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.endpoints import EndpointBusy, next_step, retained, undo_step
from tidegate.core.unforeseen import guarded
from tidegate.edge import parameters
from tidegate.edge.hosting import act, describe, describe_config, ensure_config, make_way

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do ``event["action"]``: ``upsert`` or ``roll_back``; see `events/upsert_endpoint.json`."""
    answer = _roll_back(event) if event["action"] == "roll_back" else _upsert(event)
    logger.info(event["action"], extra=answer)
    return answer


def _upsert(event: dict[str, Any]) -> dict[str, Any]:
    endpoint, config = event["endpoint"], event["config"]
    ensure_config(event)
    description = describe(endpoint)
    step = next_step(description, config)
    if step == "delete":
        act(step, endpoint, None)
        raise EndpointBusy(
            f"the endpoint {endpoint} had failed and is being deleted; it is made anew after that"
        )
    previous = None
    if step == "update" and description is not None:
        previous = description["EndpointConfigName"]
        if make_way(description, event):
            logger.info("scaling lifted until the update is done", extra={"endpoint": endpoint})
    act(step, endpoint, config, **retained(event))
    return {"endpoint": endpoint, "config": config, "previous": previous, "step": step}


def _roll_back(event: dict[str, Any]) -> dict[str, Any]:
    # A configuration has the name of its model; a name may outlive the configuration.
    endpoint = event["endpoint"]
    wanted = (parameters.value(event["approved"]), event.get("previous"))
    previous = next((each for each in wanted if each and describe_config(each)), None)
    step = undo_step(describe(endpoint), previous)
    act(step, endpoint, previous)
    return {"endpoint": endpoint, "config": previous, "step": step}
