"""Whether a model predicts worse than at training: one rule for every kind of model.

A metric has fallen when it is worse by more than `EFFECT` and by more than chance explains. Both are asked on
a scale on which the size of a model's errors does not matter: errors by their ratio, R² by that of the
errors it stands for, shares of right answers by their difference. How unsure a metric is tells the bootstrap
(Efron and Tibshirani, 1993) for the window, and the interval or the deviation that was written at training
for the baseline. The procedure of Benjamini and Hochberg goes over all metrics together. A threshold that
somebody edited holds to the letter.

Truths come in few rows, and quality falls slowly: each metric is asked of the truths of a check and, together
with them, of those that came before (`watch.known`). What those show counts while the check's own show half
as much. Where consecutive errors are alike, fewer tell as much, and all is the less sure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tidegate.core.monitor import QUALITY_FALSE_ALARMS
from tidegate.core.sentences import say
from tidegate.table.columns import Floats
from tidegate.table.compare.alike import Worth
from tidegate.table.compare.column import LASTS, OTHER
from tidegate.table.compare.false_alarms import q_values
from tidegate.table.drift.tails import normal_tail, unsure
from tidegate.table.quality.answers import (
    BY_ERRORS_ALONE,
    GREATER,
    SAMPLE_SHARE,
    Answers,
    quality_files,
    section_of,
)
from tidegate.table.quality.metric import Metric, Quality, in_words

EFFECT = 0.05
RESAMPLES = 400
MOST_RESAMPLED = 20_000  # the interval of more rows is narrow enough
CONFIDENCE = 0.95
_Z = 1.96
# Samples of 80 % drawn without replacement vary less than metrics do: by √(0.2 / 0.8) of it.
_SAMPLE_SPREAD = math.sqrt((1 - SAMPLE_SHARE) / SAMPLE_SHARE)
_EDITED = 1e-9


def judge(
    given: Answers,
    constraints: Mapping[str, Any],
    statistics: Mapping[str, Any] | None = None,
    evaluation: Mapping[str, Any] | None = None,
    *,
    least_rows: int,
    false_alarms: float = QUALITY_FALSE_ALARMS,
    before: Answers | None = None,
) -> Quality:
    """Judge predictions whose truth is known.

    Parameters
    ----------
    constraints, statistics : mapping
        The contents of the model quality baseline.
    evaluation : mapping, optional
        How the champion did on its held-out rows: metrics with ``value``, ``low`` and ``high``.
    least_rows : int
        Fewer rows give no verdict.
    false_alarms : float
        The share of windows no worse than the baseline that may be called worse, over all metrics together.
    before : Answers, optional
        The truths that came before these, the oldest first.
    """
    section = section_of(given.problem)
    written, _ = quality_files(given)
    if given.rows < least_rows:
        sentence = say(
            "{rows:,} predictions have their truth, and {least:,} are needed to tell the quality",
            rows=given.rows,
            least=least_rows,
        )
        return Quality(given.rows, "insufficient", (), written, sentence)
    spans = [given, *([before + given] if before is not None and before.rows else [])]
    asked = _Asked(
        {_camel(name): rule for name, rule in constraints.get(f"{section}_constraints", {}).items()},
        {_camel(name): at for name, at in (statistics or {}).get(f"{section}_metrics", {}).items()},
        evaluation or {},
        given.alike(spans[-1]),
    )
    found = [asked.of(each) for each in spans]
    every = [each for span in found for each in span if each.metric.threshold is not None]
    # What is too little to matter is no finding, and makes none of others more probable.
    chances = [each.chance if each.metric.effect > EFFECT else 1.0 for each in every]
    q_of = dict(zip(map(id, every), q_values(chances), strict=True))
    own = [_concluded(each, q_of, asked.edited(each.metric), false_alarms) for each in found[0]]
    metrics, denied = own, False
    if len(found) > 1:
        lately = [_concluded(each, q_of, False, false_alarms) for each in found[1]]
        lasts = [_lasts(one, more) for one, more in zip(*found, strict=True)]
        denied = any(each.fallen and not still for each, still in zip(lately, lasts, strict=True))
        metrics = [
            replace(one, lately=replace(more, fallen=more.fallen and still))
            for one, more, still in zip(own, lately, lasts, strict=True)
        ]
    fallen = any(each.has_fallen for each in metrics)
    return Quality(
        given.rows,
        "drift" if fallen else "ok",
        tuple(metrics),
        written,
        in_words(given.rows, metrics),
        denied,
    )


@dataclass(frozen=True)
class _Found:
    """A metric of a span, before all are known: how probable it is by chance, and how unsure it is."""

    metric: Metric
    chance: float = 1.0
    spread: float = math.inf


@dataclass(frozen=True)
class _Asked:
    """What metrics are held to."""

    rules: Mapping[str, Mapping[str, Any]]
    known: Mapping[str, Any]
    evaluated: Mapping[str, Any]
    alike: tuple[Worth, Worth]

    def of(self, given: Answers) -> list[_Found]:
        """Measure the metrics of a span, and compare each with its threshold."""
        return [
            _judged(
                metric,
                drawn,
                self.rules.get(metric.name),
                self.known.get(metric.name),
                self.evaluated.get(metric.name),
                self.alike[metric.name not in BY_ERRORS_ALONE],
            )
            for metric, drawn in _measured(given)
        ]

    def edited(self, found: Metric) -> bool:
        """Tell whether somebody put another threshold in place of what was measured at training."""
        value = (self.known.get(found.name) or {}).get("value")
        return isinstance(value, int | float) and not math.isclose(
            found.threshold or 0.0, value, rel_tol=_EDITED, abs_tol=_EDITED
        )


def _measured(given: Answers) -> list[tuple[Metric, Floats]]:
    """Measure each metric, with an interval and its resamples."""
    some = given.some(MOST_RESAMPLED)
    rng = np.random.default_rng(some.rows)
    drawn = [some.metrics(rng.integers(0, some.rows, some.rows)) for _ in range(RESAMPLES)]
    found = []
    for name, value in given.metrics().items():
        resampled = np.array([each[name] for each in drawn])
        finite = resampled[np.isfinite(resampled)]
        ends = [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)]
        low, high = np.percentile(finite, ends).tolist() if len(finite) else (None, None)
        found.append((Metric(name, value, low, high, rows=given.rows), finite))
    return found


def _judged(
    found: Metric,
    drawn: Floats,
    rule: Mapping[str, Any] | None,
    known: Mapping[str, Any] | None,
    evaluated: Mapping[str, Any] | None,
    alike: Worth,
) -> _Found:
    """Compare a metric with its threshold."""
    if rule is None or not math.isfinite(found.value) or not len(drawn):
        return _Found(found)
    threshold, operator = float(rule["threshold"]), str(rule["comparison_operator"])
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = float(np.std(_worse(found.name, operator, drawn))) * math.sqrt(alike.rows_for_one)
        effect = float(
            _worse(found.name, operator, np.array(found.value))
            - _worse(found.name, operator, np.array(threshold))
        )
    if found.name == "r2":
        # Of few rows that are alike the truth varies less than it does, by so much.
        effect += math.log1p(-min(0.5, (alike.rows_for_one - 1) / found.rows)) / 2
    before = _spread_before(found.name, operator, threshold, known, evaluated)
    both = math.hypot(spread, before) if math.isfinite(spread) else math.inf
    # An effect without end is a baseline without any error, or a window without any.
    if math.isnan(effect):
        effect, chance = 0.0, 1.0
    elif math.isinf(both):
        chance = 1.0 if math.isfinite(effect) or effect < 0 else 0.0
    else:
        chance = unsure(normal_tail(effect / both), alike.freedom) if both else float(effect <= 0)
    return _Found(replace(found, threshold=threshold, operator=operator, effect=effect), chance, spread)


def _worse(name: str, operator: str, values: Floats) -> Floats:
    """Put values on the scale of their metric, on which more is worse."""
    if name in ("mae", "rmse"):
        return np.log(values)
    if name == "mse":  # as its root would be
        return np.log(values) / 2
    if name == "r2":
        return np.log(1 - values) / 2
    return values if operator == GREATER else -values


def _spread_before(
    name: str,
    operator: str,
    threshold: float,
    known: Mapping[str, Any] | None,
    evaluated: Mapping[str, Any] | None,
) -> float:
    """Give how unsure the baseline's metric is: by its interval, or else by its deviation."""
    low, high = (evaluated or {}).get("low"), (evaluated or {}).get("high")
    with np.errstate(divide="ignore", invalid="ignore"):
        if isinstance(low, int | float) and isinstance(high, int | float):
            ends = _worse(name, operator, np.array([float(low), float(high)]))
            width = abs(float(ends[1] - ends[0])) / (2 * _Z)
        else:
            deviation = (known or {}).get("standard_deviation")
            if not isinstance(deviation, int | float):
                return 0.0
            ends = _worse(name, operator, np.array([threshold, threshold + float(deviation)]))
            width = abs(float(ends[1] - ends[0])) / _SAMPLE_SPREAD
    return width if math.isfinite(width) else 0.0


def _concluded(found: _Found, q_of: Mapping[int, float], edited: bool, false_alarms: float) -> Metric:
    metric = found.metric
    if metric.threshold is None:
        return metric
    q = q_of[id(found)]
    fallen = metric.effect > 0 if edited else metric.effect > EFFECT and q <= false_alarms
    return replace(metric, q_value=q, fallen=fallen)


def _lasts(own: _Found, lately: _Found) -> bool:
    """Tell whether what the last truths show still is so: these show half as much, and are like them."""
    apart = lately.metric.effect - own.metric.effect
    if own.metric.effect < LASTS * lately.metric.effect:
        return False
    return not own.spread or normal_tail(apart / own.spread) > OTHER


def _camel(name: str) -> str:
    """Name a metric as Model Monitor's metrics are; its files of before have underscores."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
