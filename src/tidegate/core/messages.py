"""What people are told: an outcome of a run as a reason, a remedy and a notification."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tidegate.core.figures import figure

SUBJECT_MAX = 100  # SNS's limit


@dataclass(frozen=True)
class Notification:
    """A message to people: a subject line, a text, and what it is about."""

    kind: str
    model: str
    run: str
    subject: str
    message: str

    def to_dict(self) -> dict[str, str]:
        """Give the JSON form that is kept in the inbox."""
        return asdict(self)


@dataclass(frozen=True)
class Failure:
    """Why something failed, in words: the sentence and what to do about it."""

    sentence: str
    remedy: str

    def __str__(self) -> str:
        end = "" if self.sentence.endswith((".", "!", "?")) else "."
        return f"{self.sentence}{end} {self.remedy}".strip()


def explain(error: str, cause: str) -> Failure:
    """Turn what Step Functions reports into a sentence.

    Parameters
    ----------
    error : str
        The error's name, such as ``States.TaskFailed`` or the class of a function's exception.
    cause : str
        Its cause: a text, a function's JSON error document, or a SageMaker job's description as JSON.
    """
    document = _json_object(cause)
    if "JobRunState" in document:
        return _explain_job_run(document)
    if "FailureReason" in document or any(key.endswith("JobStatus") for key in document):
        return _explain_job(document)
    if "errorMessage" in document:
        return _explain_function(error, document)
    text = " ".join(cause.split()) or "no cause was given"
    if error == "States.Timeout":
        return Failure("It took longer than the state allows.", "Look at the run's logs, then try it again.")
    if error == "States.QueryEvaluationError":
        return Failure(
            f"An answer was not what the state machine goes by: {text}",
            "Deploy the functions and the machines of one version, then retry.",
        )
    if error == "EndpointFailed":
        return Failure(text, "Read the endpoint's log; what served before goes on serving.")
    if _is_throttle(error, text):
        return Failure(
            f"AWS kept refusing for lack of capacity: {text}", "Wait, or ask for a higher quota, then retry."
        )
    if "AccessDenied" in error or "AccessDenied" in text or "not authorized" in text:
        return Failure(
            f"A permission is missing: {text}", "Give the named role the named action, then retry."
        )
    return Failure(f"{text} ({error})", "Look at the run's logs for what came before.")


def _is_throttle(error: str, text: str) -> bool:
    named = any(word in error for word in ("TooManyRequests", "Throttl", "LimitExceeded"))
    # Services whose models do not name it say it under a general name.
    return named or "Rate exceeded" in text or "ThrottlingException" in text


def _explain_job_run(run: Mapping[str, Any]) -> Failure:
    name, state = run.get("JobName", ""), run["JobRunState"]
    if state == "STOPPED":
        return Failure(
            f"The Glue job {name} was stopped before it ended.", "The next check reads the window."
        )
    lines = str(run.get("ErrorMessage") or "").strip().splitlines() or ["no reason was given"]
    return Failure(f"The Glue job {name} failed: {lines[-1].strip()}", "Read the job run's log.")


def _explain_job(job: Mapping[str, Any]) -> Failure:
    name = next((job[key] for key in job if key.endswith("JobName")), "")
    status = next((job[key] for key in job if key.endswith("JobStatus")), "Failed")
    reason = " ".join(str(job.get("FailureReason") or "no reason was given").split())
    if status in ("Stopped", "Stopping"):
        return Failure(f"The job {name} was stopped before it ended.", "Retry when it may run to its end.")
    if "AlgorithmError" in reason:
        remedy = "Check the hyperparameters and the data, and read the job's log."
    elif "Data download failed" in reason or "No S3 objects" in reason:
        remedy = "Check that the channel's files are there and the role may read them."
    else:
        remedy = "Read the job's log."
    return Failure(f"The job {name} failed: {reason}", remedy)


def _explain_function(error: str, document: Mapping[str, Any]) -> Failure:
    message = " ".join(str(document["errorMessage"]).split())
    if "Task timed out" in message:
        return Failure(
            "A function ran out of time.", "Give it more time or memory in the template, or drop less data."
        )
    if "OutOfMemory" in message or error == "Runtime.OutOfMemory" or "signal: killed" in message:
        return Failure(
            "A function ran out of memory.", "Give it more memory in the template, or drop less data."
        )
    if "No space left on device" in message:
        return Failure(
            "A function had no room left on its disk.",
            "Make room (EphemeralStorage in the template; the disk of the state folder), then retry.",
        )
    kind = str(document.get("errorType") or error)
    if "ExitError" in kind or error in ("Runtime.ExitError", "Lambda.Unknown"):
        return Failure(
            f"A function's process ended in the middle of its work: {message}",
            "Retry; if it comes again, give the function more memory in the template.",
        )
    return Failure(f"A function failed with {kind}: {message}", "Read the run's logs.")


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def tell_training(outcome: Mapping[str, Any]) -> Notification:
    """Write the notification that ends a training run.

    Parameters
    ----------
    outcome : mapping
        ``run``, ``model``, ``status`` (SUCCEEDED, REJECTED, SUPERSEDED or FAILED), ``reason``, ``key`` of the
        dropped file, and ``algorithms``: for each its ``status``, ``reason``, ``rmse`` and ``endpoint``.
    """
    status, model, run = outcome["status"], outcome["model"], outcome["run"]
    heads = {
        "SUCCEEDED": f"{model}: trained and serving",
        "REJECTED": f"{model}: model accuracy too low, the champion stays",
        "FAILED": f"{model}: training failed",
        "SUPERSEDED": f"{model}: a run gave way to a newer drop",
    }
    lines = [f"Run {run} for {outcome.get('key', 'a schedule')}: {status}.", ""]
    algorithms = [_algorithm_line(name, entry) for name, entry in outcome.get("algorithms", {}).items()]
    # The run's reason only repeats the algorithms' where there are any.
    lines += algorithms or [str(outcome["reason"])]
    lines += _taken_up(outcome)
    return Notification(
        "training-" + status.lower(), model, run, heads[status][:SUBJECT_MAX], "\n".join(lines).strip()
    )


def _taken_up(outcome: Mapping[str, Any]) -> list[str]:
    """Say how a failed run is taken up again, where its reason does not."""
    if outcome["status"] != "FAILED" or "tidegate retry" in outcome["reason"]:
        return []
    return ["", f"`tidegate retry {outcome['run']}` takes it up where it failed."]


def tell_scoring(outcome: Mapping[str, Any]) -> Notification:
    """Write the notification that ends a scoring run; `outcome` is what `outcome.finish_scoring` gives."""
    status, model, run = outcome["status"], outcome["model"], outcome["run"]
    head = f"{model}: a file was scored" if status == "SUCCEEDED" else f"{model}: scoring failed"
    lines = [f"Run {run} for {outcome['key']}: {status}.", "", f"{outcome['reason']}"]
    if status == "SUCCEEDED":
        lines[-1] += "."
        lines.append(f"The scores are at {outcome['scores']}/scores.csv, and as Parquet beside it.")
    if outcome.get("rejects"):
        lines.append(f"Bad rows, each with its reason, are at {outcome['rejects']}.")
    lines += _taken_up(outcome)
    return Notification("scoring-" + status.lower(), model, run, head[:SUBJECT_MAX], "\n".join(lines).strip())


def tell_refused(model: str, run: str, key: str, sentence: str, kept_at: str) -> Notification:
    """Write the notification about a file that cannot be used."""
    message = (
        f"The file {key} was refused: {sentence}\n\nIt is kept at {kept_at}, with the reason beside it "
        "(where values stand as they are; here only their shape is shown). "
        "Mend it and drop it again; nothing else was changed."
    )
    return Notification("file-refused", model, run, f"{model}: a file was refused"[:SUBJECT_MAX], message)


def tell_model_file(model: str, run: str, refusal: str | None) -> Notification:
    """Write the notification about a dropped model file: accepted, or refused and why."""
    if refusal is None:
        text = f"{model}/model.yaml is in force from now on."
        return Notification("model-accepted", model, run, f"{model}: model file accepted"[:SUBJECT_MAX], text)
    text = f"{model}/model.yaml was refused: {refusal}\n\nThe model file before it, if any, stays in force."
    return Notification("model-refused", model, run, f"{model}: model file refused"[:SUBJECT_MAX], text)


def tell_alarm(name: str, meaning: str, reason: str, event: str) -> Notification:
    """Write the notification about an alarm that went on.

    Parameters
    ----------
    name, meaning, reason : str
        The alarm's name, its description (what it means, and what to do) and why CloudWatch set it off.
    event : str
        The id of the event; its beginning stands for the run in the notification's name.
    """
    message = f"{meaning}\n\nThe alarm {name} is on: {reason}"
    subject = f"Alarm: {name}"[:SUBJECT_MAX]
    return Notification("alarm-on", "every-model", event.replace("-", "")[:12], subject, message.strip())


def sum_up_reason(algorithms: Mapping[str, Mapping[str, Any]]) -> str:
    """Join the algorithms' reasons into the run's reason, each under its name."""
    return "; ".join(f"{name}: {entry.get('reason', '')}" for name, entry in algorithms.items())


def _algorithm_line(name: str, entry: Mapping[str, Any]) -> str:
    served = f", served by {entry['endpoint']}" if entry.get("status") == "SUCCEEDED" else ""
    rmse = f", RMSE {figure(entry['rmse'])}" if isinstance(entry.get("rmse"), int | float) else ""
    return f"- {name}: {entry.get('status')}{rmse}{served}. {entry.get('reason', '')}"
