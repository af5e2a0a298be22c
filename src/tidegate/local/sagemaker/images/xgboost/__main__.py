"""The image's entry point: `python -m tidegate.local.sagemaker.images.xgboost train|serve`."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder


class _NotNeeded(MetaPathFinder):
    """Makes pandas and scikit-learn look absent in this process.

    XGBoost and Arrow import them wherever they are installed, which costs a second or two of every start,
    and none of our calls needs them.
    """

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        if fullname in ("pandas", "sklearn"):
            raise ModuleNotFoundError(f"{fullname} is not used by this image", name=fullname)


def main(arguments: list[str]) -> None:
    """Run the training job or the model server, as SageMaker's `image train` and `image serve` do."""
    sys.meta_path.insert(0, _NotNeeded())
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
