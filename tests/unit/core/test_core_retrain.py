"""When a model is retrained by itself: a wish that stands, whatever comes first, until it is served or withdrawn."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.episodes import Episode
from tidegate.core.errors import BadSpec
from tidegate.core.monitor import Monitor, policy_of, read_monitor
from tidegate.core.news import tell_retrain
from tidegate.core.retrain import Cause, Decision, Situation, Wish, causes_in, decide
from tidegate.core.standing import LEASE, Standing
from tidegate.core.telling import Memory, Told

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def situation(**changes) -> Situation:
    plain = {
        "now": NOW,
        "last_training": NOW - 3 * DAY,
        "fresh_labels": 250,
        "predictions": 900,
        "drop": "cars/train/cars.csv",
    }
    return Situation(**{**plain, **changes})


def cause(question: str = "drift", since: datetime = NOW - DAY, last: datetime = NOW) -> Cause:
    return Cause(question, since, last)


def wish(since: datetime = NOW - DAY) -> Wish:
    return Wish(since.isoformat(timespec="seconds"), "r0", ("drift",), ("something",), told=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"in_flight": "abc"}, "the training run abc, which is under way"),
        (
            {"last_retrain": NOW - timedelta(hours=23)},
            "the cooldown of 1 day, which ends at 2026-05-04 13:00",
        ),
        ({"drop": None}, "a first training drop"),
        (
            {"fresh_labels": 37},
            "200 labelled rows are needed and 37 came since the last training (2026-05-01 12:00 UTC), "
            "of 900 predictions",
        ),
    ],
)
def test_a_wish_says_since_when_it_stands_and_what_it_waits_for(changes, words):
    found = decide(Monitor(retrain="on_drift"), wish(), [cause()], situation(**changes), "r1")
    assert not found.start
    assert found.wish is not None
    assert (found.wish.since, found.wish.run) == (wish().since, "r0")
    assert words in found.reason
    assert len(found.wish.waits) == 1
    assert words in tell_retrain("cars", "r1", "wanted", found.reason).message


def test_all_that_it_waits_for_is_said_at_once():
    lacking = situation(in_flight="abc", last_retrain=NOW, drop=None, fresh_labels=0)
    found = decide(Monitor(retrain="on_drift"), wish(), [cause()], lacking, "r1")
    assert found.wish is not None
    assert len(found.wish.waits) == 4


def test_a_retraining_starts_when_it_waits_for_nothing_more():
    found = decide(Monitor(retrain="on_drift"), wish(), [cause()], situation(), "r1")
    assert found.start
    assert "250 labelled rows came since the last training, which used cars/train/cars.csv" in found.reason


@pytest.mark.parametrize(
    ("policy", "heeds"),
    [
        ("off", set()),
        ("on_drift", {"drift"}),
        ("on_quality", {"quality"}),
        ("either", {"drift", "quality"}),
        ("schedule: monthly", set()),
    ],
)
def test_each_policy_heeds_what_it_names(policy, heeds):
    monitor = Monitor(retrain=policy)
    started = {
        each for each in ("drift", "quality") if decide(monitor, None, [cause(each)], situation(), "r").start
    }
    assert started == heeds
    both = decide(monitor, None, [cause("quality"), cause("drift")], situation(), "r")
    assert set(both.wish.causes if both.wish else ()) == heeds


@pytest.mark.parametrize(("every", "days"), [("weekly", 7), ("monthly", 30), ("quarterly", 91)])
def test_by_the_calendar_a_model_is_retrained_so_long_after_its_last_training_whoever_asked_for_that(
    every, days
):
    monitor = Monitor(retrain=f"schedule: {every}")
    early = situation(last_training=NOW - timedelta(days=days) + timedelta(seconds=1))
    assert decide(monitor, None, [], early, "r").wish is None
    due = situation(last_training=NOW - timedelta(days=days))
    assert decide(monitor, None, [], due, "r").start
    assert decide(monitor, None, [cause()], situation(last_training=None), "r").wish is None


def test_a_wish_is_withdrawn_when_what_made_it_is_over_or_the_policy_is_off():
    over = decide(Monitor(retrain="on_drift"), wish(), [], situation(), "r1")
    assert (over.wish, over.withdrawn) == (None, "drift is over")
    off = decide(Monitor(), wish(), [cause()], situation(), "r1")
    assert off.withdrawn == "the model file says monitor.retrain: off"
    assert decide(Monitor(), None, [], situation(), "r1").withdrawn is None


def test_somebody_elses_training_serves_a_wish_and_what_was_found_of_the_model_before_counts_no_more():
    served = situation(served=NOW - timedelta(hours=1))
    before = cause(last=NOW - timedelta(hours=2))
    found = decide(Monitor(retrain="on_drift"), wish(), [before], served, "r1")
    assert found.withdrawn == "another training has put a model into service since"
    anew = decide(Monitor(retrain="on_drift"), wish(), [cause()], served, "r1")
    assert anew.wish is not None
    assert anew.wish.since == NOW.isoformat(timespec="seconds")


def test_while_a_model_is_trained_no_new_wish_is_made_and_one_that_was_made_stands():
    monitor, training = Monitor(retrain="on_drift"), situation(in_flight="abc")
    assert decide(monitor, None, [cause()], training, "r1").wish is None
    assert decide(monitor, wish(), [cause()], training, "r1").wish is not None


def test_bad_data_and_a_drift_that_is_all_bad_data_speak_for_no_retraining():
    def lasting(**changes) -> Episode:
        at = NOW.isoformat()
        return Episode(
            **{"since": at, "severity": "act", "parts": {}, "extent": None, "champion": "m", "last": at}
            | changes
        )

    episodes = {"bad data": lasting(), "drift": lasting(spoilt=True), "quality": lasting()}
    assert [each.question for each in causes_in(Memory({"xgboost": Told(1, episodes)}))] == ["quality"]


def test_the_model_file_says_what_retrains_and_old_ones_go_on_working():
    assert read_monitor({"retrain": "on_drift"}).retrain == "on_drift"
    assert read_monitor({"retrain": False}).retrain == "off"
    monthly = read_monitor({"retrain": {"schedule": "monthly"}, "digest": False})
    assert (monthly.retrain, monthly.digest) == ("schedule: monthly", "off")
    assert read_monitor({"retrain": "schedule: monthly"}) == read_monitor(
        {"retrain": {"schedule": "monthly"}}
    )
    assert policy_of(Monitor()) == {"retrain": "off", "digest": "weekly"}
    for wrong, words in (
        ("always", "'always' is not one of off, on_drift, on_quality, either"),
        ({"schedule": "hourly"}, "'hourly' is not one of weekly, monthly, quarterly"),
        ({"when": "monthly"}, "'when' is not known here"),
    ):
        with pytest.raises(BadSpec, match=words):
            read_monitor({"retrain": wrong})


def test_a_claim_is_taken_over_when_whoever_made_it_cannot_be_at_it_any_more():
    claimed = Standing().claim(wish(), "r1", NOW)
    assert claimed.is_claimed(NOW + LEASE - timedelta(seconds=1))
    assert not claimed.is_claimed(NOW + LEASE)
    served = claimed.served("it starts")
    assert (served.wish, served.run, served.started, served.told) == (None, "r1", NOW.isoformat(), False)
    put_off = claimed.put_off("a drop that fits")
    assert put_off.wish is not None
    assert put_off.wish.waits == ("a drop that fits",)
    assert put_off.reason == "wanted for drift; it waits for a drop that fits"
    for each in (claimed, served, put_off, Standing()):
        assert Standing.from_dict(json.loads(json.dumps(each.to_dict()))) == each


def test_an_item_of_before_says_when_a_retraining_was_last_started():
    old = Standing.from_dict({"run": "r9", "started": NOW.isoformat()})
    assert (old.run, old.started, old.wish, old.told) == ("r9", NOW.isoformat(), None, True)
    assert Standing.from_dict({}) == Standing()


# ---------------------------------------------------------------- the law
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("found"), st.sampled_from(["drift", "quality"])),
        st.tuples(st.just("over"), st.sampled_from(["drift", "quality"])),
        st.tuples(st.just("truth"), st.integers(1, 300)),
        st.tuples(st.just("time"), st.integers(1, 60)),
        st.tuples(st.just("train"), st.just(0)),
        st.tuples(st.just("trained"), st.booleans()),
    ),
    max_size=40,
)


class World:
    """A model, its checks and its truth; the policy is looked at after whatever happens."""

    def __init__(self, policy: str) -> None:
        self.monitor = Monitor(retrain=policy)
        self.now, self.lasting, self.wish = NOW, {}, None
        self.labels, self.in_flight, self.started, self.served = 0, None, NOW, None
        self.retrained: list[datetime] = []
        self.starts = [NOW]
        self.looks: list[tuple[Wish | None, Decision]] = []

    def happen(self, what: str, much) -> None:
        self.now += timedelta(minutes=10)
        if what == "found":
            self.lasting[much] = Cause(much, self.lasting.get(much, cause(since=self.now)).since, self.now)
        elif what == "over":
            self.lasting.pop(much, None)
        elif what == "truth":
            self.labels += much
        elif what == "time":
            self.now += timedelta(hours=much)
        elif what == "train" and self.in_flight is None:
            self.train()
        elif what == "trained" and self.in_flight:
            self.in_flight = None
            if much:
                self.served, self.lasting = self.now, {}
        self.look()

    def train(self) -> None:
        self.starts.append(self.now)
        self.in_flight, self.started, self.labels = "run", self.now, 0

    def look(self) -> None:
        known = Situation(
            self.now,
            in_flight=self.in_flight,
            last_retrain=self.retrained[-1] if self.retrained else None,
            last_training=self.started,
            served=self.served,
            fresh_labels=self.labels,
            drop="cars/train/cars.csv",
        )
        found = decide(self.monitor, self.wish, self.lasting.values(), known, f"r{len(self.looks)}")
        self.looks.append((self.wish, found))
        self.wish = found.wish
        if found.start:
            self.retrained.append(self.now)
            self.wish = None
            self.train()


@given(policy=st.sampled_from(["on_drift", "on_quality", "either"]), events=EVENTS)
def test_a_wish_is_never_lost_in_whatever_order_findings_truth_and_cooldown_come(policy, events):
    world = World(policy)
    for what, much in events:
        world.happen(what, much)
        before, found = world.looks[-1]
        heeded = set(world.lasting) & set(world.monitor.heeds)
        if before is not None and not found.start:
            # It stands as it was, or somebody is told why it does not.
            stands = found.wish is not None and found.wish.since == before.since
            assert stands or found.withdrawn or (world.served and heeded)
            assert stands == bool(heeded) or world.served
        if found.start:
            assert heeded
        elif heeded and not world.in_flight:
            assert found.wish is not None and found.wish.waits
    gaps = zip(world.retrained, world.retrained[1:])
    assert all(later - earlier >= DAY for earlier, later in gaps), "the cooldown holds"
    # Whatever came before: where there is still something to heed, and all that it waits for comes, it starts.
    starts = len(world.retrained)
    if set(world.lasting) & set(world.monitor.heeds):
        world.happen("trained", False)
        world.happen("time", 25)
        world.happen("truth", 200)
        assert len(world.retrained) == starts + 1


@given(events=EVENTS, policy=st.just("schedule: monthly"))
def test_by_the_calendar_there_is_never_less_than_its_span_between_trainings(events, policy):
    world = World(policy)
    for what, much in events:
        world.happen(what, much)
    world.happen("trained", False)
    world.happen("time", 24 * 31)
    world.happen("truth", 200)
    assert world.retrained, "its time comes, whatever came before"
    for at in world.retrained:
        assert at - max(each for each in world.starts if each < at) >= 30 * DAY
