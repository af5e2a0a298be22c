"""The template in China, GovCloud and the isolated regions: what begins with a partition begins with theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from samtranslator.translator.arn_generator import ArnGenerator

from tests.conformance import synthesis

pytestmark = pytest.mark.conformance

OTHERS = {
    "aws-cn": ("cn-north-1", "amazonaws.com.cn"),
    "aws-us-gov": ("us-gov-west-1", "amazonaws.com"),
    "aws-iso": ("us-iso-east-1", "c2s.ic.gov"),
    "aws-iso-b": ("us-isob-east-1", "sc2s.sgov.gov"),
}


def words(value: Any) -> Iterator[str]:
    """Give every text of the template that a function makes or that stands there."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from words(each)
    elif isinstance(value, dict):
        if set(value) & {"Fn::Sub", "Fn::FindInMap"}:
            yield from synthesis.texts(value)
        else:
            for each in value.values():
                yield from words(each)


@pytest.fixture(params=OTHERS)
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The template as CloudFormation would get it in a region of another partition."""
    partition = request.param
    region, suffix = OTHERS[partition]
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    # SAM asks once where it is, and keeps the answer.
    monkeypatch.setattr(ArnGenerator, "BOTO_SESSION_REGION_NAME", region)
    pseudo = {"AWS::Partition": partition, "AWS::Region": region, "AWS::URLSuffix": suffix}
    for name, value in pseudo.items():
        monkeypatch.setitem(synthesis.PSEUDO, name, value)
    key = f"arn:{partition}:kms:{region}:{synthesis.ACCOUNT}:key/a-key"
    monkeypatch.setitem(synthesis.PARAMETERS, "KmsKeyArn", key)
    synthesis.template.cache_clear()
    yield partition
    synthesis.template.cache_clear()


@pytest.mark.slow
def test_every_arn_is_of_the_partition_that_the_stack_is_in(elsewhere: str) -> None:
    made = synthesis.template()
    found = {text for text in words(made["Resources"]) if text.startswith("arn:")}
    found |= {each for statement in synthesis._statements() for each in statement.resources if each != "*"}
    arns = {each for each in found if each.startswith("arn:")}
    assert len(arns) > 60
    assert {each for each in arns if not each.startswith(f"arn:{elsewhere}:")} == set()


@pytest.mark.slow
def test_images_come_from_the_region_s_own_registry(elsewhere: str) -> None:
    region, suffix = OTHERS[elsewhere]
    images = {text for text in words(synthesis.template()["Resources"]) if ".dkr.ecr." in text}
    assert images
    assert {each for each in images if f".dkr.ecr.{region}.{suffix}/" not in each} == set()
