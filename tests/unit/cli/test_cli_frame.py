"""What holds for every verb: its options, its errors, where it speaks, and how fast it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as boto
from cli_fakes import FakeCloud, refusal
from tests.waiting import children_seconds, quick_enough
from typer.main import get_command

from tidegate.cli.completion import model_names, run_ids
from tidegate.cli.errors import Trouble, explain
from tidegate.cli.main import app
from tidegate.cli.options import merged
from tidegate.cli.place import Options, Place

VERBS = ["up", "down", "status", "apply", "train", "predict"]
VERBS += ["runs", "run", "logs", "inbox", "models", "profile", "compare", "demo"]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No local cloud, no AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_the_common_options(verb: str, tidegate: Any) -> None:
    command: Any = get_command(app)
    names = {option for each in command.commands[verb].params for option in each.opts}
    assert {"--json", "--stack", "--profile", "--region", "--state", "--aws"} <= names
    assert tidegate(verb, "--help").exit_code == 0


@pytest.mark.slow
def test_common_options_may_stand_before_the_verb_or_after_it(cloud: FakeCloud, tidegate: Any) -> None:
    assert json.loads(tidegate("--json", "models").stdout) == json.loads(tidegate("models", "--json").stdout)
    assert "no stack named other" in tidegate("--stack", "other", "models").stderr


def test_an_option_after_the_verb_wins() -> None:
    options = merged({"stack": "one", "region": "eu-west-1"}, {"stack": "two", "region": None})
    assert (options.stack, options.region, options.state) == ("two", "eu-west-1", Path(".tidegate"))


@pytest.mark.parametrize("arguments", [["nonsense"], ["train"], ["runs", "--limit", "0"], ["--wrong"]])
def test_a_wrong_use_ends_with_2_and_is_told_in_json_too(tidegate: Any, arguments: list[str]) -> None:
    plain = tidegate(*arguments)
    assert (plain.exit_code, plain.stdout) == (2, "")
    assert plain.stderr
    as_json = tidegate(*arguments, "--json")
    assert as_json.exit_code == 2
    assert json.loads(as_json.stdout)["error"]["message"]


def test_a_fault_of_ours_is_told_without_a_traceback_unless_asked_for(
    cloud: FakeCloud, tidegate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud.cloudformation, "describe_stacks", lambda **_: 1 / 0)
    done = tidegate("models", "--json")
    assert done.exit_code == 1
    assert "TIDEGATE_DEBUG=1" in json.loads(done.stdout)["error"]["remedy"]
    monkeypatch.setenv("TIDEGATE_DEBUG", "1")
    assert isinstance(tidegate("models").exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal("ExpiredTokenException", "x"), "have expired"),
        (refusal("InvalidClientTokenId", "x"), "does not accept these credentials"),
        (refusal("AccessDenied", "no s3:GetObject", "GetObject"), "may not call GetObject: no s3:GetObject"),
        (refusal("ValidationException", "Bad name.", "CreateModel"), "CreateModel failed on AWS: Bad name"),
        (boto.NoRegionError(), "No AWS region"),
        (boto.ProfileNotFound(profile="x"), "(x) could not be found"),
        (boto.NoCredentialsError(), "No usable AWS credentials"),
        (boto.EndpointConnectionError(endpoint_url="http://x"), "AWS does not answer"),
        (FileNotFoundError(2, "No such file or directory", "cars.csv"), "cars.csv: No such file"),
    ],
)
def test_known_errors_have_a_sentence_and_a_remedy(error: Exception, words: str) -> None:
    trouble = explain(error, "AWS")
    assert trouble is not None
    assert words in trouble.message
    assert trouble.remedy


def test_an_unknown_error_is_not_explained_away() -> None:
    assert explain(ValueError("ours"), "AWS") is None


def test_without_a_cloud_and_credentials_the_remedy_names_both_ways(nowhere: Path, tidegate: Any) -> None:
    done = tidegate("models", "--state", str(nowhere))
    assert done.exit_code == 1
    assert "tidegate up" in done.stderr
    assert "--profile" in done.stderr


@pytest.mark.slow
def test_a_cloud_that_does_not_answer_is_told(
    nowhere: Path, tidegate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    done = tidegate("models", "--state", str(nowhere))
    assert done.exit_code == 1
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["status", "models", "runs", "inbox", "logs used-car-price", "gc"])
@pytest.mark.parametrize("content", [b"", b'{"port": 45', b"\0\xff", b"[]", b'{"port": 4566, "pid": 7}'])
def test_a_broken_record_of_the_local_cloud_ends_every_verb_with_a_sentence_and_never_means_aws(
    nowhere: Path, tidegate: Any, verb: str, content: bytes
) -> None:
    (nowhere / "cloud.json").write_bytes(content)
    done = tidegate(*verb.split(), "--state", str(nowhere))
    assert done.exit_code == 1
    said = " ".join(done.stderr.split())
    assert "cloud.json" in said and "`tidegate up`" in said
    assert "Traceback" not in said


def test_an_endpoint_url_of_this_machine_needs_no_credentials_and_no_region(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    place = Place(Options(state=nowhere))
    assert place.client("s3").meta.endpoint_url == "http://127.0.0.1:9"
    assert place.is_near


def test_aws_is_meant_when_a_profile_is_named(nowhere: Path) -> None:
    (nowhere / "cloud.json").write_text("{}")
    assert Place(Options(state=nowhere, profile="x")).local is None
    assert Place(Options(state=nowhere, aws=True)).local is None


def test_a_region_reaches_the_client(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert Place(Options(state=nowhere)).client("s3").meta.region_name == "eu-north-1"
    assert Place(Options(state=nowhere, region="ca-west-1")).client("s3").meta.region_name == "ca-west-1"


def test_the_local_cloud_is_not_started_with_options_for_aws(tidegate: Any, tmp_path: Path) -> None:
    done = tidegate("up", "--profile", "x", "--state", str(tmp_path))
    assert done.exit_code == 2
    assert "sam deploy" in done.stderr


class Typed:
    """What the shell's completion hands over."""

    def __init__(self, **params: Any) -> None:
        self.params, self.parent = params, None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stack", "words"),
    [
        ("aws-mlops", "begin with aws or ssm are reserved in Parameter Store"),
        ("SSM", "begin with aws or ssm are reserved in Parameter Store"),
        ("s" * 57, "57 characters, and at most 56"),
        ("two_words", "letters, digits and dashes"),
    ],
)
def test_a_stack_s_name_that_would_fail_later_is_refused_before_anything_is_made(
    nowhere: Path, tidegate: Any, stack: str, words: str
) -> None:
    state = nowhere / "state"
    done = tidegate("up", "--stack", stack, "--state", str(state))
    assert done.exit_code == 1
    assert words in " ".join(done.stderr.split())
    assert not state.exists()


