"""Going through the fault matrix in a local cloud: brings runs to the states, and looks at how they ended."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from tests.e2e import cars, watching
from tests.e2e.matrix import FAILED_BEFORE, PRELUDES, Cell, Row, rows
from tests.e2e.town import FAULTS, Town, csv_bytes
from tests.waiting import PATIENCE_SECONDS
from tidegate.cli.retry import start_again
from tidegate.core import names
from tidegate.core.messages import explain

AT_ONCE = 4
QUICK = {"hyperparameters": {"num_round": 3}, "instance": "ml.m5.large"}
LOOSE = {"metric": "rmse", "at_most": 1e9, "against_champion": "off"}
FIRST_TICKET = "ticket 0"  # before everybody's
SECONDS = 240
LARGE_ROWS = 3_000  # twice as many are a large window in the local cloud
SPECS: dict[str, dict[str, Any]] = {
    "tuned": {
        "algorithms": {
            "xgboost": {**QUICK, "tuning": {"max_jobs": 2, "ranges": {"eta": {"least": 0.2, "most": 0.5}}}}
        }
    },
    "serverless": {"serving": {"serverless": {"memory_mb": 1024}}},
    "scaled": {"serving": {"instances": {"min": 1, "max": 3}}},
    "superseding": {"training": {"when_busy": "supersede"}},
}
# Another attempt at the same run comes to these no more, or writes nothing down.
ONCE_A_RUN = ("Claim the run", "Train the model", "Tune the hyperparameters")
# After people were told of drift; what then fails is in the record, and an alarm goes on.
TOLD_BEFORE = {
    "Say that drift was detected": "drift was told to people, but not to EventBridge",
    "Look at the policy": "whether to retrain could not be decided",
}
# What fails in these is told plainly.
TELLING = (
    "Tell people",
    "Recall what was told",
    "Weigh the news",
    "Remember what is told",
    "Send the message",
    "Tell people plainly",
)
# To come to these states, a run must find another one's work.
NEEDS_A_CHAMPION = ("again", "behind", "superseding")


class Faults:
    """The file of faults, which several runners change at once."""

    def __init__(self, town: Town) -> None:
        self._file = town.cloud.state / FAULTS
        self._lock = threading.Lock()

    def add(self, faults: list[dict[str, Any]]) -> None:
        self._change(lambda now: [*now, *faults])

    def remove(self, faults: list[dict[str, Any]]) -> None:
        self._change(lambda now: [each for each in now if each not in faults])

    def _change(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        with self._lock:
            now = json.loads(self._file.read_text()) if self._file.exists() else []
            partial = self._file.with_suffix(".changed")
            partial.write_text(json.dumps(change(now)))
            partial.replace(self._file)


class Post:
    """What the topic tells people, by way of a queue that is subscribed to it."""

    def __init__(self, town: Town) -> None:
        self._sqs = town.client("sqs")
        self._url = self._sqs.create_queue(QueueName="fault-matrix")["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        topic, queue = town.outputs["NotificationTopicArn"], asked["Attributes"]["QueueArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        town.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        self._seen: list[dict[str, str]] = []
        self._lock = threading.Lock()

    def about(self, model: str) -> list[dict[str, str]]:
        """Give what was told about a model so far."""
        with self._lock:
            while got := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get(
                "Messages"
            ):
                for each in got:
                    self._seen.append(json.loads(each["Body"]))
                    self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"])
            return [each for each in self._seen if each["Subject"].startswith(f"{model}:")]


class Trials:
    """Goes through rows of the matrix, several at once.

    Parameters
    ----------
    town
        The deployed local cloud.
    wanted
        The cells to go through; each gets how it ended, and what was wrong with that.
    """

    def __init__(self, town: Town, wanted: list[Cell]) -> None:
        self.town, self.faults, self.post = town, Faults(town), Post(town)
        self.stack: Any = SimpleNamespace(client=town.client, output=town.outputs.__getitem__)
        self.content = csv_bytes(cars.rows(80))
        for service in ("s3", "dynamodb", "stepfunctions", "sagemaker", "ssm", "sqs", "sns"):
            town.client(service)  # clients are made one at a time, and then shared
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._jobs: dict[int, Future[None]] = {}
        dealt = rows(wanted)
        # Runs that score, and checks, share one trained model, so that they follow each other.
        shared = {each: [row for row in dealt if row.machine == each] for each in ("monitor", "score")}
        for machine, own in shared.items():
            if own:
                self._submit(own, lambda own=own, machine=machine: self._share(machine, own))
        for row in dealt:
            if row.machine == "train":
                self._submit([row], lambda row=row: self._go(row, Training(self, row)))

    def wait(self, cell: Cell) -> Cell:
        """Wait until a cell has been gone through."""
        self._jobs[id(cell)].result()
        return cell

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(cancel_futures=True)

    def _submit(self, own: list[Row], job: Callable[[], None]) -> None:
        future = self._pool.submit(job)
        for row in own:
            for group in row.groups:
                self._jobs.update({id(cell): future for cell in group})

    def _share(self, machine: str, own: list[Row]) -> None:
        runner = Scoring(self) if machine == "score" else Checking(self)
        for row in own:
            self._go(row, runner)

    def _go(self, row: Row, runner: Runner) -> None:
        for place, group in enumerate(row.groups):
            began = time.monotonic()
            prelude = [
                {"model": runner.model, "number": f"{row.number}-{place}", **each}
                for each in PRELUDES.get(row.where, [])
            ]
            faults = [cell.fault(runner.model, 1000 * row.number + place) for cell in group]
            self.faults.add([*prelude, *faults])
            try:
                runner.run(group)
            except Exception as problem:
                for cell in group:
                    cell.wrong = f"{type(problem).__name__}: {problem}"
            finally:
                self.faults.remove([*prelude, *faults])
            for cell in group:
                cell.seconds = time.monotonic() - began
        try:
            trouble = runner.goes_on()
        except Exception as problem:
            trouble = f"{type(problem).__name__}: {problem}"
        if trouble:
            row.groups[-1][-1].wrong += f" afterwards: {trouble}"


class Runner:
    """Runs of one machine for one model, each meeting a group of cells."""

    model: str

    def __init__(self, trials: Trials) -> None:
        self.trials, self.town = trials, trials.town
        self.number = 0

    def run(self, group: list[Cell]) -> None:
        """Run once with the faults of these cells on, and look at how it ended."""
        before = self.told()
        self.number += 1
        record = self.start(group[0])
        execution = self.town.execution(record)
        met = failures(self.town, record["execution"])
        for cell in group:
            cell.ended = str(record["status"])
            cell.wrong = "; ".join(self.faults_of(cell, record, execution, met, before))

    def faults_of(
        self, cell: Cell, record: dict[str, Any], execution: dict[str, Any], met: set[str], before: int
    ) -> list[str]:
        """Say all that is wrong with how a run ended."""
        wrong = []
        garbled = "answer" in cell.trouble.fault
        if not garbled and f"{cell.state}: {cell.trouble.error}" not in met:
            wrong.append(f"the fault was not met, but {sorted(met)}")
        recorded = cell.expected
        if (cell.state, "lost" in cell.trouble.fault, cell.expected) == (
            "Record the outcome",
            True,
            "FAILED",
        ):
            recorded = "SUCCEEDED"  # which it was, and could be written down
        if (record["status"], execution["status"]) != (recorded, cell.expected):
            why = f"{record['status']}/{execution['status']}: {record.get('reason')}"
            wrong.append(f"expected {cell.expected}, not {why}")
        elif recorded == "FAILED":
            wrong += self.not_told(cell, record, before)
        return wrong

    def not_told(self, cell: Cell, record: dict[str, Any], before: int) -> list[str]:
        """Say what people should have been told, if they were not."""
        recorded = TOLD_BEFORE.get(cell.state)
        if cell.where == "untold" and not cell.trouble.passes:
            recorded = "telling people failed"
        if recorded:
            return [] if recorded in record["reason"] else [f"not recorded: {record['reason']}"]
        wanted = [word.replace("'", "") for word in self.words_of(cell)]

        def told() -> str:
            """Give the first message since then that has all the words."""
            news = [each["Message"] for each in self.trials.post.about(self.model)[before:]]
            return next((each for each in news if all(word in each.replace("'", "") for word in wanted)), "")

        if self.waited(lambda: bool(told())):
            return []
        news = [each["Message"] for each in self.trials.post.about(self.model)[before:]]
        return [f"nobody was told {wanted}, but {news}"]

    @staticmethod
    def words_of(cell: Cell) -> list[str]:
        """Give what people must be told: the state, and what to do."""
        if cell.state in TELLING:
            return ["telling people failed", "tidegate run"]
        if cell.where in FAILED_BEFORE and cell.trouble.passes:
            return ["in the state Look at the endpoint", "Read the endpoint"]
        state = cell.path[-1]
        if len(cell.path) > 1 and cell.path[-2] not in ("For each algorithm",):
            state = cell.path[-2]  # a branch, or one of several alike: what is around it is told
        remedy = explain(cell.trouble.error, str(cell.trouble.fault.get("cause", ""))).remedy
        return [f"in the state {state}", *([remedy] if state != "Record the outcome" else [])]

    def told(self) -> int:
        return len(self.trials.post.about(self.model))

    @staticmethod
    def waited(look: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if look():
                return True
            time.sleep(0.1)
        return False

    def start(self, cell: Cell) -> dict[str, Any]:
        """Start a run and wait for its end; gives its record."""
        raise NotImplementedError

    def goes_on(self) -> str:
        """Run without a fault; says what is wrong then."""
        raise NotImplementedError

    def ended(self, run: str, execution: str) -> dict[str, Any]:
        """Wait until an execution has ended and its run's record says so; gives the record."""
        arn = {"execution": execution}
        self.town.until(lambda: self.town.execution(arn)["status"] != "RUNNING", f"{run} ended", SECONDS)

        def closed() -> dict[str, Any] | None:
            record = self.town.record(run)
            return record if record and record["status"] != "RUNNING" else None

        found: dict[str, Any] = self.town.until(closed, f"{run} was closed")
        return {**found, "execution": execution}


