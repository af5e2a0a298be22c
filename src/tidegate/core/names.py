"""Every name and key that Tidegate makes, in one place.

A run's id is derived from the event that started it, so that the same event twice is the same run;
everything that the run makes carries the id.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

RUN_ID_LENGTH = 12
FILE_ID_LENGTH = 12
MODEL_NAME_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
MODEL_NAME_MAX = 28
# Folders of the buckets that are not models, and kinds of drops, which must not look like ones.
RESERVED = ("quarantine", "notifications", "train", "score", "truth")
ALGORITHM_NAME_MAX = 14
KEY_MAX_BYTES = 1024  # of S3, in UTF-8
# What EventBridge Scheduler leaves of the 64 characters of `<stack>-monitor`; the other names have more room.
STACK_NAME_MAX = 56
STACK_NAME_PATTERN = r"[A-Za-z][A-Za-z0-9-]*"
# Parameter Store keeps such names to itself, in whatever case.
RESERVED_STACKS = ("aws", "ssm")


def run_id(bucket: str, key: str, version: str) -> str:
    """Name the run that an object starts.

    Parameters
    ----------
    bucket, key : str
        Where the object is; the key as S3 holds it, not percent-encoded.
    version : str
        The object's version id, or its ETag (without quotes) in a bucket without versions.

    Returns
    -------
    str
        Twelve hexadecimal digits: the head of the SHA-256 of ``bucket/key/version``. The train machine
        computes the same in JSONata before any function runs; a test holds the two together.
    """
    return hashlib.sha256(f"{bucket}/{key}/{version}".encode()).hexdigest()[:RUN_ID_LENGTH]


def part_name(number: int) -> str:
    """Name a file of rows for batch transform; by name they stand in the order of the rows.

    >>> part_name(7)
    'part-00007.jsonl'
    """
    return f"part-{number:05d}.jsonl"


def is_model_name(text: str) -> bool:
    """Tell whether a text may be the name of a model."""
    fits = len(text) <= MODEL_NAME_MAX and re.fullmatch(MODEL_NAME_PATTERN[1:-1], text) is not None
    return fits and text not in RESERVED


def stack_trouble(name: str) -> str | None:
    """Say why a stack cannot have a name; None where it can.

    CloudFormation itself would take more: what it makes then fails, or the first run does.

    >>> stack_trouble("aws-mlops")
    "The stack cannot be called 'aws-mlops': names that begin with aws or ssm are reserved in Parameter Store"
    """
    opening = f"The stack cannot be called '{name}': "
    if len(name) > STACK_NAME_MAX:
        return (
            f"{opening}it has {len(name)} characters, and at most {STACK_NAME_MAX} fit the names made of it"
        )
    if re.fullmatch(STACK_NAME_PATTERN, name) is None:
        return f"{opening}CloudFormation wants letters, digits and dashes, and a letter first"
    if name.lower().startswith(RESERVED_STACKS):
        return (
            f"{opening}names that begin with {' or '.join(RESERVED_STACKS)} are reserved in Parameter Store"
        )
    return None


def model_of_key(key: str) -> str:
    """Tell which model a key in the data bucket belongs to: its first folder."""
    return key.split("/", 1)[0]


def decoded_event_key(key: str) -> str:
    """Undo the form encoding of S3's own notifications (EventBridge events carry plain keys)."""
    return unquote(key.replace("+", " "))


def drop_key(model: str, kind: str, filename: str) -> str:
    """Say where a person drops a file: ``<model>/train|score|truth/<filename>`` in the data bucket."""
    return f"{model}/{kind}/{filename}"


def model_file_key(model: str) -> str:
    """Say where a model's declaration is dropped in the data bucket."""
    return f"{model}/model.yaml"


def spec_key(model: str) -> str:
    """Say where the accepted declaration is kept, as JSON, in the artifacts bucket."""
    return f"{model}/spec.json"


def run_prefix(model: str, run: str) -> str:
    """Say under which prefix of the artifacts bucket a run writes, without a slash at the end."""
    return f"{model}/runs/{run}"


def run_spec_key(model: str, run: str) -> str:
    """Say where a run keeps the declaration it trained by: what its models read, from then on."""
    return f"{run_prefix(model, run)}/spec.json"


def prepared_key(model: str, run: str) -> str:
    """Say where a run keeps what its drop was prepared to; written last, so that there it is complete."""
    return f"{run_prefix(model, run)}/prepared.json"


