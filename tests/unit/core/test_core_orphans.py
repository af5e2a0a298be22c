"""What the collector removes: never what something refers to, and all else that is old enough."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.names import maker_of
from tidegate.core.orphans import Config, Maker, Orphans, Scene, orphans

DAY = 24 * 3600.0
NOW = 100 * DAY
OLD = Maker("cars", NOW - 10 * DAY)
RUN, OTHER = "0123456789ab", "ba9876543210"
NAME, SECOND = f"tg-cars-xgboost-{RUN}", f"tg-cars-xgboost-{OTHER}"
# A model and its configuration, both left by a run that ended long ago.
LEFT = Scene(now=NOW, prefix="tg", configs=[Config(NAME, (NAME,))], models=[NAME], makers={RUN: OLD})


def test_what_a_run_left_and_nothing_refers_to_is_removed():
    assert orphans(LEFT) == Orphans((NAME,), (NAME,))


@pytest.mark.parametrize(
    "change",
    [
        {"served": frozenset({NAME})},
        {"named": frozenset({NAME})},
        {"makers": {}},
        {"makers": {RUN: Maker("cars", None)}},
        {"makers": {RUN: Maker("cars", NOW - DAY / 2)}},
        {"renamed": {"cars": NOW - DAY / 2}},
        {"in_flight": {"cars": NOW - 11 * DAY}},
        {"prefix": "t"},
    ],
    ids=[
        "an endpoint has it",
        "Parameter Store names it",
        "another deployment made it",
        "its run is at work",
        "its run has just ended",
        "it was the champion until just now",
        "a run that began before its end is at work",
        "another prefix",
    ],
)
def test_what_something_refers_to_or_may_yet_refer_to_is_kept(change):
    assert orphans(replace(LEFT, **change)) == Orphans((), ())


def test_a_run_that_began_after_everything_was_settled_keeps_nothing_from_being_removed():
    assert orphans(replace(LEFT, in_flight={"cars": NOW - DAY, "bikes": 0.0})).models == (NAME,)


def test_a_model_of_a_configuration_that_is_not_ours_is_kept():
    theirs = Config("by-hand", (NAME,))
    found = orphans(replace(LEFT, configs=[*LEFT.configs, theirs]))
    assert found == Orphans((NAME,), ())


def test_a_model_that_a_job_reads_is_kept_though_its_configuration_goes():
    assert orphans(replace(LEFT, used=frozenset({NAME}))) == Orphans((NAME,), ())


def test_a_served_configuration_keeps_the_model_without_recipe_that_it_names():
    bare = f"{NAME}s"
    scene = replace(LEFT, configs=[Config(NAME, (bare,))], models=[NAME, bare], served=frozenset({NAME}))
    assert orphans(scene) == Orphans((), (NAME,))


@pytest.mark.parametrize(
    ("name", "run"),
    [
        (NAME, RUN),
        (f"{NAME}-1", RUN),
        (f"{NAME}s", RUN),
        (f"{NAME}-Zs", RUN),
        (f"tg-a-b-linear-learner-{RUN}", RUN),
        ("tg-cars-xgboost", None),
        (f"{NAME}-mine", None),
        (f"tgx-cars-xgboost-{RUN}", None),
        (f"tg-{RUN}", None),
        (f"tg-cars-xgboost-{RUN.upper()}", None),
    ],
)
def test_the_run_that_made_something_is_read_off_its_name(name, run):
    assert maker_of("tg", name) == run


# ---------------------------------------------------------------- laws
runs = [f"{number:012x}" for number in range(6)]
ours = [
    f"tg-{use}-xgboost-{run}{end}" for run, use in zip(runs, "aabbcc", strict=True) for end in ("", "-1", "s")
]
thing = st.sampled_from([*ours, "by-hand", "tg-by-hand"])
moments = st.integers(0, 100).map(float)
uses = st.sampled_from(["a", "b", "c"])


@st.composite
def scenes(draw):
    names = draw(st.lists(thing, unique=True, max_size=8))
    return Scene(
        now=100.0,
        prefix="tg",
        configs=[Config(name, tuple(draw(st.lists(thing, max_size=2)))) for name in names],
        models=draw(st.lists(st.sampled_from([*ours, "tg-by-hand"]), unique=True, max_size=8)),
        served=frozenset(draw(st.lists(thing, max_size=2))),
        named=frozenset(draw(st.lists(thing, max_size=2))),
        used=frozenset(draw(st.lists(thing, max_size=2))),
        makers=draw(
            st.dictionaries(st.sampled_from(runs), st.builds(Maker, uses, st.none() | moments), max_size=6)
        ),
        renamed=draw(st.dictionaries(uses, moments)),
        in_flight=draw(st.dictionaries(uses, moments)),
    )


def reachable(scene: Scene, least_age: float) -> tuple[set[str], set[str]]:
    """Walk from everything that stands by itself to what it leads to: another way to the same answer."""

    def stands(name: str) -> bool:
        maker = scene.makers.get(maker_of("tg", name) or "")
        if maker is None or maker.finished is None:
            return True  # not ours, or of a run at work
        last = max([maker.finished, *([scene.renamed[maker.model]] if maker.model in scene.renamed else [])])
        seen_by_a_run = maker.model in scene.in_flight and scene.in_flight[maker.model] <= last
        return scene.now - last < least_age or seen_by_a_run

    configs = {
        c.name for c in scene.configs if c.name in scene.served or c.name in scene.named or stands(c.name)
    }
    models = {m for m in scene.models if m in scene.named or m in scene.used or stands(m)}
    models |= {model for c in scene.configs if c.name in configs for model in c.models}
    return configs, models


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(scenes(), moments)
def test_nothing_that_can_be_reached_is_removed_and_everything_else_is(scene, least_age):
    found = orphans(scene, least_age)
    configs, models = reachable(scene, least_age)
    assert not configs & set(found.configs)
    assert not models & set(found.models)
    assert configs | set(found.configs) == {c.name for c in scene.configs}
    assert set(found.models) == set(scene.models) - models


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(scenes(), moments)
def test_what_is_left_after_a_collection_needs_no_other(scene, least_age):
    first = orphans(scene, least_age)
    left = replace(
        scene,
        configs=[c for c in scene.configs if c.name not in first.configs],
        models=[m for m in scene.models if m not in first.models],
    )
    assert orphans(left, least_age) == Orphans((), ())
