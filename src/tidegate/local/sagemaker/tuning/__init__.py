"""Hyperparameter tuning: training jobs in search of the best values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.control import tags
from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.lifecycle import TUNING, Job, room_of
from tidegate.local.sagemaker.paging import list_page, pick, sortable
from tidegate.local.sagemaker.store import now
from tidegate.local.sagemaker.tuning.definitions import check, read_definitions, written_out
from tidegate.local.sagemaker.tuning.run import TuningRun
from tidegate.local.sagemaker.tuning.summaries import progress, summaries

Record = dict[str, Any]

_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"


def create_tuning_job(ctx: Context, request: Record) -> Record:
    """Begin a tuning job; it runs on a thread of its own and starts ordinary training jobs."""
    definitions = read_definitions(request)
    check(ctx, request, definitions)
    name = request["HyperParameterTuningJobName"]
    arn = ctx.arn(TUNING.kind, name)
    for definition in definitions:
        ctx.check_role(definition.given["RoleArn"], arn)
    time = now()
    record: Record = {
        **written_out(ctx, request, definitions),
        "HyperParameterTuningJobArn": arn,
        "HyperParameterTuningJobStatus": records.IN_PROGRESS,
        "CreationTime": time,
        "LastModifiedTime": time,
    }
    record |= progress(ctx, record)
    job = Job(ctx, TUNING, name)
    run = TuningRun(job, record)
    records.create(ctx, TUNING, record)
    room_of(ctx).start(job, run.run)
    return {"HyperParameterTuningJobArn": arn}


def describe_tuning_job(ctx: Context, request: Record) -> Record:
    """Answer with the job's record and how its training jobs stand now."""
    record = records.describe(ctx, TUNING, request["HyperParameterTuningJobName"])
    return {**record, **progress(ctx, record)}


def list_tuning_jobs(ctx: Context, request: Record) -> Record:
    """List jobs by name unless asked otherwise."""
    keys = ("Name", "Arn", "Status")

    def summarize(record: Record) -> Record:
        kept = pick(
            *(f"HyperParameterTuningJob{key}" for key in keys),
            "CreationTime",
            "LastModifiedTime",
            TUNING.end_key,
            "TrainingJobStatusCounters",
            "ObjectiveStatusCounters",
        )({**record, **progress(ctx, record)})
        config = record["HyperParameterTuningJobConfig"]
        return {**kept, "Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}

    return list_page(
        ctx.store.list(TUNING.kind),
        {"SortBy": "Name", **request},
        answer="HyperParameterTuningJobSummaries",
        name=TUNING.name_key,
        status=TUNING.status_key,
        summarize=summarize,
        order="Ascending",
    )


def list_training_jobs_of_tuning_job(ctx: Context, request: Record) -> Record:
    """List the training jobs of a tuning job; by objective, only those that have one."""
    record = records.describe(ctx, TUNING, request["HyperParameterTuningJobName"])
    listed = summaries(ctx, record)
    if request.get("SortBy") == "FinalObjectiveMetricValue":
        listed = [each for each in listed if _OBJECTIVE in each]
    return list_page(
        listed,
        {"SortBy": "Name", **request},
        answer="TrainingJobSummaries",
        name="TrainingJobName",
        status="TrainingJobStatus",
        summarize=lambda summary: summary,
        order="Ascending",
        sort_values={"FinalObjectiveMetricValue": lambda summary: sortable(summary[_OBJECTIVE]["Value"])},
    )


def stop_tuning_job(ctx: Context, request: Record) -> Record:
    """Stop a job: its training jobs that run are stopped, and no others are started."""
    return records.stop(ctx, TUNING, request["HyperParameterTuningJobName"])


def delete_tuning_job(ctx: Context, request: Record) -> Record:
    """Forget a job that has ended; its training jobs stay. One that is not there is no error, as on AWS."""
    record = ctx.store.get(TUNING.kind, request["HyperParameterTuningJobName"])
    if record is None:
        return {}
    if record[TUNING.status_key] in records.UNFINISHED:
        raise ValidationException(
            f"The tuning job {record[TUNING.name_key]} is {record[TUNING.status_key]}. Stop it first."
        )
    ctx.store.delete(TUNING.kind, record[TUNING.name_key])
    tags.replace_tags(ctx, record[TUNING.arn_key], [])
    return {}


OPERATIONS: Mapping[str, Any] = {
    "CreateHyperParameterTuningJob": create_tuning_job,
    "DescribeHyperParameterTuningJob": describe_tuning_job,
    "ListHyperParameterTuningJobs": list_tuning_jobs,
    "ListTrainingJobsForHyperParameterTuningJob": list_training_jobs_of_tuning_job,
    "StopHyperParameterTuningJob": stop_tuning_job,
    "DeleteHyperParameterTuningJob": delete_tuning_job,
}
"""The operations of this room, by SageMaker's name for them."""
