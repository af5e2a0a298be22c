"""What people are told of a model's checks, and the memory of what they were told: a pure decision.

The memory is one document a model, written on the condition that nobody else has written it meanwhile,
together with the messages that are still to be sent. So a message is decided once, whichever of several
checks comes first, and one that was decided is sent, whatever breaks in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tidegate.core.episodes import (
    BAD_DATA,
    CHECK,
    DRIFT,
    QUALITY,
    QUESTIONS,
    TRUTH,
    Episode,
    Look,
    News,
    advance,
    gravest,
)

PERIODS = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
REFUSED = 200  # truth files that were refused, remembered so that each is told once
THE_CHECK = ""  # in the place of an algorithm: what befell the check as a whole


@dataclass(frozen=True)
class Told:
    """What is remembered of one algorithm: the last window that was told of, and what lasts."""

    window: int = 0
    episodes: Mapping[str, Episode] = field(default_factory=dict)


@dataclass(frozen=True)
class Memory:
    """What is remembered of a model.

    Attributes
    ----------
    algorithms : mapping
        By name; what befell checks as a whole under `THE_CHECK`.
    spoken : str or None
        When people last heard of anything that lasts.
    refused : tuple of str
        Where refused truth that people heard of is kept.
    """

    algorithms: Mapping[str, Told] = field(default_factory=dict)
    spoken: str | None = None
    refused: tuple[str, ...] = ()

    @property
    def open(self) -> Iterator[tuple[str, str, Episode]]:
        """What lasts: algorithm, question and episode, the gravest question first."""
        for question in QUESTIONS:
            for name, told in self.algorithms.items():
                if question in told.episodes:
                    yield name, question, told.episodes[question]

    @property
    def severity(self) -> str:
        """The gravest of what lasts."""
        return gravest(episode.severity for _, _, episode in self.open)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "algorithms": {
                name: {
                    "window": told.window,
                    "episodes": {question: each.to_dict() for question, each in told.episodes.items()},
                }
                for name, told in self.algorithms.items()
            },
            "spoken": self.spoken,
            "refused": list(self.refused),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any] | None) -> Memory:
        """Read the JSON form; of nothing, nothing was told."""
        found = document or {}
        return cls(
            {
                name: Told(
                    int(each["window"]),
                    {question: Episode.from_dict(entry) for question, entry in each["episodes"].items()},
                )
                for name, each in found.get("algorithms", {}).items()
            },
            found.get("spoken"),
            tuple(found.get("refused", ())),
        )


@dataclass(frozen=True)
class Item:
    """One thing that people shall hear.

    Attributes
    ----------
    news : str
        ``start``, ``worse``, ``end``, or ``lasts`` in a digest.
    gained : tuple of str
        Of a worsening: the columns that are new or graver.
    """

    news: News | str
    algorithm: str
    question: str
    episode: Episode
    gained: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What people shall hear after a check, and what is to be remembered.

    Attributes
    ----------
    items : tuple of Item
        The gravest question first; with ``lasts`` among them it is a digest.
    refused : tuple of mapping
        Truth files that were refused and that nobody has heard of.
    """

    memory: Memory
    items: tuple[Item, ...] = ()
    refused: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_news(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.items or self.refused)


def decide(memory: Memory, outcome: Mapping[str, Any], digest: str | None, now: datetime) -> Decision:
    """Decide what people hear after a check.

    Parameters
    ----------
    memory : Memory
        What they know.
    outcome : mapping
        Of the check, as `monitoring.finish_monitoring` gives it: ``algorithms``, ``known`` (what stands of
        those without news in this run), ``refused``, ``failure``.
    digest : str or None
        ``daily``, ``weekly``, or none at all.
    now : datetime
        When this is decided.
    """
    at = now.isoformat(timespec="seconds")
    algorithms, items = dict(memory.algorithms), []
    for name, entries in _entries(outcome):
        for entry, is_of_this_run in entries:
            told = algorithms.get(name, Told())
            algorithms[name], found = _step(name, told, entry, at if is_of_this_run else None)
            items += found
    for name in _gone(algorithms, outcome):
        lasted = algorithms.pop(name).episodes
        items += [Item("end", name, question, episode) for question, episode in lasted.items()]
    known = {str(each) for each in memory.refused}
    refused = tuple(each for each in outcome.get("refused") or () if str(each["kept_at"]) not in known)
    places = (*memory.refused, *(str(each["kept_at"]) for each in refused))[-REFUSED:]
    after = Memory(algorithms, memory.spoken, places)
    if not items and _is_due(after, digest, now):
        items = [Item("lasts", name, question, episode) for name, question, episode in after.open]
    items.sort(key=lambda item: QUESTIONS.index(item.question))
    return Decision(replace(after, spoken=at) if items else after, tuple(items), refused)


