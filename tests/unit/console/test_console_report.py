"""The report: verdict first, everything in one file, nothing that a name or a number could break."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from tidegate.console.charts import distribution, figure, trend
from tidegate.console.report import render, with_retraining

NUMBERS = {
    "kind": "numbers",
    "edges": [0.0, 1.0, 2.0],
    "baseline": [0.5, 0.5],
    "window": [0.1, 0.9],
    "facts": [{"mean": 1.0, "median": 1.0}, {"mean": 1.4, "median": 1.5}],
}
TEXTS = {
    "kind": "texts",
    "names": ["a<b", "c"],
    "baseline": [0.5, 0.4],
    "window": [0.1, 0.2],
    "others": [0.1, 0.7],
}


def column(name: str, drawing: dict | None) -> dict:
    return {
        "name": name,
        "present": 90,
        "missing": 10,
        "distance": 0.4,
        "threshold": 0.1,
        "q_value": 1e-9,
        "drawing": drawing,
    }


def checked(verdict: str = "drift", **changes) -> dict:
    at = "2024-05-04T10:00:00+00:00"
    drifting = [
        {
            "name": "km",
            "sentence": "km: it moved",
            "distance": 0.4,
            "threshold": 0.1,
            "share": 0.4,
            "first": at,
            "last": at,
        }
    ]
    history = [
        {
            "window": n,
            "at": at,
            "verdict": "ok",
            "rows": 100,
            "distances": {"km": n / 20, "make": None},
            "quality": {},
        }
        for n in range(1, 9)
    ]
    return {
        "algorithm": "xgboost",
        "verdict": verdict,
        "window": 8,
        "champion": "tg-cars-xgboost-0123456789ab",
        "reason": "km: it moved",
        "rows": 100,
        "new_rows": 100,
        "totals": {"rows": 800, "objects": 8, "labels": 0},
        "read": {"first": at, "last": at, "unreadable": ["a: <broken>"], "repeated": 3},
        "left": 2,
        "columns": drifting if verdict == "drift" else [],
        "labels": {"came": 5, "matched": 4, "waiting": 1, "repeated": 0, "expired": 0},
        "quality": {
            "sentence": "by 200 known truths RMSE is 9",
            "metrics": {"rmse": {"value": 9.0, "low": 8.0, "high": 10.0, "threshold": 5.0}},
            "violations": [
                {"constraint_check_type": "GreaterThanThreshold", "description": "d", "metric_name": "rmse"}
            ],
        },
        "comparison": {
            "columns": [column("km", NUMBERS), column("make", TEXTS), column("empty", None)],
            "violations": [
                {"feature_name": "km", "constraint_check_type": "baseline_drift_check", "description": "far"}
            ],
        },
        "history": history,
        **changes,
    }


class Page(HTMLParser):
    """Collects what opens and closes, and what a screen reader is told."""

    VOID = frozenset({"meta", "path", "line", "rect", "circle", "polyline"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.labels: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "svg":
            assert found["role"] == "img"
            self.labels.append(found["aria-label"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_verdict_stands_before_everything_that_it_rests_on():
    page = render("cars", "r1", "2024-05-04T10:00:00+00:00", [checked()])
    places = [
        page.index(words)
        for words in ("▲ Drift", "What drifted", "Every column", "past checks", "Violations")
    ]
    assert places == sorted(places)
    assert "<title>cars: drift</title>" in page


def test_the_page_needs_no_network_and_is_well_formed_with_words_for_every_picture():
    page = render("cars", "r1", "2024-05-04T10:00:00+00:00", [checked(), checked("ok")])
    assert not re.search(r"https?:|<script|<link|url\(|@import", page)
    parsed = Page(page)
    assert parsed.open == []
    assert len(parsed.labels) == 6
    assert any("mean 1 in the baseline, 1.4 now" in label for label in parsed.labels)
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_names_and_texts_of_the_data_cannot_break_the_page():
    evil = '"><script>alert(1)</script>'
    made = checked()
    made["comparison"]["columns"][0]["name"] = evil
    made["columns"][0] = {**made["columns"][0], "name": evil, "sentence": f"{evil}: it moved"}
    page = render(evil, evil, "2024-05-04T10:00:00+00:00", [made])
    assert "<script" not in page
    assert "a&lt;b" in page
    Page(page)


@pytest.mark.parametrize(
    ("verdict", "words"), [("ok", "✓ No drift"), ("insufficient", "Too few rows to tell")]
)
def test_other_verdicts_are_said_as_plainly(verdict, words):
    page = render("cars", "r1", "2024-05-04T10:00:00+00:00", [checked(verdict)])
    assert words in page
    assert "What drifted" not in page


def test_a_check_in_which_every_algorithm_failed_still_has_a_page():
    assert "No algorithm could be checked" in render("cars", "r1", "2024-05-04T10:00:00+00:00", [])


def test_charts_stand_empty_and_constant_columns():
    still = {**NUMBERS, "baseline": [0.0, 0.0], "window": [0.0, 0.0]}
    assert "<svg" in distribution("km", still)
    assert "<svg" in trend([], ["km"], 0.1)
    assert figure(float(10**16)) == "1e+16"


def test_a_column_compared_by_chance_shows_the_chance_and_not_a_distance():
    check = checked()
    check["comparison"]["columns"] = [{**column("make", TEXTS), "by_chance": True, "threshold": 0.05}]
    page = render("cars", "r", "2024-05-04T10:00:00", [check])
    assert "p-value 1e-09, 0.05 or more is as before" in page
    assert "of 0.05 allowed" not in page


HOSTILE = [
    '"><script>alert(1)</script>',
    "' onload='alert(1)",
    "</style><img src=x onerror=y>",
    "&lt;",
    "{}<!--",
]


@pytest.mark.parametrize("evil", HOSTILE)
def test_the_page_allows_its_own_style_and_nothing_else(evil):
    made = checked()
    made["comparison"]["columns"][0]["name"] = evil
    made["columns"][0] = {**made["columns"][0], "name": evil, "sentence": f"{evil}: {evil}"}
    made.update(algorithm=evil, champion=evil, window=evil, reason=evil)
    made["read"] = {**made["read"], "unreadable": [evil]}
    page = render(evil, evil, "2024-05-04T10:00:00+00:00", [made])
    [allowed] = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in allowed
    assert "default-src 'none'" in allowed and "script" not in allowed and "unsafe" not in allowed
    # Before anything that somebody else named.
    assert page.index("Content-Security-Policy") < page.index("<title>") < page.index("<style>")
    found = Tags()
    found.feed(page)
    assert not {"script", "img", "link", "iframe", "a", "form"} & found.tags
    assert not [name for name in found.attributes if name == "style" or name.startswith("on")]


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attributes)


def test_the_three_questions_are_answered_each_by_itself_and_false_alarms_are_stated():
    answers = {
        "bad_data": {"severity": "act", "columns": ["km<"]},
        "drift": {"severity": "none", "columns": []},
        "quality": {"severity": "none", "verdict": "ok"},
    }
    check = {**checked("bad data"), "answers": answers, "quiet_days": 90}
    check["columns"] = checked("drift")["columns"]
    page = render("cars", "r1", "2024-05-04T10:00:00+00:00", [check])
    assert "◆ Bad data" in page and 'class="verdict bad-data"' in page
    assert "Are the data bad?" in page and "yes: act on it" in page and "km&lt;" in page
    assert "Has the quality fallen?" in page
    assert "Expect one false alarm in 90 days." in page
    assert "What is wrong with the data" in page


def test_a_page_says_whether_a_retraining_is_wanted_and_says_it_anew_at_each_look():
    page = render("cars", "r1", "2024-05-04T10:00:00+00:00", [checked()])
    assert "<h2>Retraining</h2>" not in page
    wish = {"since": "2024-05-04T10:00:00+00:00", "causes": ["drift"], "waits": ["truth <of> 200 rows"]}
    wanted = with_retraining(page, "on_drift", {"wish": wish, "started": False, "reason": "wanted"})
    assert "2024-05-04 10:00 UTC" in wanted and "truth &lt;of&gt; 200 rows" in wanted
    started = with_retraining(wanted, "on_drift", {"wish": None, "started": True, "reason": "it starts"})
    assert "it starts" in started and "Wanted since" not in started
    assert started.count("<h2>Retraining</h2>") == 1
    calm = with_retraining(started, "on_drift", {"wish": None, "started": False, "reason": "drift is over"})
    assert "no: drift is over" in calm
    assert with_retraining("<p>a page of before</p>", "off", {}) == "<p>a page of before</p>"


def test_each_drifting_column_has_its_severity_and_its_trend():
    check = checked()
    check["columns"][0] |= {"severity": "act", "trend": "rising"}
    page = render("cars", "r1", "2024-05-04T10:00:00+00:00", [check])
    assert "<td>act</td><td>growing</td>" in page
