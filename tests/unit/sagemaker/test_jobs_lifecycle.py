"""Turns, limits and the end of jobs, without containers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.waiting import PATIENCE_SECONDS

from tidegate.local.sagemaker import jobs
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.errors import ResourceInUse, ValidationException
from tidegate.local.sagemaker.images.registry import Image
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.lifecycle import (
    PROCESSING,
    TRAINING,
    Cause,
    Interrupted,
    Job,
    Room,
    room_of,
)
from tidegate.local.sagemaker.jobs.running import container_failure, run_to_end
from tidegate.local.sagemaker.store import Store, now


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    events: list[object] = []
    return Context(
        region="us-east-1",
        account="000000000000",
        endpoint_url="http://127.0.0.1:1",
        root=tmp_path,
        store=Store(tmp_path / "s.db"),
        images=lambda uri: Image(uri),
        emit=lambda *event: events.append(event),
        max_jobs=1,
    )


def record(name: str, status: str = records.IN_PROGRESS) -> dict[str, object]:
    return {
        "ProcessingJobName": name,
        "ProcessingJobArn": f"arn:aws:sagemaker:us-east-1:000000000000:processing-job/{name}",
        "ProcessingJobStatus": status,
        "CreationTime": now(),
    }


def test_jobs_take_turns_in_the_order_they_came(ctx: Context) -> None:
    room = Room(ctx)
    first, second, third = (Job(ctx, PROCESSING, name) for name in "abc")
    room.take_turn(first)
    order: list[str] = []

    def wait(job: Job) -> None:
        room.take_turn(job)
        order.append(job.name)
        room.end_turn()

    threads = []
    for job in (second, third):
        thread = threading.Thread(target=wait, args=(job,))
        thread.start()
        threads.append(thread)
        while job not in room._waiting:
            threading.Event().wait(0.001)
    assert order == []
    room.end_turn()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert order == ["b", "c"]


def test_a_job_that_waits_for_its_turn_can_be_stopped(ctx: Context) -> None:
    room = room_of(ctx)
    running, waiting = Job(ctx, PROCESSING, "running"), Job(ctx, PROCESSING, "waiting")
    room.take_turn(running)
    ended: list[tuple[str, str | None]] = []
    ctx.store.create("processing-job", "waiting", record("waiting"))
    room.start(
        waiting,
        lambda: run_to_end(
            waiting, lambda: None, lambda status, reason, cause: ended.append((status, reason))
        ),
    )
    assert jobs.OPERATIONS["StopProcessingJob"](ctx, {"ProcessingJobName": "waiting"}) == {}
    assert waiting.done.wait(PATIENCE_SECONDS)
    assert ended == [(records.STOPPED, None)]


def test_a_limit_that_has_passed_interrupts_and_names_itself(ctx: Context) -> None:
    job = Job(ctx, TRAINING, "a")
    job.limit(1000, Cause.MAX_WAIT)
    job.check()
    job.limit(0, Cause.MAX_RUNTIME)
    with pytest.raises(Interrupted) as found:
        job.check()
    assert found.value.cause is Cause.MAX_RUNTIME


def test_the_end_of_the_local_cloud_overrules_other_causes(ctx: Context) -> None:
    job = Job(ctx, TRAINING, "a")
    job.interrupt(Cause.ASKED)
    job.interrupt(Cause.MAX_RUNTIME)
    assert job.cause is Cause.ASKED
    job.interrupt(Cause.SHUTDOWN)
    assert job.cause is Cause.SHUTDOWN


def test_an_error_nobody_foresaw_fails_the_job_and_frees_its_place(ctx: Context) -> None:
    ctx.store.create("processing-job", "a", record("a"))
    job = Job(ctx, PROCESSING, "a")
    ended: list[tuple[str, str | None]] = []

    def work() -> None:
        raise RuntimeError("surprise")

    run_to_end(job, work, lambda status, reason, cause: ended.append((status, reason)))
    ((status, reason),) = ended
    assert status == records.FAILED
    assert reason is not None
    assert reason.startswith("InternalServerError: ")
    assert not room_of(ctx).is_full()


def test_a_job_left_running_by_another_local_cloud_is_failed_with_the_reason(ctx: Context) -> None:
    story = records.transition({}, "Training", "Training in progress")
    ctx.store.create("processing-job", "a", record("a"))
    ctx.store.create("processing-job", "b", record("b", records.COMPLETED))
    ctx.store.create(
        "training-job",
        "t",
        {
            "TrainingJobName": "t",
            "TrainingJobArn": "arn:t",
            "TrainingJobStatus": records.STOPPING,
            "CreationTime": now(),
            **story,
        },
    )
    jobs.recover(ctx)
    failed = jobs.wait(ctx, "processing-job", "a")
    assert failed["ProcessingJobStatus"] == "Failed"
    assert "the local cloud stopped while the job was running" in failed["FailureReason"]
    assert jobs.wait(ctx, "processing-job", "b")["ProcessingJobStatus"] == "Completed"
    trained = jobs.wait(ctx, "training-job", "t")
    assert trained["SecondaryStatus"] == "Failed"
    assert [step["Status"] for step in trained["SecondaryStatusTransitions"]] == ["Training", "Failed"]
    assert all("EndTime" in step for step in trained["SecondaryStatusTransitions"])


def test_an_unknown_job_is_not_found(ctx: Context) -> None:
    for name in ("DescribeTrainingJob", "StopTrainingJob"):
        with pytest.raises(ValidationException, match="Requested resource not found"):
            jobs.OPERATIONS[name](ctx, {"TrainingJobName": "nobody"})


def test_a_job_that_has_ended_cannot_be_stopped(ctx: Context) -> None:
    ctx.store.create("processing-job", "a", record("a", records.COMPLETED))
    with pytest.raises(ValidationException, match="status Completed"):
        jobs.OPERATIONS["StopProcessingJob"](ctx, {"ProcessingJobName": "a"})


def test_a_name_is_given_once(ctx: Context) -> None:
    records.create(ctx, PROCESSING, record("a"))
    with pytest.raises(ResourceInUse, match="exists already"):
        records.create(ctx, PROCESSING, record("A"))


def test_a_listener_that_fails_does_not_fail_the_job(ctx: Context) -> None:
    def emit(*event: object) -> None:
        raise ConnectionError("no bus")

    ctx.emit = emit
    records.create(ctx, PROCESSING, record("a"))
    assert ctx.store.get("processing-job", "a") is not None


def test_a_failure_reason_never_exceeds_what_sagemaker_keeps(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "failure").write_text("é" * 5000)
    reason = str(container_failure(tmp_path, 7, "group", "stream"))
    assert len(reason) == 1024
    assert reason.startswith("AlgorithmError: éé")
    assert reason.endswith("é, exit code: 7")


def test_a_container_that_says_nothing_is_failed_with_where_its_log_is(tmp_path: Path) -> None:
    reason = str(container_failure(tmp_path, 137, "/aws/sagemaker/TrainingJobs", "job/algo-1-5"))
    assert "killed by signal 9" in reason
    assert "job/algo-1-5 in /aws/sagemaker/TrainingJobs" in reason
