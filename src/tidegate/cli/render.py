"""How a run looks: the tree of its states, its plain lines, and the table of its algorithms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from tidegate.cli.progress import CAUGHT, FAILED, RUNNING, STOPPED, SUCCEEDED, Branch, Step, View
from tidegate.cli.visible import visible
from tidegate.core.figures import figure
from tidegate.core.messages import explain

MARKS = {SUCCEEDED: ("✓", "green"), FAILED: ("✗", "red"), CAUGHT: ("↪", "yellow"), STOPPED: ("■", "yellow")}
WORDS = {SUCCEEDED: "done", FAILED: "failed", CAUGHT: "failed and handled", STOPPED: "stopped"}
STATUS_STYLES = {
    "SUCCEEDED": "green",
    "REJECTED": "yellow",
    "REFUSED": "yellow",
    "SUPERSEDED": "yellow",
    "FAILED": "red",
    "RUNNING": "cyan",
    "DUPLICATE": "cyan",
    "InService": "green",
}


class LiveTree:
    """A tree that goes on counting seconds and turning its spinners between two looks."""

    def __init__(self) -> None:
        self.view = View()
        self._spinners: dict[int, Spinner] = {}

    def show(self, view: View) -> None:
        """Take a newer view."""
        self.view = view

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # While it goes on it must fit the screen; the last drawing stays, whole.
        room = console.size.height - 2 if self.view.status == RUNNING else None
        yield tree(self.view, datetime.now(UTC), self._spinners, room)


def tree(
    view: View, now: datetime, spinners: dict[int, Spinner] | None = None, room: int | None = None
) -> RenderableType:
    """Draw the states of an execution.

    Parameters
    ----------
    view : View
        What `progress.read_history` gave.
    now : datetime
        Until when running states have taken.
    spinners : dict, optional
        Where spinners are kept from one drawing to the next, so that they turn.
    room : int, optional
        How many lines there are; where they do not suffice, states that went well are counted, not named.
    """
    if not view.steps:
        return Spinner("dots", text=" waiting for the first state")
    top = Tree(Text("states", style="dim"), guide_style="dim", hide_root=True)
    brief = room is not None and sum(1 for _ in view.walk()) + _labels(view) > room
    _grow(top, view.steps, now, {} if spinners is None else spinners, brief)
    return top


def _labels(view: View) -> int:
    return sum(1 for _, step in view.walk() for branch in step.branches if branch.label)


def _grow(node: Tree, steps: list[Step], now: datetime, spinners: dict[int, Spinner], brief: bool) -> None:
    well = [step for step in steps if step.status in (SUCCEEDED, CAUGHT)] if brief else []
    if len(well) > 1:
        took = sum(step.seconds(now) for step in well)
        node.add(Text(f"✓ {len(well)} states", style="green").append(f"  {took:.1f} s", style="dim"))
        steps = [step for step in steps if step.status not in (SUCCEEDED, CAUGHT)]
    for step in steps:
        child = node.add(_step_line(step, now, spinners))
        for branch in sorted(step.branches, key=lambda each: each.index):
            if not _is_detail(branch):
                _grow(
                    child.add(_branch_line(branch)) if branch.label else child,
                    branch.steps,
                    now,
                    spinners,
                    brief,
                )


def _is_detail(branch: Branch) -> bool:
    """Tell whether a branch is a nameless repetition that went well: nothing a person wants to see."""
    return branch.label.startswith("#") and branch.status == SUCCEEDED


def _step_line(step: Step, now: datetime, spinners: dict[int, Spinner]) -> RenderableType:
    words = Text(f"{step.name}  ")
    words.append(f"{step.seconds(now):.1f} s", style="dim")
    if step.retries:
        words.append(f"  tried {step.retries + 1} times", style="yellow")
    if step.status == RUNNING:
        spinner = spinners.setdefault(step.key, Spinner("dots", style="cyan"))
        spinner.update(text=words)
        return spinner
    mark, style = MARKS[step.status]
    line = Text(f"{mark} ", style=style).append_text(words)
    if step.error and step.status in (FAILED, CAUGHT):
        line.append(f"  {short(step)}", style=style)
    return line


def _branch_line(branch: Branch) -> Text:
    style = MARKS[branch.status][1] if branch.status in (FAILED, STOPPED) else "bold"
    return Text(branch.label, style=style)


def short(step: Step, width: int = 160) -> str:
    """Say in one short sentence why a state failed."""
    sentence = explain(step.error, step.cause).sentence
    return sentence if len(sentence) <= width else sentence[: width - 1] + "…"


def lines(view: View) -> list[str]:
    """Give a line for the start and the end of each state in their order, no two lines of a run alike."""
    told: list[tuple[int, str]] = []
    visits: Counter[str] = Counter()
    for labels, step in view.walk():
        head = " · ".join((*labels, step.name))
        visits[head] += 1
        if visits[head] > 1:
            head += f" (visit {visits[head]})"
        told.append((step.key, f"{head}: started"))
        for count, (key, error) in enumerate(zip(step.retry_keys, step.retry_errors, strict=True), start=1):
            told.append((key, f"{head}: {_why_again(error)}, trying again ({count})"))
        if step.ended is not None:
            why = f": {short(step)}" if step.error and step.status in (FAILED, CAUGHT) else ""
            took = f"{step.seconds(step.ended):.1f} s"
            told.append((step.end_key, f"{head}: {WORDS[step.status]} in {took}{why}"))
    # The sort is stable: a Fail state starts and ends with one event.
    return [line for _, line in sorted(told, key=lambda each: each[0])]


def _why_again(error: str) -> str:
    """Say why a state is tried again: nothing failed where there was no room for one more at once."""
    busy = ("ConcurrentRunsExceeded", "TooManyRequests", "Throttling", "LimitExceeded")
    return "no room for it yet" if any(word in error for word in busy) else "failed"


def states_document(steps: list[Step], now: datetime) -> list[dict[str, Any]]:
    """Give the states as ``run --json`` prints them."""
    return [
        {
            "name": step.name,
            "type": step.kind,
            "status": step.status,
            "started": step.started,
            "seconds": round(step.seconds(now), 3),
            "retries": step.retries,
            **({"reason": short(step, 2000)} if step.error else {}),
            **(
                {
                    "branches": [
                        {"label": each.label, "states": states_document(each.steps, now)}
                        for each in sorted(step.branches, key=lambda branch: branch.index)
                    ]
                }
                if step.branches
                else {}
            ),
        }
        for step in steps
    ]


def status(word: str) -> Text:
    """Colour a status."""
    return Text(word, style=STATUS_STYLES.get(word, ""))


def interval(evaluation: Mapping[str, Any], side: str, metric: str) -> str:
    """Write a metric of the candidate or the champion with its interval."""
    entry = ((evaluation or {}).get(side) or {}).get(metric)
    if not entry:
        return "–"
    spread = f" ({figure(entry.get('low'))} to {figure(entry.get('high'))})" if "low" in entry else ""
    return figure(entry.get("value")) + spread


def summary(result: Mapping[str, Any], model: str, record: Mapping[str, Any]) -> RenderableType:
    """Draw how a run ended: the gate's numbers, the endpoints and the reasons."""
    head = Text.assemble("run ", (str(result["run"]), "bold"), " of ", (model, "bold"), ": ")
    head.append_text(status(str(result["status"])))
    took = seconds_between(record.get("started"), record.get("finished"))
    if took is not None and result["status"] != "DUPLICATE":
        head.append(f" in {took:.1f} s", style="dim")
    parts: list[RenderableType] = [Text(), head]
    algorithms = result.get("algorithms") or {}
    if "scores" in result:
        parts += _scored(result, algorithms)
    elif algorithms:
        parts += [algorithms_table(algorithms), *_verdicts(algorithms)]
    elif result.get("reason"):
        parts.append(Text(str(result["reason"])))
    return Group(*parts)


