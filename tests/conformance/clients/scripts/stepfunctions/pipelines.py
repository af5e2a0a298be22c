"""The two pipelines that the Step Functions Data Science SDK makes by itself, created and executed."""

import io
import os
import tempfile
from pathlib import Path

import boto3
import numpy as np
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn import SKLearn
from stepfunctions.template.pipeline import InferencePipeline, TrainingPipeline

ROLE = os.environ["ROLE_ARN"]
BUCKET = "sfn-prices"
session = sagemaker.Session(default_bucket=BUCKET)
states = boto3.client("stepfunctions")

rng = np.random.default_rng(4)
x = rng.normal(size=(200, 2))
y = 4 * x[:, 0] + x[:, 1]
text = io.StringIO()
np.savetxt(text, np.column_stack([y, x]), delimiter=",", fmt="%.5f")
train = session.upload_string_as_file_body(text.getvalue(), session.default_bucket(), "train/rows.csv")


def xgboost():
    return Estimator(
        image_uri=sagemaker.image_uris.retrieve("xgboost", "us-east-1", version="1.7-1"),
        role=ROLE,
        instance_count=1,
        instance_type="ml.m5.large",
        hyperparameters={"objective": "reg:squarederror", "num_round": "10"},
        sagemaker_session=session,
    )


def ended(execution):
    execution.get_output(wait=True)
    described = execution.describe()
    assert described["status"] == "SUCCEEDED", [
        event for event in execution.list_events() if "cause" in str(event)
    ] or described


def ask(endpoint, body, **how):
    boto3.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
    predictor = Predictor(endpoint, session, serializer=CSVSerializer(), deserializer=CSVDeserializer())
    return predictor.predict(body, **how)


training = TrainingPipeline(
    xgboost(), ROLE, {"train": TrainingInput(train, content_type="text/csv")}, BUCKET, client=states,
    pipeline_name="sfn-training",
)  # fmt: skip
training.create()
ended(training.execute(job_name="sfn-training-1"))
assert len(ask("sfn-training-1", "1,1\n0,0").pop(0)) == 1

PREPROCESSOR = """
import argparse, os
from pathlib import Path


def model_fn(folder):
    return float((Path(folder) / "scale").read_text())


def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    return [[float(cell) for cell in line.split(",")] for line in text.splitlines() if line]


def predict_fn(rows, scale):
    return [[*row[:-2], *(cell * scale for cell in row[-2:])] for row in rows]


def output_fn(rows, accept):
    # The pipeline trains without a content type, so XGBoost expects libsvm: the label, then index:value.
    lines = []
    for row in rows:
        label = row[0] if len(row) == 3 else 0
        lines.append(" ".join([str(label), *(f"{i}:{cell}" for i, cell in enumerate(row[-2:]))]))
    return "\\n".join(lines), "text/libsvm"


if __name__ == "__main__":
    (Path(os.environ["SM_MODEL_DIR"]) / "scale").write_text("0.5")
"""
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "preprocess.py").write_text(PREPROCESSOR)
    preprocessor = SKLearn(
        entry_point="preprocess.py",
        source_dir=folder,
        framework_version="1.2-1",
        role=ROLE,
        instance_type="ml.m5.large",
        instance_count=1,
        sagemaker_session=session,
    )
    inference = InferencePipeline(
        preprocessor, xgboost(), {"train": train}, BUCKET, ROLE,
        client=states, pipeline_name="sfn-inference", content_type="text/csv",
    )  # fmt: skip
    inference.create()
    ended(inference.execute(job_name="sfn-inference-1"))
both = ask("sfn-inference-1", "1,1\n0,0")
assert len([cell for row in both for cell in row]) == 2, both
print("ok")
