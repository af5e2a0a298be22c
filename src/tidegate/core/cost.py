"""What a model costs on AWS, from a table of prices and assumptions that everybody can see and change.

Counted is what the machines, jobs, functions and endpoints of a model use; `NOT_COUNTED` is what is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tidegate.core.algorithms import BUILT_IN, MOST_SPOT_SECONDS
from tidegate.core.assumptions import Assumptions
from tidegate.core.errors import TidegateError
from tidegate.core.monitor import seconds_of
from tidegate.core.plan import VOLUME_GB
from tidegate.core.spec import ModelSpec
from tidegate.core.verdict_metrics import COLUMNS, most_of_columns

HOURS_PER_MONTH = 730
LOOK_SECONDS = 15  # how often the train machine looks at an endpoint that is being made
# The memory of each function in MB, as the template has it; a test compares.
MEMORY_MB = {
    "Preprocess": 3008,
    "QueryTrainingMetrics": 256,
    "LookUpChampion": 256,
    "Evaluate": 1769,
    "RmseGate": 256,
    "Baseline": 3008,
    "UpsertEndpoint": 256,
    "Notify": 256,
    "PrepareScores": 3008,
    "CombineScores": 3008,
    "Collect": 1024,
    "ProfileWindow": 3008,
    "CompareWindow": 1769,
    "MatchTruth": 3008,
    "EvaluateDrift": 1769,
    "Retrain": 3008,
    "Predict": 1024,
}
# Those that compute on rows; the others take half a second. Of a retraining a check mostly only asks.
_ON_ROWS = frozenset(name for name, memory in MEMORY_MB.items() if memory > 1024) - {"Retrain"}
_SMALL_SECONDS = 0.5
_TRAIN = ("Preprocess", "Notify")
_TRAIN_EACH = (
    "QueryTrainingMetrics",
    "LookUpChampion",
    "Evaluate",
    "RmseGate",
    "Baseline",
    "Baseline",
    "UpsertEndpoint",
)
_SCORE = ("PrepareScores", "CombineScores", "Notify")
_CHECK = ("Collect", "EvaluateDrift", "Notify")
_CHECK_EACH = ("ProfileWindow", "CompareWindow", "MatchTruth")
_EMPTY_CHECK = ("Collect", "Notify")
# States that a run enters: on its own, and for each algorithm; counted in real runs, which a test repeats.
_TRAIN_STATES, _TRAIN_STATES_EACH, _LOOK_STATES = 15, 28, 3
_SCORE_STATES, _SCORE_STATES_EACH = 14, 1
_CHECK_STATES, _CHECK_STATES_EACH, _EMPTY_CHECK_STATES = 18, 7, 15

# What watches a stack, by the template, whatever models it has; a test compares.
STACK_ALARMS = 8
STACK_DASHBOARDS = 1
ROUTE_METRICS = 6  # of an HTTP API with detailed metrics: count, 4xx, 5xx, latency, integration latency, data
# Metrics that the functions of a run write: by model, and by model and algorithm.
_TRAIN_METRICS, _TRAIN_METRICS_EACH, _SCORE_METRICS = 1, 1, 3

NOT_COUNTED = (
    "requests to S3, DynamoDB, Parameter Store and EventBridge, notifications, metrics of what goes wrong, a "
    "key of your own, the disks "
    "of endpoints, logs of jobs, Glue jobs of large windows, the nightly collection, data that leaves "
    "AWS, taxes, free tiers, spot and savings plans"
)


class NoPrice(TidegateError):
    """The price table of a region lacks something that a model uses."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the price table has no price for {name}")
        self.name = name


@dataclass(frozen=True)
class Line:
    """One line of a bill: so much of something, at so much each."""

    what: str
    quantity: float
    unit: str
    priced_by: str
    price: float

    @property
    def cost(self) -> float:
        """Give the line's amount in dollars."""
        return self.quantity * self.price


Lines = tuple[Line, ...]


