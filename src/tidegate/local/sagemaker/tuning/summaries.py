"""What a tuning job tells of its training jobs: a summary of each, the counts, and the best of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.jobs.lifecycle import TRAINING, TUNING
from tidegate.local.sagemaker.jobs.records import COMPLETED, FAILED, STOPPED, UNFINISHED
from tidegate.local.sagemaker.tuning.decide import is_better
from tidegate.local.sagemaker.tuning.definitions import parents_of, read_definitions

Record = dict[str, Any]

JOBS = "_Jobs"
"""The key under which a tuning job's record keeps its training jobs: name, definition, tuned values."""

_COUNTED = {COMPLETED: "Completed", FAILED: "NonRetryableError", STOPPED: "Stopped"}


def summaries(ctx: Context, tuning: Record) -> list[Record]:
    """Return a summary of each training job of a tuning job, oldest first."""
    definitions = read_definitions(tuning)
    found = []
    for each in tuning.get(JOBS, []):
        job = ctx.store.get(TRAINING.kind, each["TrainingJobName"])
        if job is not None:
            definition = definitions[each["Definition"]]
            found.append(_summary(tuning, job, each["Values"], definition.name, definition.metric))
    return found


def objective_of(job: Record, metric: str) -> float | None:
    """Return the final value of a training job's objective, None when it gave none."""
    values = [m["Value"] for m in job.get("FinalMetricDataList", []) if m["MetricName"] == metric]
    return values[0] if values else None


def progress(ctx: Context, tuning: Record) -> Record:
    """Return what Describe says about a tuning job's training jobs."""
    listed = summaries(ctx, tuning)
    states = Counter(_COUNTED.get(each["TrainingJobStatus"], "InProgress") for each in listed)
    objectives = Counter(each["ObjectiveStatus"] for each in listed)
    maximize = read_definitions(tuning)[0].maximize
    best = _best(listed, maximize)
    told: Record = {
        "TrainingJobStatusCounters": {
            key: states[key]
            for key in ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
        },
        "ObjectiveStatusCounters": {key: objectives[key] for key in ("Succeeded", "Pending", "Failed")},
        "ConsumedResources": {
            "RuntimeInSeconds": round(
                sum(
                    (each["TrainingEndTime"] - each["TrainingStartTime"]).total_seconds()
                    for each in listed
                    if "TrainingEndTime" in each and "TrainingStartTime" in each
                )
            )
        },
    }
    if best is not None:
        told["BestTrainingJob"] = best
    if "WarmStartConfig" in tuning:
        overall = _best([*listed, *_of_parents(ctx, tuning)], maximize)
        if overall is not None:
            told["OverallBestTrainingJob"] = overall
    return told


def _of_parents(ctx: Context, tuning: Record) -> list[Record]:
    parents = [ctx.store.get(TUNING.kind, name) for name in parents_of(tuning)]
    return [each for parent in parents if parent is not None for each in summaries(ctx, parent)]


def _best(listed: list[Record], maximize: bool) -> Record | None:
    best: Record | None = None
    for each in listed:
        value = _value(each)
        if value is None or each["TrainingJobStatus"] in (FAILED, *UNFINISHED):
            continue
        held = None if best is None else _value(best)
        if held is None or is_better(value, held, maximize):
            best = each
    return best


def _value(summary: Record) -> float | None:
    metric = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    return None if metric is None else metric["Value"]


def _summary(tuning: Record, job: Record, values: Record, definition: str | None, metric: str) -> Record:
    status = job["TrainingJobStatus"]
    keys = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime")
    summary: Record = {
        **{key: job[key] for key in (*keys, "FailureReason") if key in job},
        "TrainingJobStatus": status,
        "TuningJobName": tuning["HyperParameterTuningJobName"],
        "TunedHyperParameters": values,
        "ObjectiveStatus": "Pending",
    }
    if definition is not None:
        summary["TrainingJobDefinitionName"] = definition
    if status not in UNFINISHED:
        value = objective_of(job, metric)
        summary["ObjectiveStatus"] = "Failed" if value is None else "Succeeded"
        if value is not None:
            summary["FinalHyperParameterTuningJobObjectiveMetric"] = {"MetricName": metric, "Value": value}
    return summary
