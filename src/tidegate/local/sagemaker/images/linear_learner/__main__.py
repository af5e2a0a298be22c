"""The image's entry point: ``train`` or ``serve``."""

from __future__ import annotations

import os
import sys


def main(arguments: list[str]) -> None:
    """Run the image as the platform calls it; a training job leaves with its exit code."""
    # Before NumPy is loaded: jobs share the machine, and on busy cores a training with the spinning
    # threads of OpenBLAS took more than twice as long as with one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if arguments == ["train"]:
        from tidegate.local.sagemaker.images.container import run_job

        from .train import StopRequest, train

        run_job(lambda: train(StopRequest()))
    elif arguments == ["serve"]:
        from .serving import run_server

        run_server()
    else:
        sys.exit("Say what to run: python -m tidegate.local.sagemaker.images.linear_learner train|serve")


if __name__ == "__main__":
    main(sys.argv[1:])
