"""Which constraints of a column somebody has edited: those hold to the letter."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.table.constraints.read import ColumnConstraints, Settings


@dataclass(frozen=True)
class Edited:
    """What differs from what the baseline suggests."""

    data_type: bool = False
    completeness: bool = False
    sign: bool = False
    domain: bool = False
    distribution: bool = False

    @classmethod
    def everything(cls) -> Edited:
        """Hold all to the letter, as Model Monitor does."""
        return cls(True, True, True, True, True)

    @classmethod
    def of(cls, rules: ColumnConstraints, suggested: ColumnConstraints) -> Edited:
        """Compare a column's constraints with those that its baseline suggests."""
        ours, usual = rules.settings, Settings()
        return cls(
            data_type=rules.inferred_type != suggested.inferred_type
            or ours.data_type_share != usual.data_type_share,
            completeness=rules.completeness != suggested.completeness,
            sign=rules.non_negative != suggested.non_negative,
            domain=_texts(rules.domain) != _texts(suggested.domain)
            or ours.domain_share != usual.domain_share,
            distribution=(ours.threshold, ours.method) != (usual.threshold, usual.method)
            or (ours.categorical_threshold, ours.categorical_method)
            != (usual.categorical_threshold, usual.categorical_method),
        )


def _texts(domain: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if domain is None else frozenset(domain)
