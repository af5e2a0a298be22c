"""AWS's service authorization reference, as policy_sentry ships it: actions, what they act on, condition keys.

It answers questions about one action or one statement's parts; what a policy must be like is in the tests.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

from policy_sentry.shared.iam_data import get_service_prefix_data

# Names in which no slash can be: what follows one is something else, an object or an index.
_WITHOUT_SLASH = frozenset({"BucketName", "TableName"})
_PLACE = re.compile(r"(\$\{[^}]+\})")


@dataclass(frozen=True)
class Action:
    """What is known of one action.

    Attributes
    ----------
    resources : dict of str
        The form of the ARN of each type of resource that it acts on; empty if AWS takes only ``*`` for it.
    condition_keys : frozenset of str
        The keys that its requests carry, without the global ones.
    """

    name: str
    resources: dict[str, str]
    condition_keys: frozenset[str]

    def takes(self, arn: str) -> bool:
        """Tell whether an ARN of a statement, which may hold stars, can name what this action acts on."""
        return any(fits(arn, form) for form in self.resources.values())

    def knows(self, key: str) -> bool:
        """Tell whether a condition may ask for a key, of its own or one of all services'."""
        if key.startswith("aws:"):
            return True
        return any(_matches(key, known) for known in self.condition_keys)


@functools.cache
def action(name: str) -> Action:
    """Look one action up.

    Parameters
    ----------
    name : str
        As in a policy: ``s3:GetObject``.

    Raises
    ------
    LookupError
        If the service does not exist or has no such action.
    """
    service, _, wanted = name.partition(":")
    known = _service(service)["privileges"]
    exact = next((each for each in known if each.lower() == wanted.lower()), None)
    if exact is None:
        raise LookupError(f"{service} has no action {wanted}")
    kinds = known[exact]["resource_types"]
    keys = {key for kind in kinds.values() for key in kind["condition_keys"]}
    of_resources = _service(service)["resources"]
    for kind in kinds:
        keys.update(of_resources.get(kind, {}).get("condition_keys", []))
    return Action(name, {kind: forms(service)[kind] for kind in kinds if kind}, frozenset(keys))


@functools.cache
def actions(pattern: str) -> tuple[Action, ...]:
    """Give the actions that a pattern such as ``s3:Get*`` names; a plain name names one, or nothing at all."""
    service, _, wanted = pattern.partition(":")
    known = _service(service)["privileges"]
    return tuple(action(f"{service}:{each}") for each in known if _matches(wanted.lower(), each.lower(), "*"))


@functools.cache
def forms(service: str) -> dict[str, str]:
    """Give the form of the ARN of each type of resource that a service has."""
    return {kind: about["arn"] for kind, about in _service(service)["resources"].items()}


def fits(arn: str, form: str) -> bool:
    """Tell whether some ARN is both: of an ARN that may hold stars, and of a form such as ``…:s3:::${BucketName}``."""
    # A star may span colons, but nobody writes one that spans the fields ahead of the resource itself.
    ours, theirs = arn.split(":", 5), form.split(":", 5)
    if len(ours) != len(theirs):
        return arn == "*"
    return all(_meet(mine, tuple(_PLACE.split(known))) for mine, known in zip(ours, theirs, strict=True))


@functools.cache
def _meet(arn: str, form: tuple[str, ...]) -> bool:
    if not form:
        return not arn.strip("*")
    part, rest = form[0], form[1:]
    if not part:
        return _meet(arn, rest)
    if arn.startswith("*"):  # the star stands for nothing more, or for what comes next in the form
        return _meet(arn[1:], form) or _meet(arn, (part[1:] if not part.startswith("${") else "", *rest))
    if not arn:
        return False
    if not part.startswith("${"):
        return arn[0] == part[0] and _meet(arn[1:], (part[1:], *rest))
    if arn[0] == "/" and part[2:-1] in _WITHOUT_SLASH:
        return False
    return _meet(arn[1:], rest) or _meet(arn[1:], form)


def _service(prefix: str) -> dict[str, Any]:
    found: dict[str, Any] | None = get_service_prefix_data(prefix)
    if not found:
        raise LookupError(f"there is no service {prefix}")
    return found


def _matches(text: str, known: str, star: str = "${") -> bool:
    """Compare with stars in ``text``, or with placeholders such as ``${TagKey}`` in ``known``."""
    template, value = (text, known) if star == "*" else (re.sub(r"\$\{[^}]+\}|<[^>]+>", "*", known), text)
    return re.fullmatch(".*".join(map(re.escape, template.split("*"))), value) is not None
