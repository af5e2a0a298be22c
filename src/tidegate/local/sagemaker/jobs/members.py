"""Whole members of JSON records, chosen by the text that they are written in.

Most filters choose whole members. Doing that by text leaves numbers as they were written, and spares batch
transform from writing anew, for every record and twice, what it has only just read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tidegate.local.sagemaker.jobs.filters import Path

ANSWER = "SageMakerOutput"
# A name with escapes is rare, and read the slow way.
_NAME = r'\s*"([^"\\\x00-\x1f]*)"\s*:\s*'
_FIRST = re.compile(r"\s*\{" + _NAME).match
_NEXT = re.compile(r"\s*," + _NAME).match
_END = re.compile(r"\s*\}\s*\Z").match
_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def members(text: str) -> dict[str, str]:
    """Read the members of a JSON object, each as the text of its value; empty where it is no object.

    Raises
    ------
    ValueError
        For what is not JSON.

    Examples
    --------
    >>> members('{"id": 7, "x": [1.50, 2]}')
    {'id': '7', 'x': '[1.50, 2]'}
    """
    found: dict[str, str] = {}
    at = 0
    name = _FIRST(text)
    while name is not None:
        start = name.end()
        try:
            _, at = _scan(text, start)
        except StopIteration:
            break
        found[name[1]] = text[start:at]
        name = _NEXT(text, at)
    if _END(text, at):
        return found
    document = json.loads(text)
    if not isinstance(document, dict):
        return {}
    return {key: json.dumps(value, ensure_ascii=False) for key, value in document.items()}


@dataclass(frozen=True)
class Choice:
    """What two filters choose of a record, where both choose whole members and the answer comes last.

    Parameters
    ----------
    sent
        The member that goes to the model; None for the whole record.
    kept
        The members that go to the output, ahead of the answer.
    """

    sent: str | None
    kept: tuple[str, ...]

    @classmethod
    def of(cls, given: Path, wanted: Path) -> Choice | None:
        """Read the two filters of a joined JSON job; None where they choose something else."""
        if not (given.everything or len(given.steps) == 1) or len(wanted.steps) != 1:
            return None
        sent, names = None if given.everything else given.steps[0], wanted.steps[0].names
        if (sent is not None and not (sent.names and sent.single)) or len(names) < 2 or names[-1] != ANSWER:
            return None
        return cls(None if sent is None else sent.names[0], names[:-1])

    def divide(self, record: bytes) -> tuple[bytes, bytes] | None:
        """Give what goes to the model and the beginning of the output; None where a member is missing.

        Raises
        ------
        ValueError
            For a record that is not JSON.
        """
        found = members(record.decode())
        try:
            sent = record if self.sent is None else found[self.sent].encode()
            return sent, "".join([f"{json.dumps(name)}:{found[name]}," for name in self.kept]).encode()
        except KeyError:
            return None

    @staticmethod
    def output(beginning: bytes, answer: bytes) -> bytes:
        """Put a record's output together.

        Raises
        ------
        ValueError
            For an answer that is not JSON.
        """
        json.loads(answer)
        return b'{%s"%s":%s}' % (beginning, ANSWER.encode(), answer)
