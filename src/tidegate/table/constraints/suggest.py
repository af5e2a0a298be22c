"""What later data must keep to, suggested from a profile as Model Monitor suggests it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tidegate.table.profile import ColumnProfile, Profile

VERSION = 0.0
MONITORING_CONFIG = {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Enabled",
    "datatype_check_threshold": 1.0,
    "domain_content_threshold": 1.0,
    "distribution_constraints": {
        "perform_comparison": "Enabled",
        "comparison_threshold": 0.1,
        "comparison_method": "Robust",
        "categorical_comparison_threshold": 0.1,
        "categorical_drift_method": "LInfinity",
    },
}


def suggest(profile: Profile) -> dict[str, Any]:
    """Give the contents of `constraints.json`: types, completeness, signs, domains, settings."""
    return {
        "version": VERSION,
        "features": [_feature(name, column) for name, column in profile.columns.items()],
        # A copy: people edit what was suggested, and the next suggestion must not know of it.
        "monitoring_config": deepcopy(MONITORING_CONFIG),
    }


def _feature(name: str, column: ColumnProfile) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": name,
        "inferred_type": column.types.inferred,
        "completeness": column.types.completeness,
    }
    if column.types.inferred in ("Integral", "Fractional"):
        entry["num_constraints"] = {"is_non_negative": column.moments.least >= 0}
    elif domain := column.domain():
        entry["string_constraints"] = {"domains": domain}
    return entry