class Training(Runner):
    """Training runs of one model, each cell a drop of its own or another attempt at the one before."""

    def __init__(self, trials: Trials, row: Row) -> None:
        super().__init__(trials)
        self.model, self.where = row.model, row.where
        spec = cars.spec(self.model, algorithms={"xgboost": QUICK}, gate=LOOSE)
        self.town.declare({**spec, **SPECS.get(row.where, {})})
        self.last: dict[str, Any] | None = None
        self.other = ""
        if row.where in NEEDS_A_CHAMPION:
            first = self.town.train(self.model, "first.csv", trials.content, SECONDS)
            assert first["status"] == "SUCCEEDED", first["reason"]
            self.other = first["execution"]

    def start(self, cell: Cell) -> dict[str, Any]:
        if self.where in ("behind", "superseding"):
            self._stand_before()
        again = self.last if cell.state not in ONCE_A_RUN else None
        if again and again["status"] == "FAILED":
            execution, _ = start_again(self.trials.stack, self.town.record(again["run"]) or {})
            self.last = self.ended(again["run"], execution)
        else:
            run = self.town.drop(self.model, f"{self.number}.csv", self.trials.content)
            record = self.town.until(lambda: self.town.record(run), f"{run} began", SECONDS)
            self.last = self.ended(run, record["execution"])
        return self.last

    def faults_of(self, cell: Cell, *looked: Any) -> list[str]:
        wrong = super().faults_of(cell, *looked)
        # Where putting back itself fails for good, nothing else can put it back.
        if cell.state != "Roll back the endpoint" or cell.trouble.passes:
            wrong += self.half_made()
        return wrong

    def half_made(self) -> list[str]:
        """Say what was left half made: an endpoint serves what is approved, and there is none without."""
        wrong: list[str] = []

        def whole() -> bool:
            champion = self.town.parameter(self.model, "xgboost", "model")
            name = self.town.endpoint(self.model)
            endpoints = self.town.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"]
            found = [each for each in endpoints if each["EndpointName"] == name]
            wrong[:] = [f"the champion is {champion}, the endpoint {found}"]
            if champion is None or not found:
                return champion is None and not found
            described = self.town.client("sagemaker").describe_endpoint(EndpointName=name)
            return (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", champion)

        return [] if self.waited(whole) else wrong

    def goes_on(self) -> str:
        if self.last is None or self.last["status"] != "FAILED":
            return ""
        run = self.last["run"]
        execution, built_on = start_again(self.trials.stack, self.town.record(run) or {})
        record = self.ended(run, execution)
        if record["status"] != "SUCCEEDED":
            return f"the retry is {record['status']}: {record['reason']}"
        jobs = self.town.client("sagemaker").list_training_jobs(
            NameContains=f"xgboost-{run}", StatusEquals="Completed"
        )
        if built_on["trained"] and len(jobs["TrainingJobSummaries"]) != 1:
            return "it was trained again"
        return "; ".join(self.half_made())

    def _stand_before(self) -> None:
        """Put a run that has ended, and did not leave the line, before the next one."""
        holds = "SET #t = :e, holder = :t" if self.where == "superseding" else "SET #t = :e"
        values = {":e": {"S": self.other}, ":t": {"S": FIRST_TICKET}}
        self.town.client("dynamodb").update_item(
            TableName=self.town.outputs["RunsTable"],
            Key={"run": {"S": names.queue_id(self.model)}},
            UpdateExpression=holds,
            ExpressionAttributeNames={"#t": FIRST_TICKET},
            ExpressionAttributeValues={key: each for key, each in values.items() if key in holds},
        )


class Scoring(Runner):
    """Scoring runs of one trained model, a drop each."""

    model = "fault-score"

    def __init__(self, trials: Trials) -> None:
        super().__init__(trials)
        self.town.declare(cars.spec(self.model, algorithms={"xgboost": QUICK}, gate=LOOSE))
        trained = self.town.train(self.model, "cars.csv", trials.content, SECONDS)
        assert trained["status"] == "SUCCEEDED", trained["reason"]

    def start(self, cell: Cell | None) -> dict[str, Any]:
        run = self.town.drop(self.model, f"{self.number}.csv", self.trials.content, "score")
        record = self.town.until(lambda: self.town.record(run), f"{run} began", SECONDS)
        return self.ended(run, record["execution"])

    def goes_on(self) -> str:
        self.number += 1
        record = self.start(None)
        whole = record["status"] == "SUCCEEDED" and record["result"]["scored"] == 80
        return "" if whole else f"{record['status']}: {record['reason']}"


class Checking(Runner):
    """Checks of one trained model, each finding predictions that drifted and what really happened."""

    model = "fault-monitor"
    rows_each = 120

    def __init__(self, trials: Trials) -> None:
        super().__init__(trials)
        # By the calendar: the policy is looked at, and nothing is due.
        monitor = {"every": "1 hour", "least_rows": 100, "retrain": {"schedule": "quarterly"}}
        self.town.declare(cars.spec(self.model, algorithms={"xgboost": QUICK}, gate=LOOSE, monitor=monitor))
        trained = self.town.train(self.model, "cars.csv", csv_bytes(cars.rows(400)), SECONDS)
        assert trained["status"] == "SUCCEEDED", trained["reason"]
        self.captured = self.counted = 0

    def start(self, cell: Cell | None) -> dict[str, Any]:
        for part in range(2 * LARGE_ROWS // self.rows_each if cell and cell.where == "large" else 1):
            drifted = watching.shifted(cars.rows(self.rows_each, seed=100 * (part + 1) + self.number))
            rows = [{**row, "listing": f"{self.number}-{part}-{row['listing']}"} for row in drifted]
            watching.capture(self.town, self.model, rows)
            self.captured += self.rows_each
            # Where truth itself starts the check, it comes afterwards.
            if part == 0 and not (cell and cell.where == "truth"):
                watching.label(self.town, self.model, rows, f"{self.number}.csv")
        # So that drift is news each time.
        watching.forget(self.town, names.told_id(self.model))
        if cell and cell.where == "truth":
            return self._by_truth()
        return self.ended(*watching.start(self.town, self.model))

    def _by_truth(self) -> dict[str, Any]:
        """Have a check started by truth, as a retraining is wanted."""
        watching.want(self.town, self.model)
        run = watching.label(self.town, self.model, cars.rows(1), f"more-{self.number}.csv")
        record = self.town.until(lambda: self.town.record(run), f"{run} began", SECONDS)
        found = self.ended(run, record["execution"])
        watching.forget(self.town, names.retrain_id(self.model))
        return found

    def goes_on(self) -> str:
        self.number += 1
        record = self.start(None)
        if record["status"] != "SUCCEEDED":
            return f"{record['status']}: {record['reason']}"
        rows = int(watching.bookmark(self.town, self.model)["summary"]["totals"]["rows"])
        return "" if rows == self.captured else f"{rows} rows of {self.captured} were counted"


def failures(town: Town, execution: str) -> set[str]:
    """Read which tasks of an execution failed, and how: ``state: error``."""
    pages = town.client("stepfunctions").get_paginator("get_execution_history")
    events = {e["id"]: e for page in pages.paginate(executionArn=execution) for e in page["events"]}
    found = set()
    for event in events.values():
        if event["type"] in ("TaskFailed", "TaskTimedOut"):
            details = event.get("taskFailedEventDetails") or event["taskTimedOutEventDetails"]
            at = event
            while "stateEnteredEventDetails" not in at:
                at = events[at["previousEventId"]]
            found.add(f"{at['stateEnteredEventDetails']['name']}: {details['error']}")
    return found
