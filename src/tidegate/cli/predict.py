"""`tidegate predict`: asks each algorithm's endpoint, and combines the answers as the model's file says."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session
from tidegate.cli.render import figure, table
from tidegate.cli.rows import Row, csv_chunks, read_rows
from tidegate.cli.stack import Stack
from tidegate.core.answers import read_answer
from tidegate.core.combine import combine
from tidegate.core.errors import BadPredictions

ACCEPT = {"linear-learner": "application/json"}  # the one built-in algorithm that does not answer CSV
SHOWN_ROWS = 50
WORKERS = 8


def predict(session: Session, model: str, file: str) -> int:
    """Predict rows of a file or of standard input."""
    spec = session.stack.spec(model)
    source, text = _read(file)
    rows = read_rows(text, list(spec["features"]), source)
    predictions = predict_rows(session.stack, model, spec, rows)
    algorithms = list(predictions[0]["by_algorithm"])
    identity = spec.get("id")
    names = [
        str(row[identity]) if identity and identity in row else str(position)
        for position, row in enumerate(rows, start=1)
    ]
    columns = [identity or "row", *algorithms, f"{spec['target']} ({spec['serving']['combine']})"]
    shown = [
        [name, *(figure(each["by_algorithm"][one]) for one in algorithms), figure(each["prediction"])]
        for name, each in zip(names[:SHOWN_ROWS], predictions, strict=False)
    ]
    more = [f"… and {len(rows) - SHOWN_ROWS} more rows; --json prints all."] if len(rows) > SHOWN_ROWS else []
    session.output.answer({"predictions": predictions}, table(columns, shown), *more)
    return 0


def predict_rows(
    stack: Stack, model: str, spec: Mapping[str, Any], rows: Sequence[Row]
) -> list[dict[str, Any]]:
    """Ask every served algorithm of a model for every row.

    Returns
    -------
    list of dict
        For each row ``{"prediction": …, "by_algorithm": {…}}``.
    """
    if spec["serving"].get("serverless"):
        raise Trouble(
            f"The endpoints of {model} are serverless and take rows that are encoded already.",
            f"Ask the API, which encodes them: {stack.api_url or stack.output('ApiUrl')}",
        )
    served = {
        name: entry["endpoint"] for name, entry in stack.parameters(model).items() if "endpoint" in entry
    }
    endpoints = {name: served[name] for name in spec["algorithms"] if name in served}
    if not endpoints:
        raise Trouble(
            f"Nothing serves {model} yet.",
            f"Train it: `tidegate train {model} FILE --wait`. `tidegate runs {model}` tells how runs ended.",
        )
    chunks = list(csv_chunks(rows, list(spec["features"])))
    stack.client("sagemaker-runtime")
    with ThreadPoolExecutor(WORKERS) as pool:
        asked = {
            name: [pool.submit(_ask, stack, name, endpoint, *chunk) for chunk in chunks]
            for name, endpoint in endpoints.items()
        }
        answers = {name: [one for each in parts for one in each.result()] for name, parts in asked.items()}
    rule, weights = spec["serving"]["combine"], spec["serving"].get("weights")
    by_row = [dict(zip(answers, values, strict=True)) for values in zip(*answers.values(), strict=True)]
    return [{"prediction": combine(rule, each, weights), "by_algorithm": each} for each in by_row]


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


def _ask(stack: Stack, algorithm: str, endpoint: str, count: int, body: str) -> list[float]:
    from botocore.exceptions import ClientError

    try:
        answer = stack.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint,
            ContentType="text/csv",
            Accept=ACCEPT.get(algorithm, "text/csv"),
            Body=body.encode(),
        )
    except ClientError as error:
        raise _refused(error, algorithm, endpoint) from error
    text = answer["Body"].read().decode("utf-8", "replace")
    try:
        return read_answer(text, str(answer.get("ContentType", "")), count)
    except BadPredictions as error:
        raise Trouble(
            f"The endpoint {endpoint}: {error}.",
            f"Look at its log in CloudWatch, group /aws/sagemaker/Endpoints/{endpoint}.",
        ) from error


def _refused(error: Any, algorithm: str, endpoint: str) -> Exception:
    """Put what an endpoint answers into words; leave credentials and permissions to the common ones."""
    code = error.response["Error"].get("Code")
    if code == "ModelError":
        said = error.response.get("OriginalMessage") or error.response["Error"].get("Message", "")
        return Trouble(
            f"The model of {algorithm} refused the rows: {_sentence(said)}", "Mend the rows and ask again."
        )
    if code == "ValidationError":
        return Trouble(
            f"The endpoint {endpoint} cannot answer: {error.response['Error'].get('Message', '')}",
            "`tidegate models` tells its state.",
        )
    return error if isinstance(error, Exception) else RuntimeError(str(error))


def _sentence(said: str) -> str:
    """Take the message out of a container's JSON error, if it is one."""
    try:
        found = json.loads(said)
    except ValueError:
        return said.strip()
    if isinstance(found, dict):
        return str(found.get("error") or found.get("message") or said).strip()
    return said.strip()
