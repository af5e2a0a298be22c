"""The answers of all algorithms made into one table of scores, read side by side and written as they come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.combine import combine
from tidegate.core.errors import BadPredictions
from tidegate.core.own_names import PREDICTION, beside
from tidegate.core.sentences import of_the_data, say, told
from tidegate.table.columns import Floats, Indices
from tidegate.table.predictions import read_scores
from tidegate.table.score.write import ID, ROW, UNSEEN

BLOCK_ROWS = 16_384
MARKS = "tidegate"  # of the Parquet file: which columns are inputs, and which each algorithm's answers


def combine_scores(
    inputs: Path,
    answers: Mapping[str, Sequence[Path]],
    columns: Sequence[str],
    identity: str | None,
    rule: str,
    weights: Mapping[str, float],
    out: Path,
) -> int:
    """Combine the predictions of every row and write ``scores.parquet`` and ``scores.csv``.

    Parameters
    ----------
    inputs : Path
        The good rows as `prepare_scores` wrote them.
    answers : mapping of str to sequence of Path
        For each algorithm what batch transform answered, the parts in order: JSON Lines with ``row`` and
        ``SageMakerOutput``.
    columns : sequence of str
        The names of the input columns, in the order of `inputs`.
    identity : str or None
        What the model file calls the id; without one the row's number in the dropped file stands there.
    rule, weights
        How predictions become one: see `tidegate.core.combine`.
    out : Path
        An existing folder.

    Returns
    -------
    int
        How many rows were scored.

    Raises
    ------
    BadPredictions
        If an algorithm's answers are not one finite number for each row, in their order.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    read = {name: _Answers(name, parts) for name, parts in answers.items()}
    writer: _Scores | None = None
    scored = 0
    with pq.ParquetFile(inputs) as file:
        # A model may read the column that is the id now; it stands there once.
        places = [at for at, name in enumerate(columns) if name != identity]
        stored = file.schema_arrow
        fields = [pa.field(columns[at], stored.field(f"f{at}").type) for at in places]
        schema = _schema(fields, identity, list(answers))
        writer = _Scores(out, schema)
        try:
            for batch in file.iter_batches(BLOCK_ROWS):
                numbers = batch.column(ROW).to_numpy()
                found = {name: each.take(numbers) for name, each in read.items()}
                kept = [batch.column(ID if identity else ROW), *(batch.column(f"f{at}") for at in places)]
                unseen = batch.column(UNSEEN) if UNSEEN in batch.schema.names else pa.nulls(len(batch))
                scores = [*found.values(), _combined(rule, found, weights)]
                writer.write(
                    pa.record_batch([*kept, unseen.cast(pa.string()), *map(pa.array, scores)], schema=schema)
                )
                scored += len(numbers)
        finally:
            writer.close()
    for each in read.values():
        each.end()
    return scored


class _Answers:
    """One algorithm's answers, read as they are needed."""

    def __init__(self, algorithm: str, parts: Sequence[Path]) -> None:
        self._what = f"the predictions of {algorithm}"
        self._lines = _lines(parts)

    def take(self, numbers: Indices) -> Floats:
        """Give the predictions of the next rows, which must be the ones asked for."""
        lines = list(islice(self._lines, len(numbers)))
        try:
            answers = json.loads(b"[" + b",".join(lines) + b"]")
            rows = [answer["row"] for answer in answers]
            outputs = [answer["SageMakerOutput"] for answer in answers]
        except (ValueError, TypeError, KeyError) as error:
            raise BadPredictions(
                say(
                    "{what} cannot be read ({kind}: {error}); see the transform job's log",
                    what=told(self._what),
                    kind=told(type(error).__name__),
                    error=of_the_data(error),
                )
            ) from None
        if rows != numbers.tolist():
            at = next((i for i, (a, b) in enumerate(zip(rows, numbers, strict=False)) if a != b), len(rows))
            found = say("row {row}", row=of_the_data(rows[at])) if at < len(rows) else say("their end")
            raise BadPredictions(
                say(
                    "{what} are not those of the rows that were asked: after {before} came {found}, "
                    "expected row {wanted}; see the transform job's log",
                    what=told(self._what),
                    before=say("row {row}", row=int(numbers[at - 1])) if at else say("the block before"),
                    found=found,
                    wanted=int(numbers[at]),
                )
            )
        return read_scores(outputs, self._what, numbers)

    def end(self) -> None:
        """Check that there are no more answers than rows."""
        if next(self._lines, None) is not None:
            raise BadPredictions(say("{what} are more than the rows that were asked", what=told(self._what)))


def _lines(parts: Sequence[Path]) -> Iterator[bytes]:
    for part in parts:
        with part.open("rb") as file:
            yield from (line for line in file if not line.isspace())


class _Scores:
    """The two files of the scores."""

    def __init__(self, out: Path, schema: Any) -> None:
        import pyarrow.csv as pacsv
        import pyarrow.parquet as pq

        self._files = (
            pq.ParquetWriter(out / "scores.parquet", schema),
            pacsv.CSVWriter(out / "scores.csv", schema),
        )

    def write(self, batch: Any) -> None:
        for file in self._files:
            file.write_batch(batch)

    def close(self) -> None:
        for file in self._files:
            file.close()


def _schema(inputs: list[Any], identity: str | None, algorithms: list[str]) -> Any:
    import pyarrow as pa

    theirs = [*([identity] if identity else []), *(field.name for field in inputs)]
    answers = {algorithm: f"{PREDICTION}_{algorithm}" for algorithm in algorithms}
    own = beside([*([] if identity else [ROW]), UNSEEN, *answers.values(), PREDICTION], theirs)
    first = pa.field(identity, pa.string()) if identity else pa.field(own[ROW], pa.int64())
    marks = {
        "inputs": [field.name for field in inputs] + ([identity] if identity else []),
        "predictions": {algorithm: own[name] for algorithm, name in answers.items()},
    }
    fields = [first, *inputs, pa.field(own[UNSEEN], pa.string())]
    fields += [pa.field(own[name], pa.float64()) for name in [*answers.values(), PREDICTION]]
    return pa.schema(fields, {MARKS: json.dumps(marks, ensure_ascii=False)})


def _combined(rule: str, found: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    values = list(found.values())
    if rule in ("max", "min"):
        together: Floats = (np.maximum if rule == "max" else np.minimum).reduce(values)
        return together
    # Row by row, so that a file's scores are to the last bit those that the API gives.
    rows = zip(*(each.tolist() for each in values), strict=True)
    return np.array([combine(rule, dict(zip(found, row, strict=True)), weights) for row in rows])
