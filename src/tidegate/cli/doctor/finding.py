"""One thing that was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    what : str
        The thing.
    ok : bool or None
        How it is; None where it could not be looked at.
    found : str
        What was seen.
    remedy : str
        What to do where it is not well.
    """

    what: str
    ok: bool | None
    found: str
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """Give the form that ``--json`` prints."""
        return asdict(self)


def looked(
    what: str, look: Callable[..., Iterable[Finding]], *given: Any, hidden: bool | None = None
) -> Iterator[Finding]:
    """Look at something; what AWS refuses to show is told as not looked at, and stops no other look.

    Parameters
    ----------
    what : str
        The thing.
    look : callable
        Looks at it, given `given`.
    hidden : bool or None
        How it is where it cannot be seen: of some things that alone says enough.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from tidegate.cli.errors import Trouble, explain

    try:
        yield from look(*given)
    except Trouble as trouble:
        yield Finding(what, False, trouble.message, trouble.remedy)
    except (ClientError, BotoCoreError) as error:
        words = explain(error, "AWS") or Trouble(str(error))
        yield Finding(what, hidden, words.message, words.remedy)
