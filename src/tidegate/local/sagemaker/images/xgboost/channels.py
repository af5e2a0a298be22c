"""Finds and checks the data channels of a training job and turns each into one DMatrix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidegate.local.sagemaker.images.container import ContainerError, ml_root
from tidegate.local.sagemaker.images.xgboost.library import xgboost
from tidegate.local.sagemaker.images.xgboost.readers import READERS, warn
from tidegate.local.sagemaker.images.xgboost.table import Table, join

MAX_FOLDER_DEPTH = 3
_FORMATS = {
    "csv": "csv",
    "text/csv": "csv",
    "libsvm": "libsvm",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "parquet": "parquet",
    "application/x-parquet": "parquet",
    "recordio-protobuf": "recordio-protobuf",
    "application/x-recordio-protobuf": "recordio-protobuf",
}


def format_of(content_type: str | None) -> str:
    """The data format that a content type stands for; libsvm when there is none.

    Raises
    ------
    ContainerError
        When the image does not read the content type.
    """
    if not content_type:
        return "libsvm"
    base, *options = [part.strip() for part in content_type.lower().split(";")]
    if base not in _FORMATS:
        raise ContainerError(f"{content_type} is not an accepted ContentType: {', '.join(_FORMATS)}.")
    if any(option.startswith("label_size=") and option != "label_size=1" for option in options):
        raise ContainerError(f"{content_type}: label_size must be 1, the label in the first column.")
    return _FORMATS[base]


def load_channels(config: Mapping[str, Mapping[str, Any]], has_weights: bool) -> tuple[Any, Any | None]:
    """Load the channels `train` and, if the job has it, `validation`.

    Returns
    -------
    tuple
        The two DMatrix objects, the second None without a validation channel.
    """
    _check_channels(config)
    train = _load("train", config["train"], has_weights)
    validation = _load("validation", config["validation"], has_weights) if "validation" in config else None
    if validation is not None and validation.columns != train.columns:
        if train.dense:
            raise ContainerError(
                f"The validation channel has {validation.columns} feature columns and the train channel "
                f"{train.columns}: both need the same columns in the same order."
            )
        _same_width(train, validation)
    return _matrix("train", train), None if validation is None else _matrix("validation", validation)


def _check_channels(config: Mapping[str, Mapping[str, Any]]) -> None:
    if "train" not in config:
        raise ContainerError("Missing required channel: train")
    for name, settings in config.items():
        if name not in ("train", "validation", "code"):
            raise ContainerError(f"Extraneous channel found: {name} (the image takes train and validation).")
        if settings.get("TrainingInputMode") == "Pipe":
            raise ContainerError(f"Channel {name}: Pipe mode is not supported; use the input mode File.")


def _load(name: str, settings: Mapping[str, Any], has_weights: bool) -> Table:
    folder = ml_root() / "input" / "data" / name
    kind = format_of(settings.get("ContentType"))
    files = list(_files(folder, folder, 1))
    if not any(file.stat().st_size for file in files):
        raise ContainerError(f"No data in {'training' if name == 'train' else name} channel path {folder}")
    tables = [
        (file, READERS[kind](file, has_weights and kind == "csv")) for file in files if file.stat().st_size
    ]
    table = join(tables)
    print(
        f"[INFO] {name}: {len(table.labels)} rows, {table.columns} columns, {len(files)} file(s), {kind}",
        flush=True,
    )
    return table


def _files(folder: Path, top: Path, depth: int) -> list[Path]:
    if not folder.is_dir():
        return []
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            raise ContainerError(
                f"Hidden file found in the data path: {path.relative_to(top)}. Remove it before training."
            )
        if path.is_dir():
            if depth < MAX_FOLDER_DEPTH:
                found += _files(path, top, depth + 1)
            else:
                warn(f"{path.relative_to(top)} lies deeper than {MAX_FOLDER_DEPTH} folders and is not read.")
        elif not path.name.startswith("_"):
            found.append(path)
    return found


def _same_width(train: Table, validation: Table) -> None:
    width = max(train.columns, validation.columns)
    for table in (train, validation):
        table.features.resize(table.features.shape[0], width)


def _matrix(name: str, table: Table) -> Any:
    try:
        return xgboost.DMatrix(table.features, label=table.labels, weight=table.weights, qid=table.groups)
    except xgboost.core.XGBoostError as error:
        if "inf" in str(error):
            raise ContainerError(
                f"The {name} channel has infinite values: leave such cells empty."
            ) from error
        raise ContainerError(
            f"XGBoost cannot take the data of the {name} channel: {reason(error)}"
        ) from error


def reason(error: Exception) -> str:
    """What an error of the library says, without its C++ stack."""
    text = str(error).partition("Stack trace:")[0].strip()
    return text.partition("Check failed: ")[2] or text