def recipe_key(model: str, run: str, algorithm: str) -> str:
    """Say where a run keeps the recipe of one algorithm, as JSON."""
    return f"{run_prefix(model, run)}/{algorithm}/recipe.json"


def evaluation_key(model: str, run: str, algorithm: str) -> str:
    """Say where a run keeps how its candidate did on the held-out rows."""
    return f"{run_prefix(model, run)}/{algorithm}/candidate/evaluation.json"


def score_prefix(model: str, run: str, attempt: int = 0) -> str:
    """Say under which prefix of the artifacts bucket an attempt at a scoring run keeps what it works with."""
    return f"{run_prefix(model, run)}/score{f'/attempt-{attempt}' if attempt else ''}"


def scores_folder(model: str, date: str, run: str) -> str:
    """Say where in the artifacts bucket a run's scores are: a folder a day and run, as Athena partitions."""
    return f"{model}/scores/date={date}/run={run}"


def quarantine_key(model: str, run: str, dropped: str) -> str:
    """Say where in the data bucket a refused file is kept; its reason lies beside it; see `reason_key`.

    Parameters
    ----------
    model, run : str
        Whose file it was, and which run refused it.
    dropped : str
        The key it was dropped at. Its last part is the name that it keeps: what is too long is cut, and made
        one of its own again by a digest. One from a folder below the drops' lies in a folder of its own, as a
        check may refuse several of one name.
    """
    *above, filename = dropped.split("/")
    folder = f"{_digest('/'.join(above[2:]))[:8]}/" if len(above) > 2 else ""
    home = f"quarantine/{model}/{run}/{folder}"
    return home + _fitting(filename, KEY_MAX_BYTES - len(home.encode()) - len(reason_key("")))


def reason_key(kept: str) -> str:
    """Say where the reason for a refusal is kept: beside the file."""
    return f"{kept}.reason.json"


def _fitting(filename: str, most: int) -> str:
    """Cut a file's name to so many bytes; the same name is always cut the same, and two never alike."""
    if len(filename.encode()) <= most:
        return filename
    head, dot, suffix = filename.rpartition(".")
    if not head or len(suffix.encode()) > 16:
        head, dot, suffix = filename, "", ""
    end = f"-{_digest(filename)[:16]}{dot}{suffix}"
    return head.encode()[: most - len(end.encode())].decode(errors="ignore") + end


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def notification_key(at: str, run: str, kind: str) -> str:
    """Say where in the artifacts bucket the copy of a notification is kept; `at` sorts as text."""
    return f"notifications/{at}-{run}-{kind}.json"


def job_name(prefix: str, model: str, algorithm: str, run: str) -> str:
    """Name what a run makes in SageMaker for one algorithm: its training job, model and configuration.

    At most 60 characters with a prefix of three, so that the machine may append a dash, a letter and a
    digit within the 63 that SageMaker allows.
    """
    return f"{prefix}-{model}-{algorithm}-{run}"


def tuning_job_name(prefix: str, algorithm: str, run: str) -> str:
    """Name a run's search for the hyperparameters of one algorithm.

    At most 31 characters with a prefix of three: the machine may append one, and SageMaker allows 32.
    """
    return f"{prefix}-{run}-{algorithm}"


def endpoint_name(prefix: str, model: str, algorithm: str) -> str:
    """Name the endpoint that serves one algorithm of a model; it stays the same from run to run."""
    return f"{prefix}-{model}-{algorithm}"


def parameter_name(root: str, model: str, algorithm: str, what: str) -> str:
    """Name a Parameter Store entry; `what` is ``model``, ``endpoint``, ``config`` or ``candidate``."""
    return f"/{root}/{model}/{algorithm}/{what}"


# ---------------------------------------------------------------- monitoring
def monitor_run_id(model: str, asked: str) -> str:
    """Name a check of a model: by the time it was scheduled for, or by what asked for it on demand.

    The monitor machine computes the same in JSONata.
    """
    return hashlib.sha256(f"monitor/{model}/{asked}".encode()).hexdigest()[:RUN_ID_LENGTH]


def asked_by_truth(key: str, version: str) -> str:
    """Say what asks for a check where a retraining is wanted and truth is dropped."""
    return f"truth {key} {version}"


def bookmark_id(model: str, algorithm: str) -> str:
    """Name the item that says up to where an algorithm's predictions have been checked."""
    return f"{model}/{algorithm}"


def retrain_id(model: str) -> str:
    """Name the item that holds the wish to retrain a model, and when that was last done."""
    return f"{model}/#retrain"


