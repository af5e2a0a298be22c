"""Says of a soak's rests whether something grows, by a straight line and its interval; and draws it all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.cloud_samples import Sample

# The most that each may grow in an hour of work and still be called flat. Not nothing: an hour has more than
# a thousand runs, whose records stay in the emulator's memory, packed, and what is free there is scattered a
# little more with each of them.
LIMITS: Mapping[str, float] = {
    "daemon_mb": 16.0,
    "child_mb": 3.0,
    "daemon_handles": 24.0,
    "daemon_threads": 12.0,
    "children": 3.0,
}
WARM_UP_SHARE = 0.3
LEAST_RESTS = 4
# Student's t, 97.5 %, by degrees of freedom; beyond the last, the normal distribution's.
_T = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.160,
    2.145,
    2.131,
)
_NORMAL = 2.0
WIDTH, HEIGHT, LEFT = 720, 120, 64


@dataclass(frozen=True)
class Verdict:
    """How one figure moved: `word` is flat, grows, or undecided where the interval is too wide to tell."""

    word: str
    per_hour: float
    low: float
    high: float
    mean: float
    limit: float

    @property
    def sentence(self) -> str:
        """Put it in words."""
        return (
            f"{self.word:9}  {self.per_hour:+8.1f} an hour, 95 % interval {self.low:+.1f} to {self.high:+.1f}"
            f" (limit {self.limit:+g}), {self.mean:.0f} on average"
        )


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Fit a straight line by least squares; gives its slope and half the width of the slope's 95 % interval.

    >>> slope([(0, 1.0), (1, 2.0), (2, 3.0)])
    (1.0, 0.0)
    """
    count = len(points)
    mean_x, mean_y = (sum(column) / count for column in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    left = sum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in points)
    freedom = count - 2
    error = math.sqrt(left / freedom / spread)
    return rise, error * (_T[freedom - 1] if freedom <= len(_T) else _NORMAL)


def judge(rests: Sequence[Sample]) -> dict[str, Verdict]:
    """Judge each figure by the rests after the warm-up."""
    kept = list(rests[math.ceil(len(rests) * WARM_UP_SHARE) :])
    return {name: _verdict(name, kept) for name in LIMITS}


def _verdict(name: str, rests: Sequence[Sample]) -> Verdict:
    limit, values = LIMITS[name], [float(getattr(each, name)) for each in rests]
    mean = sum(values) / len(values) if values else 0.0
    if len(rests) < LEAST_RESTS:
        return Verdict("undecided", 0.0, -math.inf, math.inf, mean, limit)
    rise, half = slope([(each.seconds / 3600, value) for each, value in zip(rests, values, strict=True)])
    low, high = rise - half, rise + half
    word = "flat" if high <= limit else "grows" if low > limit or (low > 0 and rise > limit) else "undecided"
    return Verdict(word, round(rise, 2), round(low, 2), round(high, 2), round(mean, 1), limit)


def plot(samples: Sequence[Sample], rests: Sequence[int], verdicts: Mapping[str, Verdict]) -> str:
    """Draw each figure over time, the rests as dots."""
    panels = [*LIMITS, "disk_mb"]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT * len(panels)}" '
        'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
    ]
    for at, name in enumerate(panels):
        word = f": {verdicts[name].sentence.strip()}" if name in verdicts else ""
        parts.append(f'<g transform="translate(0 {at * HEIGHT})">{_panel(samples, rests, name, word)}</g>')
    return "".join([*parts, "</svg>\n"])


def _panel(samples: Sequence[Sample], rests: Sequence[int], name: str, word: str) -> str:
    values = [float(getattr(each, name)) for each in samples]
    top, last = max([*values, 1.0]) * 1.05, max(samples[-1].seconds, 1.0)
    foot = HEIGHT - 18

    def place(at: int) -> str:
        x = LEFT + samples[at].seconds / last * (WIDTH - LEFT - 10)
        return f"{x:.1f},{foot - values[at] / top * (foot - 22):.1f}"

    line = " ".join(place(at) for at in range(len(samples)))
    dots = "".join(
        '<circle cx="{}" cy="{}" r="3" fill="#b3261e"/>'.format(*place(at).split(",")) for at in rests
    )
    return (
        f'<text x="{LEFT}" y="14">{escape(name.replace("_", " ") + word)}</text>'
        f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{foot}" y2="{foot}" stroke="#888"/>'
        f'<text x="{LEFT - 6}" y="26" text-anchor="end">{top / 1.05:,.0f}</text>'
        f'<text x="{LEFT - 6}" y="{foot}" text-anchor="end">0</text>'
        f'<text x="{WIDTH - 10}" y="{HEIGHT - 4}" text-anchor="end">{last / 60:.0f} minutes</text>'
        f'<polyline points="{line}" fill="none" stroke="#1f5fa8" stroke-width="1.2"/>{dots}'
    )
