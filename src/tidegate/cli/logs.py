"""`tidegate logs`: what a run's functions and SageMaker jobs wrote, merged in the order of time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from tidegate.cli.history import read_history
from tidegate.cli.options import Session
from tidegate.cli.records import Record, find_run
from tidegate.cli.stack import Stack
from tidegate.cli.watch import read_events

JOB_GROUPS = {
    "TrainingJobName": "/aws/sagemaker/TrainingJobs",
    "TransformJobName": "/aws/sagemaker/TransformJobs",
    "ProcessingJobName": "/aws/sagemaker/ProcessingJobs",
}
AFTER_MILLISECONDS = 60_000  # functions write their last lines after the run has ended
WORKERS = 8
# What Powertools writes on every line; the rest is what the function had to say.
LOGGER_FIELDS = {
    "_aws",
    "cold_start",
    "correlation_id",
    "exception",
    "exception_name",
    "function_arn",
    "function_memory_size",
    "function_name",
    "function_request_id",
    "level",
    "location",
    "message",
    "sampling_rate",
    "service",
    "stack_trace",
    "timestamp",
    "xray_trace_id",
}
LEVEL_STYLES = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow"}


@dataclass(frozen=True)
class Line:
    """One line of a log."""

    at_milliseconds: int
    source: str
    text: str
    level: str = ""

    def document(self) -> dict[str, Any]:
        """Give the form that ``--json`` prints."""
        at = datetime.fromtimestamp(self.at_milliseconds / 1000, UTC)
        return {"at": at, "source": self.source, "level": self.level, "text": self.text}


def logs(session: Session, run_id: str) -> int:
    """Show the log lines of a run."""
    stack = session.stack
    record = find_run(stack, run_id)
    lines = read_logs(stack, record)
    shown = [_drawn(line) for line in lines] or [
        Text(f"Run {record['run']} has written no log line that is kept.")
    ]
    session.output.answer({"run": record["run"], "lines": [line.document() for line in lines]}, *shown)
    return 0


def read_logs(stack: Stack, record: Record) -> list[Line]:
    """Read and merge the lines of a run's functions and jobs."""
    run = str(record["run"])
    window = _window(record)
    events = read_events(stack, record)
    stack.client("logs")
    with ThreadPoolExecutor(WORKERS) as pool:
        functions = pool.map(
            lambda group: list(_function_lines(stack, group, run, window)), _function_groups(stack)
        )
        jobs = pool.map(lambda job: list(_job_lines(stack, *job)), sorted(jobs_of(record, events)))
        lines = [line for part in (*functions, *jobs, failures(events)) for line in part]
    return sorted(lines, key=lambda line: line.at_milliseconds)


def _window(record: Record) -> dict[str, int]:
    window = {}
    if record.get("started"):
        window["startTime"] = (
            int(datetime.fromisoformat(record["started"]).timestamp() * 1000) - AFTER_MILLISECONDS
        )
    if record.get("finished"):
        window["endTime"] = (
            int(datetime.fromisoformat(record["finished"]).timestamp() * 1000) + AFTER_MILLISECONDS
        )
    return window


def _function_groups(stack: Stack) -> list[str]:
    """Name the log groups: the one all functions share, and those Lambda makes where it is not told of it."""
    groups = {stack.outputs["FunctionsLogGroup"]} if "FunctionsLogGroup" in stack.outputs else set()
    pages = stack.client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=stack.name):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::Lambda::Function":
                groups.add(f"/aws/lambda/{resource.get('PhysicalResourceId', '')}")
    return sorted(groups)


def _function_lines(stack: Stack, group: str, run: str, window: Mapping[str, int]) -> Iterator[Line]:
    for event in _events(stack, logGroupName=group, filterPattern=f'"{run}"', **window):
        if run in event["message"]:
            function, text, level = readable(event["message"])
            source = (function or group.rsplit("/", 1)[-1]).removeprefix(f"{stack.name}-")
            yield Line(event["timestamp"], source, text, level)


def _job_lines(stack: Stack, group: str, job: str) -> Iterator[Line]:
    # A stream is <job>/<host>; without the slash the job of a retry, <job>-2, would be found too.
    prefix = f"{job}/"
    for event in _events(stack, logGroupName=group, logStreamNamePrefix=prefix):
        yield Line(event["timestamp"], job, event["message"].rstrip("\n").replace("#011", "\t"))


def _events(stack: Stack, **asked: Any) -> Iterator[dict[str, Any]]:
    """Read the events of a group; one that nobody has written to does not exist."""
    from botocore.exceptions import ClientError

    try:
        for page in stack.client("logs").get_paginator("filter_log_events").paginate(**asked):
            yield from page["events"]
    except ClientError as error:
        if error.response["Error"].get("Code") != "ResourceNotFoundException":
            raise


def jobs_of(record: Record, events: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Find the jobs of a run, as (log group, job name): in its result, and in what its states asked for."""
    found = set()
    for entry in ((record.get("result") or {}).get("algorithms") or {}).values():
        if entry.get("training_job"):
            found.add((JOB_GROUPS["TrainingJobName"], str(entry["training_job"])))
    for event in events:
        found.update(_asked_jobs(str((event.get("taskScheduledEventDetails") or {}).get("parameters", ""))))
    return found


def failures(events: list[dict[str, Any]]) -> Iterator[Line]:
    """Give what the states say of failures: a function that does not even start logs nothing of its run."""
    for labels, step in read_history(events).walk():
        if step.error and not step.branches:
            when = int((step.ended or step.started).timestamp() * 1000)
            yield Line(when, " · ".join((*labels, step.name)), _told(step.error, step.cause), "ERROR")


def _told(error: str, cause: str) -> str:
    """Write an error with its cause; a function's cause is JSON with a traceback."""
    try:
        document = json.loads(cause)
    except ValueError:
        document = None
    if not isinstance(document, dict) or "errorMessage" not in document:
        return f"{error}: {cause}"
    trace = "".join(document.get("stackTrace") or []).rstrip()
    return f"{error}: {document['errorMessage']}" + (f"\n{trace}" if trace else "")


def _asked_jobs(parameters: str) -> Iterator[tuple[str, str]]:
    for field, group in JOB_GROUPS.items():
        for match in re.finditer(rf'"{field}"\s*:\s*"([A-Za-z0-9-]+)"', parameters):
            yield group, match.group(1)


def readable(message: str) -> tuple[str, str, str]:
    """Read a structured line into function, text with extra fields, and level; any other is its text."""
    try:
        entry = json.loads(message)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or "message" not in entry:
        return "", message.rstrip("\n"), ""
    said = entry["message"]
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    extras = [f"{key}={_short(value)}" for key, value in entry.items() if key not in LOGGER_FIELDS]
    if extras:
        text = f"{text}  {' '.join(extras)}"
    if entry.get("exception"):
        text = f"{text}\n{entry['exception']}"
    return str(entry.get("function_name", "")), text, str(entry.get("level", ""))


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _drawn(line: Line) -> Text:
    at = datetime.fromtimestamp(line.at_milliseconds / 1000, UTC)
    drawn = Text(f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}  ", style="dim")
    drawn.append(f"{line.source}  ", style="cyan")
    return drawn.append(line.text, style=LEVEL_STYLES.get(line.level, ""))
