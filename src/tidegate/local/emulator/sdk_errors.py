"""How Step Functions names the errors of `aws-sdk:` integrations: by the exception classes of AWS's Java SDK.

A modelled error keeps its name and ends in ``Exception``; an error outside the service's model (SageMaker's
ValidationException, anybody's AccessDenied) is the service's own base exception, as in
``SageMaker.SageMakerException``.
"""

from __future__ import annotations

from functools import cache

import botocore.session

from tidegate.local.emulator.names import step

# Step Functions' word for a service -> botocore's, where they differ.
_MODELS = {
    "applicationautoscaling": "application-autoscaling",
    "sfn": "stepfunctions",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "rdsdata": "rds-data",
}


def sdk_error(service_name: str, error_code: str) -> str:
    """Return the error name that a failed ``aws-sdk:`` task has on AWS."""
    if error_code.startswith("States."):
        return error_code
    prefix = step.sdk_prefixes.get(service_name, service_name.capitalize())
    bare = error_code.rsplit("#", 1)[-1].rsplit(".", 1)[-1]
    if bare == f"{prefix}Exception":
        return f"{prefix}.{bare}"
    return f"{prefix}.{_modelled(service_name).get(bare, f'{prefix}Exception')}"


@cache
def _modelled(service_name: str) -> dict[str, str]:
    """Return the Java exception's name for each error code in the service's model."""
    model = botocore.session.get_session().get_service_model(_MODELS.get(service_name, service_name))
    names = {}
    for shape in model.error_shapes:
        java = _java_name(shape.name)
        names[shape.name] = java
        names[shape.metadata.get("error", {}).get("code", shape.name)] = java
        # A service may put the Java name on the wire already.
        names.setdefault(java, java)
    return names


def _java_name(shape: str) -> str:
    """Return the Java SDK's class for an error shape.

    >>> _java_name("ParameterNotFound"), _java_name("DBClusterNotFoundFault")
    ('ParameterNotFoundException', 'DbClusterNotFoundException')
    """
    name = shape.removesuffix("Fault").removesuffix("Exception")
    # A run of capitals is an acronym, of which the Java SDK keeps the first: DBCluster is DbCluster.
    letters = list(name)
    for place in range(1, len(letters)):
        follows_capital = name[place - 1].isupper()
        starts_word = place + 1 < len(name) and name[place + 1].islower()
        if name[place].isupper() and follows_capital and not starts_word:
            letters[place] = name[place].lower()
    return "".join(letters) + "Exception"
