"""The gate: whether a candidate may serve. A pure rule over the evaluation of the held-out rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.core.figures import apart, figure, metric_name
from tidegate.core.spec import Gate

HIGHER_IS_BETTER = frozenset({"r2"})


@dataclass(frozen=True)
class Check:
    """One rule of the gate, its outcome, and the sentence that says so with numbers."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Judgement:
    """What the gate concludes: every check, and the reason as one text."""

    passed: bool
    reason: str
    checks: tuple[Check, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form that the machine carries."""
        return {
            "passed": self.passed,
            "reason": self.reason,
            "checks": [vars(check) for check in self.checks],
        }


def judge(gate: Gate, evaluation: Mapping[str, Any]) -> Judgement:
    """Judge a candidate.

    Parameters
    ----------
    gate : Gate
        The rules of the model's file.
    evaluation : mapping
        What `tidegate.table.evaluate` found on the held-out rows: ``rows``, ``candidate`` and ``champion``
        (each metric with ``value``, ``low``, ``high``), and ``difference`` (candidate minus champion, by
        the paired bootstrap over the same rows); ``champion_lost`` says why one that is named counts as none.

    Returns
    -------
    Judgement
        Passed when every check passed.
    """
    checks = [
        check for check in (_threshold(gate, evaluation), _champion(gate, evaluation)) if check is not None
    ]
    failed = [check for check in checks if not check.passed]
    if failed:
        reason = "model accuracy too low: " + "; ".join(check.sentence for check in failed)
    else:
        reason = "; ".join(check.sentence for check in checks) or "the gate asks for nothing"
    return Judgement(passed=not failed, reason=reason, checks=tuple(checks))


def _threshold(gate: Gate, evaluation: Mapping[str, Any]) -> Check | None:
    higher = gate.metric in HIGHER_IS_BETTER
    bound = gate.at_least if higher else gate.at_most
    if bound is None:
        return None
    measured = evaluation["candidate"][gate.metric]["value"]
    if measured is None:
        return Check("threshold", False, _cannot_tell(gate, evaluation))
    value = float(measured)
    passed = value >= bound if higher else value <= bound
    shown, limit = apart(value, bound)
    found = f"{metric_name(gate.metric)} {shown} on {evaluation['rows']} held-out rows is"
    if passed:
        sentence = f"{found} {'at least' if higher else 'at most'} {limit}"
    elif higher:
        sentence = f"{found} below {limit}, the least allowed"
    else:
        sentence = f"{found} above {limit}, the most allowed"
    return Check("threshold", passed, sentence)


def _champion(gate: Gate, evaluation: Mapping[str, Any]) -> Check | None:
    if lost := evaluation.get("champion_lost"):
        # Told whatever the gate asks: a name that points at nothing is worth knowing of.
        return Check("champion", True, f"there is no champion to compare with: {lost}")
    if gate.against_champion == "off":
        return None
    if evaluation.get("champion") is None:
        return Check("champion", True, "there is no champion yet to compare with")
    if any(evaluation[side][gate.metric]["value"] is None for side in ("candidate", "champion")):
        return Check("champion", False, _cannot_tell(gate, evaluation))
    candidate = float(evaluation["candidate"][gate.metric]["value"])
    champion = float(evaluation["champion"][gate.metric]["value"])
    spread = evaluation["difference"][gate.metric]
    # Turned so that positive means worse, whichever way the metric points.
    sign = -1.0 if gate.metric in HIGHER_IS_BETTER else 1.0
    low, high = sorted((sign * float(spread["low"]), sign * float(spread["high"])))
    if gate.against_champion == "better":
        passed, relation = high < 0, "better than" if high < 0 else "not surely better than"
    else:
        passed, relation = low <= 0, "not worse than" if low <= 0 else "worse than"
    confidence = f"{float(evaluation.get('confidence', 0.95)):.0%}"
    shown, before = apart(candidate, champion)
    sentence = (
        f"{metric_name(gate.metric)} {shown} is {relation} the champion's {before} on the same rows "
        f"(difference {figure(float(spread['low']), signed=True)} "
        f"to {figure(float(spread['high']), signed=True)} at {confidence} confidence)"
    )
    if lacks := evaluation.get("champion_lacks"):
        named = ", ".join(f"'{name}'" for name in lacks)
        sentence += (
            f"; the champion also reads {named}, which these rows lack, so that it was judged with gaps"
        )
    return Check("champion", passed, sentence)


def _cannot_tell(gate: Gate, evaluation: Mapping[str, Any]) -> str:
    label, rows = metric_name(gate.metric), evaluation["rows"]
    return f"{label} cannot be told: the target is the same in all {rows} held-out rows"
