"""The report of a check: one HTML page that needs no network, the verdict first, then what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tidegate.console.charts import distribution, moment, trend
from tidegate.console.policy import policy
from tidegate.console.style import STYLE
from tidegate.core.figures import figure, metric_name

ORDER = ("ok", "insufficient", "bad data", "drift")
WORDS = {
    "ok": ("✓", "No drift"),
    "insufficient": ("…", "Too few rows to tell"),
    "bad data": ("◆", "Bad data"),
    "drift": ("▲", "Drift"),
}
LINES = 3
GROWS = {"rising": "growing", "falling": "getting less", "steady": "as before"}
# Between them stands what `with_retraining` says; nothing of the data can look like them.
OPENED, CLOSED = '<section aria-label="retraining">', "</section><!-- retraining -->"


def render(model: str, run: str, at: str, checks: Sequence[Mapping[str, Any]]) -> str:
    """Write the page of a check.

    Parameters
    ----------
    model, run : str
        What was checked, and by which run.
    at : str
        When, as an ISO time.
    checks : sequence of mapping
        What `core.check.evaluate` concluded of each algorithm, with the ``history`` of its checks.
    """
    verdicts = [each["verdict"] for each in checks]
    verdict = max(verdicts, key=ORDER.index) if verdicts else "insufficient"
    body = "".join(_algorithm(each) for each in checks)
    if not checks:
        body = "<p>No algorithm could be checked; the run's record says why.</p>"
    mark, word = WORDS[verdict]
    rows = max((each["rows"] for each in checks), default=0)
    lead = f"{rows:,} predictions compared with what {escape(model)} learned from."
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(STYLE)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(model)}: {word.lower()}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>Check of {escape(model)}</h1>"
        f'<p class="soft"><time datetime="{escape(at)}">{escape(moment(at))} UTC</time> · '
        f"run {escape(run)}</p>"
        f'<div class="verdict {_kind(verdict)}"><strong>{mark} {word}</strong><p>{lead}</p></div>'
        f"{body}{OPENED}{CLOSED}</main>"
        '<footer class="soft">Made by Tidegate. statistics.json and constraint_violations.json lie beside '
        "this page.</footer></body></html>"
    )


def with_retraining(page: str, policy: str, look: Mapping[str, Any]) -> str:
    """Say in a page whether a retraining is wanted, in the place of what it said before.

    Parameters
    ----------
    page : str
        What `render` gave.
    policy : str
        Of the model file, such as ``on_drift``.
    look : mapping
        What was found when the policy was looked at: ``wish``, ``started`` and ``reason``.
    """
    before, opened, rest = page.partition(OPENED)
    _, closed, after = rest.partition(CLOSED)
    if not opened or not closed:
        return page
    wish = look.get("wish")
    rows = [("Policy", policy)]
    if wish:
        rows += [("Wanted since", f"{moment(wish['since'])} UTC"), ("For", " and ".join(wish["causes"]))]
        rows += [("It waits for", each) for each in wish["waits"]]
    elif look.get("started"):
        rows.append(("Started", str(look["reason"])))
    else:
        rows.append(("Wanted", f"no: {look['reason']}"))
    cells = [[f'<th scope="row">{escape(name)}</th>', _cell(text)] for name, text in rows]
    told = f"<h2>Retraining</h2>{_table(['what', 'how it stands'], cells)}"
    return f"{before}{OPENED}{told}{CLOSED}{after}"


def _algorithm(check: Mapping[str, Any]) -> str:
    mark, word = WORDS[check["verdict"]]
    read = check["read"]
    facts = [
        f"{check['new_rows']:,} new rows",
        f"{check['totals']['rows']:,} checked since the beginning",
        f"window {check['window']}",
        f"compared with {check['champion']}",
    ]
    if read.get("first"):
        facts.insert(1, f"{moment(read['first'])} to {moment(read['last'])}")
    notes = [*(f"Not read: {each}" for each in read["unreadable"])]
    if read["repeated"]:
        notes.append(f"{read['repeated']:,} rows came again in rewritten objects and were not counted twice.")
    if check["left"]:
        notes.append(f"{check['left']:,} newer objects wait for the next check.")
    told = "".join(f'<p class="soft">{escape(each)}</p>' for each in notes)
    return (
        f'<section aria-label="{escape(check["algorithm"])}"><h2>{escape(check["algorithm"])}: '
        f'<span class="word-{_kind(check["verdict"])}">{mark} {word.lower()}</span></h2>'
        f'<p>{escape(check["reason"])}.</p><p class="soft">{escape(" · ".join(facts))}</p>{told}'
        f"{_answers(check)}{_drifting(check)}{_quality(check)}{_estimate(check)}{_columns(check)}{_trend(check)}{_violations(check)}</section>"
    )


def _kind(verdict: str) -> str:
    """Name a verdict as the style sheet does."""
    return verdict.replace(" ", "-")


def _answers(check: Mapping[str, Any]) -> str:
    """Answer the three questions, each by itself; checks of before did not ask them apart."""
    answers = check.get("answers")
    if not answers:
        return ""
    rows = [
        [
            f'<th scope="row">{question}</th>',
            _cell({"none": "no", "watch": "a little: watch it", "act": "yes: act on it"}[answer["severity"]]),
            _cell(", ".join(answer.get("columns") or []) or "–"),
        ]
        for question, answer in (
            ("Are the data bad?", answers["bad_data"]),
            ("Have they drifted?", answers["drift"]),
        )
    ]
    quality = {None: "not known", "insufficient": "too few truths to tell", "ok": "no", "drift": "yes"}
    rows.append(
        [
            '<th scope="row">Has the quality fallen?</th>',
            _cell(quality[answers["quality"]["verdict"]]),
            _cell("–"),
        ]
    )
    told = f'<p class="soft">Expect one false alarm in {check["quiet_days"]:,} days.</p>'
    return _table(["question", "answer", "columns"], rows) + told


def _drifting(check: Mapping[str, Any]) -> str:
    if not check["columns"]:
        return ""
    rows = [
        [
            f'<th scope="row">{escape(each["name"])}</th>',
            _cell(each["sentence"].split(": ", 1)[-1]),
            _number(each.get("distance")),
            _number(each.get("threshold")),
            _cell("–" if each.get("importance") is None else f"{each['importance']:.0%}", "n"),
            _cell(each.get("severity") or "–"),
            _cell(GROWS.get(each.get("trend") or "", "–")),
            _cell("–" if each.get("share") is None else f"{each['share']:.0%}", "n"),
            _cell(moment(each.get("first", "–"))),
            _cell(moment(each.get("last", "–"))),
        ]
        for each in check["columns"]
    ]
    heads = ["column", "what changed", "distance#", "allowed#", "importance#", "severity", "trend"]
    heads += ["rows behind it#", "first seen", "last seen"]
    head = "What is wrong with the data" if check["verdict"] == "bad data" else "What drifted"
    return f"<h3>{head}</h3>" + _table(heads, rows)


def _quality(check: Mapping[str, Any]) -> str:
    quality, labels, all_known = check["quality"], check["labels"], check.get("so_far")
    if not quality and not labels:
        return ""
    parts = ["<h3>Against what really happened</h3>"]
    if quality:
        parts.append(f"<p>{escape(quality['sentence'][:1].upper() + quality['sentence'][1:])}.</p>")
        rows = [
            [
                f'<th scope="row">{escape(metric_name(name))}</th>',
                _number(each.get("value")),
                _cell(f"{figure(each.get('low'))} to {figure(each.get('high'))}", "n"),
                _number(each.get("threshold")),
            ]
            for name, each in quality["metrics"].items()
        ]
        if rows:
            parts.append(_table(["metric", "now#", "95 % interval#", "at training#"], rows))
    if all_known:
        measured = ", ".join(
            f"{metric_name(name)} {figure(all_known['metrics'].get(name))}" for name in ("rmse", "mae", "r2")
        )
        told = f"All {all_known['rows']:,} truths of the last weeks about this model, each once: {measured}."
        parts.append(f'<p class="soft">{told}</p>')
    if labels:
        parts.append(
            f'<p class="soft">{labels["came"]:,} labels came; {labels["matched"]:,} found their prediction, '
            f"{labels.get('corrected', 0):,} corrected what was known, "
            f"{labels['waiting']:,} wait for theirs, {labels['repeated']:,} were repeated, "
            f"{labels['expired']:,} waited too long.</p>"
        )
    return "".join(parts)


def _estimate(check: Mapping[str, Any]) -> str:
    """Show what is expected before truth comes, and how past estimates turned out."""
    estimate, record = check.get("estimate"), check.get("record")
    if not estimate and not record:
        return ""
    parts = ["<h3>Estimated, before truth comes</h3>"]
    if estimate:
        rows = [
            [
                f'<th scope="row">{escape(metric_name(name))}</th>',
                _number(each["value"]),
                _cell(f"{figure(each['low'])} to {figure(each['high'])}", "n"),
                _number(each["at_training"]),
            ]
            for name, each in estimate["metrics"].items()
        ]
        told = f"What the errors on {estimate['rows']:,} rows will come to, by what their columns tell."
        parts.append(f'<p class="soft">{told} It starts nothing: only truth does.</p>')
        parts.append(_table(["metric", "estimate#", "95 % interval#", "at training#"], rows))
    if record:
        words = record["sentence"]
        parts.append(f'<p class="soft">{escape(words[:1].upper() + words[1:])}.</p>')
    return "".join(parts)


def _columns(check: Mapping[str, Any]) -> str:
    moved = {each["name"]: at for at, each in enumerate(check["columns"])}
    columns = [each for each in check["comparison"]["columns"] if each.get("drawing")]
    columns.sort(key=lambda each: (moved.get(each["name"], len(moved)), -_impact(each)))
    if not columns:
        return ""
    cards = "".join(_card(each, each["name"] in moved) for each in columns)
    key = '<p class="soft"><span class="key b"></span>baseline<span class="key n"></span>this window</p>'
    return f'<h3>Every column, the worst first</h3>{key}<div class="grid">{cards}</div>'


def _impact(column: Mapping[str, Any]) -> float:
    """Tell what a column's change does to the predictions: its distance, times its importance."""
    importance = column.get("importance")
    return (column.get("distance") or 0.0) * (1.0 if importance is None else importance)


