"""Before a candidate is judged: finds the champion, and whether it can be used at all.

Reads Parameter Store, SageMaker's description of the model that it names, and whether that model's files are
there (artifacts bucket); writes nothing.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger

from tidegate.core.champions import unusable
from tidegate.core.payload import most_rows
from tidegate.core.unforeseen import guarded
from tidegate.edge import parameters
from tidegate.edge.champions import look_at

logger = Logger()


@guarded
@logger.inject_lambda_context(correlation_id_path="run")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer ``champion``, the model's name or null, and ``lost``, why one that is named counts as none.

    ``batches`` is how batch transform should ask it: of rows that its recipe makes wider than the candidate's
    does, a file full may be more than its container takes at once.
    """
    named = parameters.value(event["parameter"])
    # A run that was taken up again may have exported its own model before.
    if named is None or named == event["candidate"]:
        return {"champion": None, "lost": None, "batches": None}
    found = look_at(named, files=True)
    lost = unusable(found, os.environ["SAGEMAKER_ROLE_ARN"])
    if lost is not None:
        logger.warning("the champion counts as none", extra={"named": named, "why": lost})
        return {"champion": None, "lost": lost, "batches": None}
    fits = most_rows(found.recipe or {}, event["algorithm"]) >= event["part_rows"]
    return {"champion": named, "lost": None, "batches": "MultiRecord" if fits else "SingleRecord"}
