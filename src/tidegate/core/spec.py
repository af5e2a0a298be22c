"""A model's declaration as plain dataclasses: what `model.yaml` says, checked and completed with defaults.

Reading YAML is done at the edge (`tidegate.modelfile`); this module sees a dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tidegate.core import checks
from tidegate.core.algorithms import Algorithm, read_algorithm
from tidegate.core.checks import refuse
from tidegate.core.monitor import Monitor, read_monitor
from tidegate.core.names import MODEL_NAME_MAX, MODEL_NAME_PATTERN, RESERVED
from tidegate.core.usage import Scoring, Serving, read_scoring, read_serving

FEATURE_TYPES = ("numeric", "integer", "categorical", "boolean", "date")
GATE_METRICS = ("rmse", "mae", "r2")
BUSY_RULES = ("queue", "supersede")
CHAMPION_RULES = ("not_worse", "better", "off")
DEFAULT_LEVELS = 512


@dataclass(frozen=True)
class Feature:
    """One input column.

    Attributes
    ----------
    levels : int
        Of a categorical, the most levels that get a column of their own.
    missing : tuple of str
        The words that stand for a missing value, beside an empty cell.
    """

    type: str
    levels: int = DEFAULT_LEVELS
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """The shares of the rows that train, validate and test; they add up to 1."""

    train: float = 0.7
    validation: float = 0.15
    test: float = 0.15


@dataclass(frozen=True)
class Training:
    """What becomes of a drop while a run of the model is on: it waits in line, or the older gives way."""

    when_busy: str = "queue"


@dataclass(frozen=True)
class Gate:
    """What a candidate must pass: a bound on a metric, and a rule against the champion."""

    metric: str = "rmse"
    at_most: float | None = None
    at_least: float | None = None
    against_champion: str = "not_worse"


@dataclass(frozen=True)
class ModelSpec:
    """One model, as its file declares it."""

    name: str
    target: str
    features: dict[str, Feature]
    algorithms: dict[str, Algorithm]
    id: str | None = None
    split: Split = Split()
    training: Training = Training()
    gate: Gate = Gate()
    serving: Serving = field(default_factory=Serving)
    scoring: Scoring = field(default_factory=Scoring)
    monitor: Monitor = field(default_factory=Monitor)
    notify: tuple[str, ...] = ()
    id_missing: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, raw: object) -> ModelSpec:
        """Check a declaration and fill in its defaults.

        Parameters
        ----------
        raw : object
            What the YAML or JSON held; anything but a mapping is refused.

        Raises
        ------
        BadSpec
            With one sentence and the path of the first thing that is wrong.
        """
        top = checks.mapping(raw, ())
        checks.no_other_keys(top, _KEYS, ())
        features = _read_features(top)
        target = checks.text(checks.required(top, "target", ()), ("target",))
        identity, id_missing = _read_id(top.get("id"))
        if target in features:
            refuse(
                f"the target '{target}' is listed as a feature too; take it out of features",
                ("features", target),
            )
        if identity == target:
            refuse("the id and the target are the same column", ("id",))
        if identity in features:
            refuse(
                f"the id '{identity}' is listed as a feature too; take it out of features",
                ("features", identity or ""),
            )
        algorithms = _read_algorithms(top)
        return cls(
            name=_read_name(top),
            target=target,
            id=identity,
            features=features,
            algorithms=algorithms,
            split=_read_split(top.get("split", {})),
            training=_read_training(top.get("training", {})),
            gate=_read_gate(top.get("gate", {})),
            serving=read_serving(top.get("serving", {}), algorithms),
            scoring=read_scoring(top.get("scoring", {})),
            monitor=read_monitor(top.get("monitor", {})),
            notify=_read_notify(top.get("notify", [])),
            id_missing=id_missing,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the canonical form: every default written out, ready for JSON; `from_dict` reads it back."""
        plain = asdict(self)
        plain["notify"] = list(self.notify)
        for name, algorithm in self.algorithms.items():
            if algorithm.tuning is not None:
                from tidegate.core.tuning import plain_tuning

                plain["algorithms"][name]["tuning"] = plain_tuning(algorithm.tuning)
        plain["features"] = {
            name: {
                "type": f.type,
                **({"levels": f.levels} if f.type == "categorical" else {}),
                **({"missing": list(f.missing)} if f.missing else {}),
            }
            for name, f in self.features.items()
        }
        if missing := plain.pop("id_missing"):
            plain["id"] = {"column": self.id, "missing": list(missing)}
        return plain

    @property
    def missing(self) -> dict[str, tuple[str, ...]]:
        """The words for a missing value by column, the id's among them; a column without any is not there."""
        found = {name: feature.missing for name, feature in self.features.items() if feature.missing}
        return {**found, self.id: self.id_missing} if self.id and self.id_missing else found


_KEYS = tuple(name for name in ModelSpec.__dataclass_fields__ if name != "id_missing")


