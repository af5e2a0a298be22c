"""What lasts over several checks: from the first that found it to the one after which it is over.

One episode answers one question about one algorithm. `advance` says what a check makes of it, and whether
that is news: a start, a worsening (a column more, a severity up, quality that has surely fallen further than
was told), an end. Each start has one end, and nothing in between is news twice: what was told is remembered,
and only what goes beyond it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tidegate.core.trend import Trend, trend

News = Literal["start", "worse", "end"]
SEVERITIES = ("none", "watch", "act")
BAD_DATA, DRIFT, QUALITY, TRUTH, CHECK = "bad data", "drift", "quality", "truth", "check"
# The gravest first.
QUESTIONS = (DRIFT, QUALITY, CHECK, BAD_DATA, TRUTH)
# Checks in a row without it after which it is over: what comes and goes from one to the next is one episode.
CALM = {DRIFT: 2, BAD_DATA: 2}
FURTHER = 0.05  # that much more than was told, as quality is tolerated to fall
EXTENTS = 60  # checks whose extent the trend is of


def gravest(severities: Any) -> str:
    """Give the gravest of some severities.

    >>> gravest(["watch", "act"]), gravest([])
    ('act', 'none')
    """
    return max(severities, key=SEVERITIES.index, default="none")


@dataclass(frozen=True)
class Look:
    """What one check says to one question.

    Attributes
    ----------
    at : str
        When the check was made, an ISO time.
    severity : str
        ``none``, ``watch`` or ``act``.
    parts : mapping of str to str
        The columns in which it was found, each with its severity.
    extent : float or None
        How far it goes, on the question's own scale.
    surely : float or None
        How far at least; None where nobody knows.
    since : str or None
        When the first of the rows was predicted; None where the check's time has to do.
    champion : str or None
        The model that it is about.
    spoilt : bool
        Whether all that drifts is bad data.
    """

    at: str
    severity: str = "none"
    parts: Mapping[str, str] = field(default_factory=dict)
    extent: float | None = None
    surely: float | None = None
    since: str | None = None
    champion: str | None = None
    spoilt: bool = False


@dataclass(frozen=True)
class Episode:
    """What has been found, and what of it people know.

    Attributes
    ----------
    since : str
        Since when it lasts.
    severity, parts, extent
        The gravest that was told.
    checks : int
        How many checks found it.
    calm : int
        How many in a row have not, at the end.
    last : str
        When it was found last.
    extents : tuple of float or None
        Of the newest checks that found it, the oldest first.
    spoilt : bool
        Whether all that drifts is bad data, from which nothing can be learned.
    """

    since: str
    severity: str
    parts: Mapping[str, str]
    extent: float | None
    champion: str | None
    last: str
    checks: int = 1
    calm: int = 0
    extents: tuple[float | None, ...] = ()
    spoilt: bool = False

    @property
    def trend(self) -> Trend | None:
        """Whether it grows over the checks."""
        return trend(self.extents)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {**self.__dict__, "parts": dict(self.parts), "extents": list(self.extents)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Episode:
        """Read the JSON form."""
        return cls(**{**document, "extents": tuple(document.get("extents", ()))})


@dataclass(frozen=True)
class Step:
    """What a check made of an episode.

    Attributes
    ----------
    episode : Episode or None
        As it stands after the check; None where there is none, or no more.
    news : tuple
        What is news of it, each with the episode that it is about; an end goes before a start.
    gained : tuple of str
        Of a worsening: the columns that are new or graver.
    """

    episode: Episode | None
    news: tuple[tuple[News, Episode], ...] = ()
    gained: tuple[str, ...] = ()


def advance(question: str, before: Episode | None, look: Look | None) -> Step:
    """Say what a check makes of an episode.

    Parameters
    ----------
    question : str
        Of `QUESTIONS`.
    before : Episode or None
        How it stood.
    look : Look or None
        What the check says; None where it had nothing to tell by.

    Examples
    --------
    >>> found = advance("quality", None, Look("2026-03-03", "act", extent=0.2))
    >>> [news for news, _ in found.news]
    ['start']
    >>> [news for news, _ in advance("quality", found.episode, Look("2026-03-04")).news]
    ['end']
    """
    if look is None:
        return Step(before)
    if before is not None and before.champion != look.champion:
        # Another model serves: what was found of the one before it is over.
        begun = _found_first(look)
        return Step(begun, (("end", before), *((("start", begun),) if begun else ())))
    if before is None:
        begun = _found_first(look)
        return Step(begun, (("start", begun),) if begun else ())
    if look.severity == "none":
        calm = before.calm + 1
        if calm >= CALM.get(question, 1):
            return Step(None, (("end", before),))
        return Step(replace(before, calm=calm))
    return _found_again(before, look)


def _found_first(look: Look) -> Episode | None:
    if look.severity == "none":
        return None
    return Episode(
        since=min(look.since or look.at, look.at),
        severity=look.severity,
        parts=dict(look.parts),
        extent=look.extent,
        champion=look.champion,
        last=look.at,
        extents=(look.extent,),
        spoilt=look.spoilt,
    )


def _found_again(before: Episode, look: Look) -> Step:
    gained = tuple(
        name
        for name, severity in look.parts.items()
        if SEVERITIES.index(severity) > SEVERITIES.index(before.parts.get(name, "none"))
    )
    graver = SEVERITIES.index(look.severity) > SEVERITIES.index(before.severity)
    further = (
        look.surely is not None
        and look.extent is not None
        and before.extent is not None
        and look.surely > before.extent
        and look.extent >= before.extent + FURTHER
    )
    worse = bool(gained) or graver or further
    after = replace(
        before,
        severity=gravest([before.severity, look.severity]),
        parts={**before.parts, **{name: look.parts[name] for name in gained}},
        extent=_most(before.extent, look.extent) if worse else before.extent,
        last=look.at,
        checks=before.checks + 1,
        calm=0,
        spoilt=look.spoilt,
        extents=(*before.extents, look.extent)[-EXTENTS:],
    )
    return Step(after, (("worse", after),) if worse else (), gained)


def _most(told: float | None, found: float | None) -> float | None:
    known = [each for each in (told, found) if each is not None]
    return max(known, default=None)
