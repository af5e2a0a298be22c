"""The installed MiniStack has every inner name that the local cloud relies on."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tidegate.local.emulator import names


@pytest.mark.slow
def test_the_installed_emulator_is_the_one_we_know() -> None:
    """In an interpreter of its own: other tests put our functions in the place of the emulator's."""
    check = "from tidegate.local.emulator import names; names.check()"
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_name_that_is_gone_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    part = names.Part(
        "ministack.core.responses", {"now": ("now_iso_of_old", "()"), "id": ("new_uuid", "(length)")}
    )
    monkeypatch.setattr(names, "_PARTS", (part,))
    with pytest.raises(names.EmulatorChanged) as problem:
        names.check()
    assert "ministack.core.responses.now_iso_of_old is gone" in str(problem.value)
    assert "new_uuid takes () instead of (length)" in str(problem.value)


def test_a_word_that_is_not_listed_is_a_mistake_of_ours() -> None:
    with pytest.raises(AttributeError, match=r"names\.py"):
        names.step.no_such_word  # noqa: B018
