"""A tuning job's way: training jobs proposed by its strategy, a few at a time, until the best is found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from tidegate.local.sagemaker.control import tags
from tidegate.local.sagemaker.errors import SageMakerError
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.lifecycle import TRAINING, TUNING, Cause, Job, room_of
from tidegate.local.sagemaker.jobs.records import ALGORITHM, CLIENT, JobFailed
from tidegate.local.sagemaker.jobs.running import Run
from tidegate.local.sagemaker.jobs.training import create_training_job
from tidegate.local.sagemaker.store import now
from tidegate.local.sagemaker.tuning.decide import Trial, hopeless_reason, is_hopeless, reason_to_end
from tidegate.local.sagemaker.tuning.definitions import Definition, job_count, parents_of, read_definitions
from tidegate.local.sagemaker.tuning.search import Search, Values, make_search
from tidegate.local.sagemaker.tuning.summaries import JOBS, objective_of, progress

Record = dict[str, Any]

_LOOK_SECONDS = 0.1
_END_SECONDS = 130.0  # a container that is stopped has 120


@dataclass
class _Running:
    """A training job that is under way."""

    handle: Job | None
    name: str
    definition: int
    values: Values
    stopped: bool = False


class TuningRun(Run):
    """One tuning job under way.

    It takes no place among the running jobs itself: its training jobs do.
    """

    takes_turn = False

    def __init__(self, job: Job, record: Record) -> None:
        super().__init__(job, record)
        self._config = record["HyperParameterTuningJobConfig"]
        self._definitions = read_definitions(record)
        self._most = job_count(self._config, self._definitions)
        self._searches: list[Search] = []
        self._started = 0
        self._running: list[_Running] = []
        self._trials: list[Trial] = []
        self._histories: dict[int, list[list[float]]] = {}

    def _work(self) -> None:
        limits = self._config["ResourceLimits"]
        if "MaxRuntimeInSeconds" in limits:
            self._job.limit(limits["MaxRuntimeInSeconds"], Cause.MAX_RUNTIME)
        self._searches = self._make_searches()
        try:
            more = True
            while more or self._running:
                self._job.check()
                self._gather()
                more = more and not self._is_over() and self._start_more(limits["MaxParallelTrainingJobs"])
                if self._running:
                    self._stop_early()
                    self._job.wake.wait(_LOOK_SECONDS)
        finally:
            self._end_running()
        if (reason := hopeless_reason(self._trials, over=True)) is not None:
            raise JobFailed(ALGORITHM, reason)

    def _make_searches(self) -> list[Search]:
        digest = hashlib.sha256(self._job.name.encode()).digest()
        seed = self._config.get("RandomSeed", int.from_bytes(digest[:4], "big"))
        searches = [
            make_search(self._config["Strategy"], each.ranges, maximize=each.maximize, seed=seed + number)
            for number, each in enumerate(self._definitions)
        ]
        for name in parents_of(self._record):
            parent = self._ctx.store.get(TUNING.kind, name)
            for each in (parent or {}).get(JOBS, []):
                number = min(each["Definition"], len(searches) - 1)
                earlier = self._ctx.store.get(TRAINING.kind, each["TrainingJobName"]) or {}
                given = {**earlier.get("HyperParameters", {}), **each["Values"]}
                values = {name: given.get(name, "") for name in _names(self._definitions[number])}
                searches[number].tell(values, objective_of(earlier, self._definitions[number].metric))
        return searches

    def _is_over(self) -> bool:
        """Tell whether no further job is to be started; raise when there is no hope left."""
        if (reason := hopeless_reason(self._trials, over=False)) is not None:
            raise JobFailed(ALGORITHM, reason)
        criteria = self._config.get("TuningJobCompletionCriteria", {})
        over = reason_to_end(self._trials, criteria, self._definitions[0].maximize)
        return over is not None or self._started >= self._most

    def _start_more(self, most_at_once: int) -> bool:
        """Start jobs while there is room; False when the strategies have nothing more to propose."""
        while len(self._running) < most_at_once and self._started < self._most:
            number, values = self._propose()
            if values is None:
                return False
            self._start(number, values)
        return True

    def _propose(self) -> tuple[int, Values | None]:
        """Ask the definitions in turn."""
        count = len(self._searches)
        for step in range(count):
            number = (self._started + step) % count
            values = self._searches[number].propose()
            if values is not None:
                return number, values
        return 0, None

    def _start(self, number: int, values: Values) -> None:
        self._started += 1
        tail = hashlib.sha256(f"{self._record['HyperParameterTuningJobArn']}/{self._started}".encode())
        name = f"{self._job.name}-{self._started:03d}-{tail.hexdigest()[:8]}"
        request = self._definitions[number].training_request(name, values)
        given = self._record.get("Tags", [])
        entry = {"TrainingJobName": name, "Definition": number, "Values": values}
        # Noted first: a job that nobody's record names could not be found again.
        self._ctx.store.change(
            TUNING.kind, self._job.name, lambda record: {**record, JOBS: [*record.get(JOBS, []), entry]}
        )
        arn = self._record["HyperParameterTuningJobArn"]
        try:
            answer = create_training_job(self._ctx, {**request, "Tags": given, "TuningJobArn": arn})
        except SageMakerError as error:
            raise JobFailed(
                CLIENT, f"The training job {name} could not be created: {error.message}"
            ) from error
        tags.replace_tags(self._ctx, answer["TrainingJobArn"], given)
        handle = room_of(self._ctx).find(TRAINING.kind, name)
        self._running.append(_Running(handle, name, number, values))

    def _gather(self) -> None:
        """Learn from the jobs that have ended."""
        ended = [each for each in self._running if each.handle is None or each.handle.done.is_set()]
        for each in ended:
            self._running.remove(each)
            record = records.describe(self._ctx, TRAINING, each.name)
            metric = self._definitions[each.definition].metric
            value = objective_of(record, metric)
            if record[TRAINING.status_key] == records.FAILED:
                value = None
            elif each.handle is not None and not each.stopped:
                history = each.handle.metric_values(metric)
                self._histories.setdefault(each.definition, []).append(history)
            self._trials.append(Trial(record[TRAINING.status_key], value))
            self._searches[each.definition].tell(each.values, value)
        if ended:
            self._change(lambda record: {**record, **progress(self._ctx, record)})

    def _stop_early(self) -> None:
        if self._config.get("TrainingJobEarlyStoppingType", "Off") != "Auto":
            return
        for each in self._running:
            definition = self._definitions[each.definition]
            values = [] if each.handle is None else each.handle.metric_values(definition.metric)
            earlier = self._histories.get(each.definition, [])
            if not each.stopped and is_hopeless(values, earlier, definition.maximize):
                each.stopped = True
                self._stop(each.name)

    def _end_running(self) -> None:
        """Stop what still runs and wait for it; nothing runs when all went well."""
        for each in self._running:
            self._stop(each.name)
        for each in self._running:
            if each.handle is not None:
                each.handle.done.wait(_END_SECONDS)

    def _stop(self, name: str) -> None:
        try:
            records.stop(
                self._ctx,
                TRAINING,
                name,
                lambda record: records.transition(record, "Stopping", "Stopping the training job"),
            )
        except SageMakerError as error:
            if error.code != "ValidationException":  # it has ended meanwhile, which is as good
                raise

    def _finish(self, status: str, reason: str | None, cause: Cause | None) -> None:
        del cause  # a job that ran out of its time is stopped like one that was asked to

        def finish(record: Record) -> Record:
            changes: Record = {
                TUNING.status_key: records.final_status(record, TUNING, status),
                TUNING.end_key: now(),
                **progress(self._ctx, record),
            }
            if reason is not None:
                changes["FailureReason"] = reason
            return {**record, **changes}

        records.update(self._ctx, TUNING, self._job.name, finish)

    def _change(self, change: Any) -> None:
        records.update(self._ctx, TUNING, self._job.name, change)


def _names(definition: Definition) -> list[str]:
    return [each.name for each in definition.ranges]
