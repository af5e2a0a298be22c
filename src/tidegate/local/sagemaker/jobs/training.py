"""Training jobs: the operations, and what a request must be for a job to begin."""

from __future__ import annotations

import re
from typing import Any

import regex

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.images.registry import ImageNotRegistered, repository_of
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.lifecycle import TRAINING, Job, room_of
from tidegate.local.sagemaker.jobs.training_run import TrainingRun
from tidegate.local.sagemaker.store import now

Record = dict[str, Any]

_DEFAULT_MAX_RUNTIME_SECONDS = 86_400
_NOT_SERVED = {
    "ServerlessJobConfig": "a serverless job",
    "ModelPackageConfig": "a job that writes a model package",
}

# Of managed spot training: without checkpoints a built-in algorithm may wait and train for an hour in all.
_MOST_WAIT_SECONDS = 3600
_CHECKPOINTS = {"sagemaker-xgboost": True, "linear-learner": False}


def create_training_job(ctx: Context, request: Record) -> Record:
    """Begin a training job; it runs on a thread of its own and a process of its own."""
    check_training_request(request)
    name = request["TrainingJobName"]
    arn = ctx.arn(TRAINING.kind, name)
    ctx.check_role(request["RoleArn"], arn)
    time = now()
    stopping = {
        "MaxRuntimeInSeconds": _DEFAULT_MAX_RUNTIME_SECONDS,
        **request.get("StoppingCondition", {}),
    }
    full = room_of(ctx).is_full()
    waits = f"Waiting for a free place: {ctx.max_jobs} jobs run at once on this machine"
    record = {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **request,
        **_written_out(ctx, request),
        "StoppingCondition": stopping,
        "TrainingJobArn": arn,
        "TrainingJobStatus": records.IN_PROGRESS,
        "CreationTime": time,
        "LastModifiedTime": time,
    }
    record = records.transition(record, "Starting", waits if full else "Preparing the instances for training")
    job = Job(ctx, TRAINING, name, stopping.get("MaxWaitTimeInSeconds"))
    records.create(ctx, TRAINING, record)
    run = TrainingRun(job, record)
    room_of(ctx).start(job, run.run)
    return {"TrainingJobArn": arn}


def describe_training_job(ctx: Context, request: Record) -> Record:
    """Answer with the job's record."""
    return records.describe(ctx, TRAINING, request["TrainingJobName"])


def list_training_jobs(ctx: Context, request: Record) -> Record:
    """List jobs, newest first unless asked otherwise."""
    for key in ("WarmPoolStatusEquals", "TrainingPlanArnEquals"):
        if key in request:
            raise ValidationException(
                f"{key} is not served here: there are no warm pools and no training plans."
            )
    return records.list_jobs(ctx, TRAINING, request, "SecondaryStatus")


def stop_training_job(ctx: Context, request: Record) -> Record:
    """Stop a job: SIGTERM, 120 seconds to save the model, SIGKILL."""
    return records.stop(
        ctx,
        TRAINING,
        request["TrainingJobName"],
        lambda record: records.transition(record, "Stopping", "Stopping the training job"),
    )


def with_metrics(ctx: Context, algorithm: Record) -> Record:
    """Return an AlgorithmSpecification with the metrics of its image, as Describe shows it."""
    try:
        own = ctx.images(algorithm.get("TrainingImage", "")).metric_definitions
    except ImageNotRegistered:
        return algorithm
    if not own:
        return algorithm
    definitions = [{"Name": name, "Regex": regex} for name, regex in own]
    return {"MetricDefinitions": definitions, **algorithm}


def _written_out(ctx: Context, request: Record) -> Record:
    """Return what Describe says though nobody asked for it; the SageMaker SDK reads it."""
    written: Record = {"AlgorithmSpecification": with_metrics(ctx, request["AlgorithmSpecification"])}
    written |= {"OutputDataConfig": {"KmsKeyId": ""} | request["OutputDataConfig"]}
    if "InputDataConfig" in request:
        defaults = {"CompressionType": "None", "RecordWrapperType": "None"}
        written["InputDataConfig"] = [defaults | channel for channel in request["InputDataConfig"]]
    return written


