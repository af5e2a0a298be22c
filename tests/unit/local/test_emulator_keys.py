"""Keys of one's own: which calls ask for which key, and what a refusal says."""

from types import SimpleNamespace

import pytest

from tidegate.local.emulator import copies, keys
from tidegate.local.emulator.permissions import Need

KEY = "arn:aws:kms:us-east-1:000000000000:key/own"
TOPIC = "arn:aws:sns:us-east-1:000000000000:people"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:parked"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket, a queue and a topic with a key, and one of each without."""
    headers = {"x-amz-server-side-encryption-aws-kms-key-id": KEY}
    by_default = {"keyed": headers}.get
    monkeypatch.setattr(
        keys, "objects", SimpleNamespace(encryption_by_default=lambda bucket: by_default(bucket, {}))
    )
    queues = {f"http://h/0/{name}": {"attributes": given} for name, given in _both("parked").items()}
    monkeypatch.setattr(keys, "queues", SimpleNamespace(all=queues))
    topics = {
        f"{TOPIC.removesuffix('people')}{name}": {"attributes": given}
        for name, given in _both("people").items()
    }
    monkeypatch.setattr(keys, "topics", SimpleNamespace(all=topics))


def _both(name: str) -> dict[str, dict[str, str]]:
    return {
        name: {"KmsMasterKeyId": KEY},
        f"{name}-plain": {},
        f"{name}-aws": {"KmsMasterKeyId": "alias/aws/sns"},
    }


@pytest.mark.parametrize(
    ("action", "resource", "uses"),
    [
        ("s3:GetObject", "arn:aws:s3:::keyed/a/b", ["kms:Decrypt"]),
        ("s3:PutObject", "arn:aws:s3:::keyed/a/b", ["kms:GenerateDataKey"]),
        ("s3:ListBucket", "arn:aws:s3:::keyed", []),
        ("s3:GetObject", "arn:aws:s3:::plain/a", []),
        ("sqs:SendMessage", QUEUE, ["kms:GenerateDataKey", "kms:Decrypt"]),
        ("sqs:SendMessage", f"{QUEUE}-plain", []),
        ("sqs:SendMessage", f"{QUEUE}-nobody-s", []),
        ("sns:Publish", TOPIC, ["kms:GenerateDataKey", "kms:Decrypt"]),
        ("sns:Publish", f"{TOPIC}-plain", []),
        ("sns:Publish", f"{TOPIC}-aws", []),
    ],
)
def test_who_uses_what_a_key_encrypts_needs_the_key(held, action, resource, uses):
    assert keys.key_needs(action, resource) == [Need(each, KEY) for each in uses]


def test_an_endpoint_whose_disk_a_key_encrypts_needs_a_grant_for_aws_resources():
    key_of = {"keyed": KEY}.get
    for operation in ("CreateEndpoint", "UpdateEndpoint"):
        [need] = keys.grant_needs(operation, {"EndpointName": "e", "EndpointConfigName": "keyed"}, key_of)
        assert (need.action, need.resource) == ("kms:CreateGrant", KEY)
        assert need.context == {"kms:grantisforawsresource": "true"}
        assert keys.grant_needs(operation, {"EndpointConfigName": "plain"}, key_of) == []
    assert keys.grant_needs("CreateEndpointConfig", {"EndpointConfigName": "keyed"}, key_of) == []


def test_a_refusal_for_want_of_the_key_names_the_key_and_not_the_action_that_was_allowed(held, monkeypatch):
    asked = []

    def enforce(_key, action, _service, _region, resource="*", _context=None):
        asked.append((action, resource))
        return SimpleNamespace(decision="ImplicitDeny") if action.startswith("kms:") else None

    def denial(action, principal, resource, explicit):
        return f"{principal} is not authorized to perform: {action} on resource: {resource}"

    monkeypatch.setattr(keys, "actions", SimpleNamespace(denial=denial))
    assert keys._with_keys(enforce)("k", "s3:GetObject", "s3", "r", "arn:aws:s3:::keyed/a")
    assert asked == [("s3:GetObject", "arn:aws:s3:::keyed/a"), ("kms:Decrypt", KEY)]
    refuse = keys._naming_keys(lambda *_, **named: named["message"])
    assert (
        refuse("s3", "s3:GetObject", "me", "id")
        == f"me is not authorized to perform: kms:Decrypt on resource: {KEY}"
    )
    assert keys._with_keys(enforce)("k", "s3:GetObject", "s3", "r", "arn:aws:s3:::plain/a") is None
    refuse = keys._naming_keys(lambda *_, **named: named.get("message", "its own words"))
    assert refuse("s3", "s3:GetObject", "me", "id") == "its own words"


COPIED = "arn:aws:s3:::data/quarantine/cars/f.csv"


def test_a_copy_with_tags_needs_the_rights_to_them(monkeypatch):
    tags = {("data", "cars/train/f ä.csv", "v1"): {"owner": "me"}, ("data", "bare", "v1"): {}}
    monkeypatch.setattr(copies, "objects", SimpleNamespace(tags=tags))
    source = "data/cars/train/f%20%C3%A4.csv"
    for version, action in (("?versionId=v1", "s3:GetObjectVersionTagging"), ("", "s3:GetObjectTagging")):
        read, write = copies.tag_needs(source + version, COPIED)
        assert (read.action, read.resource) == (action, "arn:aws:s3:::data/cars/train/f ä.csv")
        assert (write.action, write.resource) == ("s3:PutObjectTagging", COPIED)
    assert copies.tag_needs(f"{source}?versionId=v2", COPIED) == []
    assert copies.tag_needs("data/bare", COPIED) == []
    copies.note("s3", {"x-amz-copy-source": source}, COPIED)
    assert len(copies.noted()) == 2
    assert copies.noted() == ()
    for headers in ({"x-amz-copy-source": source, "x-amz-tagging-directive": "REPLACE"}, {}):
        copies.note("s3", headers, COPIED)
        assert copies.noted() == ()
