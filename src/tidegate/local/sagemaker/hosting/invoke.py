"""``InvokeEndpoint``: choose a variant, ask its model server, capture and count the exchange."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tidegate.local.sagemaker.containers.serving import Answer
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ModelError, SageMakerError, ValidationError
from tidegate.local.sagemaker.hosting.build import log_group
from tidegate.local.sagemaker.hosting.capture import Exchange
from tidegate.local.sagemaker.hosting.fleet import Variant
from tidegate.local.sagemaker.hosting.live import Hosting, hosting_of

MOST_BYTES = 6 * 1024 * 1024
TIMEOUT_SECONDS = 60.0

_TARGET = "x-amzn-sagemaker-target-variant"
_CUSTOM = "x-amzn-sagemaker-custom-attributes"
_INFERENCE_ID = "x-amzn-sagemaker-inference-id"
# What is not served is refused: dropping it in silence would give another model's answer.
_NOT_SERVED = {
    "x-amzn-sagemaker-target-model": "TargetModel (multi-model endpoints)",
    "x-amzn-sagemaker-target-container-hostname": "TargetContainerHostname (one container of several)",
    "x-amzn-sagemaker-inference-component": "InferenceComponentName (inference components)",
}


def invoke_endpoint(
    ctx: Context, name: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, dict[str, str], bytes]:
    """Answer one request to an endpoint.

    Parameters
    ----------
    ctx
        The local SageMaker.
    name
        The endpoint.
    body
        The request, at most 6 MB.
    headers
        The request's headers, their names in lower case.

    Returns
    -------
    tuple
        Status, headers and body of the answer.

    Raises
    ------
    ValidationError
        When no such endpoint or variant serves, or the body is too large.
    ModelError
        When the model's container answered an error, did not answer within 60 seconds, or is down.
    """
    begun = time.perf_counter()
    if len(body) > MOST_BYTES:
        raise ValidationError(
            f"The request's body has {len(body)} bytes, and InvokeEndpoint takes at most {MOST_BYTES}. "
            "Send fewer rows in one request, or score the file with a batch transform job."
        )
    for header, words in _NOT_SERVED.items():
        if header in headers:
            raise ValidationError(f"The local SageMaker does not serve {words}. Leave it out of the request.")
    hosting = hosting_of(ctx)
    target = headers.get(_TARGET)
    live = hosting.endpoint(name)
    entered = live.enter(target) if live is not None else None
    if entered is None:
        raise _not_serving(ctx, name)
    fleet, variant = entered
    try:
        if variant is None:
            known = ", ".join(other.name for other in fleet.variants)
            raise ValidationError(f"Endpoint {name} has no variant {target}. Its variants: {known}.")
        return _ask(hosting, name, variant, body, headers, begun)
    finally:
        fleet.leave()


def _ask(
    hosting: Hosting, name: str, variant: Variant, body: bytes, headers: Mapping[str, str], begun: float
) -> tuple[int, dict[str, str], bytes]:
    content_type = headers.get("content-type", "")
    passed_on = {key: headers[key] for key in (_CUSTOM, _INFERENCE_ID) if key in headers}
    asked = time.perf_counter()
    answer = variant.replica.answer(body, content_type, headers.get("accept", ""), passed_on, TIMEOUT_SECONDS)
    answered = time.perf_counter()
    failed = not 200 <= answer.status < 300
    if not failed and variant.capture is not None and variant.capture.settings.samples():
        exchange = Exchange(
            request=body,
            request_type=content_type,
            response=answer.body,
            response_type=answer.content_type,
            inference_id=headers.get(_INFERENCE_ID),
        )
        hosting.capture.add(variant.capture, exchange)
    hosting.metrics.record(
        name,
        variant.name,
        status=answer.status,
        model_seconds=answered - asked,
        overhead_seconds=asked - begun + time.perf_counter() - answered,
    )
    if failed:
        raise _model_error(hosting.ctx, name, variant, answer)
    answer_headers = {"x-amzn-invoked-production-variant": variant.name}
    if answer.content_type:
        answer_headers["content-type"] = answer.content_type
    if _CUSTOM in answer.headers:
        answer_headers[_CUSTOM] = answer.headers[_CUSTOM]
    return 200, answer_headers, answer.body


def _not_serving(ctx: Context, name: str) -> SageMakerError:
    message = f"Endpoint {name} of account {ctx.account} not found."
    record = ctx.store.get("endpoint", name)
    if record is not None:
        message += f" It exists and is {record['EndpointStatus']}"
        if record["EndpointStatus"] in ("Creating", "SystemUpdating"):
            message += "; wait until it is InService."
        else:
            message += f": {record['FailureReason']}" if record.get("FailureReason") else "."
    return ValidationError(message)


def _model_error(ctx: Context, name: str, variant: Variant, answer: Answer) -> ModelError:
    text = answer.body.decode("utf-8", "replace")
    side = "client" if 400 <= answer.status < 500 else "server"
    container = variant.replica.container_name(answer.container)
    group = log_group(name)
    return ModelError(
        f'Received {side} error ({answer.status}) from {container} with message "{text}". '
        f"See the streams {variant.name}/… of the log group {group} in account {ctx.account}.",
        original_status=answer.status,
        original_message=text,
        log_stream_arn=f"arn:aws:logs:{ctx.region}:{ctx.account}:log-group:{group}",
    )
