"""A workflow made by hand of every SageMaker step: process, tune, train, save, transform, serve, update."""

import io
import os
import tempfile
from pathlib import Path

import boto3
import numpy as np
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.transformer import Transformer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter
from stepfunctions.inputs import ExecutionInput
from stepfunctions.steps import (
    Catch,
    Chain,
    EndpointConfigStep,
    EndpointStep,
    Fail,
    ModelStep,
    ProcessingStep,
    TrainingStep,
    TransformStep,
    TuningStep,
)
from stepfunctions.workflow import Workflow

ROLE = os.environ["ROLE_ARN"]
BUCKET = "sfn-workflow"
session = sagemaker.Session(default_bucket=BUCKET)

rng = np.random.default_rng(5)
x = rng.normal(size=(200, 2))
text = io.StringIO()
np.savetxt(text, np.column_stack([4 * x[:, 0] + x[:, 1], x]), delimiter=",", fmt="%.5f")
raw = session.upload_string_as_file_body(text.getvalue(), session.default_bucket(), "raw/rows.csv")
SPLIT = """
import sys
from pathlib import Path

source, target = map(Path, sys.argv[1:])
lines = (source / "rows.csv").read_text().splitlines()
(target / "train" / "rows.csv").write_text("\\n".join(lines[:150]))
(target / "validation" / "rows.csv").write_text("\\n".join(lines[150:]))
(target / "score" / "rows.csv").write_text("\\n".join(line.split(",", 1)[1] for line in lines[150:]))
"""

names = ExecutionInput(schema={"Job": str, "Model": str, "Endpoint": str})
processor = SKLearnProcessor(
    framework_version="1.2-1",
    role=ROLE,
    instance_type="ml.m5.large",
    instance_count=1,
    sagemaker_session=session,
)
outputs = {name: f"s3://{BUCKET}/prepared/{name}" for name in ("train", "validation", "score")}
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "split.py").write_text(SPLIT)
    code = session.upload_data(folder, BUCKET, "code")
process = ProcessingStep(
    "Split the rows",
    processor=processor,
    job_name=names["Job"],
    inputs=[
        ProcessingInput(source=raw, destination="/opt/ml/processing/input", input_name="rows"),
        ProcessingInput(source=f"{code}/split.py", destination="/opt/ml/processing/code", input_name="code"),
    ],
    outputs=[
        ProcessingOutput(source=f"/opt/ml/processing/out/{name}", destination=uri, output_name=name)
        for name, uri in outputs.items()
    ],
    container_entrypoint=["python3", "/opt/ml/processing/code/split.py"],
    container_arguments=["/opt/ml/processing/input", "/opt/ml/processing/out"],
)

estimator = Estimator(
    image_uri=sagemaker.image_uris.retrieve("xgboost", "us-east-1", version="1.7-1"),
    role=ROLE,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{BUCKET}/models",
    hyperparameters={"objective": "reg:squarederror", "num_round": "10", "eval_metric": "rmse"},
    sagemaker_session=session,
)
channels = {name: TrainingInput(outputs[name], content_type="text/csv") for name in ("train", "validation")}
tuner = HyperparameterTuner(
    estimator,
    "validation:rmse",
    {"eta": ContinuousParameter(0.05, 0.5), "max_depth": IntegerParameter(2, 5)},
    objective_type="Minimize",
    strategy="Random",
    max_jobs=3,
    max_parallel_jobs=2,
)
tune = TuningStep("Tune", tuner=tuner, job_name=names["Job"], data=channels)
train = TrainingStep("Train", estimator=estimator, data=channels, job_name=names["Job"])
model = ModelStep("Save", model=train.get_expected_model(), model_name=names["Model"], result_path="$.Saved")
transformer = Transformer(
    None, 1, "ml.m5.large", output_path=f"s3://{BUCKET}/scores", assemble_with="Line", accept="text/csv",
    sagemaker_session=session,
)  # fmt: skip
transform = TransformStep(
    "Score",
    transformer=transformer,
    job_name=names["Job"],
    model_name=names["Model"],
    data=outputs["score"],
    content_type="text/csv",
    split_type="Line",
    join_source="Input",
)
config = EndpointConfigStep(
    "Configure",
    endpoint_config_name=names["Model"],
    model_name=names["Model"],
    initial_instance_count=1,
    instance_type="ml.m5.large",
)
serve = EndpointStep("Serve", endpoint_name=names["Endpoint"], endpoint_config_name=names["Model"])
failed = Fail("Failed", error="WorkflowFailed")
for step in (process, tune, train, transform):
    step.add_catch(Catch(error_equals=["States.ALL"], next_step=failed))

workflow = Workflow(
    "sfn-by-hand", Chain([process, tune, train, model, transform, config, serve]), ROLE,
    execution_input=names, client=boto3.client("stepfunctions"),
)  # fmt: skip
workflow.create()


def run(job, flow):
    execution = flow.execute(inputs={"Job": job, "Model": job, "Endpoint": "sfn-by-hand"})
    execution.get_output(wait=True)
    status = execution.describe()["status"]
    assert status == "SUCCEEDED", [event for event in execution.list_events() if "ailed" in event["type"]]


run("by-hand-1", workflow)
boto3.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="sfn-by-hand")
update = EndpointStep(
    "Update", endpoint_name=names["Endpoint"], endpoint_config_name=names["Model"], update=True
)
workflow.update(Chain([process, train, model, config, update]))
run("by-hand-2", workflow)
boto3.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="sfn-by-hand")
serving = boto3.client("sagemaker").describe_endpoint(EndpointName="sfn-by-hand")
assert serving["EndpointConfigName"] == "by-hand-2", serving
assert len(session.read_s3_file(BUCKET, "scores/rows.csv.out").splitlines()) == 50
print("ok")
