"""How the retraining of a model stands, as one document: the wish, who is at serving it, the last start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tidegate.core.retrain import Decision, Wish

LEASE = timedelta(minutes=15)  # a function lives no longer: whoever claimed a retraining before has ended


@dataclass(frozen=True)
class Standing:
    """What is written down of a model's retraining, one document a model.

    Attributes
    ----------
    wish : Wish or None
        What is wanted.
    claimed_by, claimed : str or None
        The check that is at serving it, and since when.
    run, started : str or None
        The check that last started a retraining, and when.
    told : bool
        Whether people heard of that start.
    looked : str or None
        When the policy was last looked at.
    reason : str
        What that look found, in words.
    """

    wish: Wish | None = None
    claimed_by: str | None = None
    claimed: str | None = None
    run: str | None = None
    started: str | None = None
    told: bool = True
    looked: str | None = None
    reason: str = ""

    def is_claimed(self, now: datetime) -> bool:
        """Tell whether somebody may be at serving the wish right now."""
        return self.claimed is not None and now < datetime.fromisoformat(self.claimed) + LEASE

    def claim(self, wish: Wish, run: str, now: datetime) -> Standing:
        """Have a check serve the wish."""
        return replace(self, wish=wish, claimed_by=run, claimed=now.isoformat())

    def served(self, reason: str) -> Standing:
        """Say that the retraining of the claim has started."""
        return replace(
            self,
            wish=None,
            claimed_by=None,
            claimed=None,
            run=self.claimed_by,
            started=self.claimed,
            told=False,
            reason=reason,
        )

    def put_off(self, why: str) -> Standing:
        """Say that the claim could not be served, and what the wish waits for now."""
        wish = replace(self.wish, waits=(why,)) if self.wish else None
        reason = f"wanted for {wish.why}; it waits for {why}" if wish else why
        return replace(self, wish=wish, claimed_by=None, claimed=None, reason=reason)

    def looked_at(self, decision: Decision, now: datetime) -> Standing:
        """Say what a look at the policy found."""
        return replace(
            self, wish=decision.wish, looked=now.isoformat(timespec="seconds"), reason=decision.reason
        )

    def heard(self) -> Standing:
        """Say that people heard of the wish and of the last start."""
        return replace(self, wish=replace(self.wish, told=True) if self.wish else None, told=True)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {**self.__dict__, "wish": self.wish.to_dict() if self.wish else None}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any] | None) -> Standing:
        """Read the JSON form."""
        entry = dict(document or {})
        wish = entry.pop("wish", None)
        return cls(wish=Wish.from_dict(wish) if wish else None, **entry)