def _entries(outcome: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[Mapping[str, Any], bool]]]]:
    """Give what there is to say of each algorithm, the oldest first: what stood before, and this run's."""
    known, found = outcome.get("known") or {}, outcome.get("algorithms") or {}
    for name in {**known, **found}:
        yield name, [(each[name], each is found) for each in (known, found) if name in each]
    failed = outcome.get("failure")
    whole = {"status": "FAILED", "state": failed.get("state")} if failed else {"status": "SUCCEEDED"}
    yield THE_CHECK, [(whole, True)]


def _gone(algorithms: Mapping[str, Told], outcome: Mapping[str, Any]) -> list[str]:
    """Name the algorithms that serve no more; nobody can tell by a check that came not so far as to look."""
    served = {**(outcome.get("known") or {}), **(outcome.get("algorithms") or {})}
    if not served or outcome.get("failure"):
        return []
    return [name for name in algorithms if name not in served and name != THE_CHECK]


def _step(name: str, told: Told, entry: Mapping[str, Any], at: str | None) -> tuple[Told, list[Item]]:
    """Take in what a check said of one algorithm; `at` is None of one that ended before."""
    window = int(entry.get("window") or 0)
    looks: dict[str, Look | None] = {CHECK: _look_at_the_check(entry, at)} if at else {}
    # Summaries of before say nothing of when they were made, nor whether they had enough to tell by.
    concluded = bool(entry.get("verdict")) and bool(entry.get("at"))
    fresh = entry.get("status") != "FAILED" and window > told.window and concluded
    if fresh and not entry.get("replaced"):
        looks |= _looks(entry)
    episodes: dict[str, Episode] = dict(told.episodes)
    items = []
    for question, look in looks.items():
        step = advance(question, episodes.pop(question, None), look)
        if step.episode is not None:
            episodes[question] = step.episode
        items += [Item(news, name, question, episode, step.gained) for news, episode in step.news]
    return Told(window if fresh else told.window, episodes), items


def _look_at_the_check(entry: Mapping[str, Any], at: str) -> Look | None:
    status = entry.get("status")
    if status == "FAILED":
        # Another state is another thing that is broken.
        return Look(at, "act", {str(entry.get("state") or "unknown"): "act"})
    return Look(at) if status == "SUCCEEDED" else None


def _looks(entry: Mapping[str, Any]) -> dict[str, Look | None]:
    at, answers = str(entry.get("at")), entry.get("answers") or {}
    about: dict[str, Any] = {"at": at, "champion": entry.get("champion")}
    looks: dict[str, Look | None] = {}
    for question, name in ((BAD_DATA, "bad_data"), (DRIFT, "drift")):
        answer = answers.get(name) or {}
        if answer.get("known"):
            graver = set(answer.get("act") or ())
            parts = {each: "act" if each in graver else "watch" for each in answer.get("columns") or ()}
            looks[question] = Look(
                severity=answer["severity"],
                parts=parts,
                extent=answer.get("extent"),
                since=entry.get("first"),
                spoilt=question == DRIFT and bool(entry.get("spoilt")),
                **about,
            )
    answer = answers.get("quality") or {}
    if answer.get("known"):
        extent, surely = answer.get("extent"), answer.get("surely")
        looks[QUALITY] = Look(severity=answer["severity"], extent=extent, surely=surely, **about)
    labels = entry.get("labels") or {}
    if labels.get("came"):
        found = any(labels.get(each) for each in ("matched", "corrected", "repeated"))
        lost = labels.get("waiting") and not found
        looks[TRUTH] = Look(at, "watch" if lost else "none")
    return looks


def _is_due(memory: Memory, digest: str | None, now: datetime) -> bool:
    """Tell whether it is time to say what lasts: where a check has found it again since people last heard."""
    if digest not in PERIODS or memory.spoken is None:
        return False
    spoken = datetime.fromisoformat(memory.spoken)
    again = any(datetime.fromisoformat(episode.last) > spoken for _, _, episode in memory.open)
    return again and now - spoken >= PERIODS[digest]
