"""The image's entry point: `python -m tidegate.local.sagemaker.images.xgboost train|serve`."""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> None:
    """Run the training job or the model server, as SageMaker's `image train` and `image serve` do."""
    match arguments:
        case ["train"]:
            from tidegate.local.sagemaker.images.container import run_job
            from tidegate.local.sagemaker.images.xgboost.train import train

            run_job(train)
        case ["serve"]:
            from tidegate.local.sagemaker.images.xgboost.serve import main as serve

            serve()
        case _:
            sys.exit(f"The XGBoost image knows 'train' and 'serve', not {' '.join(arguments)!r}.")


if __name__ == "__main__":
    main(sys.argv[1:])
