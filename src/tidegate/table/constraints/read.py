"""Reading `constraints.json`, whoever wrote it: Tidegate, Model Monitor, or a person with an editor."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tidegate.core.errors import BadConstraints
from tidegate.core.sentences import Sentence, listed, of_the_data, say, told

TYPES = ("Integral", "Fractional", "String", "Unknown")
METHODS = ("Robust", "Simple")
CATEGORICAL_METHODS = ("LInfinity", "ChiSquared")
_OVERRIDES = ("monitoring_config_overrides", "monitoringConfigOverrides")
# What may stand where; a key that is misspelt or misplaced would otherwise be a rule that nobody keeps.
KNOWN = {
    "the file": {"version", "features", "monitoring_config"},
    "an entry of features": {
        "name",
        "inferred_type",
        "completeness",
        "num_constraints",
        "string_constraints",
        *_OVERRIDES,
    },
    "num_constraints": {"is_non_negative", *_OVERRIDES},
    "string_constraints": {"domains", *_OVERRIDES},
    "monitoring_config": {
        "evaluate_constraints",
        "emit_metrics",
        "datatype_check_threshold",
        "domain_content_threshold",
        "distribution_constraints",
    },
    "distribution_constraints": {
        "perform_comparison",
        "enable_comparisons",
        "min_domain_mass",
        "comparison_threshold",
        "comparison_method",
        "categorical_comparison_threshold",
        "categorical_drift_method",
    },
}


@dataclass(frozen=True)
class Settings:
    """How checks are made; the defaults are Model Monitor's.

    Attributes
    ----------
    data_type_share : float
        The share of values that must be of the column's type.
    domain_share : float
        The share of texts that must be in the column's domain.
    """

    evaluate: bool = True
    data_type_share: float = 1.0
    domain_share: float = 1.0
    compare_distributions: bool = True
    threshold: float = 0.1
    method: str = "Robust"
    categorical_threshold: float = 0.1
    categorical_method: str = "LInfinity"


@dataclass(frozen=True)
class ColumnConstraints:
    """What one column must keep to; None asks nothing.

    Attributes
    ----------
    predicted : bool
        Whether the model itself made its values, so that none of them can be bad data.
    """

    name: str
    inferred_type: str = "Unknown"
    completeness: float | None = None
    non_negative: bool = False
    domain: tuple[str, ...] | None = None
    settings: Settings = field(default_factory=Settings)
    predicted: bool = False


@dataclass(frozen=True)
class Constraints:
    """What a table must keep to."""

    columns: Mapping[str, ColumnConstraints]

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Constraints:
        """Read the contents of a `constraints.json`.

        Raises
        ------
        BadConstraints
            For a value that means nothing, naming where it stands.
        """
        _refuse_unknown(document, "the file", "")
        config = _mapping(document.get("monitoring_config", {}), "monitoring_config")
        settings = _settings(config, Settings(), "monitoring_config")
        features = document.get("features")
        if not isinstance(features, list):
            raise BadConstraints(say("features: expected a list with an entry for each column"))
        columns = [_column(entry, at, settings) for at, entry in enumerate(features)]
        return cls({column.name: column for column in columns})

    def only(self, names: Iterable[str]) -> Constraints:
        """Keep some columns; one that is not there is left out."""
        return Constraints({name: self.columns[name] for name in names if name in self.columns})


def _column(entry: Any, at: int, settings: Settings) -> ColumnConstraints:
    entry = _mapping(entry, f"features[{at}]")
    name = entry.get("name")
    if not isinstance(name, str):
        raise BadConstraints(say("features[{at}].name: expected the column's name", at=at))
    numbers = _mapping(entry.get("num_constraints", {}), f"{name}.num_constraints")
    texts = _mapping(entry.get("string_constraints", {}), f"{name}.string_constraints")
    _refuse_unknown(entry, "an entry of features", f"{name}.")
    _refuse_unknown(numbers, "num_constraints", f"{name}.num_constraints.")
    _refuse_unknown(texts, "string_constraints", f"{name}.string_constraints.")
    for place in (entry, numbers, texts):
        for key in _OVERRIDES:
            if key in place:
                settings = _settings(_mapping(place[key], f"{name}.{key}"), settings, f"{name}.{key}")
    domain = texts.get("domains")
    if domain is not None and not isinstance(domain, list):
        raise BadConstraints(
            say("{name}.string_constraints.domains: expected a list of texts", name=told(name))
        )
    completeness = entry.get("completeness")
    return ColumnConstraints(
        name=name,
        inferred_type=_one_of(entry.get("inferred_type", "Unknown"), TYPES, f"{name}.inferred_type"),
        completeness=None if completeness is None else _share(completeness, f"{name}.completeness"),
        non_negative=_flag(numbers.get("is_non_negative", False), f"{name}.is_non_negative"),
        domain=None if domain is None else tuple(map(str, domain)),
        settings=settings,
    )


def _settings(config: Mapping[str, Any], base: Settings, where: str) -> Settings:
    distribution = _mapping(config.get("distribution_constraints", {}), f"{where}.distribution_constraints")
    inner = f"{where}.distribution_constraints"
    _refuse_unknown(config, "monitoring_config", f"{where}.")
    _refuse_unknown(distribution, "distribution_constraints", f"{inner}.")
    readers: dict[str, tuple[Mapping[str, Any], str, Any]] = {
        "evaluate": (config, "evaluate_constraints", _enabled),
        "data_type_share": (config, "datatype_check_threshold", _share),
        "domain_share": (config, "domain_content_threshold", _share),
        "compare_distributions": (distribution, "perform_comparison", _enabled),
        "threshold": (distribution, "comparison_threshold", _share),
        "method": (distribution, "comparison_method", lambda v, w: _one_of(v, METHODS, w)),
        "categorical_threshold": (distribution, "categorical_comparison_threshold", _share),
        "categorical_method": (
            distribution,
            "categorical_drift_method",
            lambda v, w: _one_of(v, CATEGORICAL_METHODS, w),
        ),
    }
    found = {
        name: read(place[key], f"{inner if place is distribution else where}.{key}")
        for name, (place, key, read) in readers.items()
        if key in place
    }
    return replace(base, **found)


def _refuse_unknown(place: Mapping[str, Any], what: str, where: str) -> None:
    """Refuse a key that means nothing where it stands, and say where it belongs or which is meant."""
    for key in place:
        if key in KNOWN[what]:
            continue
        home = next((each for each, keys in KNOWN.items() if key in keys), None)
        every = sorted({key for keys in KNOWN.values() for key in keys})
        close = difflib.get_close_matches(str(key), sorted(KNOWN[what]), 1)
        close = close or difflib.get_close_matches(str(key), every, 1)
        hint = Sentence()
        if home is not None:
            hint = say("; it belongs into {home}", home=told(home))
        elif close:
            hint = say("; did you mean '{word}'?", word=told(close[0]))
        raise BadConstraints(
            say(
                "{where}{key}: no such key means anything here{hint}",
                where=told(where),
                key=of_the_data(str(key)),
                hint=hint,
            )
        )


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadConstraints(
            say(
                "{where}: expected names with values, found {value}",
                where=told(where),
                value=of_the_data(repr(value)),
            )
        )
    return value


def _enabled(value: Any, where: str) -> bool:
    return _one_of(value, ("Enabled", "Disabled"), where) == "Enabled"


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise BadConstraints(
            say(
                "{where}: expected true or false, found {value}",
                where=told(where),
                value=of_the_data(repr(value)),
            )
        )
    return value


def _one_of(value: Any, words: tuple[str, ...], where: str) -> str:
    if value not in words:
        close = difflib.get_close_matches(str(value), words, 1)
        hint = say("; did you mean '{word}'?", word=told(close[0])) if close else Sentence()
        raise BadConstraints(
            say(
                "{where}: '{value}' is not one of {words}{hint}",
                where=told(where),
                value=of_the_data(value),
                words=listed(words),
                hint=hint,
            )
        )
    return str(value)


def _share(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadConstraints(
            say(
                "{where}: expected a share between 0 and 1, found {value}",
                where=told(where),
                value=of_the_data(repr(value)),
            )
        )
    return float(value)
