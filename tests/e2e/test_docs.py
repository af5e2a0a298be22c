"""What the documents tell people to type is typed here, as it stands, in a place of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.documents import (
    DEPLOY,
    DOCUMENTS,
    ELSEWHERE,
    LONG,
    ON_AWS_ALONE,
    ROOT,
    SAM,
    TAKING_DOWN,
    TIDEGATE,
    commands,
    mentioned,
    plain,
)
from tests.e2e.town import Town
from tests.free_ports import free_port
from tidegate.cli.cost import PRICES
from tidegate.cli.demo import fetch_cars
from tidegate.cli.main import app
from tidegate.core.assumptions import Assumptions
from tidegate.core.cost import LOOK_SECONDS, bill
from tidegate.local import cloud as local_cloud
from tidegate.local.cloud import Cloud
from tidegate.modelfile import read_model_file

BIN = Path(sys.executable).parent
EVERY = [command for document in DOCUMENTS for command in commands(document)]
VERBS = [command for command in EVERY if command.startswith(TIDEGATE)]
DAILY = [command for command in commands("README.md") if command.startswith(TIDEGATE)]
FURTHER = [
    command
    for command in dict.fromkeys(VERBS)
    if command not in DAILY and not command.startswith(TAKING_DOWN)
]
COPY = "cp -n samconfig.toml samconfig.mine.toml"


@pytest.fixture(autouse=True)
def in_one_pass(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--iam"):
        pytest.skip("what documents say is typed in the plain pass; enforcing IAM changes nothing of it")


def test_every_command_of_the_documents_is_of_a_kind_that_is_typed_here():
    assert len(VERBS) >= 20
    typed = ("make ", TIDEGATE, SAM, DEPLOY, COPY, "curl ", *LONG)
    assert [command for command in EVERY if not command.startswith(typed)] == []
    for test in ELSEWHERE.values():
        assert (ROOT / test).exists()


def test_every_command_in_a_sentence_names_a_verb_a_target_or_a_file_that_is_there():
    verbs = {command.name for command in app.registered_commands}
    options = re.compile(r"--[a-z-]+$")
    wrong = []
    for document in DOCUMENTS:
        long = [command for command in commands(document) if command.startswith(LONG)]
        for words in [*map(plain, mentioned(document)), *long]:
            program, first, *_ = words.split()
            if f"{program} " == TIDEGATE:
                known = first in verbs or options.match(first)
            elif program == "make":
                known = f"\n{first}:" in (ROOT / "Makefile").read_text() or "=" in first
            elif program.endswith(("python", "pytest")):
                named = [word for word in words.split()[1:] if "/" in word]
                known = all((ROOT / name.split("::")[0]).exists() for name in named)
            else:
                known = words in map(plain, ON_AWS_ALONE) or program in (
                    "sam",
                    ".venv/bin/sam",
                    ".venv/bin/tidegate",
                )
            wrong += [] if known else [f"{document}: {words}"]
    assert wrong == []


def serving(type_in: Callable[[str], str]) -> bool:
    """Tell whether all endpoints are in service."""
    models = json.loads(type_in(".venv/bin/tidegate models --json"))["models"]
    states = [one["state"] for model in models for one in model["algorithms"].values()]
    return bool(states) and set(states) == {"InService"}


@pytest.mark.parametrize("command", sorted({c for c in EVERY if c.startswith("make ")}))
def test_a_make_command_has_its_target(command):
    # `make test` cannot run inside itself; its parts are this very suite.
    found = subprocess.run([*command.split(), "-n"], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def environment(cloud: Cloud) -> dict[str, str]:
    """Give the variables with which programs of others speak to a local cloud."""
    quiet = {"SAM_CLI_TELEMETRY": "0", "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return {**os.environ, **cloud.environment, **quiet}


def test_the_template_that_sam_is_told_to_build_is_valid():
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
    found = subprocess.run(
        [BIN / "sam", "validate", "--lint"], cwd=ROOT, capture_output=True, text=True, env=environment
    )
    assert found.returncode == 0, found.stderr


def test_sam_builds_and_deploys_as_the_documents_say_up_to_what_costs(tmp_path: Path):
    # Built in full, third-party packages and all; deployed up to the change set, in which nothing is made yet:
    # on the laptop's Python Lambda's packages would not run.
    left = (".*", "__pycache__", "tests", "docs", "benchmarks", "shared")
    project = Path(shutil.copytree(ROOT, tmp_path / "project", ignore=shutil.ignore_patterns(*left)))
    cloud = local_cloud.up(tmp_path / "state", free_port())
    try:
        done = subprocess.run(
            ["sh", "-c", f"{COPY}; yes '' | ({DEPLOY} --no-execute-changeset)"],
            cwd=project,
            capture_output=True,
            text=True,
            # sam leaves a folder for each function that it uploads.
            env={**environment(cloud), "TMPDIR": str(tmp_path)},
        )
        assert done.returncode == 0, done.stderr[-2000:]
        for word in ("Changeset created successfully", "TrainMachine", "TableLayer"):
            assert word in done.stdout
        # What SAM was told is the user's own; the tracked file is as it was.
        assert (project / "samconfig.toml").read_bytes() == (ROOT / "samconfig.toml").read_bytes()
        assert 's3_prefix = "tidegate"' in (project / "samconfig.mine.toml").read_text()
        assert "parameter_overrides" in (project / "samconfig.mine.toml").read_text()
    finally:
        local_cloud.down(tmp_path / "state")


def assert_counted(run: dict[str, Any]) -> None:
    """See that a run entered as many states as `tidegate cost` counts for its kind."""

    def names(states: list[dict[str, Any]]) -> Iterator[str]:
        for state in states:
            yield state["name"]
            for branch in state.get("branches", []):
                yield from names(branch["states"])

    entered = Counter(names(run["states"]))
    waits = entered["Wait for the endpoint"] / 2  # two algorithms
    assumed = Assumptions(endpoint_minutes=(waits + 0.5) * LOOK_SECONDS / 60)
    spec = read_model_file((ROOT / "models" / "used-car-price" / "model.yaml").read_text())
    known = json.loads(PRICES.read_text())["regions"]["us-east-1"]
    counted = bill(spec, {name: price for name, (price, _) in known.items()}, assumed)
    lines = {"train": counted.training_run, "score": counted.scoring_run, "monitor": counted.check}[
        run["kind"]
    ]
    [expected] = [line.quantity for line in lines if line.priced_by == "state_transition"]
    assert abs(entered.total() - expected) <= 0.15 * expected, (run["kind"], entered)


def take_down(cloud: Cloud, folder: Path, type_in: Callable[[str], str]) -> None:
    """Type what is left of the documents: the API's call, and the end of everything."""
    outputs = cloud.client("cloudformation").describe_stacks(StackName="tidegate")["Stacks"][0]["Outputs"]
    api = next(each["OutputValue"] for each in outputs if each["OutputKey"] == "ApiUrl").split("//")[1]
    variables = {**environment(cloud), "AWS_SESSION_TOKEN": "none"}
    variables["API_URL"] = f"{cloud.endpoint_url}/_aws/execute-api/{api.split('.')[0]}"
    for command in EVERY:
        if command.startswith("curl ") and shutil.which("curl") is None:
            continue  # the project does not need it, only that line does
        if command.startswith(("curl ", SAM)):
            typed = command.replace(SAM, f"{BIN}/sam ")
            done = subprocess.run(
                typed, shell=True, cwd=folder, capture_output=True, text=True, env=variables
            )
            assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
            assert "used-car-price" in done.stdout or not command.startswith("curl "), done.stdout
    for command in EVERY:
        if command.startswith(TAKING_DOWN):
            type_in(command)
    assert cloud.client("sagemaker").list_endpoints()["Endpoints"] == []
    with pytest.raises(ClientError, match="does not exist"):
        cloud.client("cloudformation").describe_stacks(StackName="tidegate")


