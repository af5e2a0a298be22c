"""Deploys the project to a local cloud by the real `sam build` and `sam deploy`, if anything changed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tidegate.core.names import stack_trouble
from tidegate.local.cloud import Cloud
from tidegate.local.files import tighten, write_whole
from tidegate.local.holding import held
from tidegate.local.sam import COMMAND_SECONDS, DeployFailed, Sam
from tidegate.local.settings import StateFolder

Progress = Callable[[str], None]

# What the deployed stack is made of.
SOURCES = (
    "template.yaml",
    "samconfig.toml",
    "statemachines",
    "functions",
    "layers",
    "glue",
    "src/tidegate/__init__.py",
    "src/tidegate/modelfile.py",
    "src/tidegate/api",
    "src/tidegate/console",
    "src/tidegate/core",
    "src/tidegate/edge",
    "src/tidegate/serving",
    "src/tidegate/table",
)
# Who waits for another's deployment waits for its two commands.
_TURN_SECONDS = 2 * COMMAND_SECONDS
_LOOK_SECONDS = 0.2
# So that a laptop sees the Glue job at work, too: it runs as a process here.
LOCAL_PARAMETERS = {"LargeWindowMB": "2"}
# A stack that never came to be can neither be updated nor created anew.
_STILLBORN = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")
# Where sam keeps what it uploads: a stack of its own, which a Ctrl-C may leave half-made as well.
SAM_STACK = "aws-sam-cli-managed-default"


def deploy(
    cloud: Cloud,
    project: Path | str = ".",
    stack: str = "tidegate",
    force: bool = False,
    on_progress: Progress = lambda _: None,
    parameters: Mapping[str, str] | None = None,
) -> bool:
    """Deploy a project's template to a local cloud; return whether there was anything to do.

    Parameters
    ----------
    cloud
        The running local cloud.
    project
        The folder with ``template.yaml`` and ``samconfig.toml`` (section ``local``).
    stack
        The stack's name.
    force
        Build and deploy even when nothing changed.
    on_progress
        Told in words what is being done.
    parameters
        Parameters of the template beside those of `LOCAL_PARAMETERS`.

    Raises
    ------
    DeployFailed
        With the reason; everything that ``sam`` said is in ``deploy.log`` in the state folder.
    """
    check_name(stack)
    root = Path(project).resolve()
    if not (root / "template.yaml").is_file():
        raise DeployFailed(f"There is no template.yaml in {root}. Run this in the project's folder.")
    folder = StateFolder.of(cloud.state)
    with held(folder.deploying, f"deploys into the local cloud of {folder.path}", on_progress, _TURN_SECONDS):
        return _deploy(
            cloud, root, folder, stack, force, on_progress, {**LOCAL_PARAMETERS, **(parameters or {})}
        )


def _deploy(
    cloud: Cloud,
    root: Path,
    folder: StateFolder,
    stack: str,
    force: bool,
    on_progress: Progress,
    parameters: Mapping[str, str],
) -> bool:
    # Into no other cloud than the one that was meant, whoever listens on its port by now.
    cloud.confirm()
    record = folder.build / f"{stack}.json"
    fingerprint = f"{fingerprint_of(root)} {json.dumps(parameters, sort_keys=True)}"
    client = cloud.client("cloudformation")
    status = _settled(client, stack, on_progress)
    is_deployed = status.endswith("_COMPLETE") and status not in _STILLBORN
    if is_deployed and not force and _read(record) == fingerprint:
        return False
    record.unlink(missing_ok=True)
    _settled(client, SAM_STACK, on_progress)
    for each in (SAM_STACK, stack):
        _clear_away(client, each, on_progress)
    folder.build.mkdir(parents=True, exist_ok=True)
    folder.deploy_log.write_text("")
    sam = Sam(root, folder, cloud.environment)
    on_progress("Building the functions and layers (sam build)")
    sam.run("build", "--build-dir", str(folder.build / stack), "--no-cached")
    tighten([folder.build])
    cloud.confirm()
    on_progress("Deploying the stack (sam deploy)")
    template = str(folder.build / stack / "template.yaml")
    try:
        # Where SAM keeps what it uploads is the stack's name: the role of the Glue job reads there alone.
        named = ["--stack-name", stack, "--s3-prefix", stack]
        given = [f"{name}={value}" for name, value in parameters.items()]
        sam.run(
            "deploy", "--template-file", template, *named, "--no-progressbar", "--parameter-overrides", *given
        )
    except DeployFailed as failure:
        if reasons := _stack_failures(client, stack):
            raise DeployFailed(
                f"{_opening(stack)} {reasons} All that sam said is in {folder.deploy_log}."
            ) from failure
        raise
    write_whole(record, json.dumps({"fingerprint": fingerprint}))
    return True


def check_name(stack: str) -> None:
    """Refuse a name under which a stack would fail on AWS, before anything is made.

    Raises
    ------
    DeployFailed
        With the reason.
    """
    if trouble := stack_trouble(stack):
        raise DeployFailed(f"{trouble}; choose another with `--stack`, for example `--stack tidegate`.")


def fingerprint_of(project: Path) -> str:
    """Return a digest of all that the deployed stack is made of: names, modes and contents."""
    digest = hashlib.sha256()
    for file in _files(project):
        content = file.read_bytes()
        executable = os.access(file, os.X_OK)
        digest.update(f"{file.relative_to(project)}\0{len(content)}\0{executable}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(project: Path) -> Iterator[Path]:
    for source in SOURCES:
        path = project / source
        if path.is_file():
            yield path
        for file in sorted(path.rglob("*")) if path.is_dir() else ():
            if file.is_file() and "__pycache__" not in file.parts:
                yield file


def _read(record: Path) -> str | None:
    try:
        fingerprint: str = json.loads(record.read_text())["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # then it is deployed again
    return fingerprint


def _stack_status(client: Any, stack: str) -> str:
    try:
        status: str = client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError as problem:
        if "does not exist" in str(problem):
            return ""
        raise
    return status


def _settled(client: Any, stack: str, on_progress: Progress) -> str:
    """Wait until a stack that an interrupted deployment left at work has come to an end; give its status."""
    deadline = time.monotonic() + COMMAND_SECONDS
    told = False
    while (status := _stack_status(client, stack)).endswith("_IN_PROGRESS") and status not in _STILLBORN:
        if time.monotonic() > deadline:
            raise DeployFailed(
                f"The stack {stack} has been {status} for {COMMAND_SECONDS:g} s. Stop the local cloud with "
                "`tidegate down` and start it again."
            )
        if not told:
            on_progress(f"Waiting for the deployment of {stack} that is under way ({status})")
        told = True
        time.sleep(_LOOK_SECONDS)
    return status


def _clear_away(client: Any, stack: str, on_progress: Progress) -> None:
    """Delete a stack that never came to be: it can neither be updated nor created anew."""
    if _stack_status(client, stack) not in _STILLBORN:
        return
    on_progress(f"Clearing away what an earlier deployment left of {stack}")
    client.delete_stack(StackName=stack)
    client.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


def _stack_failures(client: Any, stack: str) -> str:
    """Return what CloudFormation says went wrong, resource by resource, latest deployment only."""
    try:
        events = client.describe_stack_events(StackName=stack)["StackEvents"]
    except ClientError:
        return ""
    reasons = []
    for event in events:
        status, reason = event.get("ResourceStatus", ""), event.get("ResourceStatusReason", "")
        if event["LogicalResourceId"] == stack and reason == "User Initiated":
            break
        if status.endswith("_FAILED") and "cancelled" not in reason.lower():
            reasons.append(f"{event['LogicalResourceId']}: {reason.rstrip('.')}.")
    return " ".join(reversed(reasons))


def _opening(stack: str) -> str:
    return f"The stack {stack} was not deployed."
