"""Script mode and the built-in Linear Learner: SKLearn fits and serves a script, LinearLearner takes NumPy."""

import tempfile
from pathlib import Path

import numpy as np
import sagemaker
from sagemaker import LinearLearner
from sagemaker.sklearn import SKLearn

ROLE = "arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole"
# With a bucket of its own: to name its default one the SDK asks STS at an address of AWS, whatever is set.
session = sagemaker.Session(default_bucket="sdk2-prices")
bucket = session.default_bucket()
rng = np.random.default_rng(3)

SCRIPT = """
import argparse, json, os
from pathlib import Path


def model_fn(folder):
    return json.loads((Path(folder) / "model.json").read_text())


def predict_fn(rows, model):
    return rows.reshape(-1, 1)[:, 0] * model["slope"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--slope", type=float)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    arguments = parser.parse_args()
    assert list(Path(arguments.train).iterdir())
    print(f"loss={arguments.slope / 10};")
    (Path(arguments.model_dir) / "model.json").write_text(json.dumps({"slope": arguments.slope}))
"""
train = session.upload_string_as_file_body("1,2\n", bucket, "sdk2f/train/rows.csv")
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "train.py").write_text(SCRIPT)
    sklearn = SKLearn(
        entry_point="train.py",
        source_dir=folder,
        framework_version="1.2-1",
        role=ROLE,
        instance_type="ml.m5.large",
        hyperparameters={"slope": 2.5},
        metric_definitions=[{"Name": "loss", "Regex": "loss=(.*?);"}],
        output_path=f"s3://{bucket}/sdk2f/models",
        code_location=f"s3://{bucket}/sdk2f/code",
        sagemaker_session=session,
    )
    sklearn.fit({"train": train}, logs=False)
    metrics = {
        each["MetricName"]: each["Value"]
        for each in sklearn.latest_training_job.describe()["FinalMetricDataList"]
    }
    assert metrics == {"loss": 0.25}, metrics
    predictor = sklearn.deploy(
        initial_instance_count=1, instance_type="ml.m5.large", endpoint_name="sdk2-sklearn"
    )
assert list(predictor.predict(np.array([1.0, 4.0]))) == [2.5, 10.0]
predictor.delete_model()
predictor.delete_endpoint()

x = rng.normal(size=(300, 4)).astype("float32")
y = (x @ [1, 2, 3, 4]).astype("float32")
linear = LinearLearner(
    role=ROLE,
    instance_count=1,
    instance_type="ml.m5.large",
    predictor_type="regressor",
    epochs=30,
    data_location=f"s3://{bucket}/sdk2f/linear",
    output_path=f"s3://{bucket}/sdk2f/models",
    sagemaker_session=session,
)
linear.fit(linear.record_set(x, labels=y), mini_batch_size=30, logs=False)
predictor = linear.deploy(initial_instance_count=1, instance_type="ml.m5.large", endpoint_name="sdk2-linear")
scores = [record.label["score"].float32_tensor.values[0] for record in predictor.predict(x[:3])]
assert np.abs(np.array(scores) - y[:3]).max() < 1.5, (scores, y[:3])
predictor.delete_model()
predictor.delete_endpoint()
print("ok")
