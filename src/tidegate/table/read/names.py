"""Column names against the model's declaration: which is where, and a sentence for what does not fit."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from tidegate.core.errors import BadDrop
from tidegate.core.spec import ModelSpec
from tidegate.table.read.values import is_number

SHOWN_NAMES = 12


def expected_names(spec: ModelSpec) -> list[str]:
    """List the columns that a training drop must have: target, features, and the id if there is one."""
    return [spec.target, *spec.features, *([spec.id] if spec.id else [])]


def find_columns(
    found: Sequence[str],
    wanted: Sequence[str],
    name: str,
    *,
    target: str | None = None,
    header_line: int | None = 1,
) -> dict[str, int]:
    """Say in which place each expected column is.

    Parameters
    ----------
    found : sequence of str
        The names in the file, in order.
    wanted : sequence of str
        The columns that there must be.
    name : str
        What people call the file.
    target : str or None
        Which of the wanted columns is to be predicted, where the file is to learn from.
    header_line : int or None
        The line that holds the names; None for Parquet, which always has names.

    Raises
    ------
    BadDrop
        If the file has no header, lacks a column, or has one of them twice.
    """
    names = [each.strip() for each in found]
    missing = [each for each in wanted if each not in names]
    if len(missing) == len(wanted):
        raise _nothing_fits(names, wanted, name, header_line)
    if target is not None and target in missing:
        hint = _hint(target, names, wanted)
        raise BadDrop(
            f"{name} has no target column '{target}'{hint}; add it, or name another target in model.yaml",
            row=header_line,
            column=target,
        )
    if missing:
        lacking = ", ".join(f"'{each}'{_hint(each, names, wanted)}" for each in missing[:SHOWN_NAMES])
        more = f" and {len(missing) - SHOWN_NAMES} more" if len(missing) > SHOWN_NAMES else ""
        raise BadDrop(
            f"{name} lacks {'columns' if len(missing) > 1 else 'the column'} {lacking}{more}; add "
            f"{'them' if len(missing) > 1 else 'it'}, or list the columns that there are in model.yaml",
            row=header_line,
            column=missing[0],
        )
    for each in wanted:
        if names.count(each) > 1:
            places = " and ".join(str(at + 1) for at, other in enumerate(names) if other == each)
            raise BadDrop(
                f"{name} has the column '{each}' {names.count(each)} times (columns {places}); keep one of "
                "them",
                row=header_line,
                column=each,
            )
    return {each: names.index(each) for each in wanted}


def _nothing_fits(names: list[str], wanted: Sequence[str], name: str, header_line: int | None) -> BadDrop:
    if header_line is not None and (any(is_number(each) for each in names) or len(set(names)) < len(names)):
        return BadDrop(
            f"{name} has no header: line {header_line} reads {_listed(names)}, which looks like a row; make "
            f"the first line the column names: {_listed(wanted)}",
            row=header_line,
        )
    return BadDrop(
        f"{name} has none of the model's columns; it has {_listed(names)}, and the model expects "
        f"{_listed(wanted)}; rename the columns, or list these in model.yaml",
        row=header_line,
    )


def _hint(missing: str, names: list[str], wanted: Sequence[str]) -> str:
    spare = {each.lower(): each for each in names if each not in wanted}
    close = difflib.get_close_matches(missing.lower(), list(spare), 1)
    return f" (did you mean '{spare[close[0]]}'?)" if close else ""


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{each[:30]}…'" if len(each) > 30 else f"'{each}'" for each in names[:SHOWN_NAMES])
    return shown + (f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else "")