@dataclass(frozen=True)
class Bill:
    """What a model costs: a run of each kind, a month of everybody's use or of nobody's, and watching it."""

    training_run: Lines
    scoring_run: Lines
    check: Lines
    empty_check: Lines
    real_time_month: Lines
    idle_month: Lines
    watching_month: Lines
    checks_a_month: float
    assumed: Assumptions

    @property
    def month(self) -> float:
        """Give the dollars of a month as assumed, every check finding something new."""
        return (
            self.assumed.training_runs * total(self.training_run)
            + self.assumed.scoring_runs * total(self.scoring_run)
            + self.checks_a_month * total(self.check)
            + total(self.real_time_month)
            + total(self.watching_month)
            + sum(line.cost for line in self.idle_month if line.priced_by == "s3_gb_month")
        )


def total(lines: Lines) -> float:
    """Add lines up.

    >>> total((Line("a job", 0.5, "hours", "ml.m5.large", 0.1), Line("requests", 2, "", "api_request", 0.01)))
    0.07
    """
    return math.fsum(line.cost for line in lines)


def bill(spec: ModelSpec, prices: Mapping[str, float], assumed: Assumptions) -> Bill:
    """Work out what a model costs.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    prices : mapping
        Dollars by name: ``ml.m5.large`` (an hour), ``lambda_gb_second`` and so on.
    assumed : Assumptions
        The rest.

    Raises
    ------
    NoPrice
        When a price that is needed is not in the table.
    """
    work = _Work(spec, prices, assumed)
    checks = HOURS_PER_MONTH * 3600 / seconds_of(spec.monitor.every)
    count = len(spec.algorithms)
    asks = () if spec.monitor.retrain == "off" else ("Retrain",)
    empty = tuple(work.machine(_EMPTY_CHECK + asks, _EMPTY_CHECK_STATES + len(asks)))
    states = _CHECK_STATES + _CHECK_STATES_EACH * count + len(asks)
    return Bill(
        training_run=tuple(work.training()),
        scoring_run=tuple(work.scoring()),
        check=tuple(work.machine(_CHECK + _CHECK_EACH * count + asks, states)),
        empty_check=empty,
        real_time_month=(*work.endpoints(), *work.requests()),
        idle_month=(
            *work.endpoints(),
            *(
                Line(
                    f"empty checks: {line.what}",
                    checks * line.quantity,
                    line.unit,
                    line.priced_by,
                    line.price,
                )
                for line in empty
            ),
            work.line("files", assumed.storage_gigabytes, "GB-months", "s3_gb_month"),
        ),
        watching_month=tuple(work.watching(checks)),
        checks_a_month=checks,
        assumed=assumed,
    )


def notes_on(spec: ModelSpec) -> tuple[str, ...]:
    """Say what a reader of the bill should know of this model's own settings."""
    return tuple(_spot_note(name) for name, each in spec.algorithms.items() if each.spot)


def _spot_note(name: str) -> str:
    begins = f"{name} trains on spot instances, which are cheaper than what is counted here"
    if BUILT_IN[name].checkpoints:
        return (
            f"{begins}; the image cannot take up the checkpoints that it writes, so that a training which "
            "loses its instance begins anew and is paid for again"
        )
    return (
        f"{begins}; it keeps no checkpoints, so that a training which loses its instance begins anew, and it "
        f"may wait and train for {MOST_SPOT_SECONDS:,} seconds in all"
    )


