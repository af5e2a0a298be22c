"""A variant's model server: kept alive, given up in the end, and stopped for good when asked."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hosting_stand_ins import StandInServers
from tests.waiting import PATIENCE_SECONDS, until

from tidegate.local.sagemaker.containers.serving import Answer, CannotServe, NotAnswered
from tidegate.local.sagemaker.hosting.replica import Replica, ReplicaFailed


class Model:
    """Starts stand-in servers; fails from the start or the restart on, as told."""

    def __init__(self, failures: int = 0, after: int = 0) -> None:
        self.made: list[StandInServers] = []
        self.attempts = 0
        self.failures = failures
        self.after = after

    def start(self, on_exit: Callable[[int, int], None], check: Callable[[], None]) -> StandInServers:
        self.attempts += 1
        if self.after < self.attempts <= self.after + self.failures:
            raise CannotServe("it ended with exit code 3.", container=0, fault="algorithm")
        servers = StandInServers("m", on_exit)
        self.made.append(servers)
        return servers


def ask(replica: Replica) -> Answer:
    return replica.answer(b"1", "text/csv", "", {}, 60.0)


def test_a_server_that_does_not_come_up_fails_the_start_with_its_reason():
    with pytest.raises(ReplicaFailed, match="exit code 3"):
        Replica("r", Model(failures=1).start).start()


def test_a_server_that_dies_is_started_again():
    model = Model()
    replica = Replica("r", model.start, pauses=(0.0,))
    replica.start()
    model.made[0].die()
    until(lambda: len(model.made) == 2 and ask(replica).status == 200)
    assert model.made[0].stopped.is_set()
    replica.stop()


def test_meanwhile_requests_get_an_answer_that_says_so():
    model = Model()
    replica = Replica("the server", model.start, pauses=(60.0,))
    replica.start()
    model.made[0].die(exit_code=9)
    answer = ask(replica)
    assert answer.status == 503
    assert b"the server does not run" in answer.body
    assert b"exit code 9" in answer.body
    replica.stop()


def test_a_server_that_no_longer_answers_its_ping_is_started_again():
    model = Model()
    replica = Replica("r", model.start, pauses=(0.0,), ping_every_seconds=0.01)
    replica.start()
    model.made[0].well = False
    until(lambda: len(model.made) == 2 and ask(replica).status == 200)
    assert model.made[0].stopped.is_set()
    replica.stop()


def test_a_ping_missed_now_and_then_is_no_reason_to_start_again():
    model = Model()
    replica = Replica("r", model.start, pauses=(0.0,), ping_every_seconds=0.001)
    replica.start()
    pings = itertools.cycle([0, 0, None])
    counted: list[int | None] = []

    def silent() -> int | None:
        counted.append(next(pings))
        return counted[-1]

    model.made[0].silent = silent
    until(lambda: len(counted) > 30)
    assert len(model.made) == 1
    replica.stop()


def test_a_server_that_answers_requests_is_not_taken_for_silent():
    model = Model()
    replica = Replica("r", model.start, pauses=(0.0,), ping_every_seconds=0.01)
    replica.start()
    counted: list[int] = []

    def silent() -> int:
        ask(replica)
        counted.append(0)
        return 0

    model.made[0].silent = silent
    until(lambda: len(counted) > 10)
    assert len(model.made) == 1
    replica.stop()


def test_a_server_at_work_may_be_slower_to_answer_its_ping():
    model = Model()
    replica = Replica("r", model.start, pauses=(60.0,), ping_every_seconds=0.01)
    replica.start()
    counted: list[int] = []

    def silent() -> int:
        counted.append(0)
        return 0

    server = model.made[0]
    server.silent = silent
    server.hold.clear()
    asking = threading.Thread(target=ask, args=(replica,))
    asking.start()
    assert server.entered.wait(PATIENCE_SECONDS)
    before = len(counted)
    until(lambda: server.stopped.is_set())
    server.hold.set()
    asking.join()
    assert len(counted) - before > 10
    replica.stop()


def test_a_restart_that_fails_is_tried_again():
    model = Model(failures=2, after=1)
    replica = Replica("r", model.start, pauses=(0.0, 0.0, 0.0))
    replica.start()
    model.made[0].die()
    until(lambda: ask(replica).status == 200)
    assert model.attempts == 4
    replica.stop()


def test_a_server_that_always_dies_is_given_up():
    reasons: list[str] = []
    model = Model(failures=99, after=1)
    replica = Replica("r", model.start, pauses=(0.0, 0.0), on_given_up=reasons.append)
    replica.start()
    model.made[0].die()
    until(lambda: reasons)
    assert model.attempts == 3
    assert "not started again" in reasons[0]
    assert ask(replica).status == 503
    replica.stop()


def test_a_death_right_after_the_first_ping_is_noticed():
    model = Model()

    def start(on_exit: Callable[[int, int], None], check: Callable[[], None]) -> StandInServers:
        servers = model.start(on_exit, check)
        if len(model.made) == 1:
            servers.die()  # while nobody knows of this server yet
        return servers

    replica = Replica("r", start, pauses=(0.0,))
    replica.start()
    until(lambda: len(model.made) == 2 and ask(replica).status == 200)
    replica.stop()


def test_a_stopped_server_is_not_started_again():
    model = Model()
    stopped: list[bool] = []
    replica = Replica("r", model.start, pauses=(0.0,), on_stopped=lambda: stopped.append(True))
    replica.start()
    replica.stop()
    model.made[0].die()
    assert model.attempts == 1
    assert stopped == [True]
    assert ask(replica).status == 503


def test_stopping_ends_a_start_under_way():
    entered, failed = threading.Event(), []

    def start(on_exit: Any, check: Callable[[], None]) -> StandInServers:
        entered.set()
        while True:
            threading.Event().wait(0.005)
            check()

    replica = Replica("r", start)

    def run() -> None:
        try:
            replica.start()
        except ReplicaFailed as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert entered.wait(PATIENCE_SECONDS)
    replica.stop()
    thread.join(PATIENCE_SECONDS)
    assert failed


def test_stopping_ends_a_restart_that_waits():
    model = Model()
    replica = Replica("r", model.start, pauses=(600.0,))
    replica.start()
    model.made[0].die()
    replica.stop()
    assert model.attempts == 1
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "restart r"])


@pytest.mark.parametrize(("timed_out", "status"), [(True, 0), (False, 503)])
def test_a_server_that_gives_no_answer_counts_as_a_server_error(timed_out: bool, status: int):
    model = Model()
    replica = Replica("r", model.start, container_names=("recipe", "algorithm"))
    replica.start()

    def silent(body: bytes) -> Answer:
        raise NotAnswered("it broke the connection.", container=1, timed_out=timed_out)

    model.made[0].answer = silent
    answer = ask(replica)
    assert (answer.status, answer.container) == (status, 1)
    assert (b"timed out while waiting for a response from container algorithm" in answer.body) is (
        status == 0
    )
    replica.stop()
