"""Small charts as SVG text: two distributions drawn over each other, bars by text, a trend over checks.

Colours come from the page's style by class, so that one drawing serves light, dark and print; the baseline is
filled and the window is a line, so that the two are told apart without colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tidegate.core.figures import figure

WIDTH, HEIGHT = 320, 110
FOOT = 16  # below the axis, for its labels
TREND_HEIGHT = 150
LEFT = 34


def distribution(name: str, drawn: Mapping[str, Any]) -> str:
    """Draw a column's baseline and window over each other."""
    return _numbers(name, drawn) if drawn["kind"] == "numbers" else _texts(name, drawn)


def _numbers(name: str, drawn: Mapping[str, Any]) -> str:
    edges, before, now = drawn["edges"], drawn["baseline"], drawn["window"]
    top = max([*before, *now, 1e-9])
    bottom = HEIGHT - FOOT
    step = WIDTH / len(before)

    def height(share: float) -> float:
        return float(bottom - share / top * (bottom - 6))

    area = f"M0,{bottom} " + " ".join(
        f"L{at * step:.1f},{height(share):.1f} L{(at + 1) * step:.1f},{height(share):.1f}"
        for at, share in enumerate(before)
    )
    line = "M" + " L".join(
        f"{at * step:.1f},{height(share):.1f} L{(at + 1) * step:.1f},{height(share):.1f}"
        for at, share in enumerate(now)
    )
    middle = (edges[0] + edges[-1]) / 2
    labels = [(0, "start", edges[0]), (WIDTH / 2, "middle", middle), (WIDTH, "end", edges[-1])]
    texts = "".join(
        f'<text x="{x:g}" y="{HEIGHT - 3}" text-anchor="{anchor}">{escape(figure(value))}</text>'
        for x, anchor, value in labels
    )
    facts = drawn.get("facts") or [{}, {}]
    words = (
        f"{name}: mean {figure(facts[0].get('mean'))} in the baseline, {figure(facts[1].get('mean'))} now; "
        f"median {figure(facts[0].get('median'))}, now {figure(facts[1].get('median'))}"
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(words)}">'
        f'<path class="before" d="{area} L{WIDTH},{bottom} Z"/><path class="now" d="{line}"/>'
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="{bottom}" y2="{bottom}"/>{texts}</svg>'
    )


def _texts(name: str, drawn: Mapping[str, Any]) -> str:
    rows = list(zip(drawn["names"], drawn["baseline"], drawn["window"], strict=True))
    if any(share > 0.0005 for share in drawn["others"]):
        rows.append(("all others", *drawn["others"]))
    top = max([*(max(before, now) for _, before, now in rows), 1e-9])
    label, tail, tall = 96, 44, 22
    room = WIDTH - label - tail
    parts = []
    for at, (text, before, now) in enumerate(rows):
        y = at * tall
        shown = text if len(text) <= 14 else text[:13] + "…"
        parts.append(
            f'<text x="{label - 6}" y="{y + 14}" text-anchor="end">{escape(shown)}'
            f"<title>{escape(text)}</title></text>"
            f'<rect class="before" x="{label}" y="{y + 3}" width="{before / top * room:.1f}" height="7"/>'
            f'<rect class="now-bar" x="{label}" y="{y + 11}" width="{now / top * room:.1f}" height="7"/>'
            f'<text x="{label + max(before, now) / top * room + 4:.1f}" y="{y + 14}">{now:.0%}</text>'
        )
    words = f"{name}: " + "; ".join(
        f"{text} {before:.0%} in the baseline, {now:.0%} now" for text, before, now in rows[:5]
    )
    height = tall * len(rows) + 2
    drawing = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(words)}">{drawing}</svg>'


def trend(history: Sequence[Mapping[str, Any]], names: Sequence[str], threshold: float) -> str:
    """Draw how far columns were from the baseline in each of the past checks."""
    wide = 640
    points = [each for each in history if each.get("distances")]
    top = max([threshold * 1.5, *(each["distances"].get(name) or 0.0 for each in points for name in names)])
    bottom = TREND_HEIGHT - FOOT

    def place(at: int, value: float) -> tuple[float, float]:
        x = LEFT + (wide - LEFT - 8) * (at / (len(points) - 1) if len(points) > 1 else 0.5)
        return x, bottom - value / top * (bottom - 8)

    y = place(0, threshold)[1]
    parts = [
        f'<line class="axis" x1="{LEFT}" x2="{wide}" y1="{bottom}" y2="{bottom}"/>',
        f'<line class="limit" x1="{LEFT}" x2="{wide}" y1="{y:.1f}" y2="{y:.1f}"/>',
        f'<text x="{LEFT - 4}" y="{y + 4:.1f}" text-anchor="end">{figure(threshold)}</text>',
        f'<text x="{LEFT - 4}" y="{bottom + 4}" text-anchor="end">0</text>',
    ]
    for number, name in enumerate(names):
        found = [(at, each["distances"].get(name)) for at, each in enumerate(points)]
        spots = [place(at, value) for at, value in found if value is not None]
        if not spots:
            continue
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline class="line line-{number}" points="{line}"/>')
        parts += [f'<circle class="dot line-{number}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in spots]
    if points:
        ends = [(LEFT, "start", points[0]["at"]), (wide, "end", points[-1]["at"])]
        parts += [
            f'<text x="{x}" y="{TREND_HEIGHT - 3}" text-anchor="{anchor}">{escape(moment(at))}</text>'
            for x, anchor, at in ends[: 2 if len(points) > 1 else 1]
        ]
    words = f"Distance from the baseline over {len(points)} checks of {', '.join(names) or 'no column'}"
    drawing = "".join(parts)
    opening = f'<svg class="trend" viewBox="0 0 {wide} {TREND_HEIGHT}" role="img"'
    return f'{opening} aria-label="{escape(words)}">{drawing}</svg>'


def moment(at: str) -> str:
    """Write an ISO time as people read it.

    >>> moment("2024-05-04T10:20:30+00:00")
    '2024-05-04 10:20'
    """
    return at[:16].replace("T", " ")
