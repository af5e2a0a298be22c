"""The verdict of a check: a pure decision over what the comparison found, and its reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Word = Literal["ok", "drift", "insufficient"]
OK: Word = "ok"
DRIFT: Word = "drift"
INSUFFICIENT: Word = "insufficient"
LEAST_ROWS = 200
NAMED_COLUMNS = 3


@dataclass(frozen=True)
class Finding:
    """One thing that a comparison found out of order.

    Attributes
    ----------
    column : str
        The column, or the metric of a model.
    check : str
        Model Monitor's name of the check, such as ``baseline_drift_check``.
    excess : float
        How far beyond what is allowed, 1 being exactly that; it ranks findings.
    sentence : str
        What was found, for people.
    """

    column: str
    check: str
    excess: float
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What a check concludes.

    Attributes
    ----------
    worst : tuple of str
        The columns to look at first, the worst one first.
    """

    verdict: Word
    reason: str
    worst: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form that the machine carries."""
        return {"verdict": self.verdict, "reason": self.reason, "worst": list(self.worst)}


def decide(rows: int, findings: Sequence[Finding], *, least_rows: int = LEAST_ROWS) -> Verdict:
    """Conclude: too few rows are never called ok, whatever they show.

    >>> decide(12, [], least_rows=200).verdict
    'insufficient'
    >>> decide(500, []).reason
    '500 rows are as the baseline says'
    """
    if rows < least_rows:
        return Verdict(INSUFFICIENT, f"{counted(rows)} came, and {least_rows} are needed to tell")
    if not findings:
        return Verdict(OK, f"{counted(rows)} are as the baseline says")
    ranked = sorted(findings, key=lambda found: -found.excess)
    first = {found.column: found for found in reversed(ranked)}
    worst = tuple(dict.fromkeys(found.column for found in ranked))
    named = [f"{column}: {first[column].sentence}" for column in worst[:NAMED_COLUMNS]]
    more = len(worst) - NAMED_COLUMNS
    rest = f"; and {more} more column{'s' if more > 1 else ''}" if more > 0 else ""
    return Verdict(DRIFT, "; ".join(named) + rest, worst)


def counted(rows: int) -> str:
    """Say how many rows.

    >>> counted(1)
    '1 row'
    """
    return f"{rows:,} row" if rows == 1 else f"{rows:,} rows"
