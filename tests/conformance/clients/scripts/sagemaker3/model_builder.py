"""ModelBuilder of the third SageMaker SDK, without Docker: an artifact and an image become an endpoint."""

import io
import tarfile

import boto3
from sagemaker.core.helper import IamRoleResolver
from sagemaker.core.helper.session_helper import Session
from sagemaker.serve import ModelBuilder

ROLE = IamRoleResolver().create_execution_role(role_type="serving")
REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
BUCKET = "sdk3-builder"
session = Session(default_bucket=BUCKET)
s3 = boto3.client("s3")
s3.create_bucket(Bucket=BUCKET)

SCRIPT = b"""
def model_fn(folder):
    return 2.0


def predict_fn(rows, slope):
    return rows * slope
"""
archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode="w:gz") as tar:
    member = tarfile.TarInfo("code/inference.py")
    member.size = len(SCRIPT)
    tar.addfile(member, io.BytesIO(SCRIPT))
s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive.getvalue())

builder = ModelBuilder(
    image_uri=f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3",
    s3_model_data_url=f"s3://{BUCKET}/model.tar.gz",
    role_arn=ROLE,
    env_vars={
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    },
    instance_type="ml.m5.large",
    sagemaker_session=session,
)
model = builder.build(model_name="sdk3-builder")
endpoint = builder.deploy(endpoint_name="sdk3-builder", initial_instance_count=1, instance_type="ml.m5.large")
answer = endpoint.invoke(body="1,2\n3,4", content_type="text/csv", accept="text/csv").body.read().decode()
assert [float(cell) for cell in answer.replace("\n", ",").strip(",").split(",")] == [2, 4, 6, 8], answer
endpoint.delete()
print("ok")
