"""What a model costs, against sums done by hand with round prices."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.core.assumptions import Assumptions
from tidegate.core.cost import NoPrice, bill, notes_on, total
from tidegate.core.spec import ModelSpec

PRICES = {
    "ml.m5.xlarge": 1.0,
    "ml.m5.large": 2.0,
    "sagemaker_gb_month": 7.3,
    "serverless_gb_second": 0.5,
    "lambda_gb_second": 2.0,
    "lambda_request": 0.01,
    "state_transition": 0.001,
    "api_request": 0.1,
    "log_gb": 50.0,
    "s3_gb_month": 0.25,
    "metric_month": 10.0,
    "alarm_month": 2.0,
    "dashboard_month": 5.0,
}
# Functions on rows take no time here, the small ones half a second of a quarter of a GB.
ASSUMED = Assumptions(
    training_minutes=6,
    scoring_minutes=3,
    endpoint_minutes=0.5,
    function_seconds=0,
    requests=1000,
    request_milliseconds=100,
    log_kilobytes=1000,
    training_runs=2,
    scoring_runs=3,
    storage_gigabytes=4,
)


def spec(**more: Any) -> ModelSpec:
    return ModelSpec.from_dict(
        {
            "name": "cars",
            "target": "price",
            "features": {"km": "numeric"},
            "algorithms": {"xgboost": {"instance": "ml.m5.xlarge"}},
            "monitor": {"every": "10 hours"},
            **more,
        }
    )


def costs(lines: Any) -> dict[str, float]:
    return {line.what: pytest.approx(line.cost) for line in lines}


def test_a_training_run_is_its_jobs_disks_functions_and_states() -> None:
    assert costs(bill(spec(), PRICES, ASSUMED).training_run) == {
        "xgboost: training": 0.1,  # 6 minutes at 1.00
        "xgboost: disks": 0.03,  # 30 GB for 6 minutes of 730 hours, at 7.30
        "xgboost: scoring the held-out rows": 0.2,  # candidate and champion, 3 minutes each, at 2.00
        "functions": 1.25,  # metrics, champion, gate, endpoint, notify: 5 x 0.5 s x 0.25 GB at 2.00
        "calls of functions": 0.09,
        "state transitions": 0.049,  # 15 + 28, and twice three for half a minute of waiting
    }


def test_tuning_jobs_are_paid_like_training_jobs() -> None:
    tuned = {
        "instance": "ml.m5.xlarge",
        "count": 2,
        "tuning": {"max_jobs": 9, "ranges": {"eta": {"least": 0.1, "most": 0.3}}},
    }
    found = bill(spec(algorithms={"xgboost": tuned}), PRICES, ASSUMED).training_run
    assert costs(found)["xgboost: training and 9 tuning jobs"] == 2.0  # 10 jobs on 2 instances, 6 minutes


def test_functions_on_rows_take_their_memory_times_their_seconds() -> None:
    found = bill(spec(), PRICES, Assumptions(function_seconds=1)).check
    # Collect and Notify: 0.5 s of 1 and 0.25 GB; two of 1,769 MB and two of 3,008 MB for a second.
    assert costs(found)["functions"] == 2 * (0.5 + 0.125 + (2 * 1769 + 2 * 3008) / 1024)


def test_a_scoring_run_is_one_transform_for_each_algorithm() -> None:
    two = {"xgboost": {"instance": "ml.m5.xlarge"}, "linear-learner": {"instance": "ml.m5.xlarge"}}
    found = costs(bill(spec(algorithms=two, scoring={"count": 3}), PRICES, ASSUMED).scoring_run)
    assert found["xgboost: batch transform"] == 0.3  # 3 instances, 3 minutes, at 2.00
    assert found["linear-learner: batch transform"] == 0.3
    assert found["state transitions"] == 0.016


def test_a_month_of_requests_is_endpoints_and_what_each_request_uses() -> None:
    found = bill(spec(serving={"instances": {"min": 2, "max": 5}}), PRICES, ASSUMED).real_time_month
    assert costs(found) == {
        "xgboost: endpoint": 2920.0,  # 2 instances, 730 hours, at 2.00
        "requests to the API": 100.0,
        "calls of predict": 10.0,
        "function predict": 200.0,  # 1,000 x 0.1 s x 1 GB at 2.00
        "logs of requests": 50.0,  # 1 GB
    }


def test_idle_is_endpoints_empty_checks_and_files_and_without_instances_almost_nothing() -> None:
    idle = bill(spec(), PRICES, ASSUMED).idle_month
    # 73 checks: Collect and Notify 0.5 s of 1.25 GB at 2.00, two calls, 15 states
    assert total(idle) == pytest.approx(1460 + 73 * (1.25 + 0.02 + 0.015) + 1.0)
    serverless = bill(spec(serving={"serverless": {"memory_mb": 2048}}), PRICES, ASSUMED)
    assert total(serverless.idle_month) == pytest.approx(total(idle) - 1460)
    # 1,000 x 0.1 s x 2 GB at 0.50
    assert costs(serverless.real_time_month)["xgboost: serverless endpoint"] == 100.0


def test_a_month_is_its_runs_checks_requests_and_files() -> None:
    found = bill(spec(), PRICES, ASSUMED)
    parts = 2 * total(found.training_run) + 3 * total(found.scoring_run) + 73 * total(found.check)
    whole = parts + total(found.real_time_month) + total(found.watching_month)
    assert found.month == pytest.approx(whole + 1.0)


def test_a_model_that_retrains_by_itself_asks_after_each_check() -> None:
    asking = bill(spec(monitor={"retrain": "either"}), PRICES, ASSUMED)
    never = bill(spec(monitor={"retrain": "off"}), PRICES, ASSUMED)
    for one, other in ((asking.check, never.check), (asking.empty_check, never.empty_check)):
        before = {line.what: line.cost for line in other}
        more = {line.what: line.cost - before[line.what] for line in one}
        assert more["state transitions"] == pytest.approx(0.001)
        assert more["functions"] > 0


def test_metrics_are_paid_for_the_hours_in_which_they_have_values() -> None:
    watching = bill(spec(), PRICES, ASSUMED).watching_month
    assert costs(watching) == {
        "verdict of the checks": 1.0,  # one in ten hours, at 10.00
        "metrics of runs": pytest.approx((2 * 2 + 3 * 3) / 730 * 10),
        "detailed metrics of the API": 60.0,  # six in every hour
        "alarm of the model": 2.0,
        "alarms of the stack": 16.0,
        "dashboard of the stack": 5.0,
    }
    two = {"xgboost": None, "linear-learner": None}
    often = {"every": "5 minutes", "metrics": "columns"}
    found = costs(bill(spec(algorithms=two, monitor=often), PRICES, ASSUMED).watching_month)
    assert found["verdict of the checks"] == 10.0
    # Of each algorithm one feature and the prediction, three metrics each, and four of the quality.
    assert found["each column and the quality"] == 200.0


def test_a_spot_training_is_explained() -> None:
    both = {"xgboost": {"spot": True}, "linear-learner": {"spot": True}}
    first, second = notes_on(spec(algorithms=both))
    assert "xgboost" in first and "begins anew" in first and "cannot take up" in first
    assert "linear-learner" in second and "3,600 seconds in all" in second
    assert notes_on(spec()) == ()


def test_a_price_that_is_not_listed_is_asked_for_by_its_name() -> None:
    with pytest.raises(NoPrice, match=r"no price for ml\.m5\.large"):
        bill(spec(), {name: price for name, price in PRICES.items() if name != "ml.m5.large"}, ASSUMED)
