"""A plain model server as people write it: FastAPI around an XGBoost model. Arguments: model file, port."""

import sys

import numpy as np
import uvicorn
import xgboost
from fastapi import FastAPI
from pydantic import BaseModel

booster = xgboost.Booster(model_file=sys.argv[1])
app = FastAPI()


class Rows(BaseModel):
    """Encoded rows."""

    rows: list[list[float]]


@app.get("/ping")
def ping() -> dict[str, str]:
    """Say that the model is there."""
    return {"status": "ok"}


@app.post("/invocations")
def predict(given: Rows) -> dict[str, list[float]]:
    """Predict rows."""
    return {"predictions": booster.predict(xgboost.DMatrix(np.asarray(given.rows))).tolist()}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
