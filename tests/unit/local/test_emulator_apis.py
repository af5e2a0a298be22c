"""Calls of HTTP APIs wait their turn instead of being refused what AWS would answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tidegate.local.emulator import apis

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