def test_the_shell_completes_models_and_runs(cloud: FakeCloud) -> None:
    cloud.dynamodb.put("aaaa00000000", model="cars", status="FAILED", started="2026-11-21T03:00:00Z")
    assert model_names(Typed(), "ca") == ["cars"]  # type: ignore[arg-type]
    assert model_names(Typed(), "x") == []  # type: ignore[arg-type]
    assert run_ids(Typed(), "aa")[0][0] == "aaaa00000000"  # type: ignore[arg-type]
    assert model_names(Typed(stack="other"), "") == []  # type: ignore[arg-type]


def test_a_trouble_with_json_is_one_document_on_standard_output(cloud: FakeCloud, tidegate: Any) -> None:
    done = tidegate("run", "nothing", "--json")
    assert set(json.loads(done.stdout)["error"]) == {"message", "remedy"}
    assert done.stderr.startswith("error: ")


@pytest.mark.slow
def test_help_answers_at_once_because_nothing_heavy_is_imported() -> None:
    code = "import sys, tidegate.cli.main; print([m for m in ('boto3', 'botocore', 'yaml', 'ministack', "
    code += "'tidegate.local', 'rich.live', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

    def took() -> float:
        start = children_seconds()
        subprocess.run([sys.executable, "-m", "tidegate.cli", "--help"], capture_output=True, check=True)
        return children_seconds() - start

    quick_enough(took, 1.0)  # 0.3 s on an idle machine; of the CPU, as others may use the machine too


def test_a_trouble_keeps_its_words() -> None:
    trouble = Trouble("It broke.", "Mend it.")
    assert trouble.document() == {"error": {"message": "It broke.", "remedy": "Mend it."}}
