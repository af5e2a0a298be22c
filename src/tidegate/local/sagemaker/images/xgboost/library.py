"""The one place that imports the XGBoost library: it is the image's version, and later models are refused.

From 3.1 on the library writes the base score of a model as a list, which 3.0 reads as 0.5 without a word: a
model of car prices trained by 3.2 predicts about nothing in AWS's image. So both sides have one version, and
a model of a later one is refused.
"""

from __future__ import annotations

import os
import re
import warnings

# Threads that wait must not spin: two jobs on the same cores would slow each other twentyfold.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import xgboost

from tidegate.local.sagemaker.images.container import ContainerError

# What the library says through `warnings` (a GPU that is not there, say) we say in log lines of our own.
warnings.filterwarnings("ignore", module="xgboost")

__all__ = ["IMAGE_VERSION", "LIBRARY_VERSION", "check_library", "check_model", "xgboost"]

# The tag of AWS's image in the template, and the library inside it (docker/3.0-5 of its public source).
IMAGE_VERSION = "3.0-5"
LIBRARY_VERSION = "3.0.5"

# The version stands at the end of a model file, in UBJSON and in JSON.
_TAIL_BYTES = 200
_UBJSON = re.compile(rb"version\[(?:\$i)?#[iUL]\x00*\x03(.+?)\}", re.DOTALL)
_JSON = re.compile(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]')


def check_library() -> None:
    """Refuse to train with another version of the library than the image's.

    Raises
    ------
    ContainerError
        When the environment has another XGBoost.
    """
    if xgboost.__version__ != LIBRARY_VERSION:
        raise ContainerError(
            f"This environment has XGBoost {xgboost.__version__}, and AWS's image sagemaker-xgboost:"
            f"{IMAGE_VERSION} has {LIBRARY_VERSION}: a model trained here could predict otherwise there. "
            f"Install xgboost-cpu=={LIBRARY_VERSION} (make install)."
        )


def check_model(name: str, model: bytes) -> None:
    """Refuse a model that a later version wrote: this one would load it, and predict otherwise.

    Raises
    ------
    ContainerError
        When the model says that it is of a later version than the library.
    """
    version = written_by(model)
    if version is not None and version > tuple(map(int, LIBRARY_VERSION.split("."))):
        raise ContainerError(
            f"{name} was written by XGBoost {'.'.join(map(str, version))}, which the image's "
            f"{LIBRARY_VERSION} misreads without a word: train the model again."
        )


def written_by(model: bytes) -> tuple[int, ...] | None:
    """Tell which version of the library wrote a model; None when the file does not say.

    Examples
    --------
    >>> written_by(b'{"learner":{},"version":[3,2,0]}')
    (3, 2, 0)
    """
    tail = model[-_TAIL_BYTES:]
    if found := _JSON.search(tail):
        return tuple(map(int, found.groups()))
    if found := _UBJSON.search(tail):
        numbers = found[1]
        # Three numbers of one byte each: bare where the list names their type once, else each after its mark.
        return tuple(numbers) if len(numbers) == 3 else tuple(numbers[1::2])
    return None
