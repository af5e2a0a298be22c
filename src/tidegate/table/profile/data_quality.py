"""The data-quality baseline: a CSV's profile as Model Monitor's `statistics.json` and `constraints.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidegate.core.errors import BadDrop
from tidegate.table.profile.column import ColumnProfile
from tidegate.table.read.csv_trouble import rows_of
from tidegate.table.read.look import look

BLOCK_BYTES = 8 << 20
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


def data_quality(path: Path, *, header: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """Profile a CSV file and derive what later data must keep to.

    Parameters
    ----------
    path : Path
        The file, which is read in blocks.
    header : bool
        Whether the first line names the columns; otherwise they are called `_c0`, `_c1`, …

    Returns
    -------
    tuple of dict
        The contents of `statistics.json` and `constraints.json`.
    """
    profiles = profile_csv(path, header=header)
    rows = next((p.types.present + p.types.missing for p in profiles.values()), 0)
    statistics = {
        "version": VERSION,
        "dataset": {"item_count": rows},
        "features": [profile.statistics(name) for name, profile in profiles.items()],
    }
    constraints = {
        "version": VERSION,
        "features": [profile.constraints(name) for name, profile in profiles.items()],
        "monitoring_config": MONITORING_CONFIG,
    }
    return statistics, constraints


def profile_csv(
    path: Path, *, header: bool = True, block_bytes: int = BLOCK_BYTES
) -> dict[str, ColumnProfile]:
    """Profile each column of a CSV file, block by block; the blocks' profiles are added.

    Raises
    ------
    BadDrop
        For a file without rows, or one that is no CSV.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv

    seen = look(path, path.name)
    _, first = next(rows_of(path, seen.gzipped))
    names = [cell.strip() for cell in first] if header else [f"_c{at}" for at in range(len(first))]
    if len(set(names)) < len(names):
        raise BadDrop(f"{path.name} has two columns of one name; a profile needs a name for each column")
    found: list[ColumnProfile] | None = None
    try:
        with pacsv.open_csv(
            str(path),
            read_options=pacsv.ReadOptions(
                block_size=block_bytes, autogenerate_column_names=True, skip_rows_after_names=int(header)
            ),
            parse_options=pacsv.ParseOptions(newlines_in_values=seen.quotes),
            convert_options=pacsv.ConvertOptions(
                column_types={f"f{at}": pa.string() for at in range(len(names))}, strings_can_be_null=False
            ),
        ) as reader:
            for batch in reader:
                part = [ColumnProfile.of(column) for column in batch.columns]
                found = part if found is None else [a + b for a, b in zip(found, part, strict=True)]
    except pa.ArrowInvalid as error:
        raise BadDrop(f"{path.name} cannot be profiled: {error}") from None
    if found is None:
        raise BadDrop(f"{path.name} has no rows; there is nothing to profile")
    return dict(zip(names, found, strict=True))