def _read_name(top: Mapping[str, Any]) -> str:
    name = checks.text(checks.required(top, "name", ()), ("name",))
    if name in RESERVED:
        refuse(f"'{name}' is a folder's name here; choose another, for example '{name}-model'", ("name",))
    return checks.pattern(
        name, MODEL_NAME_PATTERN, MODEL_NAME_MAX, ("name",), "lower-case letters, digits and single dashes"
    )


def _read_id(raw: object) -> tuple[str | None, tuple[str, ...]]:
    """Read the id: a column's name, or a mapping that also says which words are no id."""
    if raw is None:
        return None, ()
    if not isinstance(raw, Mapping):
        return checks.text(raw, ("id",)), ()
    entry = checks.mapping(raw, ("id",))
    checks.no_other_keys(entry, ("column", "missing"), ("id",))
    name = checks.text(checks.required(entry, "column", ("id",)), ("id", "column"))
    return name, _read_missing(entry.get("missing", []), ("id", "missing"))


def _read_missing(raw: object, path: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(raw, list):
        refuse("expected a list of words that stand for a missing value, such as [NA, unknown]", path)
    return tuple(dict.fromkeys(_read_word(each, path) for each in raw))


def _read_word(value: object, path: tuple[str, ...]) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        checks.number(value, None, None, path)
        return str(value)  # -999 needs no quotes
    return checks.text(value, path).strip()


def _read_features(top: Mapping[str, Any]) -> dict[str, Feature]:
    listed = checks.mapping(checks.required(top, "features", ()), ("features",))
    if not listed:
        refuse("no feature is listed; name at least one column", ("features",))
    return {
        checks.text(name, ("features",)): _read_feature(what, ("features", str(name)))
        for name, what in listed.items()
    }


def _read_feature(what: object, path: tuple[str, ...]) -> Feature:
    if isinstance(what, str):
        return Feature(checks.one_of(what, FEATURE_TYPES, path))
    entry = checks.mapping(what, path)
    checks.no_other_keys(entry, ("type", "levels", "missing"), path)
    kind = checks.one_of(checks.required(entry, "type", path), FEATURE_TYPES, (*path, "type"))
    if "levels" in entry and kind != "categorical":
        refuse(f"levels belong to a categorical feature, and this one is {kind}", (*path, "levels"))
    levels = checks.whole(entry.get("levels", DEFAULT_LEVELS), 1, 10_000, (*path, "levels"))
    return Feature(kind, levels, _read_missing(entry.get("missing", []), (*path, "missing")))


def _read_algorithms(top: Mapping[str, Any]) -> dict[str, Algorithm]:
    listed = checks.mapping(checks.required(top, "algorithms", ()), ("algorithms",))
    if not listed:
        refuse("no algorithm is listed; name at least one, for example xgboost", ("algorithms",))
    return {
        str(name): read_algorithm(str(name), what, ("algorithms", str(name))) for name, what in listed.items()
    }


def _read_split(raw: object) -> Split:
    entry = checks.mapping(raw, ("split",))
    checks.no_other_keys(entry, Split.__dataclass_fields__, ("split",))
    shares = {
        part: checks.number(entry.get(part, getattr(Split, part)), 0.01, 0.98, ("split", part))
        for part in Split.__dataclass_fields__
    }
    if abs(sum(shares.values()) - 1) > 1e-9:
        refuse(f"the shares add up to {sum(shares.values()):g}; they must add up to 1", ("split",))
    return Split(**shares)


def _read_training(raw: object) -> Training:
    entry = checks.mapping(raw, ("training",))
    checks.no_other_keys(entry, Training.__dataclass_fields__, ("training",))
    rule = checks.one_of(entry.get("when_busy", Training.when_busy), BUSY_RULES, ("training", "when_busy"))
    return Training(rule)


def _read_gate(raw: object) -> Gate:
    entry = checks.mapping(raw, ("gate",))
    checks.no_other_keys(entry, Gate.__dataclass_fields__, ("gate",))
    metric = checks.one_of(entry.get("metric", "rmse"), GATE_METRICS, ("gate", "metric"))
    # No error is less than nothing, and no R² is more than one: such a gate would let nothing pass.
    within: dict[str, tuple[float | None, float | None]] = {"at_most": (0, None), "at_least": (None, 1)}
    bounds = {
        side: None if entry.get(side) is None else checks.number(entry[side], *within[side], ("gate", side))
        for side in ("at_most", "at_least")
    }
    wrong_side = "at_most" if metric == "r2" else "at_least"
    if bounds[wrong_side] is not None:
        right_side = "at_least" if metric == "r2" else "at_most"
        refuse(
            f"{metric} is better when {'high' if metric == 'r2' else 'low'}; use {right_side}",
            ("gate", wrong_side),
        )
    rule = checks.one_of(
        checks.unbool_off(entry.get("against_champion", "not_worse")),
        CHAMPION_RULES,
        ("gate", "against_champion"),
    )
    return Gate(metric, bounds["at_most"], bounds["at_least"], rule)


def _read_notify(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list):
        refuse("expected a list of e-mail addresses", ("notify",))
    return tuple(
        checks.pattern(
            checks.text(each, ("notify",)),
            r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
            254,
            ("notify",),
            "an e-mail address",
        )
        for each in raw
    )