def check_training_request(request: Record) -> None:
    """Refuse what AWS refuses and what cannot run here, each with a sentence."""
    for member, what in _NOT_SERVED.items():
        if member in request:
            raise ValidationException(f"{member}: {what} is not served by the local SageMaker.")
    algorithm = request.get("AlgorithmSpecification", {})
    if "TrainingImage" not in algorithm:
        raise ValidationException(
            "AlgorithmSpecification.TrainingImage is missing. Name the image of the algorithm; algorithms by "
            "AlgorithmName are not served here."
        )
    if "ResourceConfig" not in request:
        raise ValidationException(
            "ResourceConfig is missing. Give InstanceType, InstanceCount and VolumeSizeInGB."
        )
    if not request["OutputDataConfig"].get("S3OutputPath", "").startswith("s3://"):
        raise ValidationException("OutputDataConfig.S3OutputPath must be an S3 location, s3://BUCKET/PREFIX.")
    for definition in algorithm.get("MetricDefinitions", []):
        _check_regex(definition)
    _check_stopping(request)
    names = set()
    for channel in request.get("InputDataConfig", []):
        _check_channel(channel, algorithm.get("TrainingInputMode", "File"))
        if channel["ChannelName"] in names:
            raise ValidationException(
                f"Two channels are called {channel['ChannelName']}. Give each its own name."
            )
        names.add(channel["ChannelName"])
    local_path = request.get("CheckpointConfig", {}).get("LocalPath", "/opt/ml/checkpoints")
    if not re.fullmatch(r"/opt/ml/(?!.*\.\.)(?!input|model|output).+", local_path):
        raise ValidationException(
            f"CheckpointConfig.LocalPath is {local_path}. Choose a folder of its own under /opt/ml, "
            "such as /opt/ml/checkpoints."
        )


def _check_channel(channel: Record, default_mode: str) -> None:
    name = channel["ChannelName"]
    mode = channel.get("InputMode", default_mode)
    if mode == "Pipe":
        raise ValidationException(
            f"Channel {name} asks for Pipe mode, which is not served here. Use File or FastFile."
        )
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise ValidationException(
            f"Channel {name} has no S3DataSource; file systems and data sets are not served here."
        )
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise ValidationException(
            f"Channel {name} has the S3DataType {source['S3DataType']}; "
            "in File mode it is S3Prefix or ManifestFile."
        )
    if channel.get("CompressionType", "None") != "None":
        raise ValidationException(
            f"Channel {name} has CompressionType {channel['CompressionType']}, which SageMaker unpacks in "
            "Pipe mode only. Leave it out; the files then arrive as they are."
        )


def _check_regex(definition: Record) -> None:
    try:
        regex.compile(definition["Regex"])
    except regex.error as error:
        raise ValidationException(
            f"The Regex of the metric {definition['Name']} is not a regular expression: {error}."
        ) from error


def _check_stopping(request: Record) -> None:
    condition = request.get("StoppingCondition", {})
    wait = condition.get("MaxWaitTimeInSeconds")
    if wait is None:
        return
    if not request.get("EnableManagedSpotTraining"):
        raise ValidationException(
            "MaxWaitTimeInSeconds is for managed spot training. "
            "Set EnableManagedSpotTraining, or leave it out."
        )
    if wait < condition.get("MaxRuntimeInSeconds", _DEFAULT_MAX_RUNTIME_SECONDS):
        raise ValidationException("MaxWaitTimeInSeconds must not be less than MaxRuntimeInSeconds.")
    repository = repository_of(request["AlgorithmSpecification"]["TrainingImage"])
    keeps = _CHECKPOINTS.get(repository)
    if wait > _MOST_WAIT_SECONDS and keeps is not None and not (keeps and "CheckpointConfig" in request):
        raise ValidationException(
            f"MaxWaitTimeInSeconds is {wait}, and {repository} "
            + ("is given no CheckpointConfig" if keeps else "keeps no checkpoints")
            + f": without checkpoints a built-in algorithm waits {_MOST_WAIT_SECONDS} seconds at most."
        )


OPERATIONS = {
    "CreateTrainingJob": create_training_job,
    "DescribeTrainingJob": describe_training_job,
    "ListTrainingJobs": list_training_jobs,
    "StopTrainingJob": stop_training_job,
}
