"""The AWS CLI and the SDKs do here what their users do on AWS: one short script a promise, in `scripts/`."""

from __future__ import annotations

import pytest

from tests.conformance.clients.conftest import Clients

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("environment", "script"),
    [
        ("awscli", "aws_cli.sh"),
        ("sagemaker2", "sagemaker2/train_deploy_predict.py"),
        ("sagemaker2", "sagemaker2/process_and_transform.py"),
        ("sagemaker2", "sagemaker2/frameworks.py"),
        ("sagemaker2", "sagemaker2/tune.py"),
        ("sagemaker3", "sagemaker3/train_and_serve.py"),
        ("sagemaker3", "sagemaker3/model_builder.py"),
        ("stepfunctions", "stepfunctions/pipelines.py"),
        ("stepfunctions", "stepfunctions/workflow.py"),
    ],
    ids=lambda value: str(value).partition(".")[0],
)
def test_a_script_of_its_users_runs_to_its_end(clients: Clients, environment: str, script: str) -> None:
    assert clients.run(environment, script).rstrip().endswith("ok")
