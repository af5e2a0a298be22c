"""What people are told of checks: a start, what gets worse, an end, what lasts; nothing twice, nothing lost."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidegate.core.episodes import CALM, FURTHER, QUESTIONS, SEVERITIES, Episode, Look, advance
from tidegate.core.fall import fall_of
from tidegate.core.monitoring import weigh
from tidegate.core.telling import PERIODS, Memory
from tidegate.core.trend import trend

BEGIN = datetime(2026, 3, 3, 14, tzinfo=UTC)
COLUMNS = ["km", "fuel", "year"]


def hour(number: float) -> str:
    return (BEGIN + timedelta(hours=number)).isoformat(timespec="seconds")


def entry(number: int, *, drift: dict | None = None, bad: dict | None = None, **more) -> dict:
    """Give the summary of a check by the hour: drift and bad data as columns with severities."""

    def answer(found: dict | None, known: bool = True) -> dict:
        found = found or {}
        return {
            "severity": max(found.values(), key=SEVERITIES.index, default="none"),
            "columns": list(found),
            "act": [name for name, each in found.items() if each == "act"],
            "known": known,
            "extent": 0.5 if found else None,
        }

    fall = more.pop("fall", None)
    quality = {"severity": "act" if fall else "none", "known": fall is not None}
    if fall:
        quality |= {"extent": fall, "surely": more.pop("surely", fall - 0.01)}
    known = more.pop("known", True)
    return {
        "algorithm": "xgboost",
        "status": "SUCCEEDED",
        "window": number,
        "at": hour(number),
        "first": hour(number - 0.5),
        "champion": "m1",
        "verdict": "drift" if drift or fall else "bad data" if bad else "ok" if known else "insufficient",
        "reason": f"said {number}",
        "rows": 500,
        "columns": [
            {"name": name, "sentence": f"{name}: it moved", "distance": 0.4, "threshold": 0.1}
            for name in (*(drift or {}), *(bad or {}))
        ],
        "answers": {
            "drift": answer(drift, known),
            "bad_data": answer(bad, known),
            "quality": quality,
        },
        "quality": {"sentence": f"by 212 known truths RMSE is {fall}", "bias": -0.09} if fall else None,
        "labels": {},
        **more,
    }


class People:
    """Those who hear of a model: checks one after the other, as the machine has them told."""

    def __init__(self, digest: str = "weekly") -> None:
        self.remembered: dict = {"version": 0, "document": None, "outbox": None}
        self.digest, self.standing = digest, {}
        self.heard: list[dict] = []

    def check(self, number: float, *entries: dict, **more) -> list[dict]:
        raw = {"run": f"r{number}", "model": "cars", "algorithms": list(entries), "standing": self.standing}
        now = BEGIN + timedelta(hours=number)
        found = weigh({**raw, **more}, self.remembered, self.digest, now)
        # What DynamoDB keeps is text.
        document = json.loads(json.dumps(found["document"]))
        self.remembered = {"version": found["held"], "document": document, "outbox": None}
        self.standing = {**self.standing, **{each["algorithm"]: each for each in entries}}
        self.heard += found["outbox"]["messages"]
        return found["outbox"]["messages"]

    @property
    def kinds(self) -> list[str]:
        return [each["kind"] for each in self.heard]


def test_one_sentence_says_what_how_much_since_when_in_which_rows_and_what_came_of_it():
    people = People()
    rows = ["s3://a/cars/monitor/results/date=2026-03-03/xgboost-000001.parquet"]
    found = entry(
        1, drift={"km": "act"}, rows_at=rows, predictions="the predictions have drifted, too: lower"
    )
    [message] = people.check(1, found)
    assert (message["kind"], message["subject"]) == ("monitoring-drift", "cars: drift in km")
    assert message["message"] == (
        "- xgboost: drift (severity: act) since 2026-03-03 14:30 UTC, by 500 rows: km: it moved, distance 0.4 "
        f"where 0.1 is allowed; the predictions have drifted, too: lower; the rows are in {rows[0]}."
    )


def test_by_truth_it_is_said_how_far_off_the_predictions_are():
    people = People()
    [message] = people.check(1, entry(1, drift={"km": "watch"}, fall=0.2))
    drift, quality = message["message"].splitlines()
    told = "by 212 known truths RMSE is 0.2; predictions are 9.0% too low in the mean"
    assert told in drift and told in quality
    assert quality.startswith("- xgboost: the quality has fallen since")


def test_a_drift_is_told_when_it_starts_when_it_worsens_and_when_it_is_over_and_not_in_between():
    people = People()
    people.check(1, entry(1, drift={"km": "watch"}))
    assert people.check(2, entry(2, drift={"km": "watch"})) == []
    [worse] = people.check(3, entry(3, drift={"km": "watch", "fuel": "watch"}))
    assert "cars: drift has worsened in fuel" in worse["subject"]
    [graver] = people.check(4, entry(4, drift={"km": "act", "fuel": "watch"}))
    assert "cars: drift has worsened in km" in graver["subject"]
    assert people.check(5, entry(5, drift={"km": "watch"})) == []
    assert people.check(6, entry(6)) == []
    [over] = people.check(7, entry(7))
    assert over["kind"] == "monitoring-ok"
    assert (
        "drift since 2026-03-03 14:30 UTC is over (5 checks found it): 500 rows look as at training"
        in (over["message"])
    )
    assert people.check(8, entry(8)) == []


def test_what_comes_and_goes_from_check_to_check_is_one_drift():
    people = People()
    for number in range(1, 40):
        people.check(number, entry(number, drift={"km": "watch"} if number % 2 else None))
    assert people.kinds == ["monitoring-drift"]


def test_a_quality_that_falls_further_is_told_again_and_one_that_only_varies_is_not():
    people = People()
    people.check(1, entry(1, fall=0.10))
    assert people.check(2, entry(2, fall=0.16, surely=0.08)) == []
    assert people.check(3, entry(3, fall=0.13, surely=0.12)) == []
    [worse] = people.check(4, entry(4, fall=0.30, surely=0.25))
    assert "RMSE is 0.3" in worse["message"]
    assert people.check(5, entry(5, fall=0.31, surely=0.27)) == []
    [over] = people.check(6, entry(6, fall=0))
    assert "the fall of the quality since" in over["message"]


def test_too_few_rows_say_nothing_either_way():
    people = People()
    people.check(1, entry(1, drift={"km": "watch"}))
    for number in range(2, 9):
        assert people.check(number, entry(number, known=False)) == []
    people.check(9, entry(9))
    assert people.check(10, entry(10))[0]["kind"] == "monitoring-ok"


@pytest.mark.parametrize(("digest", "most"), [("daily", 29), ("weekly", 4), ("off", 0), (None, 0)])
def test_what_lasts_is_told_once_in_a_while(digest, most):
    people = People(digest)
    for number in range(1, 30 * 24, 2):
        people.check(number, entry(number, drift={"km": "watch"}))
    assert people.kinds == ["monitoring-drift"] + ["monitoring-digest"] * most
    if most:
        assert people.heard[-1]["subject"] == "cars: still drift, watch"
        assert (
            "drift in km since 2026-03-03 14:30 UTC (severity: watch; found by"
            in (people.heard[-1]["message"])
        )


def test_a_digest_comes_where_no_prediction_is_new_and_only_where_it_has_something_to_say():
    people = People("daily")
    people.check(1, entry(1, bad={"km": "act"}))
    people.check(20, entry(20, bad={"km": "act"}))
    [digest] = people.check(26)
    assert digest["subject"] == "cars: still bad data, act"
    assert people.check(80) == [], "no check has found it again"


def test_what_an_interrupted_check_did_not_tell_the_next_one_tells_although_nothing_is_new():
    people = People()
    people.standing = {"xgboost": entry(1, drift={"km": "act"})}
    [told] = people.check(2)
    assert told["kind"] == "monitoring-drift"
    assert people.check(3) == []


def test_a_message_that_was_decided_and_not_sent_is_sent_by_the_next_check():
    raw = {"run": "r1", "model": "cars", "algorithms": [entry(1, drift={"km": "act"})]}
    first = weigh(raw, {"version": 0}, "weekly", BEGIN)
    left = {"version": first["held"], "document": first["document"], "outbox": first["outbox"]}
    second = weigh({**raw, "run": "r2", "algorithms": []}, left, "weekly", BEGIN)
    assert second["outbox"] == first["outbox"]
    assert not second["changed"]


def test_another_champion_begins_anew_and_what_was_found_of_the_one_before_is_over():
    people = People()
    people.check(1, entry(1, drift={"km": "act"}))
    people.check(2, entry(2, known=False, champion="m2"))
    [over] = people.check(3, entry(3, champion="m2"))
    assert "another model, m2, has taken over" in over["message"]
    people.check(4, entry(4, drift={"km": "act"}, champion="m2"))
    [both] = people.check(5, entry(5, drift={"fuel": "act"}, champion="m3"))
    assert both["subject"] == "cars: drift in fuel"
    assert "has taken over" in both["message"] and "fuel: it moved" in both["message"]


def test_what_a_deployment_of_before_remembers_breaks_nothing():
    people = People("daily")
    old = {"algorithm": "xgboost", "window": 7, "verdict": "drift", "told": "drift", "rows": 500}
    people.standing = {"xgboost": {**old, "labels": {"came": 5, "waiting": 5, "matched": 0}}}
    assert people.check(1) == people.check(40) == []
    [told] = people.check(50, entry(8, drift={"km": "act"}))
    assert told["kind"] == "monitoring-drift"


def test_what_was_found_of_an_algorithm_that_serves_no_more_is_over():
    people = People()
    other = {**entry(1, drift={"km": "act"}), "algorithm": "linear-learner"}
    people.check(1, entry(1), other)
    del people.standing["linear-learner"]
    [over] = people.check(2, failure={"state": "Collect", "error": "X", "cause": "no"})
    assert over["kind"] == "monitoring-failed"
    [over] = people.check(3, entry(3))
    assert (
        "drift since 2026-03-03 14:30 UTC is over (1 check found it): linear-learner serves no more"
        in (over["message"])
    )
    assert people.check(4, entry(4)) == []


def test_of_what_a_model_predicted_that_serves_no_more_nothing_is_told():
    people = People()
    assert people.check(1, entry(1, drift={"km": "act"}, replaced=True)) == []


def test_checks_that_fail_in_the_same_state_are_told_once_and_when_they_work_again():
    people = People()
    failed = {"algorithm": "xgboost", "status": "FAILED", "state": "Profile the window", "cause": "boom"}
    [first] = people.check(1, failed)
    assert "in the state 'Profile the window': boom" in first["message"]
    assert people.check(2, failed) == []
    [other] = people.check(3, {**failed, "state": "Look at both sides"})
    assert other["kind"] == "monitoring-worse"
    [well] = people.check(4, entry(4))
    assert well["subject"] == "cars: over: failing checks"
    whole = {"state": "Collect", "error": "X", "cause": "no"}
    assert [each["kind"] for each in people.check(5, failure=whole)] == ["monitoring-failed"]
    assert people.check(6, failure=whole) == []
    assert [each["kind"] for each in people.check(7)] == ["monitoring-ok"]


def test_truth_without_predictions_is_told_once_until_some_is_matched():
    people = People()
    lost = {"came": 10, "waiting": 10, "matched": 0}
    assert [each["kind"] for each in people.check(1, entry(1, labels=lost))] == ["truth-unmatched"]
    assert people.check(2, entry(2, labels=lost)) == []
    found = {"came": 10, "waiting": 10, "matched": 10}
    assert [each["kind"] for each in people.check(3, entry(3, labels=found))] == ["monitoring-ok"]


def test_a_refused_file_is_told_once_whoever_brings_it_again():
    people = People()
    refused = [{"key": "cars/truth/a.csv", "reason": "no number", "kept_at": "s3://q/1"}]
    [told] = people.check(1, refused=refused)
    assert (told["kind"], told["subject"]) == ("truth-refused", "cars: ground truth was refused")
    assert people.check(2, refused=refused) == []


def test_an_event_goes_out_for_what_can_be_learned_from():
    def events(**given) -> list:
        raw = {"run": "r", "model": "cars", "algorithms": [entry(1, **given)], "report": "s3://a/r.html"}
        return weigh(raw, {"version": 0}, None, BEGIN)["outbox"]["events"]

    [event] = events(drift={"km": "act"})
    assert (event["model"], event["run"], event["algorithms"]) == ("cars", "r", ["xgboost"])
    assert events(drift={"km": "act"}, spoilt=True) == events(bad={"km": "act"}) == []
    assert events(fall=0.2)


# ---------------------------------------------------------------- laws
PARTS = st.dictionaries(st.sampled_from(COLUMNS), st.sampled_from(["watch", "act"]), max_size=3)
LOOKS = st.one_of(
    st.none(),
    st.builds(
        lambda parts, extent, champion: (parts, extent, champion),
        PARTS,
        st.floats(0.05, 2),
        st.sampled_from(["m1", "m2"]),
    ),
)


@given(question=st.sampled_from(QUESTIONS), looks=st.lists(LOOKS, max_size=40))
def test_each_start_has_one_end_and_whatever_is_told_in_between_goes_beyond_what_was_told(question, looks):
    episode: Episode | None = None
    known: tuple = ()
    for number, given_look in enumerate(looks):
        look = None
        if given_look is not None:
            parts, extent, champion = given_look
            severity = max(parts.values(), key=SEVERITIES.index, default="none")
            look = Look(
                hour(number), severity, parts, extent if parts else None, extent - 0.02, None, champion
            )
        before, step = episode, advance(question, episode, look)
        for news, about in step.news:
            if news == "start":
                assert not known, "what has started does not start again"
                known = (about.severity, dict(about.parts), about.extent)
            elif news == "end":
                assert known, "only what was told ends"
                assert about == before
                known = ()
            else:
                severity, parts_told, extent_told = known
                graver = SEVERITIES.index(about.severity) > SEVERITIES.index(severity)
                assert graver or step.gained or about.extent >= extent_told + FURTHER
                assert all(parts_told.get(name) != about.parts[name] for name in step.gained)
                known = (about.severity, dict(about.parts), about.extent)
        episode = step.episode
        assert (episode is not None) == bool(known)
        if episode is not None:
            assert Episode.from_dict(json.loads(json.dumps(episode.to_dict()))) == episode
            assert episode.calm < CALM.get(question, 1)


CHECKS = st.one_of(
    st.just({"nothing": True}),
    st.just({"failed": True}),
    st.fixed_dictionaries(
        {
            "drift": PARTS,
            "bad": PARTS,
            "fall": st.sampled_from([None, 0, 0.1, 0.3]),
            "known": st.booleans(),
            "champion": st.sampled_from(["m1", "m1", "m1", "m2"]),
        }
    ),
)


@given(
    checks=st.lists(st.tuples(CHECKS, st.floats(0.1, 100)), max_size=40),
    digest=st.sampled_from(["daily", "weekly", "off"]),
)
def test_over_any_checks_no_message_repeats_and_a_digest_comes_at_most_once_a_period(checks, digest):
    people, at, spoken, open_now = People(digest), 0.0, None, Counter()
    for number, (made, hours) in enumerate(checks, 1):
        at += hours
        entries = []
        if made.get("failed"):
            entries = [{"algorithm": "xgboost", "status": "FAILED", "state": "Profile", "cause": "boom"}]
        elif not made.get("nothing"):
            entries = [{**entry(number, **made), "at": hour(at), "first": hour(at)}]
        heard = people.check(at, *entries)
        assert len(heard) <= 1, "one message a check"
        before = people.remembered
        assert people.check(at, *entries) == [], "the same check again tells nothing"
        assert people.remembered["document"] == before["document"] or made.get("failed")
        for message in heard:
            if message["kind"] == "monitoring-digest":
                assert spoken is not None
                assert at - spoken >= PERIODS[digest].total_seconds() / 3600 - 0.001
            spoken = at
        memory = Memory.from_dict(people.remembered["document"])
        open_now = Counter((name, question) for name, question, _ in memory.open)
        assert set(open_now.values()) <= {1}
    ids = [each["id"] for each in people.heard]
    assert len(ids) == len(set(ids))
    # A check that fails again after it worked has no time in its words.
    told = [each["message"] for each in people.heard if each["kind"] != "monitoring-failed"]
    assert len(told) == len(set(told))


@example([], [{}, {"km": "watch"}, {"km": "watch", "fuel": "watch"}, {"km": "watch", "fuel": "act"}])
@given(
    order=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40),
    found=st.lists(PARTS, min_size=4, max_size=4),
)
def test_checks_at_once_tell_nothing_twice_as_only_one_of_them_can_write(order, found):
    """Four runs read and write in any order; a write that comes too late is decided anew."""
    stored: dict = {"version": 0, "document": None, "outbox": None}
    read: dict[int, dict] = {}
    sent: list[dict] = []

    def read_and_decide(run: int) -> None:
        raw = {"run": f"r{run}", "model": "cars", "algorithms": [entry(run + 1, drift=found[run])]}
        read[run] = weigh(raw, dict(stored), None, BEGIN)

    def write(run: int) -> bool:
        decided = read.pop(run)
        if decided["version"] != stored["version"]:
            return False
        stored.update(version=decided["held"], document=decided["document"], outbox=None)
        sent.extend(decided["outbox"]["messages"])
        return True

    done: set[int] = set()
    for run, writes in [*order, *((run, False) for run in range(4))]:
        if writes and run in read:
            if write(run):
                done.add(run)
        else:
            read_and_decide(run)
    for run in list(read):
        if not write(run):
            read_and_decide(run)
            write(run)
    starts = [each for each in sent if each["kind"] == "monitoring-drift"]
    texts = [each["message"] for each in sent]
    assert len(texts) == len(set(texts))
    assert len(starts) <= 2  # a second only after an end, for which two calm checks are needed


def test_the_fall_of_each_metric_is_on_the_scale_of_the_rule():
    assert fall_of({}) == (None, None)
    assert fall_of({"rmse": {"effect": -0.1}}) == (None, None)
    shares = {"value": 0.7, "low": 0.65, "high": 0.75, "threshold": 0.9, "effect": 0.2}
    assert fall_of({"accuracy": shares}).surely == pytest.approx(0.15)
    squares = {"value": 0.2, "low": 0.1, "high": 0.3, "threshold": 0.41, "effect": 0.152}
    assert fall_of({"r2": squares, "rmse": {"effect": 0.01}}).surely == pytest.approx(0.0855, abs=1e-3)


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=30))
def test_a_trend_turns_with_its_series(values):
    turned = {"rising": "falling", "falling": "rising", "steady": "steady"}
    assert trend(values[::-1]) == turned[trend(values)]
    assert trend(sorted(set(values))) in ("rising", None)
