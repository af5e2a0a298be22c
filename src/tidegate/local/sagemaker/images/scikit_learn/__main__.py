"""The image's entry point: `python -m tidegate.local.sagemaker.images.scikit_learn train|serve`."""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> None:
    """Run the user's training script or the model server around the user's handlers."""
    match arguments:
        case ["train"]:
            from tidegate.local.sagemaker.images.container import run_job
            from tidegate.local.sagemaker.images.scikit_learn.train import train

            run_job(train)
        case ["serve"]:
            from tidegate.local.sagemaker.images.scikit_learn.serve import main as serve

            serve()
        case _:
            sys.exit(f"The scikit-learn image knows 'train' and 'serve', not {' '.join(arguments)!r}.")


if __name__ == "__main__":
    main(sys.argv[1:])
