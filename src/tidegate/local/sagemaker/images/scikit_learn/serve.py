"""The model server of the scikit-learn image: imports the user's module, loads its model, answers."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from tidegate.local.sagemaker.images.container import ContainerError, ml_root
from tidegate.local.sagemaker.images.scikit_learn.handlers import Handlers
from tidegate.local.sagemaker.images.scikit_learn.source import fetch_source, warn_of_missing_requirements
from tidegate.local.sagemaker.images.server import serve

DEFAULT_PROGRAM = "inference.py"


def load_module(folder: Path, program: str) -> ModuleType:
    """Import the user's serving module, with its folder first on the search path.

    Raises
    ------
    ContainerError
        When the folder has no such file.
    """
    path = folder / (program if program.endswith(".py") else f"{program}.py")
    if not path.is_file():
        raise ContainerError(
            f"There is no {path.name} in {folder}: SAGEMAKER_PROGRAM must name a file of the source code."
        )
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ContainerError(f"{path} is not a Python module.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Serve the user's handlers until SIGTERM."""
    model_dir = ml_root() / "model"
    location = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or str(model_dir / "code")
    program = os.environ.get("SAGEMAKER_PROGRAM") or DEFAULT_PROGRAM
    try:
        folder = fetch_source(location, ml_root() / "code")
        warn_of_missing_requirements(folder)
        module = load_module(folder, program)
        default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "")
        handlers = Handlers(module, str(model_dir), default_accept)
    except ContainerError as error:
        sys.exit(f"[ERROR] {error}")
    except Exception as error:  # the user's code may raise anything as it starts
        traceback.print_exc()
        sys.exit(f"[ERROR] {program} could not be started: {type(error).__name__}: {error}")
    parameters = getattr(module, "execution_parameters_fn", None)
    print(f"[INFO] Serving {program} from {folder}.", flush=True)
    serve(lambda: True, handlers, parameters() if parameters else None)
