"""`tidegate predict`: asks the real-time API, as any other program would, in requests that it takes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.cli.api import Refused, ask
from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.render import figure, table
from tidegate.cli.rows import Row, csv_chunks, read_rows
from tidegate.cli.stack import Stack

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
    document = predict_rows(session.stack, served, rows)
    predictions = document["predictions"]
    for algorithm, why in document.get("failed", {}).items():
        session.output.note(f"{algorithm} did not answer ({why}); the others did.")
    algorithms = list(predictions[0]["by_algorithm"])
    names = [
        str(row[served.id]) if served.id and served.id in row else str(position)
        for position, row in enumerate(rows, start=1)
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


def predict_rows(stack: Stack, served: Served, rows: Sequence[Row]) -> dict[str, Any]:
    """Ask for the predictions of every row.

    Returns
    -------
    dict
        ``predictions``, for each row ``{"prediction": …, "by_algorithm": {…}, "prediction_id": …}``;
        ``versions``, the SageMaker models that answered; ``failed``, if an algorithm did not, and why.
    """
    named = served.id is not None and any(served.id in row for row in rows)
    columns = [*served.features, *([served.id] if served.id and named else [])]
    path = f"/models/{served.name}/predictions"
    asked, begun = [], 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for count, body in csv_chunks(rows, columns):
            asked.append(pool.submit(ask, stack, "POST", path, served.name, body, begun))
            begun += count
        answers = [each.result() for each in asked]
    failed = {name: why for each in answers for name, why in each.get("failed", {}).items()}
    return {
        "predictions": [one for each in answers for one in each["predictions"]],
        "versions": answers[0]["versions"],
        **({"failed": failed} if failed else {}),
    }


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
