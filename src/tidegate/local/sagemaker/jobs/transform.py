"""Batch transform jobs: the operations, and what a request must be for a job to begin."""

from __future__ import annotations

from typing import Any

from tidegate.local.sagemaker.containers.serving import role_of
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.association import CSV, FORMATS, Association, media_type
from tidegate.local.sagemaker.jobs.filters import BadPath
from tidegate.local.sagemaker.jobs.lifecycle import TRANSFORM, Job, room_of
from tidegate.local.sagemaker.jobs.transform_run import TransformRun
from tidegate.local.sagemaker.store import now

Record = dict[str, Any]

_MOST_MB = 100


def create_transform_job(ctx: Context, request: Record) -> Record:
    """Begin a transform job; it runs on a thread of its own, its model in processes of their own."""
    _check(request)
    name, model_name = request["TransformJobName"], request["ModelName"]
    model = ctx.store.get("model", model_name)
    if model is None:
        raise ValidationException(f'Could not find model "{ctx.arn("model", model_name)}".')
    arn = ctx.arn(TRANSFORM.kind, name)
    ctx.check_role(role_of(model), arn)
    time = now()
    processing = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    record = {
        **request,
        "DataProcessing": processing | request.get("DataProcessing", {}),
        "TransformInput": {"CompressionType": "None", "SplitType": "None"} | request["TransformInput"],
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": ""} | request["TransformOutput"],
        "TransformJobArn": arn,
        "TransformJobStatus": records.IN_PROGRESS,
        "CreationTime": time,
        "LastModifiedTime": time,
    }
    job = Job(ctx, TRANSFORM, name)
    records.create(ctx, TRANSFORM, record)
    room_of(ctx).start(job, TransformRun(job, record, model).run)
    return {"TransformJobArn": arn}


def describe_transform_job(ctx: Context, request: Record) -> Record:
    """Answer with the job's record."""
    return records.describe(ctx, TRANSFORM, request["TransformJobName"])


def list_transform_jobs(ctx: Context, request: Record) -> Record:
    """List jobs, newest first unless asked otherwise."""
    return records.list_jobs(ctx, TRANSFORM, request, "FailureReason")


def stop_transform_job(ctx: Context, request: Record) -> Record:
    """Stop a job; the outputs of files that are done stay."""
    return records.stop(ctx, TRANSFORM, request["TransformJobName"])


def _check(request: Record) -> None:
    """Refuse what AWS refuses and what cannot run here, each with a sentence."""
    if "DataCaptureConfig" in request:
        raise ValidationException(
            "DataCaptureConfig of a transform job is not served here. Leave it out: the input and, with "
            "JoinSource Input, the output hold the same rows."
        )
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise ValidationException(
            f"TransformInput has the S3DataType {source['S3DataType']}. Use S3Prefix or ManifestFile."
        )
    split = request["TransformInput"].get("SplitType", "None")
    if split not in ("None", "Line"):
        raise ValidationException(f"SplitType {split} is not served here. Use Line or None.")
    concurrency = request.get("MaxConcurrentTransforms", 1) or 1
    payload = request.get("MaxPayloadInMB", 1)
    if payload > _MOST_MB or concurrency * payload > _MOST_MB:
        raise ValidationException(
            f"MaxConcurrentTransforms times MaxPayloadInMB is {concurrency * payload}, and it must not "
            f"exceed {_MOST_MB}. Lower one of them."
        )
    _check_processing(request, split)


def _check_processing(request: Record, split: str) -> None:
    content_type = request["TransformInput"].get("ContentType")
    try:
        association = Association.of(content_type, request.get("DataProcessing", {}))
    except BadPath as error:
        raise ValidationException(str(error)) from error
    filters = (association.input_filter, association.output_filter)
    if not association.changes_output and association.input_filter.everything:
        return
    if association.format not in FORMATS:
        raise ValidationException(
            f"DataProcessing needs a TransformInput.ContentType of {', '.join(FORMATS)}; "
            f"it is {content_type}."
        )
    if association.format == CSV and not all(path.indexes_only for path in filters):
        raise ValidationException(
            "A row of text/csv has no names: choose its columns by index, such as $[1:] or $[0,3]."
        )
    if not association.changes_output:
        return
    output = request["TransformOutput"]
    if media_type(output.get("Accept")) != association.format:
        raise ValidationException(
            "JoinSource and OutputFilter need TransformOutput.Accept to be the same as "
            f"TransformInput.ContentType, {content_type}; it is {output.get('Accept')}."
        )
    if output.get("AssembleWith", "None") != split:
        raise ValidationException(
            f"JoinSource and OutputFilter need AssembleWith to be the same as SplitType, {split}; it is "
            f"{output.get('AssembleWith', 'None')}."
        )


OPERATIONS = {
    "CreateTransformJob": create_transform_job,
    "DescribeTransformJob": describe_transform_job,
    "ListTransformJobs": list_transform_jobs,
    "StopTransformJob": stop_transform_job,
}
