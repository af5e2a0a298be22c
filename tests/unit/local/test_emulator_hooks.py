"""The smaller hooks: error names, events, saving, and the guard at the door."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tidegate.local import settings
from tidegate.local.deploy import SOURCES, fingerprint_of
from tidegate.local.emulator import encryption, events, lambdas, names, objects
from tidegate.local.emulator.journal import Journal
from tidegate.local.emulator.names import buses, server
from tidegate.local.emulator.saving import Saver
from tidegate.local.emulator.sdk_errors import sdk_error
from tidegate.local.pages import refusal
from tidegate.local.sam import useful
from tidegate.local.settings import StateFolder


@pytest.mark.parametrize(
    ("service", "code", "name"),
    [
        ("ssm", "ParameterNotFound", "Ssm.ParameterNotFoundException"),
        ("sagemaker", "ResourceInUse", "SageMaker.ResourceInUseException"),
        ("sagemaker", "ResourceLimitExceeded", "SageMaker.ResourceLimitExceededException"),
        ("sagemaker", "ValidationException", "SageMaker.SageMakerException"),
        ("dynamodb", "ConditionalCheckFailedException", "DynamoDb.ConditionalCheckFailedException"),
        ("dynamodb", "com.amazon.coral.validate#ValidationException", "DynamoDb.DynamoDbException"),
        ("s3", "NoSuchKey", "S3.NoSuchKeyException"),
        ("sfn", "ExecutionDoesNotExist", "Sfn.ExecutionDoesNotExistException"),
        ("rds", "DBClusterNotFoundFault", "Rds.DbClusterNotFoundException"),
        ("ssm", "States.Timeout", "States.Timeout"),
    ],
)
def test_sdk_errors_have_the_names_of_the_java_sdks_exceptions(service: str, code: str, name: str) -> None:
    from tidegate.local.emulator.names import step

    step.sdk_prefixes.setdefault("sagemaker", "SageMaker")
    assert sdk_error(service, code) == name


def test_the_error_of_a_function_is_its_last_exceptions_class() -> None:
    log = (
        "a line of the function's own\n"
        "Traceback (most recent call last):\n"
        '  File "app.py", line 1, in handler\n'
        "KeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n"
        '  File "app.py", line 2, in handler\n'
        "tidegate.core.errors.BadDrop: row 3\nError: not this line"
    )
    assert lambdas.describe("row 3", log)["errorType"] == "BadDrop"


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    entries: list[dict[str, Any]] = []

    def put(data: dict[str, Any], allow_aws_source: bool = False) -> None:
        assert allow_aws_source
        entries.extend(data["Entries"])

    before = buses.replace("put_events", put)
    yield entries
    buses.replace("put_events", before)


def test_sagemakers_events_come_from_aws_sagemaker(sent: list[dict[str, Any]]) -> None:
    events.emit("SageMaker Training Job State Change", {"TrainingJobName": "t"}, ["arn:t"])
    (entry,) = sent
    assert entry["Source"] == "aws.sagemaker"
    assert json.loads(entry["Detail"]) == {"TrainingJobName": "t"}
    assert entry["Resources"] == ["arn:t"]


def test_only_what_changed_is_saved_and_a_change_while_reading_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = {"n": 1}
    reads = []

    def get_state() -> dict[str, int]:
        reads.append(1)
        if len(reads) == 1:
            raise RuntimeError("dictionary changed size during iteration")
        return dict(state)

    before = server.replace("savers", lambda: {"ssm": get_state, "broken": lambda: None})
    try:
        saver = Saver(tmp_path / "new", Journal(tmp_path / "journal"))
        assert saver.save() == ["ssm"]
        assert saver.save() == []
        state["n"] = 2
        assert saver.save() == ["ssm"]
    finally:
        server.replace("savers", before)
    assert json.loads((tmp_path / "new" / "ssm.json").read_text())["payload"] == {"n": 2}
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["ssm.json"]


def test_an_object_encrypted_without_a_key_of_one_s_own_gets_the_account_s() -> None:
    resolve = encryption._with_managed_key(lambda headers, bucket: headers)
    name = "x-amz-server-side-encryption"
    assert resolve({name: "aws:kms"}, "b")[f"{name}-aws-kms-key-id"].startswith("arn:aws:kms:us-east-1:")
    own = {name: "aws:kms", f"{name}-aws-kms-key-id": "mine"}
    assert resolve(own, "b") == own
    assert resolve({name: "AES256"}, "b") == {name: "AES256"}


def test_the_key_that_a_template_names_for_a_bucket_is_the_bucket_s() -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/own"
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": by_default}]
    properties = {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}
    encryption._encrypt_bucket("with-a-key", properties)
    encryption._encrypt_bucket("without", {})
    found = names.objects.encryption_by_default("with-a-key")
    assert found["x-amz-server-side-encryption-aws-kms-key-id"] == key
    assert names.objects.encryption_by_default("without") == {}


def test_a_range_of_a_version_is_answered_with_that_range_and_nothing_else() -> None:
    whole = {"Content-Length": "10", "ETag": '"e"', "x-amz-checksum-crc32": "AAAA"}
    get = objects._in_range(lambda *_: (200, dict(whole), b"0123456789"))
    asked = {"range": "bytes=2-4"}
    status, headers, body = get("b", "k", asked, {"versionId": "v"})
    assert (status, body, headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert headers["Content-Length"] == "3"
    assert "x-amz-checksum-crc32" not in headers
    assert get("b", "k", {"range": "bytes=20-"}, {"versionId": "v"})[0] == 416
    assert get("b", "k", {}, {"versionId": "v"}) == (200, whole, b"0123456789")


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ({"host": "127.0.0.1:4566"}, False),
        ({"host": "[::1]:4566"}, False),
        ({"host": "bucket.localhost:4566"}, False),
        ({"host": "127.0.0.1.evil.example"}, True),
        ({"host": "localhost.evil.example"}, True),
        ({"host": ""}, True),
        ({"host": "["}, True),
        ({"host": "localhost", "origin": "http://localhost:3000"}, True),
        ({"host": "localhost", "origin": "https://evil.example"}, True),
        ({"host": "localhost", "origin": "null"}, True),
        ({"host": "localhost", "sec-fetch-site": "cross-site"}, True),
        ({"host": "localhost", "sec-fetch-site": "same-origin"}, False),
    ],
)
def test_only_this_machines_own_names_are_answered(headers: dict[str, str], is_refused: bool) -> None:
    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert (refusal(given) is not None) == is_refused


def test_nothing_of_the_persons_aws_settings_reaches_the_local_cloud(tmp_path: Path) -> None:
    given = {
        "PATH": "/bin",
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "real",
        "SECRET": "x",
        "TIDEGATE_IMAGES": "/images.json",
        settings.MARKER: "/another",
    }
    environment = settings.daemon_environment(StateFolder.of(tmp_path), 4711, False, given)
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "SECRET"} & set(environment)
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4711"
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["TIDEGATE_IMAGES"] == "/images.json"
    assert environment[settings.MARKER] == str(tmp_path)
    assert 4 <= int(environment["LAMBDA_ACCOUNT_CONCURRENCY"]) <= 1000


def test_a_projects_fingerprint_follows_what_is_deployed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("a")
    (tmp_path / "functions/f").mkdir(parents=True)
    (tmp_path / "functions/f/app.py").write_text("x")
    first = fingerprint_of(tmp_path)
    (tmp_path / "README.md").write_text("new")
    (tmp_path / "functions/f/__pycache__").mkdir()
    (tmp_path / "functions/f/__pycache__/app.pyc").write_text("y")
    assert fingerprint_of(tmp_path) == first
    (tmp_path / "functions/f/app.py").rename(tmp_path / "functions/f/main.py")
    assert fingerprint_of(tmp_path) != first


def test_whatever_a_layer_copies_of_tidegate_counts_as_deployed() -> None:
    root = Path(__file__).parents[3]
    copied = {
        name
        for layer in (root / "layers").glob("*/Makefile")
        for name in re.findall(r"(?<=\.\./\.\./)(src/tidegate/[\w.]+)", layer.read_text())
    }
    assert len(copied) >= 8
    assert copied <= set(SOURCES)


def test_the_reason_of_a_failed_command_is_found_in_its_words() -> None:
    lines = ["Building", "Build Failed", "Error: CustomMakeBuilder failed", "cp: cannot stat 'x'", ""]
    assert useful(lines) == "Error: CustomMakeBuilder failed. cp: cannot stat 'x'."
    assert useful(["only", "this"]) == "only. this."
