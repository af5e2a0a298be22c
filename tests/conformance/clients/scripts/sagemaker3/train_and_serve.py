"""The third SageMaker SDK: ModelTrainer on a built-in image and on a script, resources of sagemaker-core."""

import io
import tempfile
from pathlib import Path

import boto3
import numpy as np
from sagemaker.core.helper import IamRoleResolver
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TrainingJob
from sagemaker.core.shapes import ContainerDefinition, OutputDataConfig, ProductionVariant
from sagemaker.core.training.configs import Compute, InputData, SourceCode
from sagemaker.train import ModelTrainer

ROLE = IamRoleResolver().create_execution_role(role_type="training")
REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
XGBOOST, SKLEARN = f"{REGISTRY}/sagemaker-xgboost:1.7-1", f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3"
BUCKET = "sdk3-prices"
session = Session(default_bucket=BUCKET)
boto3.client("s3").create_bucket(Bucket=BUCKET)

rng = np.random.default_rng(7)
x = rng.normal(size=(200, 2))
text = io.StringIO()
np.savetxt(text, np.column_stack([4 * x[:, 0] + x[:, 1], x]), delimiter=",", fmt="%.5f")
boto3.client("s3").put_object(Bucket=BUCKET, Key="train/rows.csv", Body=text.getvalue().encode())
compute = Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5)

trainer = ModelTrainer(
    training_image=XGBOOST,
    role=ROLE,
    base_job_name="sdk3-xgboost",
    compute=compute,
    hyperparameters={"objective": "reg:squarederror", "num_round": 10},
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/models"),
    sagemaker_session=session,
)
trainer.train(
    [InputData(channel_name="train", data_source=f"s3://{BUCKET}/train/", content_type="text/csv")],
    logs=False,
)
job = TrainingJob.get(trainer._latest_training_job.training_job_name)
assert job.training_job_status == "Completed"
print("built-in ok")

model = Model.create(
    model_name="sdk3-xgboost",
    primary_container=ContainerDefinition(
        image=XGBOOST, model_data_url=job.model_artifacts.s3_model_artifacts
    ),
    execution_role_arn=ROLE,
)
config = EndpointConfig.create(
    endpoint_config_name="sdk3-xgboost",
    production_variants=[
        ProductionVariant(
            variant_name="all", model_name=model, initial_instance_count=1, instance_type="ml.m5.large"
        )
    ],
)
endpoint = Endpoint.create(endpoint_name="sdk3-xgboost", endpoint_config_name=config)
endpoint.wait_for_status("InService", poll=1)
answer = endpoint.invoke(body="1,1\n0,0", content_type="text/csv").body.read().decode()
assert len(answer.split()) == 2, answer
assert [each.model_name for each in Model.get_all(name_contains="sdk3")] == ["sdk3-xgboost"]
endpoint.delete()
endpoint.wait_for_delete(poll=1)
config.delete()
model.delete()
print("endpoint ok")

with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "train.py").write_text(
        "import argparse, os, pathlib\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--slope', type=float)\n"
        "slope = parser.parse_args().slope\n"
        "rows = len((pathlib.Path(os.environ['SM_CHANNEL_TRAIN']) / 'rows.csv').read_text().splitlines())\n"
        "pathlib.Path(os.environ['SM_MODEL_DIR'], 'slope').write_text(f'{slope} {rows}')\n"
    )
    scripted = ModelTrainer(
        training_image=SKLEARN,
        role=ROLE,
        base_job_name="sdk3-script",
        source_code=SourceCode(source_dir=folder, entry_script="train.py"),
        compute=compute,
        hyperparameters={"slope": 2.5},
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/models"),
        sagemaker_session=session,
    )
    scripted.train([InputData(channel_name="train", data_source=f"s3://{BUCKET}/train/")], logs=False)
assert scripted._latest_training_job.training_job_status == "Completed"
print("ok")
