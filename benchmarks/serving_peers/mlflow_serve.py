"""Serves an XGBoost model by `mlflow models serve`, as documented. Arguments: model file, port."""

import os
import sys
import tempfile
from pathlib import Path

import mlflow.xgboost
import xgboost

if __name__ == "__main__":
    saved = Path(tempfile.mkdtemp()) / "model"
    mlflow.xgboost.save_model(xgboost.Booster(model_file=sys.argv[1]), str(saved))
    command = str(Path(sys.executable).with_name("mlflow"))
    serve = [command, "models", "serve", "-m", str(saved), "-p", sys.argv[2], "-h", "127.0.0.1"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    os.execve(command, [*serve, "--env-manager", "local"], environment)
