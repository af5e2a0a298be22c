"""What a scoring run will do: which approved models it asks, which columns they need, what lies where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidegate.core import names
from tidegate.core.champions import whys
from tidegate.core.payload import PART_ROWS
from tidegate.core.sentences import Sentence, say, told
from tidegate.core.spec import ModelSpec
from tidegate.core.usage import Scoring


@dataclass(frozen=True)
class Champion:
    """The approved model of one algorithm.

    Attributes
    ----------
    algorithm : str
        Which algorithm it is of.
    model : str
        Its name in SageMaker.
    columns : mapping of str to str
        The columns that its recipe reads, in order, each with its type.
    missing : mapping of str to list of str
        For some of them, the words that stand for a missing value.
    levels : mapping of str to list of str
        Of each categorical one, the values that it learned.
    most_rows : int
        How many rows its containers take at once.
    """

    algorithm: str
    model: str
    columns: Mapping[str, str]
    missing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    levels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    most_rows: int = PART_ROWS


def no_champion(model: str, lost: Mapping[str, str] | None = None) -> str:
    """Say that nothing can be scored, and what to do.

    Parameters
    ----------
    model : str
        The model.
    lost : mapping of str to str, optional
        By algorithm why the approved model that is named counts as none.
    """
    if lost:
        return (
            f"no approved model of '{model}' can be used ({whys(lost)}): train it once more "
            f"(tidegate train {model} FILE), then drop the file again"
        )
    return (
        f"no approved model of '{model}' yet: train one first (tidegate train {model} FILE), "
        "then drop the file again"
    )


def columns_of(spec: ModelSpec, champions: Sequence[Champion]) -> dict[str, str]:
    """List the columns that a file to score must have beside the id, each with its type.

    They are those that the approved models read, which after a change of the model file need not be those
    of the file in force; where both know a column, the file in force says its type.
    """
    columns: dict[str, str] = {}
    for champion in champions:
        for name, kind in champion.columns.items():
            columns.setdefault(name, spec.features[name].type if name in spec.features else kind)
    return columns


def missing_of(spec: ModelSpec, champions: Sequence[Champion]) -> dict[str, Sequence[str]]:
    """List for the columns of `columns_of`, and for the id, which words stand for a missing value."""
    found: dict[str, Sequence[str]] = {}
    for champion in champions:
        found = {**champion.missing, **found}
    of_others = {name: words for name, words in found.items() if name not in spec.features}
    return {**of_others, **spec.missing}


def known_to_all(champions: Sequence[Champion]) -> dict[str, frozenset[str]]:
    """List for each categorical column the values that every model with that column learned."""
    found: dict[str, frozenset[str]] = {}
    for champion in champions:
        for name, levels in champion.levels.items():
            found[name] = found[name] & frozenset(levels) if name in found else frozenset(levels)
    return found


def layouts_of(champions: Sequence[Champion]) -> list[list[str]]:
    """List the different orders of columns that the champions read: almost always one."""
    layouts: list[list[str]] = []
    for champion in champions:
        if list(champion.columns) not in layouts:
            layouts.append(list(champion.columns))
    return layouts


def part_rows_of(champions: Sequence[Champion]) -> list[int]:
    """List for each of `layouts_of` how many rows a file has at most: as many as all who read it can take."""
    layouts = layouts_of(champions)
    return [
        min(PART_ROWS, *(each.most_rows for each in champions if list(each.columns) == layout))
        for layout in layouts
    ]


def too_many_bad(scoring: Scoring, rows: int, rejected: int, first: Sentence) -> Sentence | None:
    """Decide whether a file with bad rows is refused as a whole; gives the reason, or None to go on.

    Parameters
    ----------
    scoring : Scoring
        What the model file allows.
    rows, rejected : int
        How many rows the file has, and how many of them are bad.
    first : Sentence
        The first bad row in words.
    """
    if not rejected:
        return None
    counted = say(
        "{rejected:,} of {rows:,} rows {are} bad",
        rejected=rejected,
        rows=rows,
        are=told("is" if rejected == 1 else "are"),
    )
    if rejected == rows:
        return say("no row can be used; {first}", first=first)
    if scoring.bad_rows == "refuse":
        return say("{counted}, and scoring.bad_rows is refuse; {first}", counted=counted, first=first)
    if rejected > scoring.most_bad_share * rows:
        return say(
            "{counted}, more than scoring.most_bad_share, {share}, allows; {first}",
            counted=counted,
            share=told(format(scoring.most_bad_share, "g")),
            first=first,
        )
    return None


def plan_scores(
    spec: ModelSpec,
    run: str,
    champions: Sequence[Champion],
    *,
    date: str,
    prefix: str,
    artifacts: str,
    attempt: int = 0,
    lost: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Lay out a scoring run, ready for the machine.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    run : str
        The run's id.
    champions : sequence of Champion
        The approved models; at least one.
    date : str
        The day on which the run started, YYYY-MM-DD in UTC.
    prefix : str
        The deployment's prefix of every SageMaker name.
    artifacts : str
        The artifacts bucket.
    attempt : int, optional
        The attempt's number; each keeps its rows apart, as the model file may have changed meanwhile.
    lost : mapping of str to str, optional
        By algorithm why the approved model that is named counts as none.

    Returns
    -------
    dict
        ``algorithms``, one plain entry for each iteration of the machine's Map; ``absent``, the algorithms
        without an approved model; ``lost``, why one that is named is not asked; ``rejects``, where bad rows
        are; ``combine``, what the function that
        combines is told.
    """
    home = f"s3://{artifacts}/{names.score_prefix(spec.name, run, attempt)}"
    layouts = layouts_of(champions)
    entries = [
        {
            "model": spec.name,
            "run": run,
            "algorithm": champion.algorithm,
            "job": names.job_name(prefix, spec.name, champion.algorithm, run),
            "champion": champion.model,
            "rows": f"{home}/rows/{layouts.index(list(champion.columns))}/",
            "output": f"{home}/{champion.algorithm}",
            "instance": spec.scoring.instance,
            "count": spec.scoring.count,
            # SageMaker asks the model's container where this is 0.
            "max_concurrent": spec.scoring.max_concurrent or 0,
            "max_payload_mb": spec.scoring.max_payload_mb,
        }
        for champion in champions
    ]
    combine: dict[str, Any] = {
        "columns": list(columns_of(spec, champions)),
        "id": spec.id,
        "rule": spec.serving.combine,
        "weights": spec.serving.weights,
        "inputs": f"{home}/inputs.parquet",
        "outputs": {champion.algorithm: f"{home}/{champion.algorithm}/" for champion in champions},
        "scores": f"s3://{artifacts}/{names.scores_folder(spec.name, date, run)}",
    }
    return {
        "algorithms": entries,
        "absent": [name for name in spec.algorithms if name not in combine["outputs"]],
        "lost": dict(lost or {}),
        "rejects": f"{home}/rejects.csv",
        "combine": combine,
    }
