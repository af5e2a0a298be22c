"""Calls of HTTP APIs wait their turn instead of being refused what AWS would answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tidegate.local.emulator import apis
from tidegate.local.emulator.names import functions

THROTTLED = (429, {}, b'{"__type": "TooManyRequestsException"}')


def test_no_more_run_at_once_than_the_machine_bears_and_all_are_answered() -> None:
    running, most = 0, 0

    async def original(number: int) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return 200, {}, number

    async def ask() -> list[Any]:
        invoke = apis.queued(original, 2)
        return await asyncio.gather(*(invoke(number) for number in range(20)))

    assert [body for _, _, body in asyncio.run(ask())] == list(range(20))
    assert most == 2


def test_a_call_that_is_throttled_by_others_is_tried_again() -> None:
    answers = [THROTTLED, THROTTLED, (200, {}, b"done")]

    async def original() -> Any:
        return answers.pop(0)

    assert asyncio.run(apis.queued(original, 1)())[0] == 200


@pytest.mark.parametrize("answer", [THROTTLED, (429, {}, b"a function of one's own says so")])
def test_a_refusal_that_lasts_or_is_the_function_s_own_is_passed_on(
    answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apis, "LONGEST_SECONDS", 0.05)

    async def original() -> Any:
        return answer

    assert asyncio.run(apis.queued(original, 1)()) == answer


def test_there_is_room_for_an_api_when_state_machines_have_all_the_rest() -> None:
    words = ("most_at_once", "take_slot")
    before = {word: getattr(functions, word) for word in words}
    taken: list[str] = []

    def call(name: str) -> tuple[Any, Any]:
        slot, limit = functions.take_slot({}, {"FunctionName": name, "FunctionArn": f"arn:{name}"})
        taken.extend([slot] if slot else [])
        return slot, limit

    async def original(name: str) -> Any:
        slot, _ = await asyncio.to_thread(call, name)
        return (200 if slot else 429), {}, b"TooManyRequestsException"

    try:
        functions.replace("most_at_once", 5)
        functions.replace("take_slot", apis.keeping_room(functions.take_slot, 3))
        assert [bool(call("worker")[0]) for _ in range(5)] == [True] * 3 + [False] * 2
        assert call("worker") == (None, "account")
        answer = apis.queued(original, 2)
        assert asyncio.run(answer("predict"))[0] == 200
        assert not call("worker")[0]
        assert asyncio.run(answer("predict"))[0] == 200
        assert len(taken) == 5
    finally:
        from ministack.services import lambda_svc

        for slot in taken:
            lambda_svc._release_execution_slot(slot)
        for word, value in before.items():
            functions.replace(word, value)
    assert functions.at_work()[0] == 0
