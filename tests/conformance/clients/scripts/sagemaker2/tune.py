"""Tuning with HyperparameterTuner: random, then Bayesian from a warm start, and what the SDK reads of it."""

import io

import numpy as np
import sagemaker
from sagemaker.analytics import HyperparameterTuningJobAnalytics
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.tuner import (
    CategoricalParameter,
    ContinuousParameter,
    HyperparameterTuner,
    IntegerParameter,
    WarmStartConfig,
    WarmStartTypes,
)

ROLE = "arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole"
# With a bucket of its own: to name its default one the SDK asks STS at an address of AWS, whatever is set.
session = sagemaker.Session(default_bucket="sdk2-tuning")

rng = np.random.default_rng(6)
x = rng.normal(size=(300, 3))
rows = np.column_stack([x @ [3.0, -2.0, 1.0] + 10, x])


def upload(part, name):
    text = io.StringIO()
    np.savetxt(text, part, delimiter=",", fmt="%.6f")
    uri = session.upload_string_as_file_body(text.getvalue(), session.default_bucket(), f"{name}/rows.csv")
    return TrainingInput(uri, content_type="text/csv")


channels = {"train": upload(rows[:200], "train"), "validation": upload(rows[200:], "validation")}
estimator = Estimator(
    image_uri=sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1"),
    role=ROLE,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path="s3://sdk2-tuning/models",
    hyperparameters={"objective": "reg:squarederror", "num_round": 30, "eval_metric": "rmse"},
    sagemaker_session=session,
)
ranges = {
    "eta": ContinuousParameter(0.01, 0.5, scaling_type="Logarithmic"),
    "max_depth": IntegerParameter(1, 6),
    "booster": CategoricalParameter(["gbtree", "dart"]),
}
tuner = HyperparameterTuner(
    estimator,
    "validation:rmse",
    ranges,
    objective_type="Minimize",
    strategy="Random",
    max_jobs=4,
    max_parallel_jobs=2,
    early_stopping_type="Auto",
    random_seed=1,
)
tuner.fit(channels, job_name="sdk2-random", include_cls_metadata=False)
described = tuner.describe()
assert described["HyperParameterTuningJobStatus"] == "Completed", described
assert sum(described["TrainingJobStatusCounters"].values()) == 4
best = tuner.best_training_job()
table = HyperparameterTuningJobAnalytics("sdk2-random", sagemaker_session=session).dataframe()
assert len(table) == 4 and set(ranges) <= set(table.columns), table
assert table.sort_values("FinalObjectiveValue")["TrainingJobName"].iloc[0] == best
assert tuner.best_estimator().hyperparameters()["_tuning_objective_metric"] == "validation:rmse"

further = HyperparameterTuner(
    estimator,
    "validation:rmse",
    ranges,
    objective_type="Minimize",
    max_jobs=3,
    max_parallel_jobs=1,
    warm_start_config=WarmStartConfig(WarmStartTypes.IDENTICAL_DATA_AND_ALGORITHM, parents={"sdk2-random"}),
)
further.fit(channels, job_name="sdk2-bayesian", include_cls_metadata=False)
described = further.describe()
assert described["OverallBestTrainingJob"]["TuningJobName"] in ("sdk2-random", "sdk2-bayesian")

again = HyperparameterTuner.attach("sdk2-bayesian", sagemaker_session=session)
predictor = again.deploy(
    initial_instance_count=1,
    instance_type="ml.m5.large",
    endpoint_name="sdk2-tuned",
    serializer=sagemaker.serializers.CSVSerializer(),
)
assert abs(float(predictor.predict("0,0,0")) - 10) < 4
predictor.delete_model()
predictor.delete_endpoint()
print("ok")
