"""Before a candidate is judged: finds the champion, and whether it can be used at all.

Reads Parameter Store, SageMaker's description of the model that it names, and whether that model's files are
there (artifacts bucket); writes nothing.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.champions import unusable
from tidegate.core.unforeseen import guarded
from tidegate.edge import parameters
from tidegate.edge.champions import look_at

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer ``champion``, the model's name or null, and ``lost``, why one that is named counts as none."""
    named = parameters.value(event["parameter"])
    # A run that was taken up again may have exported its own model before.
    if named is None or named == event["candidate"]:
        return {"champion": None, "lost": None}
    lost = unusable(look_at(named, files=True), os.environ["SAGEMAKER_ROLE_ARN"])
    if lost is not None:
        logger.warning("the champion counts as none", extra={"named": named, "why": lost})
    return {"champion": None if lost else named, "lost": lost}