def told_id(model: str) -> str:
    """Name the item that remembers what people were told of a model's checks."""
    return f"{model}/#told"


def capture_prefix(model: str, endpoint: str) -> str:
    """Say under which prefix of the artifacts bucket an endpoint's captured requests lie."""
    return f"{model}/capture/{endpoint}/"


def all_scores_prefix(model: str) -> str:
    """Say under which prefix of the artifacts bucket every result of batch scoring lies."""
    return f"{model}/scores/"


def truth_prefix(model: str) -> str:
    """Say under which prefix of the artifacts bucket the labels taken in from ground truth lie."""
    return f"{model}/monitor/truth/"


def truth_key(model: str, dropped: str, etag: str, modified: str, order: int = 0) -> str:
    """Say where the labels of one dropped object are kept; the same object twice is the same key.

    When it was dropped is part of it, so that content which comes back is newer than what replaced it. S3
    tells that to the second; `order` counts what one object held within it before.

    >>> truth_key("cars", "cars/truth/may.csv", "0a1b", "2026-05-04T10:00:00+00:00")
    'cars/monitor/truth/2026-05-04T10-00-00-6461afad62f34d9c.csv'
    """
    at = modified[:19].replace(":", "-") + (f".{order:03d}" if order else "")
    return f"{truth_prefix(model)}{at}-{truth_digest(dropped, etag)}.csv"


def refused_truth_prefix(model: str) -> str:
    """Say under which prefix of the artifacts bucket it is remembered which ground truth was refused."""
    return f"{model}/monitor/truth-refused/"


def truth_digest(dropped: str, etag: str) -> str:
    """Name one content of one dropped object of ground truth."""
    return hashlib.sha256(f"{dropped}/{etag}".encode()).hexdigest()[:16]


def truth_came(key: str) -> str:
    """Say when the labels under a key were dropped, and after a blank which file they are of.

    >>> truth_came("cars/monitor/truth/2026-05-04T10-00-00-6461afad62f34d9c.csv")
    '2026-05-04T10:00:00 6461afad62f34d9c'
    >>> truth_came("2026-05-04T10-00-00.001-6461afad62f34d9c.csv") > truth_came("2026-05-04T10-00-00-f0.csv")
    True
    """
    day, _, rest = key.rsplit("/", 1)[-1].removesuffix(".csv").partition("T")
    at, _, digest = rest.rpartition("-")
    return f"{day}T{at.replace('-', ':')} {digest}"


def window_prefix(model: str, algorithm: str, window: int, run: str) -> str:
    """Say where a run keeps what it makes of an algorithm's window, without a slash at the end."""
    return f"{model}/monitor/{algorithm}/windows/{window:06d}-{run}"


def check_prefix(model: str, run: str) -> str:
    """Say where a check's files and its report lie, without a slash at the end."""
    return f"{model}/monitor/checks/{run}"


def result_key(model: str, day: str, algorithm: str, window: int) -> str:
    """Say where the checked rows of one day are kept, for queries over many checks."""
    return f"{model}/monitor/results/date={day}/{algorithm}-{window:06d}.parquet"


def retrain_key(model: str, run: str) -> str:
    """Say where the rows that a retraining learns from are dropped in the data bucket."""
    return drop_key(model, "train", f"retrain-{run}.csv")


def queue_id(model: str) -> str:
    """Name the item of the runs table in which a model's training runs stand in line.

    No run is named so: a run's id has no slash.
    """
    return f"queue/{model}"


def served_id(model: str, file: str) -> str:
    """Name the item of the runs table that says which content of a file began to serve last.

    No run is named so, either. `file` is `line.file_id`.
    """
    return f"served/{model}/{file}"


def champion_run(model_name: str) -> str:
    """Tell which run made a SageMaker model; see `job_name`."""
    found = re.search(rf"-([0-9a-f]{{{RUN_ID_LENGTH}}})(?:-[0-9A-Za-z]{{1,2}})?$", model_name)
    if found is None:
        raise ValueError(f"{model_name} is not the name of a model that a training run made")
    return found[1]


def maker_of(prefix: str, name: str) -> str | None:
    """Tell which run made a SageMaker model or endpoint configuration; None for what no run here named so.

    >>> maker_of("tg", "tg-cars-xgboost-0123456789ab-1s")
    '0123456789ab'
    """
    found = re.fullmatch(rf"{re.escape(prefix)}-.+-([0-9a-f]{{{RUN_ID_LENGTH}}})(?:-[0-9A-Za-z])?s?", name)
    return found[1] if found else None
