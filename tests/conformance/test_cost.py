"""What costs are computed from is what the template deploys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.synthesis import template, texts
from tidegate.core.cost import MEMORY_MB, STACK_ALARMS, STACK_DASHBOARDS

pytestmark = pytest.mark.conformance


@pytest.mark.parametrize("name", MEMORY_MB)
def test_a_function_has_the_memory_that_is_counted(name):
    function = template()["Resources"][f"{name}Function"]["Properties"]
    assert list(texts(function["MemorySize"])) == [str(MEMORY_MB[name])]


def kinds(kind: str) -> list[dict[str, Any]]:
    return [each for each in template()["Resources"].values() if each["Type"] == kind]


def test_the_stack_has_the_alarms_and_the_dashboard_that_are_counted():
    alarms = kinds("AWS::CloudWatch::Alarm")
    assert len(alarms) == STACK_ALARMS
    # Each watches one metric for a minute and more: others cost more.
    assert all("MetricName" in each["Properties"] for each in alarms)
    assert all(int(each["Properties"]["Period"]) >= 60 for each in alarms)
    assert len(kinds("AWS::CloudWatch::Dashboard")) == STACK_DASHBOARDS


def test_the_api_has_the_detailed_metrics_that_are_counted():
    [stage] = kinds("AWS::ApiGatewayV2::Stage")
    assert stage["Properties"]["DefaultRouteSettings"]["DetailedMetricsEnabled"] is True
