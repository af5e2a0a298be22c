"""Names of ours beside names of a model's columns: the one place for what happens where the two meet.

A column may be called anything. In what is made for one model (its scores, its profiles) the model's names
stand, and a name of ours that is taken gets an underscore, as many as it needs: `beside`. In the table that
all models share (`checked_rows`) ours stand, and an input that is called like one of them gets `input_`
before it: `input_name`. Upper and lower case are one in this, as they are to Athena and Spark.
"""

from __future__ import annotations

from collections.abc import Iterable

# The columns of the checked rows that are ours, in a window's file or in the table.
CHECKED_ROWS = (
    "event",
    "prediction_id",
    "request_id",
    "row_id",
    "at",
    "object",
    "prediction",
    "label",
    "target",
    "model",
    "algorithm",
    "check",
    "window",
    "verdict",
    "drifting",
    "unlike",
    "date",
)
INPUT = "input_"
PREDICTION = "prediction"


def beside(ours: Iterable[str], theirs: Iterable[str]) -> dict[str, str]:
    """Say what each name of ours is called beside theirs.

    >>> beside(["row", "prediction"], ["Row", "prediction", "prediction_"])
    {'row': 'row_', 'prediction': 'prediction__'}
    """
    taken = {name.casefold() for name in theirs}
    found = {}
    for name in ours:
        free = name
        while free.casefold() in taken:
            free += "_"
        taken.add(free.casefold())
        found[name] = free
    return found


def prediction_beside(columns: Iterable[str]) -> str:
    """Say what the model's answer is called in a profile of its inputs."""
    return beside([PREDICTION], columns)[PREDICTION]


def input_name(name: str) -> str:
    """Name an input among the checked rows; no two inputs get one name.

    >>> [input_name(name) for name in ("km", "event", "input_event", "input_km")]
    ['km', 'input_event', 'input_input_event', 'input_km']
    """
    plain = name.casefold()
    while plain.startswith(INPUT):
        plain = plain[len(INPUT) :]
    return INPUT + name if plain in CHECKED_ROWS else name


def listed(names: Iterable[str], comma: str = ",") -> str:
    """List names in one cell; a name that holds a comma or a quotation mark is quoted, as in CSV.

    >>> listed(["km", "a,b"])
    'km,"a,b"'
    """
    return comma.join(
        '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name for name in names
    )
