"""Which answer the caller gets when endpoints fail: the status says whether asking again may help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tidegate.api.model import BUSY, GONE
from tidegate.api.problems import Problem
from tidegate.core.champions import whys
from tidegate.core.errors import CombineFailed, RuleAbsent, TidegateError

Kind = Literal["refused", "failed", "late", "busy", "absent"]

UPDATE_SECONDS = 30
# What the caller is told; what the endpoint really said stays in the log.
SENTENCES: dict[Kind, str] = {
    "refused": "did not take the records",
    "failed": "failed",
    "late": "did not answer in time",
    "busy": "has more requests than it can take",
    "absent": "is not there now",
}


class EndpointTrouble(TidegateError):
    """An endpoint did not answer with predictions; the text is for the log.

    Parameters
    ----------
    kind : str
        What happened, in one of the words of `SENTENCES`.
    message : str
        What it said.
    """

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind: Kind = kind


def kind_of(code: str, original_status: int | None, message: str) -> Kind:
    """Tell from an error of InvokeEndpoint what happened.

    >>> kind_of("ModelError", 400, "record 1 has …")
    'refused'
    >>> kind_of("ThrottlingException", None, "Rate exceeded")
    'busy'
    """
    if code == "ModelError":
        if "timed out" in message:
            return "late"
        return "refused" if original_status is not None and 400 <= original_status < 500 else "failed"
    if code in ("ThrottlingException", "ServiceUnavailable", "ModelNotReadyException", "TooManyRequests"):
        return "busy"
    return "absent" if code == "ValidationError" else "failed"


def told(troubles: Mapping[str, EndpointTrouble]) -> dict[str, str]:
    """Say for each algorithm that failed what the caller may know."""
    return {name: f"its endpoint {SENTENCES[trouble.kind]}" for name, trouble in troubles.items()}


def problem_of(troubles: Mapping[str, EndpointTrouble], statuses: Mapping[str, str]) -> Problem:
    """Choose the answer for a request that cannot be answered.

    Parameters
    ----------
    troubles : mapping
        By algorithm; at least one.
    statuses : mapping of str to str
        The status of the endpoints of the algorithms that were absent.
    """
    said = "; ".join(f"{name}: {sentence}" for name, sentence in told(troubles).items())
    kinds = {trouble.kind for trouble in troubles.values()}
    if any(status in BUSY for status in statuses.values()):
        return updating(said)
    if kinds == {"absent"} and set(statuses.values()) == {GONE}:
        return Problem(409, f"{said}: it was deleted; the model has to be trained again to be served")
    if "busy" in kinds and not kinds & {"failed", "refused"}:
        return Problem(503, f"{said}; ask again in a moment", retry_after_seconds=1)
    if kinds == {"late"}:
        return Problem(504, f"{said}; send fewer records at once, or ask again")
    return Problem(502, f"{said}; the log of the stack says more under this request id")


def updating(said: str) -> Problem:
    """Answer while an endpoint comes up."""
    return Problem(503, f"{said}; it is being updated, ask again soon", retry_after_seconds=UPDATE_SECONDS)


def not_deployed(model: str, lost: Mapping[str, str] | None = None) -> Problem:
    """Answer for a model that is declared and not trained, that no gate let pass, or whose versions are gone.

    Parameters
    ----------
    model : str
        The model.
    lost : mapping of str to str, optional
        By algorithm why what is named as serving it counts as nothing.
    """
    if lost:
        return Problem(
            409,
            f"the model '{model}' is declared but nothing serves it any more ({whys(lost)}); train it again",
        )
    return Problem(
        409,
        f"the model '{model}' is declared but nothing serves it yet; it has to be trained and pass its gate",
    )


def not_combined(rule: str, failure: CombineFailed) -> Problem:
    """Answer where a combination rule of one's own is absent, or fails on what the endpoints predicted."""
    if isinstance(failure, RuleAbsent):
        return Problem(
            503,
            f"serving.combine of the model file names '{rule}', which is not in the layer of this stack "
            "(parameter CombineLayerArn); it answers once it is there",
        )
    return Problem(
        502,
        f"'{rule}' could not combine the predictions; the log of the stack says more under this request id",
    )


def unknown_model(model: str) -> Problem:
    """Answer for a name that nobody declared."""
    return Problem(404, f"there is no model '{model[:60]}' here; GET /models lists them")
