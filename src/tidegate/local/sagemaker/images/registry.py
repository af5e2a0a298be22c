"""Which program stands for which image: the repository name in an ECR URI leads to the commands to run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.core.xgboost_ranges import METRICS

_HERE = "tidegate.local.sagemaker.images"

# A number and not \S+, which would run on through "#011" into the next metric of the line.
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
_LINEAR_LINE = r"#quality_metric: host=\S+, "
# By their documented names; some are printed with the parameter that they were taken at, as binary_f_1.000.
_LINEAR_METRICS = {
    "mse": "mse",
    "rmse": "rmse",
    "mae": "mae",
    "r2": "r2",
    "absolute_loss": "absolute_loss",
    "binary_classification_accuracy": "binary_classification_accuracy",
    "binary_f_beta": r"binary_f_\S+",
    "precision": "precision",
    "recall": "recall",
    "roc_auc_score": "roc_auc_score",
    "dcg": "dcg",
    "multiclass_accuracy": "multiclass_accuracy",
    "multiclass_top_k_accuracy": r"multiclass_top_k_accuracy_\S+",
    "macro_precision": "macro_precision",
    "macro_recall": "macro_recall",
    "macro_f_beta": r"macro_f_\S+",
}


@dataclass(frozen=True)
class Image:
    """How an image runs here; each command is an argument vector, None where the image cannot do it."""

    repository: str
    train: tuple[str, ...] | None = None
    serve: tuple[str, ...] | None = None
    process: tuple[str, ...] | None = None
    metric_definitions: tuple[tuple[str, str], ...] = ()


class ImageNotRegistered(LookupError):
    """No program here stands for the image; the message says how to register one."""


class BadImageRegistry(ImageNotRegistered):
    """The file named by `TIDEGATE_IMAGES` cannot be used; the message says where and why."""


def repository_of(uri: str) -> str:
    """The repository name in an image URI, without registry, tag and digest.

    Examples
    --------
    >>> repository_of("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1")
    'sagemaker-xgboost'
    >>> repository_of("team/prices@sha256:abc")
    'team/prices'
    """
    name = uri.strip().partition("@")[0]
    head, slash, tail = name.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        name = tail
    return name.partition(":")[0]


def find_image(uri: str) -> Image:
    """Find what runs for an image URI: first the user's own registrations, then ours.

    Raises
    ------
    ImageNotRegistered
        When nobody registered the image's repository.
    BadImageRegistry
        When the file of `TIDEGATE_IMAGES` cannot be read.
    """
    repository = repository_of(uri)
    own = _registered_by_user()
    image = own.get(repository) or _OURS.get(repository)
    if image is None:
        known = ", ".join(sorted({*own, *_OURS}))
        raise ImageNotRegistered(
            f"No program is registered for the image {uri!r} (repository {repository!r}). Known: {known}. "
            f'To run your own, write {{"{repository}": {{"train": ["python3", "train.py"], '
            f'"serve": ["python3", "serve.py"]}}}} in a JSON file and set TIDEGATE_IMAGES to its path.'
        )
    return image


def _registered_by_user() -> dict[str, Image]:
    setting = os.environ.get("TIDEGATE_IMAGES")
    if not setting:
        return {}
    path = Path(setting)
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadImageRegistry(
            f"TIDEGATE_IMAGES names {path}, which cannot be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise BadImageRegistry(f"TIDEGATE_IMAGES names {path}, which is not JSON: {error}.") from error
    if not isinstance(entries, dict):
        raise BadImageRegistry(
            f"{path} must hold an object of repository names, not {type(entries).__name__}."
        )
    return {name: _user_image(path, name, entry) for name, entry in entries.items()}


def _user_image(path: Path, name: str, entry: Any) -> Image:
    where = f"{path}, image {name!r}"
    if not isinstance(entry, Mapping):
        raise BadImageRegistry(f'{where}: write an object such as {{"train": ["python3", "train.py"]}}.')
    unknown = set(entry) - {"train", "serve", "process", "metric_definitions"}
    if unknown:
        raise BadImageRegistry(
            f"{where}: unknown key {sorted(unknown)[0]!r}; "
            "the keys are train, serve, process and metric_definitions."
        )
    home = path.absolute().parent
    commands = {key: _command(where, home, key, entry.get(key)) for key in ("train", "serve", "process")}
    if not any(commands.values()):
        raise BadImageRegistry(f"{where}: name at least one command: train, serve or process.")
    try:
        metrics = tuple((m["Name"], m["Regex"]) for m in entry.get("metric_definitions", ()))
    except (TypeError, KeyError) as error:
        raise BadImageRegistry(f"{where}: each of metric_definitions needs Name and Regex.") from error
    return Image(name, commands["train"], commands["serve"], commands["process"], metrics)


def _command(where: str, home: Path, key: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(part, str) for part in value):
        raise BadImageRegistry(f"{where}: {key} must be a list of strings, the command and its arguments.")
    program, *arguments = value
    return (_found(home, program, is_program=True), *(_found(home, part) for part in arguments))


def _found(home: Path, part: str, *, is_program: bool = False) -> str:
    """Return a part of a command, absolute where it is a path that leads from the registry's folder.

    A bare name is a file there or just a word; as a program it is looked for on the PATH, as shells do.
    """
    path = home / part
    relative = part.startswith(("./", "../"))
    return str(path) if relative or (path.exists() and not (is_program and "/" not in part)) else part


def _ours(
    repository: str, module: str, metrics: tuple[tuple[str, str], ...] = (), script: bool = False
) -> Image:
    run = (sys.executable, "-m", f"{_HERE}.{module}")
    return Image(
        repository,
        train=(*run, "train"),
        serve=(*run, "serve"),
        # In a processing job's `python3 script.py` this interpreter takes the place of python3.
        process=(sys.executable,) if script else None,
        metric_definitions=metrics,
    )


def _linear_learner_metrics() -> tuple[tuple[str, str], ...]:
    objective = tuple(
        (f"{channel}:objective_loss", _LINEAR_LINE + rf"epoch=\S+, {channel} \S+_objective <loss>=(\S+)")
        for channel in ("train", "validation")
    )
    tested = ("test:objective_loss", _LINEAR_LINE + r"test \S+_objective <loss>=(\S+)")
    final = tuple(
        (f"{channel}:{metric}", _LINEAR_LINE + rf"{channel} {printed} <(?:loss|score)>=(\S+)")
        for channel in ("validation", "test")
        for metric, printed in _LINEAR_METRICS.items()
        if (channel, metric) != ("test", "rmse")  # AWS documents no test:rmse
    )
    progress = ("train:progress", r"#progress_metric: host=\S+, completed (\S+) %")
    return (*objective, tested, *final, progress)


_OURS = {
    image.repository: image
    for image in (
        _ours(
            "sagemaker-xgboost",
            "xgboost",
            tuple(
                (f"{channel}:{metric}", rf".*\[[0-9]+\].*#011{channel}-{metric}:{_NUMBER}")
                for channel in ("train", "validation")
                for metric in METRICS
            ),
        ),
        _ours(
            "linear-learner",
            "linear_learner",
            _linear_learner_metrics(),
        ),
        _ours("sagemaker-scikit-learn", "scikit_learn", script=True),
    )
}