ALGORITHMS = 2  # of the reference model: each is asked once for every request


def captured(state: Path) -> int:
    """Count the requests to the endpoints that are written down."""
    cloud = local_cloud.status(state).cloud
    assert cloud is not None
    stack = cloud.client("cloudformation").describe_stacks(StackName="tidegate")["Stacks"][0]
    bucket = next(each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == "ArtifactsBucket")
    s3 = cloud.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="used-car-price/capture/")
    keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
    return sum(s3.get_object(Bucket=bucket, Key=key)["Body"].read().count(b"\n") for key in keys)


def test_the_verbs_of_the_documents_work_in_their_order(tmp_path):
    fetch_cars(tmp_path).rename(tmp_path / "cars.csv")
    for name in ("train.csv", "today.csv"):  # as docs/drift.md calls them
        (tmp_path / name).symlink_to(tmp_path / "cars.csv")
    (tmp_path / "models").symlink_to(ROOT / "models")
    state, port = str(tmp_path / "state"), str(free_port())

    def type_in(command: str) -> str:
        words = [str(BIN / "tidegate"), *shlex.split(command)[1:], "--state", state]
        words += ["--port", port] if words[1] == "up" else []
        asked = captured(Path(state)) if words[1] == "predict" else 0
        found = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=600)
        assert found.returncode == 0, f"{command}: {found.stderr[-2000:]}"
        if words[1] == "predict":  # a check after the predictions is to see them
            Town.until(lambda: captured(Path(state)) >= asked + ALGORITHMS, "the request was captured")
        return found.stdout

    try:
        for command in DAILY:
            type_in(command)
        assert any(command.endswith(" down") for command in DAILY)
        before = type_in(".venv/bin/tidegate up") and type_in(".venv/bin/tidegate runs --json")
        assert "SUCCEEDED" in before, "what ran is still known after a stop"
        ask = ".venv/bin/tidegate predict used-car-price cars.csv --json"
        Town.until(lambda: serving(type_in), "the endpoints came back")
        assert "prediction" in type_in(ask)
        for command in FURTHER:
            type_in(command)
        for run in json.loads(type_in(".venv/bin/tidegate runs --json"))["runs"]:
            assert_counted(json.loads(type_in(f".venv/bin/tidegate run {run['run']} --json")))
        cloud = local_cloud.status(Path(state)).cloud
        assert cloud is not None
        take_down(cloud, tmp_path, type_in)
    finally:
        subprocess.run([BIN / "tidegate", "down", "--state", state], capture_output=True)