@dataclass(frozen=True)
class _Work:
    spec: ModelSpec
    prices: Mapping[str, float]
    assumed: Assumptions

    def line(self, what: str, quantity: float, unit: str, priced_by: str) -> Line:
        if priced_by not in self.prices:
            raise NoPrice(priced_by)
        return Line(what, quantity, unit, priced_by, self.prices[priced_by])

    def training(self) -> Iterator[Line]:
        states = _TRAIN_STATES
        looks = math.ceil(self.assumed.endpoint_minutes * 60 / LOOK_SECONDS)
        for name, algorithm in self.spec.algorithms.items():
            jobs = 1 + (algorithm.tuning.max_jobs if algorithm.tuning else 0)
            hours = jobs * algorithm.count * self.assumed.training_minutes / 60
            told = f"{name}: training" + (f" and {jobs - 1} tuning jobs" if jobs > 1 else "")
            yield self.line(told, hours, "hours", algorithm.instance)
            disks = VOLUME_GB * hours / HOURS_PER_MONTH
            yield self.line(f"{name}: disks", disks, "GB-months", "sagemaker_gb_month")
            # The candidate and the champion score the same rows.
            scored = 2 * self.spec.scoring.count * self.assumed.scoring_minutes / 60
            yield self.line(f"{name}: scoring the held-out rows", scored, "hours", self.spec.scoring.instance)
            states += _TRAIN_STATES_EACH + _LOOK_STATES * looks + (1 if algorithm.tuning else 0)
        yield from self.machine(_TRAIN + _TRAIN_EACH * len(self.spec.algorithms), states)

    def scoring(self) -> Iterator[Line]:
        count = len(self.spec.algorithms)
        hours = self.spec.scoring.count * self.assumed.scoring_minutes / 60
        for name in self.spec.algorithms:
            yield self.line(f"{name}: batch transform", hours, "hours", self.spec.scoring.instance)
        yield from self.machine(_SCORE, _SCORE_STATES + _SCORE_STATES_EACH * count)

    def machine(self, functions: tuple[str, ...], states: int) -> Iterator[Line]:
        """Give the lines of a run's functions and states."""
        used = sum(
            MEMORY_MB[name] / 1024 * (self.assumed.function_seconds if name in _ON_ROWS else _SMALL_SECONDS)
            for name in functions
        )
        yield self.line("functions", used, "GB-seconds", "lambda_gb_second")
        yield self.line("calls of functions", len(functions), "calls", "lambda_request")
        yield self.line("state transitions", states, "transitions", "state_transition")

    def watching(self, checks: float) -> Iterator[Line]:
        """Give what CloudWatch bills by the month; a metric for the hours in which it has values."""
        hourly = min(1.0, checks / HOURS_PER_MONTH)
        monitor = self.spec.monitor
        yield self.line("verdict of the checks", hourly, "metrics", "metric_month")
        if monitor.metrics == COLUMNS:
            columns = len(self.spec.algorithms) * most_of_columns(len(self.spec.features))
            yield self.line("each column and the quality", columns * hourly, "metrics", "metric_month")
        assumed = self.assumed
        hours = assumed.training_runs * (_TRAIN_METRICS + _TRAIN_METRICS_EACH * len(self.spec.algorithms))
        hours += assumed.scoring_runs * _SCORE_METRICS
        yield self.line("metrics of runs", hours / HOURS_PER_MONTH, "metrics", "metric_month")
        asked = min(1.0, assumed.requests / HOURS_PER_MONTH)
        yield self.line("detailed metrics of the API", ROUTE_METRICS * asked, "metrics", "metric_month")
        yield self.line("alarm of the model", 1, "alarms", "alarm_month")
        yield self.line("alarms of the stack", STACK_ALARMS, "alarms", "alarm_month")
        yield self.line("dashboard of the stack", STACK_DASHBOARDS, "dashboards", "dashboard_month")

    def endpoints(self) -> Iterator[Line]:
        if self.spec.serving.serverless:
            return  # without requests it costs nothing
        for name in self.spec.algorithms:
            hours = HOURS_PER_MONTH * self.spec.serving.instances["min"]
            yield self.line(f"{name}: endpoint", hours, "hours", self.spec.serving.instance)

    def requests(self) -> Iterator[Line]:
        requests = self.assumed.requests
        seconds = requests * self.assumed.request_milliseconds / 1000
        if serverless := self.spec.serving.serverless:
            for name in self.spec.algorithms:
                used = seconds * serverless.memory_mb / 1024
                yield self.line(f"{name}: serverless endpoint", used, "GB-seconds", "serverless_gb_second")
        yield self.line("requests to the API", requests, "requests", "api_request")
        yield self.line("calls of predict", requests, "calls", "lambda_request")
        memory = MEMORY_MB["Predict"] / 1024
        yield self.line("function predict", seconds * memory, "GB-seconds", "lambda_gb_second")
        logs = requests * self.assumed.log_kilobytes / 1e6
        yield self.line("logs of requests", logs, "GB", "log_gb")