def _scored(
    result: Mapping[str, Any], algorithms: Mapping[str, Mapping[str, Any]]
) -> Iterator[RenderableType]:
    yield Text(str(result.get("reason") or ""))
    for name, entry in algorithms.items():
        mark, style = MARKS[SUCCEEDED if entry.get("status") == "SUCCEEDED" else FAILED]
        yield Text(f"{mark} ", style=style).append(f"{name}: scored by {entry.get('model')}", style="default")
    places = [(word, result.get(word)) for word in ("scores", "rejects") if result.get(word)]
    if places:
        yield table(["", ""], [list(place) for place in places])


def algorithms_table(algorithms: Mapping[str, Mapping[str, Any]]) -> Table:
    """Draw one row an algorithm: its status, its metrics on the test rows, and the champion's."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("algorithm", "status", "test RMSE (95 %)", "MAE", "R²", "champion"):
        table.add_column(name, overflow="fold")
    for name, entry in algorithms.items():
        evaluation = entry.get("evaluation") or {}
        rmse = interval(evaluation, "candidate", "rmse")
        table.add_row(
            cell(name),
            status(str(entry.get("status", ""))),
            rmse if rmse != "–" else figure(entry.get("rmse")),
            figure(entry.get("mae")),
            figure(entry.get("r2")),
            figure(((evaluation.get("champion") or {}).get("rmse") or {}).get("value")),
        )
    return table


def _verdicts(algorithms: Mapping[str, Mapping[str, Any]]) -> Iterator[Text]:
    for name, entry in algorithms.items():
        if tuned := entry.get("tuned"):
            best = ", ".join(f"{key} {value}" for key, value in sorted(tuned["hyperparameters"].items()))
            yield Text(f"  {name}: {tuned['job']} found the best of {tuned['jobs']} jobs: {best}")
        checks = (entry.get("gate") or {}).get("checks") or []
        for check in checks:
            mark, style = MARKS[SUCCEEDED if check.get("passed") else FAILED]
            yield Text(f"{mark} ", style=style).append(f"{name}: {check.get('sentence')}", style="default")
        if entry.get("status") == "SUCCEEDED" and entry.get("endpoint"):
            yield Text("✓ ", style="green").append(f"{name}: served by {entry['endpoint']}", style="default")
        if not checks and entry.get("reason"):
            mark, style = MARKS[SUCCEEDED if entry.get("status") == "SUCCEEDED" else FAILED]
            yield Text(f"{mark} ", style=style).append(f"{name}: {entry['reason']}", style="default")


def moment(iso: Any) -> str:
    """Write an ISO time as people read it, in the time of this machine."""
    try:
        return f"{datetime.fromisoformat(str(iso)).astimezone():%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return "–"


def seconds_between(start: Any, end: Any) -> float | None:
    """Tell the seconds between two ISO times, None where one is missing."""
    try:
        return (datetime.fromisoformat(str(end)) - datetime.fromisoformat(str(start))).total_seconds()
    except (TypeError, ValueError):
        return None


def table(columns: list[str], rows: list[list[Any]]) -> Table:
    """Draw a plain table; None is shown as a dash."""
    drawn = Table(box=None, pad_edge=False, header_style="dim", show_header=any(columns))
    for name in columns:
        drawn.add_column(cell(name), overflow="fold")
    for row in rows:
        drawn.add_row(*("–" if each is None else cell(each) for each in row))
    return drawn


def cell(value: Any) -> Text:
    """Make what stands in a table: one line, its control characters written out."""
    if isinstance(value, Text):
        return Text(visible(value.plain, ""), style=value.style)
    return Text(visible(str(value), ""))
