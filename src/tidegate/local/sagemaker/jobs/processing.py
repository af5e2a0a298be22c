"""Processing jobs: the operations, and what a request must be for a job to begin."""

from __future__ import annotations

from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.lifecycle import PROCESSING, Job, room_of
from tidegate.local.sagemaker.jobs.processing_run import ProcessingRun
from tidegate.local.sagemaker.store import now

Record = dict[str, Any]

_HOME = "/opt/ml/processing"


def create_processing_job(ctx: Context, request: Record) -> Record:
    """Begin a processing job; it runs on a thread of its own and a process of its own."""
    _check(request)
    name = request["ProcessingJobName"]
    arn = ctx.arn(PROCESSING.kind, name)
    ctx.check_role(request["RoleArn"], arn)
    time = now()
    record = {
        **request,
        "ProcessingJobArn": arn,
        "ProcessingJobStatus": records.IN_PROGRESS,
        "CreationTime": time,
        "LastModifiedTime": time,
    }
    job = Job(ctx, PROCESSING, name)
    records.create(ctx, PROCESSING, record)
    room_of(ctx).start(job, ProcessingRun(job, record).run)
    return {"ProcessingJobArn": arn}


def describe_processing_job(ctx: Context, request: Record) -> Record:
    """Answer with the job's record."""
    return records.describe(ctx, PROCESSING, request["ProcessingJobName"])


def list_processing_jobs(ctx: Context, request: Record) -> Record:
    """List jobs, newest first unless asked otherwise."""
    return records.list_jobs(ctx, PROCESSING, request, "FailureReason", "ExitMessage")


def stop_processing_job(ctx: Context, request: Record) -> Record:
    """Stop a job: SIGTERM, 120 seconds of patience, SIGKILL."""
    return records.stop(ctx, PROCESSING, request["ProcessingJobName"])


def _check(request: Record) -> None:
    """Refuse what AWS refuses and what cannot run here, each with a sentence."""
    inputs = request.get("ProcessingInputs", [])
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    names = [item["InputName"] for item in inputs] + [item["OutputName"] for item in outputs]
    for name in names:
        if names.count(name) > 1:
            raise ValidationException(f"Two inputs or outputs are called {name}. Give each its own name.")
    for item in inputs:
        _check_input(item)
    for item in outputs:
        if "S3Output" not in item:
            raise ValidationException(
                f"Output {item['OutputName']} has no S3Output; feature stores are not served here."
            )
        if not item.get("AppManaged"):
            _check_path("Output", item["OutputName"], item["S3Output"].get("LocalPath"))


def _check_input(item: Record) -> None:
    name = item["InputName"]
    source = item.get("S3Input")
    if source is None:
        raise ValidationException(
            f"Input {name} has no S3Input; inputs from Athena and Redshift (DatasetDefinition) "
            "are not served here."
        )
    if item.get("AppManaged"):
        return
    if source.get("S3InputMode", "File") != "File":
        raise ValidationException(
            f"Input {name} asks for {source['S3InputMode']} mode, which is not served here. Use File."
        )
    if source.get("S3CompressionType", "None") != "None":
        raise ValidationException(
            f"Input {name} has S3CompressionType {source['S3CompressionType']}, which SageMaker unpacks in "
            "Pipe mode only. Leave it out; the files then arrive as they are."
        )
    _check_path("Input", name, source.get("LocalPath"))


def _check_path(what: str, name: str, path: str | None) -> None:
    if path is None or ".." in path.split("/") or not f"{path}/".startswith(f"{_HOME}/"):
        raise ValidationException(
            f"{what} {name} has the LocalPath {path}. Choose a folder under {_HOME}, "
            f"such as {_HOME}/{what.lower()}."
        )


OPERATIONS = {
    "CreateProcessingJob": create_processing_job,
    "DescribeProcessingJob": describe_processing_job,
    "ListProcessingJobs": list_processing_jobs,
    "StopProcessingJob": stop_processing_job,
}