def _card(column: Mapping[str, Any], moved: bool) -> str:
    word = '<span class="word-drift">▲ drift</span>' if moved else '<span class="soft">as before</span>'
    rows = column["present"] + column["missing"]
    allowed = figure(column.get("threshold"))
    if column.get("by_chance"):
        facts = [f"p-value {figure(column.get('q_value'))}, {allowed} or more is as before"]
    else:
        facts = [f"distance {figure(column.get('distance'))} of {allowed} allowed"]
    if column.get("q_value") is not None and not column.get("by_chance"):
        facts.append(f"by chance: {_chance(column['q_value'])}")
    if column.get("importance") is not None:
        facts.append(f"importance {100 * column['importance']:.0f} %")
    if column["missing"]:
        facts.append(f"{column['missing'] / rows:.1%} missing")
    means = (column["drawing"].get("facts") or [{}, {}]) if column["drawing"]["kind"] == "numbers" else None
    if means:
        facts.append(f"mean {figure(means[0].get('mean'))} → {figure(means[1].get('mean'))}")
    return (
        f'<article class="card{" moved" if moved else ""}"><header><h4>{escape(column["name"])}</h4>{word}'
        f"</header>{distribution(column['name'], column['drawing'])}"
        f'<p class="soft">{escape(" · ".join(facts))}</p></article>'
    )


