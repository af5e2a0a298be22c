"""Every policy of the stack against AWS's service authorization reference: it means what it seems to say."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest

from tests.conformance.authorization import Action, action, actions, fits
from tests.conformance.synthesis import Statement, statements

pytestmark = pytest.mark.conformance


def complaints(statement: Statement) -> list[str]:
    """Give one sentence for everything in a statement that AWS would read otherwise than it looks."""
    found, known = [], []
    for pattern in statement.actions:
        try:
            meant = actions(pattern)
        except LookupError as error:
            found.append(str(error))
            continue
        # What is denied altogether may ask for a key that only some of its requests carry.
        asks = any if statement.effect == "Deny" and "*" in pattern else all
        found += [
            f"not all of its actions know {key}"
            for key in statement.condition_keys
            if not asks(each.knows(key) for each in meant)
        ]
        if not meant:
            found.append(f"{pattern} is no action")
        elif not (statement.trust or "*" in statement.resources or _acts(meant, statement.resources)):
            found.append(f"{pattern} acts on none of its resources")
        known += meant
    if not statement.trust:
        found += [
            f"none of its actions acts on {arn}"
            for arn in statement.resources
            if arn != "*" and not _acts(known, (arn,))
        ]
    return [f"{statement.name}: {each}" for each in found]


def _acts(what: Iterable[Action], arns: Iterable[str]) -> bool:
    return any(each.takes(arn) for each in what for arn in arns)


def test_every_statement_names_actions_there_are_and_resources_and_keys_that_fit_them():
    assert len(statements()) > 80
    assert [each for statement in statements() for each in complaints(statement)] == []


def test_statements_are_read_from_roles_buckets_queues_and_trust():
    kinds = {(each.effect, each.trust) for each in statements()}
    assert kinds == {("Allow", False), ("Deny", False), ("Allow", True)}
    owners = {each.owner for each in statements()}
    assert {"DataBucketPolicy", "DeadLetterQueuePolicy", "TrainMachineFileDroppedRole"} <= owners
    assert {"UseTheKeyPolicy", "PreprocessFunctionRole", "SageMakerRole"} <= owners


READ = Statement("Role", "Read", "Allow", ("s3:GetObject",), ("arn:aws:s3:::bucket/*/spec.json",))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"actions": ("s3:GetObjct",)}, "s3:GetObjct is no action"),
        ({"actions": ("s4:GetObject",)}, "there is no service s4"),
        ({"resources": ("arn:aws:s3:::bucket",)}, "s3:GetObject acts on none of its resources"),
        ({"actions": ("s3:GetObject", "s3:ListBucket")}, "s3:ListBucket acts on none of its resources"),
        (
            {"resources": (*READ.resources, "arn:aws:sns:us-east-1:123456789012:topic")},
            "none of its actions acts on arn:aws:sns",
        ),
        ({"condition_keys": ("cloudwatch:namespace",)}, "not all of its actions know cloudwatch:namespace"),
    ],
)
def test_a_statement_that_does_not_mean_what_it_says_is_found(change, complaint):
    assert complaints(READ) == []
    assert any(complaint in each for each in complaints(dataclasses.replace(READ, **change)))


@pytest.mark.parametrize(
    ("arn", "form", "so"),
    [
        ("arn:aws:s3:::bucket/*/train/*", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", True),
        ("arn:aws:s3:::bucket", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", False),
        ("arn:aws:s3:::bucket/*", "arn:${Partition}:s3:::${BucketName}", False),
        ("arn:aws:s3:::buck*", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", True),
        ("arn:aws:logs:a:b:group:/x/*", "arn:${P}:logs:${R}:${A}:group:${Group}:stream:${Stream}", True),
        ("arn:aws:logs:a:b:group:/x", "arn:${P}:logs:${R}:${A}:group:${Group}:stream:${Stream}", False),
        ("arn:aws:sns:a:b:topic", "arn:${P}:sqs:${R}:${A}:${QueueName}", False),
        ("*", "arn:${Partition}:s3:::${BucketName}", True),
    ],
)
def test_a_star_in_a_resource_stands_for_anything_and_a_bucket_s_name_ends_at_a_slash(arn, form, so):
    assert fits(arn, form) is so


def test_an_action_that_takes_no_resource_is_told_from_one_that_does():
    assert not action("logs:CreateLogDelivery").resources
    assert action("ssm:GetParameters").takes("arn:aws:ssm:us-east-1:123456789012:parameter/tidegate/*")
