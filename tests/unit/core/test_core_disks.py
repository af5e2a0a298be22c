"""Disks that no key encrypts are told before AWS refuses them."""

import pytest

from tidegate.core.disks import has_own_disks
from tidegate.core.errors import BadSpec
from tidegate.modelfile import read_model_file

KEY = "arn:aws:kms:us-east-1:123456789012:key/own"
FILE = """name: cars
target: price
features: {{km: numeric}}
algorithms: {{xgboost: {{}}}}
serving:
  instance: {instance}
"""


@pytest.mark.parametrize(
    ("instance", "own"),
    [
        (name, False)
        for name in ("ml.m5.large", "ml.c5n.xlarge", "ml.t2.medium", "ml.inf2.xlarge", "ml.p3.2xlarge")
    ]
    + [(name, True) for name in ("ml.m5d.large", "ml.r5dn.large", "ml.g4dn.xlarge", "ml.p4de.24xlarge")]
    + [
        (name, True)
        for name in ("ml.c6gd.large", "ml.g5.xlarge", "ml.g6.xlarge", "ml.p5.48xlarge", "ml.trn1.2xlarge")
    ],
)
def test_families_with_instance_stores_are_known(instance, own):
    assert has_own_disks(instance) is own


def test_such_an_instance_is_refused_at_its_line_where_the_stack_has_a_key_and_nowhere_else():
    text = FILE.format(instance="ml.g5.xlarge")
    with pytest.raises(
        BadSpec, match=r"line 6, serving\.instance: ml\.g5\.xlarge has disks of its own"
    ) as refused:
        read_model_file(text, key=KEY)
    assert "KmsKeyArn" in str(refused.value)
    assert read_model_file(text).serving.instance == "ml.g5.xlarge"
    assert read_model_file(FILE.format(instance="ml.m5.large"), key=KEY)
    serverless = text.replace("instance: ml.g5.xlarge", "serverless: {}\n  instance: ml.g5.xlarge")
    assert read_model_file(serverless, key=KEY)
