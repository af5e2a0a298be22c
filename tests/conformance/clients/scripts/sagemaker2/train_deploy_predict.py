"""The XGBoost walk-through of the SageMaker SDK: fit, look at the metrics, deploy, predict, read the capture."""

import io
import json
import time

import numpy as np
import sagemaker
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.predictor import Predictor
from sagemaker.s3 import S3Downloader
from sagemaker.serializers import CSVSerializer

ROLE = "arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole"
# With a bucket of its own: to name its default one the SDK asks STS at an address of AWS, whatever is set.
session = sagemaker.Session(default_bucket="sdk2-prices")
bucket = session.default_bucket()

rng = np.random.default_rng(1)
x = rng.normal(size=(400, 3))
y = x @ [3.0, -2.0, 1.0] + 10


def upload(rows, name):
    text = io.StringIO()
    np.savetxt(text, rows, delimiter=",", fmt="%.6f")
    return session.upload_string_as_file_body(text.getvalue(), bucket, f"sdk2/{name}/rows.csv")


train = upload(np.column_stack([y[:300], x[:300]]), "train")
validation = upload(np.column_stack([y[300:], x[300:]]), "validation")

image = sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1")
estimator = Estimator(
    image_uri=image,
    role=ROLE,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/sdk2/models",
    base_job_name="sdk2-xgboost",
    max_run=600,
    tags=[{"Key": "project", "Value": "cars"}],
    sagemaker_session=session,
)
estimator.set_hyperparameters(objective="reg:squarederror", num_round=20, eval_metric="rmse", max_depth=3)
estimator.fit(
    {
        "train": TrainingInput(train, content_type="text/csv"),
        "validation": TrainingInput(validation, content_type="text/csv"),
    },
    logs="All",
)
job = estimator.latest_training_job
assert estimator.model_data == f"s3://{bucket}/sdk2/models/{job.name}/output/model.tar.gz", (
    estimator.model_data
)
assert job.describe()["SecondaryStatus"] == "Completed"
assert session.list_tags(job.describe()["TrainingJobArn"]) == [{"Key": "project", "Value": "cars"}]

metrics = TrainingJobAnalytics(job.name, ["validation:rmse"], sagemaker_session=session).dataframe()
assert list(metrics["metric_name"].unique()) == ["validation:rmse"], metrics
assert metrics["value"].iloc[-1] <= 2.0, metrics

again = Estimator.attach(job.name, sagemaker_session=session)
assert again.hyperparameters()["num_round"] == "20"

predictor = estimator.deploy(
    initial_instance_count=1,
    instance_type="ml.m5.large",
    endpoint_name="sdk2-xgboost",
    serializer=CSVSerializer(),
    deserializer=CSVDeserializer(),
    data_capture_config=DataCaptureConfig(
        enable_capture=True,
        sampling_percentage=100,
        destination_s3_uri=f"s3://{bucket}/sdk2/capture",
        csv_content_types=["text/csv"],
        sagemaker_session=session,
    ),
)
answers = np.array(predictor.predict(x[300:305], inference_id="first-five"), dtype=float).ravel()
assert np.abs(answers - y[300:305]).max() < 3, (answers, y[300:305])

captured = []
for _ in range(60):
    captured = predictor.list_data_captures() if hasattr(predictor, "list_data_captures") else []
    captured = captured or S3Downloader.list(
        f"s3://{bucket}/sdk2/capture/sdk2-xgboost", sagemaker_session=session
    )
    if captured:
        break
    time.sleep(0.25)
lines = [
    json.loads(line)
    for key in captured
    for line in S3Downloader.read_file(key, sagemaker_session=session).splitlines()
]
assert lines[0]["eventMetadata"]["inferenceId"] == "first-five"
assert len(lines[0]["captureData"]["endpointInput"]["data"].splitlines()) == 5
assert lines[0]["captureData"]["endpointOutput"]["mode"] == "OUTPUT"

predictor.update_endpoint(initial_instance_count=2, instance_type="ml.m5.large")
assert session.describe_endpoint("sdk2-xgboost")["ProductionVariants"][0]["CurrentInstanceCount"] == 2
predictor.disable_data_capture()
assert not session.describe_endpoint("sdk2-xgboost")["DataCaptureConfig"]["EnableCapture"]

same = Predictor("sdk2-xgboost", sagemaker_session=session, serializer=CSVSerializer())
assert len(same.predict("0,0,0").split()) == 1
predictor.delete_model()
predictor.delete_endpoint(delete_endpoint_config=True)
print("ok")
