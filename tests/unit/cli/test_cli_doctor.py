"""`tidegate doctor`: what it looks at, how that is told, and the exit code."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from cli_fakes import SPEC, refusal

from tidegate.cli.doctor import account, deployed, laptop
from tidegate.cli.doctor.finding import Finding
from tidegate.cli.place import Place
from tidegate.cli.stack import Stack
from tidegate.core.quotas import ENDPOINT, Need

ROOT = Path(__file__).parents[3]


def by_what(findings: Any) -> dict[str, Finding]:
    return {each.what: each for each in findings}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak to no cloud."""
    monkeypatch.setattr(Place, "is_near", False)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_machine_that_has_all_is_well_and_a_program_can_read_it(here, tidegate, tmp_path):
    said = tidegate("doctor", "--json", "--state", str(tmp_path / "state"), "--port", str(free_port()))
    found = json.loads(said.stdout)
    assert (said.exit_code, found["ok"]) == (0, True), found
    assert {each["ok"] for each in found["findings"]} == {True}
    assert not (tmp_path / "state").exists(), "looking makes nothing"


@pytest.mark.slow
def test_a_taken_port_is_not_ok_and_says_what_to_do(here, tidegate, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        said = tidegate("doctor", "--json", "--state", str(tmp_path), "--port", port)
    assert said.exit_code == 1
    [bad] = [each for each in json.loads(said.stdout)["findings"] if each["ok"] is False]
    assert bad["what"] == f"port {port}"
    assert "--port" in bad["remedy"]


def test_what_is_missing_of_the_machine_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(laptop, "MODULES", ("json", "no_such_module"))
    assert laptop.programs().found.startswith("without no_such_module")
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert laptop.python().ok is False
    usage = SimpleNamespace(free=0.5e9)
    monkeypatch.setattr(laptop.shutil, "disk_usage", lambda _: usage)
    assert "Make room" in laptop.disk(tmp_path / "state").remedy
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setattr(laptop.tempfile, "NamedTemporaryFile", lambda **_: open("/no/such/place/x", "w"))  # noqa: PTH123, SIM115
    assert laptop.writable(tmp_path / "state").ok is False


@pytest.mark.parametrize(
    ("quota", "ok", "said"),
    [
        (None, None, "knows no such quota"),
        (3.0, False, "the quota is 3"),
        (4.0, True, "8 where endpoints have scaled out"),
        (8.0, True, "the quota is 8"),
    ],
)
def test_a_quota_is_judged_by_what_models_need_at_least_and_at_most(quota, ok, said):
    found = account.judge(Need("ml.m5.large", ENDPOINT, 4, 8), quota)
    assert found.ok is ok
    assert said in found.found
    assert found.what == "4 ml.m5.large for endpoint usage"
    assert ("Ask for 8" in found.remedy) == (quota in (3.0, 4.0))


class Aws:
    """An account as far as doctor looks at it."""

    def __init__(self, quotas: dict[str, float], images: bool = True) -> None:
        self.quotas, self.images = quotas, images

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::1:user/me", "Account": "1"}

    def batch_get_image(self, **_: Any) -> dict[str, Any]:
        return {"images": [{}] if self.images else []}

    def get_paginator(self, operation: str) -> Any:
        if operation == "list_service_quotas":
            raise refusal("AccessDeniedException", "not authorized to perform it", "ListServiceQuotas")
        listed = [{"QuotaName": name, "Value": value} for name, value in self.quotas.items()]
        return SimpleNamespace(paginate=lambda **_: [{"Quotas": listed}])


def place(client: Any, region: str | None = "eu-west-1") -> Any:
    return SimpleNamespace(client=lambda _: client, session=SimpleNamespace(region_name=region))


def test_region_and_images_are_looked_up_in_the_template_and_what_is_hidden_is_told_as_not_seen(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = by_what(account.look(place(Aws({})), [Need("ml.m5.large", ENDPOINT, 4, 8)]))
    assert found["credentials"].ok
    assert found["a region that is served"].found == "eu-west-1"
    images = {what for what in found if what.startswith("the image ")}
    assert {what.split()[2].split(":")[0] for what in images} == {
        *("sagemaker-xgboost", "linear-learner", "sagemaker-scikit-learn")
    }
    assert found["quotas of SageMaker"].ok is None
    assert "ListServiceQuotas" in found["quotas of SageMaker"].found
    gone = by_what(account.look(place(Aws({}, images=False)), []))
    assert {gone[what].ok for what in images} == {False}


@pytest.mark.parametrize(
    ("region", "said"), [("eu-south-9", "has not all images"), (None, "no region is chosen")]
)
def test_a_region_that_is_not_served_is_not_ok_and_others_are_named(monkeypatch, region, said):
    monkeypatch.chdir(ROOT)
    found = by_what(account.look(place(Aws({}), region), []))["a region that is served"]
    assert found.ok is False
    assert said in found.found
    assert ("eu-west-1" in found.remedy) == (region is not None)


def test_an_account_that_cannot_be_reached_is_told_line_by_line_and_is_no_fault_of_the_machine(
    monkeypatch, tidegate
):
    class Unreachable:
        def __getattr__(self, operation: str) -> Any:
            def ask(*_: Any, **__: Any) -> Any:
                raise EndpointConnectionError(endpoint_url="https://aws.example")

            return ask

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(Place, "is_near", False)
    monkeypatch.setattr(Place, "session", SimpleNamespace(region_name="eu-west-1"))
    monkeypatch.setattr(Place, "_make", lambda self, service: Unreachable())
    said = tidegate("doctor", "--aws", "--json")
    found = json.loads(said.stdout)["findings"]
    assert said.exit_code == 1, "who cannot sign in has no use for the rest"
    assert [each["what"] for each in found if each["ok"] is False] == ["credentials"]
    unseen = {each["what"] for each in found if each["ok"] is None}
    assert {"prebuilt images", "quotas of SageMaker", "the stack tidegate"} == unseen
    assert all("does not answer" in each["found"] for each in found if each["ok"] is None)


class Deployed:
    """Clients of a stack with one role that is gone and a topic with one address that has not confirmed."""

    def get_role(self, RoleName: str) -> dict[str, Any]:
        if RoleName == "gone":
            raise refusal("NoSuchEntity", "no such role", "GetRole")
        return {}

    def get_job(self, JobName: str) -> dict[str, Any]:
        return {"Job": {"Command": {"ScriptLocation": JobName}}}

    def get_paginator(self, operation: str) -> Any:
        listed = [
            {"Endpoint": "a@example.com", "SubscriptionArn": "arn:aws:sns:x"},
            {"Endpoint": "b@example.com", "SubscriptionArn": "PendingConfirmation"},
        ]
        return SimpleNamespace(paginate=lambda **_: [{"Subscriptions": listed}])


def test_a_stack_s_roles_script_and_subscriptions_are_looked_at():
    stack: Any = SimpleNamespace(name="house", client=lambda _: Deployed(), output=lambda _: "topic")
    [roles] = deployed._roles(stack, {"AWS::IAM::Role": ["here", "gone"]})
    assert (roles.ok, roles.found) == (False, "without gone")
    for script, ok in (("s3://b/house/0a1b", True), ("s3://b/tidegate/0a1b", False)):
        [found] = deployed._script(stack, {"AWS::Glue::Job": [script]})
        assert found.ok is ok
        assert ok or "--s3-prefix house" in found.remedy
    declared = {"cars": {**SPEC, "notify": [f"{name}@example.com" for name in "abc"]}}
    heard = [each.ok for each in deployed._subscriptions(stack, declared)]
    assert heard == [True, False, False]


def test_names_that_point_at_nothing_are_found_and_what_to_do_is_said(cloud, monkeypatch):
    cloud.serve()
    for algorithm in SPEC["algorithms"]:
        cloud.ssm.values[f"/tidegate/cars/{algorithm}/model"] = f"tg-cars-{algorithm}-1"
    del cloud.sagemaker.states["tg-cars-xgboost"]
    monkeypatch.setattr(deployed, "is_known", lambda stack, model: True)
    stack: Any = Stack(SimpleNamespace(client=cloud.client, options=SimpleNamespace(stack="tidegate")))
    found = by_what(deployed._serving(stack, "cars"))
    assert found["cars: linear-learner serves"].ok
    assert found["cars: xgboost serves"].ok is False
    assert "tidegate delete cars" in found["cars: xgboost serves"].remedy
    monkeypatch.setattr(deployed, "is_known", lambda stack, model: False)
    assert {each.ok for each in deployed._serving(stack, "cars")} == {False}
