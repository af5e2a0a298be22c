"""How a fitted model is used, as its file declares it: `serving` (requests) and `scoring` (files)."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass, field

from tidegate.core import checks
from tidegate.core.checks import refuse
from tidegate.core.combine import OWN_RULE_PATTERN, RULES

BAD_ROWS = ("set_aside", "refuse")
FAILURE_RULES = ("fail", "others")
SERVERLESS_MEMORY_MB = (1024, 2048, 3072, 4096, 5120, 6144)
BURSTABLE = ("ml.t2.", "ml.t3.")


@dataclass(frozen=True)
class Serverless:
    """An endpoint without instances: the memory of one worker, and how many requests run at once."""

    memory_mb: int = 2048
    max_concurrency: int = 5


@dataclass(frozen=True)
class Serving:
    """How the model is served: instances, and how the algorithms' predictions become one.

    `invocations_per_instance` is what one instance should take in a minute: above it an instance is added, up
    to `instances["max"]`. With `serverless` the instances are not used.
    """

    combine: str = "max"
    on_failure: str = "fail"
    weights: dict[str, float] = field(default_factory=dict)
    instance: str = "ml.m5.large"
    instances: dict[str, int] = field(default_factory=lambda: {"min": 1, "max": 1})
    invocations_per_instance: int = 1000
    serverless: Serverless | None = None
    capture_percent: int = 100


@dataclass(frozen=True)
class Scoring:
    """How files are scored: the transform's instances, how it cuts its input, what becomes of bad rows.

    Batch transform takes fewer kinds of instances than serving does. Without `max_concurrent` the model's
    container says itself how many requests it takes at once.
    """

    instance: str = "ml.m5.large"
    count: int = 1
    max_concurrent: int | None = None
    max_payload_mb: int = 6
    bad_rows: str = "set_aside"
    most_bad_share: float = 0.1


def read_serving(raw: object, algorithms: Collection[str]) -> Serving:
    """Check the member ``serving`` and complete it; `algorithms` are the names of the model's own."""
    path = ("serving",)
    entry = checks.mapping(raw, path)
    checks.no_other_keys(entry, Serving.__dataclass_fields__, path)
    count = checks.mapping(entry.get("instances", {"min": 1, "max": 1}), (*path, "instances"))
    checks.no_other_keys(count, ("min", "max"), (*path, "instances"))
    least = checks.whole(count.get("min", 1), 1, 100, (*path, "instances", "min"))
    most = checks.whole(count.get("max", least), 1, 100, (*path, "instances", "max"))
    if most < least:
        refuse(f"max is {most}, less than min, {least}", (*path, "instances", "max"))
    combine = _read_combine(entry.get("combine", "max"), (*path, "combine"))
    return Serving(
        combine=combine,
        on_failure=checks.one_of(entry.get("on_failure", "fail"), FAILURE_RULES, (*path, "on_failure")),
        weights=_read_weights(entry.get("weights"), combine, algorithms),
        instance=checks.instance(entry.get("instance", "ml.m5.large"), (*path, "instance")),
        instances={"min": least, "max": most},
        invocations_per_instance=checks.whole(
            entry.get("invocations_per_instance", 1000), 1, 1_000_000, (*path, "invocations_per_instance")
        ),
        serverless=_read_serverless(entry.get("serverless"), (*path, "serverless")),
        capture_percent=checks.whole(entry.get("capture_percent", 100), 0, 100, (*path, "capture_percent")),
    )


def _read_serverless(raw: object, path: tuple[str, ...]) -> Serverless | None:
    if raw is None:
        return None
    entry = checks.mapping(raw, path)
    checks.no_other_keys(entry, Serverless.__dataclass_fields__, path)
    memory = checks.whole(entry.get("memory_mb", 2048), 1024, 6144, (*path, "memory_mb"))
    if memory not in SERVERLESS_MEMORY_MB:
        sizes = checks.listed([str(size) for size in SERVERLESS_MEMORY_MB])
        refuse(f"{memory} is not a size that AWS offers: {sizes}", (*path, "memory_mb"))
    at_once = checks.whole(entry.get("max_concurrency", 5), 1, 200, (*path, "max_concurrency"))
    return Serverless(memory, at_once)


def _read_combine(raw: object, path: tuple[str, ...]) -> str:
    if isinstance(raw, str) and ":" in raw:
        rule = checks.pattern(raw, OWN_RULE_PATTERN, 200, path, "module:function")
        module = rule.split(":")[0].split(".")[0]
        if module in sys.stdlib_module_names:
            refuse(f"'{module}' is Python's own; name a module from a layer of your own", path)
        return rule
    return checks.one_of(raw, RULES, path)


def _read_weights(raw: object, combine: str, algorithms: Collection[str]) -> dict[str, float]:
    path = ("serving", "weights")
    entry = checks.mapping(raw or {}, path)
    if entry and combine != "weighted":
        refuse(f"weights belong to combine: weighted, and this model says {combine}", path)
    if combine == "weighted" and (absent := [name for name in algorithms if name not in entry]):
        refuse(f"combine is weighted; give a weight for {checks.listed(absent)}", path)
    checks.no_other_keys(entry, algorithms, path)
    return {name: checks.number(entry[name], 1e-6, 1e6, (*path, name)) for name in algorithms if entry}


def read_scoring(raw: object) -> Scoring:
    """Check the member ``scoring`` and complete it."""
    entry = checks.mapping(raw, ("scoring",))
    checks.no_other_keys(entry, Scoring.__dataclass_fields__, ("scoring",))
    instance = checks.instance(entry.get("instance", Scoring.instance), ("scoring", "instance"))
    if instance.startswith(BURSTABLE):
        refuse(f"batch transform has no {instance}; take for example ml.m5.large", ("scoring", "instance"))
    at_once = entry.get("max_concurrent")
    payload = checks.whole(entry.get("max_payload_mb", 6), 1, 100, ("scoring", "max_payload_mb"))
    if at_once is not None:
        checks.whole(at_once, 1, 100, ("scoring", "max_concurrent"))
        if at_once * payload > 100:
            refuse(
                f"{at_once} requests of {payload} MB are {at_once * payload} MB at once; at most 100 MB fit",
                ("scoring", "max_concurrent"),
            )
    return Scoring(
        instance=instance,
        count=checks.whole(entry.get("count", 1), 1, 100, ("scoring", "count")),
        max_concurrent=at_once,
        max_payload_mb=payload,
        bad_rows=checks.one_of(entry.get("bad_rows", "set_aside"), BAD_ROWS, ("scoring", "bad_rows")),
        most_bad_share=checks.number(entry.get("most_bad_share", 0.1), 0, 1, ("scoring", "most_bad_share")),
    )
