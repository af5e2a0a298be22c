"""Answers the API: predictions for records, the models, and the document that describes it all.

Started by API Gateway (payload format 2.0). Reads specs and names (S3, Parameter Store), asks the endpoints;
writes nothing, except the captured requests of serverless endpoints (artifacts bucket).
"""

import os
import time
import uuid
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.api.exchange import Answer, Request, refusal
from tidegate.api.problems import Problem
from tidegate.core.unforeseen import guarded, words_of
from tidegate.edge.answering import Api
from tidegate.edge.catalogue import Catalogue
from tidegate.edge.metering import metric

logger = Logger()
ARTIFACTS = os.environ["ARTIFACTS_BUCKET"]
catalogue = Catalogue(ARTIFACTS, os.environ["PARAMETER_ROOT"], os.environ["NAME_PREFIX"])
api = Api(
    catalogue,
    ARTIFACTS,
    os.environ.get("API_AUTH", "iam"),
    lambda said, more: logger.error(said, extra={**more, **metric("EndpointErrors")}),
    lambda said, more: logger.error(said, extra=more),
)
ROUTES = {
    "POST /models/{model}/predictions": api.predict,
    "GET /models": api.list_models,
    "GET /models/{model}": api.describe_model,
    "GET /openapi.json": api.openapi,
}


@guarded
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request; see `events/predict.json`. Its id here is also the captured inference id."""
    request_id = uuid.uuid4().hex
    begun = time.perf_counter()
    logger.append_keys(request=request_id)
    answer = _answer(event, request_id)
    # How it went, without what was asked or answered.
    took = round((time.perf_counter() - begun) * 1000, 1)
    told = {"route": event.get("routeKey"), "model": (event.get("pathParameters") or {}).get("model")}
    logger.info("answered", extra={**told, "status": answer.status, "milliseconds": took})
    return answer.to_event(request_id)


def _answer(event: dict[str, Any], request_id: str) -> Answer:
    try:
        request = Request.of(event)
        return ROUTES[request.route](request, request_id)
    except Problem as problem:
        return refusal(problem, request_id)
    except Exception as error:
        # Whatever it is, the caller learns the id alone, and the log what may be told.
        logger.error("failed", extra={"said": words_of(error)})
        inside = Problem(500, "something is wrong here; the log has it under this request id")
        return refusal(inside, request_id)
