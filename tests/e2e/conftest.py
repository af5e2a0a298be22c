"""A local cloud for the whole end-to-end suite, with the shipped template deployed into it.

`--iam` runs the same suite with IAM enforced: every function and machine has only what the template gives it.
`--kms` does so with a key of one's own, which encrypts buckets, queue, topic and the disks of endpoints.
`--stack NAME` runs it under another stack's name and prefix, so that nothing goes by what they are by default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import matrix
from tests.e2e.town import FAULTS, STACK, Town
from tests.free_ports import free_port
from tidegate.local import cloud as local_cloud
from tidegate.local.deploy import deploy

ROOT = Path(__file__).parents[2]
OTHER_PREFIX = "x7"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.e2e)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if matrix.DONE:
        terminalreporter.section("the fault matrix")
        for line in matrix.table(matrix.DONE):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Town]:
    """A running, deployed local cloud; taken down at the end, and nothing may be left of it."""
    state = tmp_path_factory.mktemp("cloud")
    os.environ["TIDEGATE_FAULTS"] = str(state / FAULTS)
    keyed = request.config.getoption("--kms")
    cloud = local_cloud.up(state, free_port(), auth=request.config.getoption("--iam"))
    try:
        stack = request.config.getoption("--stack")
        parameters = {} if stack == STACK else {"NamePrefix": OTHER_PREFIX}
        if keyed:
            parameters["KmsKeyArn"] = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
        deploy(cloud, ROOT, stack, parameters=parameters)
        yield Town(cloud, stack)
    finally:
        local_cloud.down(state)
