"""Prepare data with SKLearnProcessor, train, and score a file with Transformer, its filters and its join."""

import io
import tempfile
from pathlib import Path

import numpy as np
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.s3 import S3Downloader
from sagemaker.sklearn.processing import SKLearnProcessor

ROLE = "arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole"
# With a bucket of its own: to name its default one the SDK asks STS at an address of AWS, whatever is set.
session = sagemaker.Session(default_bucket="sdk2-prices")
bucket = session.default_bucket()

SCRIPT = """
import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--input", type=Path)
parser.add_argument("--output", type=Path)
parser.add_argument("--train-share", type=float)
options = parser.parse_args()
lines = (options.input / "cars.csv").read_text().splitlines()[1:]
rows = [line.split(",") for line in lines]
cut = int(len(rows) * options.train_share)
for name, part in (("train", rows[:cut]), ("test", rows[cut:])):
    # The label comes first for training and is not there for scoring.
    columns = [[row[-1], *row[1:-1]] if name == "train" else row[:-1] for row in part]
    (options.output / name / f"{name}.csv").write_text("".join(",".join(row) + "\\n" for row in columns))
print("rows", len(rows))
"""
rng = np.random.default_rng(2)
x = rng.normal(size=(200, 2))
y = 5 * x[:, 0] - x[:, 1]
text = io.StringIO("id,a,b,price\n")
text.seek(0, io.SEEK_END)
for number, (features, price) in enumerate(zip(x, y, strict=True)):
    text.write(f"{number},{features[0]:.5f},{features[1]:.5f},{price:.5f}\n")
raw = session.upload_string_as_file_body(text.getvalue(), bucket, "sdk2p/raw/cars.csv")

processor = SKLearnProcessor(
    framework_version="1.2-1",
    role=ROLE,
    instance_type="ml.m5.large",
    instance_count=1,
    base_job_name="sdk2-prepare",
    sagemaker_session=session,
)
with tempfile.TemporaryDirectory() as folder:
    script = Path(folder) / "prepare.py"
    script.write_text(SCRIPT)
    processor.run(
        code=str(script),
        inputs=[ProcessingInput(source=raw, destination="/opt/ml/processing/input")],
        outputs=[
            ProcessingOutput(output_name="train", source="/opt/ml/processing/train"),
            ProcessingOutput(output_name="test", source="/opt/ml/processing/test"),
        ],
        arguments=[
            "--input",
            "/opt/ml/processing/input",
            "--output",
            "/opt/ml/processing",
            "--train-share",
            "0.8",
        ],
        logs=False,
    )
description = processor.jobs[-1].describe()
assert description["ProcessingJobStatus"] == "Completed"
outputs = {
    each["OutputName"]: each["S3Output"]["S3Uri"] for each in description["ProcessingOutputConfig"]["Outputs"]
}

estimator = Estimator(
    image_uri=sagemaker.image_uris.retrieve("linear-learner", session.boto_region_name),
    role=ROLE,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/sdk2p/models",
    hyperparameters={"predictor_type": "regressor", "mini_batch_size": "20", "epochs": "30"},
    sagemaker_session=session,
)
estimator.fit({"train": TrainingInput(outputs["train"], content_type="text/csv")}, logs=False)

transformer = estimator.transformer(
    instance_count=1,
    instance_type="ml.m5.large",
    strategy="MultiRecord",
    assemble_with="Line",
    accept="text/csv",
    output_path=f"s3://{bucket}/sdk2p/scores",
)
transformer.transform(
    outputs["test"],
    content_type="text/csv",
    split_type="Line",
    input_filter="$[1:]",
    join_source="Input",
    output_filter="$[0,-1]",
    logs=True,
)
transformer.wait(logs=False)
scored = S3Downloader.read_file(f"{transformer.output_path}/test.csv.out", sagemaker_session=session)
rows = [line.split(",") for line in scored.splitlines()]
assert [row[0] for row in rows] == [str(number) for number in range(160, 200)], rows[:3]
assert np.abs(np.array([float(row[1]) for row in rows]) - y[160:]).max() < 1, rows[:3]
transformer.delete_model()
print("ok")
