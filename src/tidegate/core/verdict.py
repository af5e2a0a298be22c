"""The verdict of a check: a pure decision over what the comparison found, and its reason in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tidegate.core.sentences import Sentence, Told, joined, say, told

Word = Literal["ok", "bad data", "drift", "insufficient"]
Severity = Literal["none", "watch", "act"]
OK: Word = "ok"
BAD_DATA: Word = "bad data"
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
    sentence : Sentence
        What was found, for people.
    question : str
        Which question it answers: ``bad data`` or ``drift``.
    severity : str
        ``watch`` or ``act``.
    """

    column: str
    check: str
    excess: float
    sentence: Sentence
    question: str = DRIFT
    severity: str = "act"


@dataclass(frozen=True)
class Answer:
    """What a check answers to one question: how grave it is, and in which columns, the worst one first."""

    severity: Severity = "none"
    columns: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {"severity": self.severity, "columns": list(self.columns)}


@dataclass(frozen=True)
class Verdict:
    """What a check concludes.

    Attributes
    ----------
    worst : tuple of str
        The columns to look at first, the worst one first.
    bad_data, drift : Answer
        The two questions apart; the verdict is the graver one's: drift, where there is both.
    """

    verdict: Word
    reason: Sentence
    worst: tuple[str, ...] = ()
    bad_data: Answer = Answer()
    drift: Answer = Answer()

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form that the machine carries."""
        return {
            "verdict": self.verdict,
            "reason": self.reason.to_dict(),
            "worst": list(self.worst),
            "answers": {"bad_data": self.bad_data.to_dict(), "drift": self.drift.to_dict()},
        }


def decide(
    rows: int,
    findings: Sequence[Finding],
    *,
    least_rows: int = LEAST_ROWS,
    worth: Callable[[str], float] = lambda _: 1.0,
) -> Verdict:
    """Conclude: too few rows are never called ok, whatever they show.

    `worth` says how much a column matters to the model: by it times the excess columns are ranked.

    >>> decide(12, [], least_rows=200).verdict
    'insufficient'
    >>> decide(500, []).reason.plain
    '500 rows are as the baseline says'
    """
    if rows < least_rows:
        reason = say("{rows} came, and {least} are needed to tell", rows=counted(rows), least=least_rows)
        return Verdict(INSUFFICIENT, reason)
    if not findings:
        return Verdict(OK, say("{rows} are as the baseline says", rows=counted(rows)))
    ranked = sorted(findings, key=lambda found: -found.excess * worth(found.column))
    first = {found.column: found for found in reversed(ranked)}
    worst = tuple(dict.fromkeys(found.column for found in ranked))
    named = [
        say("{column}: {found}", column=told(column), found=first[column].sentence)
        for column in worst[:NAMED_COLUMNS]
    ]
    more = len(worst) - NAMED_COLUMNS
    if more > 0:
        named.append(
            say("and {more} more {columns}", more=more, columns=told("columns" if more > 1 else "column"))
        )
    bad, drift = (_answer(ranked, question) for question in (BAD_DATA, DRIFT))
    return Verdict(DRIFT if drift.columns else BAD_DATA, joined(named, "; "), worst, bad, drift)


def _answer(ranked: Sequence[Finding], question: str) -> Answer:
    mine = [found for found in ranked if found.question == question]
    if not mine:
        return Answer()
    grave = any(found.severity == "act" for found in mine)
    return Answer("act" if grave else "watch", tuple(dict.fromkeys(found.column for found in mine)))


def counted(rows: int) -> Told:
    """Say how many rows.

    >>> counted(1)
    '1 row'
    """
    return Told(f"{rows:,} row" if rows == 1 else f"{rows:,} rows")