def _chance(value: float) -> str:
    return "below 0.1 %" if value < 0.001 else f"{value:.1%}".replace("%", " %")


def _trend(check: Mapping[str, Any]) -> str:
    history = check.get("history") or []
    points = [each for each in history if each.get("distances")]
    if len(points) < 2:
        return ""
    latest = points[-1]["distances"]
    ranked = sorted((name for name in latest if latest[name] is not None), key=lambda name: -latest[name])
    names = list(
        dict.fromkeys([*(each["name"] for each in check["columns"] if each["name"] in latest), *ranked])
    )
    names = names[:LINES]
    threshold = next(
        (each["threshold"] for each in check["comparison"]["columns"] if each.get("threshold")), 0.1
    )
    key = "".join(f'<span class="key k{at}"></span>{escape(name)}' for at, name in enumerate(names))
    verdicts = " ".join(f"{WORDS[each['verdict']][0]}" for each in history[-30:])
    return (
        f"<h3>Over the past checks</h3>{trend(history, names, threshold)}"
        f'<p class="soft">{key} · dashed: what is allowed</p>'
        f'<p class="soft">Verdicts, oldest first: <span aria-hidden="true">{verdicts}</span> '
        f"({sum(each['verdict'] == 'drift' for each in history)} of {len(history)} checks found drift)</p>"
    )


def _violations(check: Mapping[str, Any]) -> str:
    found = [*check["comparison"]["violations"], *((check["quality"] or {}).get("violations") or [])]
    if not found:
        return "<h3>Violations</h3><p>None.</p>"
    rows = [
        [
            f'<th scope="row">{escape(str(each.get("feature_name") or each.get("metric_name")))}</th>',
            _cell(each["constraint_check_type"]),
            _cell(each["description"]),
        ]
        for each in found
    ]
    return "<h3>Violations</h3>" + _table(["column", "check", "description"], rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(
        f'<th scope="col"{" class=n" if each.endswith("#") else ""}>{escape(each.rstrip("#"))}</th>'
        for each in heads
    )
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: Any, kind: str = "") -> str:
    return f"<td{f' class={kind}' if kind else ''}>{escape(str(text))}</td>"


def _number(value: Any) -> str:
    return _cell(figure(value), "n")
