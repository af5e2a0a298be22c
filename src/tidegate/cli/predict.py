"""`tidegate predict`: asks the real-time API, as any other program would, in requests that it takes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tidegate.cli.api import Refused, ask
from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.render import table
from tidegate.cli.rows import Row, csv_chunks, read_rows
from tidegate.cli.stack import Stack
from tidegate.core.figures import figure
from tidegate.core.grammar import JSON_BLANKS, csv_text

SHOWN_ROWS = 50
WORKERS = 4


@dataclass(frozen=True)
class Served:
    """A model as the API describes it: the fields of its records, and how predictions are combined."""

    name: str
    target: str
    combine: str
    id: str | None
    features: tuple[str, ...]


def predict(session: Session, model: str, file: str) -> int:
    """Predict rows of a file or of standard input."""
    source, text = _read(file)
    served = describe(session.stack, model)
    rows = read_rows(text, served.features, source)
    numbers = row_numbers(text, len(rows))
    document = predict_rows(session.stack, served, rows, numbers)
    predictions = document["predictions"]
    for algorithm, why in document.get("failed", {}).items():
        session.output.note(f"{algorithm} did not answer ({why}); the others did.")
    if warnings := document.get("warnings"):
        fields = ", ".join(dict.fromkeys(f"'{each['field']}'" for each in warnings))
        first, *others = dict.fromkeys(each["record"] for each in warnings)
        further = f", and so have {len(others)} more" if others else ""
        session.output.note(
            f"Row {first} has a value that the model never learned{further} (column {fields}); it is "
            "predicted as an unknown one. --json tells each."
        )
    algorithms = list(predictions[0]["by_algorithm"])
    names = [
        str(row[served.id]) if served.id and served.id in row else str(number)
        for number, row in zip(numbers, rows, strict=True)
    ]
    columns = [served.id or "row", *algorithms, f"{served.target} ({served.combine})"]
    shown = [
        [name, *(figure(each["by_algorithm"].get(one)) for one in algorithms), figure(each["prediction"])]
        for name, each in zip(names[:SHOWN_ROWS], predictions, strict=False)
    ]
    more = [f"… and {len(rows) - SHOWN_ROWS} more rows; --json prints all."] if len(rows) > SHOWN_ROWS else []
    session.output.answer(document, table(columns, shown), *more)
    return 0


def describe(stack: Stack, model: str) -> Served:
    """Ask the API for a model.

    Raises
    ------
    Trouble
        When nobody declared it.
    """
    try:
        found = ask(stack, "GET", f"/models/{model}", model)
    except Refused as refused:
        raise (stack.no_such_model(model) if refused.status == 404 else refused) from None
    fields = found["record"]["properties"]
    features = tuple(name for name in fields if name != found["id"])
    return Served(found["name"], found["target"], found["combine"], found["id"], features)


def predict_rows(
    stack: Stack, served: Served, rows: Sequence[Row], numbers: Sequence[int] | None = None
) -> dict[str, Any]:
    """Ask for the predictions of every row.

    Parameters
    ----------
    numbers : sequence of int, optional
        Each row's number in its file, for a refusal.

    Returns
    -------
    dict
        ``predictions``, for each row ``{"prediction": …, "by_algorithm": {…}, "prediction_id": …}``;
        ``versions``, the SageMaker models that answered; ``failed``, if an algorithm did not, and why.
    """
    named = served.id is not None and any(served.id in row for row in rows)
    columns = [*served.features, *([served.id] if served.id and named else [])]
    path = f"/models/{served.name}/predictions"
    asked, begins, begun = [], [], 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for count, body in csv_chunks(rows, columns):
            part = (numbers or range(1, len(rows) + 1))[begun : begun + count]
            place = partial(_place, part)
            asked.append(pool.submit(ask, stack, "POST", path, served.name, body, place))
            begins.append(begun)
            begun += count
        answers = [each.result() for each in asked]
    failed = {name: why for each in answers for name, why in each.get("failed", {}).items()}
    warnings = [
        {**warning, "record": begun + warning["record"]}
        for begun, each in zip(begins, answers, strict=True)
        for warning in each.get("warnings", [])
    ]
    return {
        "predictions": [one for each in answers for one in each["predictions"]],
        "versions": answers[0]["versions"],
        **({"failed": failed} if failed else {}),
        **({"warnings": warnings} if warnings else {}),
    }


def _place(numbers: Sequence[int], record: int) -> str:
    return f"row {numbers[record - 1]}" if 0 < record <= len(numbers) else f"record {record}"


def row_numbers(text: str, rows: int) -> Sequence[int]:
    """Number the rows of a file as batch scoring does: by the line on which an editor shows each.

    The names of CSV are line 1; the objects of a JSON document, which may all be on one, count from 1.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] not in ("[", "{"):
        found = [line for line, _ in csv_text(text)][1:]
    else:
        found = [line for line, content in enumerate(text.split("\n"), 1) if content.strip(JSON_BLANKS)]
    return found if len(found) == rows else range(1, rows + 1)


def _read(file: str) -> tuple[str, str]:
    if file != "-":
        return file, _decoded(Path(file).read_bytes(), file)
    if sys.stdin.isatty():
        raise Trouble(
            "There are no rows to predict.",
            "Name a file, or pipe rows in: `tidegate predict MODEL < rows.csv`.",
            exit_code=2,
        )
    return "standard input", _decoded(sys.stdin.buffer.read(), "standard input")


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Trouble(f"{source}, line {line}: this is not UTF-8 text.", "Save the file as UTF-8.") from error
