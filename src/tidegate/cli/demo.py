"""`tidegate demo`: from nothing to two served models on real used cars; it may be repeated."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import itertools
import json
from pathlib import Path
from typing import Any

from rich.rule import Rule

from tidegate.cli.apply import put_in_force
from tidegate.cli.cloud import bring_up, project_folder
from tidegate.cli.errors import Trouble
from tidegate.cli.exit_codes import FAILED, OF_STATUS
from tidegate.cli.options import Session
from tidegate.cli.place import Options
from tidegate.cli.predict import describe, predict_rows
from tidegate.cli.render import status, summary, table
from tidegate.cli.rows import Row
from tidegate.cli.stack import Stack
from tidegate.cli.train import start_training
from tidegate.core import names
from tidegate.core.figures import figure

MODEL_FILE = Path("models/used-car-price/model.yaml")
PACKAGE, DATA_FILE = "dmba", "ToyotaCorolla.csv"
CARS = 3


def demo(session: Session, port: int | None) -> int:
    """Start, deploy, declare, train, watch, predict."""
    output = session.output
    _headline(session, "1  the local cloud")
    started = bring_up(session, port=port)
    _headline(session, "2  the model")
    applied = put_in_force(session, project_folder() / MODEL_FILE)
    model = applied["model"]
    output.note(f"{model} predicts {applied['target']} from {applied['features']} columns")
    _headline(session, "3  training, state by state")
    file = fetch_cars(session.options.state / "demo")
    result, record = start_training(session, model, file, wait=True)
    if result["status"] not in ("SUCCEEDED", "DUPLICATE"):
        output.answer({**result, "predictions": []}, summary(result, model, record))
        return OF_STATUS.get(result["status"], FAILED)
    if result["status"] == "DUPLICATE":
        output.note(f"nothing to train: {result['reason']}")
    stack = session.stack
    spec = stack.spec(model)
    states = {
        entry["endpoint"]: stack.endpoint_state(entry["endpoint"])
        for entry in stack.parameters(model).values()
        if "endpoint" in entry
    }
    cars = held_out_cars(stack, model, str(result["run"]))
    predictions = predict_rows(stack, describe(stack, model), [row for row, _ in cars])["predictions"]
    document = {
        **result,
        "url": started["url"],
        "endpoints": states,
        "predictions": [{**each, "truth": truth} for each, (_, truth) in zip(predictions, cars, strict=True)],
    }
    state = session.options.state
    where = "" if state == Options().state else f" --state {state}"
    output.answer(document, *_last_screen(model, spec, result, record, document, cars, file, where))
    return 0


def _headline(session: Session, words: str) -> None:
    session.output.err.print(Rule(words, align="left", style="dim"))


def fetch_cars(folder: Path) -> Path:
    """Unpack the used cars that the installed data package carries, without importing that package.

    Raises
    ------
    Trouble
        When the package, or the file in it, is not there.
    """
    target = folder / DATA_FILE
    if target.is_file():
        return target
    found = importlib.util.find_spec(PACKAGE)
    homes = list(found.submodule_search_locations or []) if found is not None else []
    files = [file for home in homes for file in sorted(Path(home).rglob(f"{DATA_FILE}*"))]
    if not files:
        raise Trouble(
            f"The data of the demo, {DATA_FILE} of the Python package {PACKAGE}, is not installed.",
            "`make demo` installs it.",
        )
    content = files[0].read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_bytes(gzip.decompress(content) if files[0].suffix == ".gz" else content)
    partial.replace(target)
    return target


def held_out_cars(stack: Stack, model: str, run: str) -> list[tuple[Row, float]]:
    """Choose a cheap, a middling and a dear car that no model has seen (test split), with true prices."""
    folder = names.run_prefix(model, run)
    truth = stack.read_object(stack.artifacts_bucket, f"{folder}/test/truth.csv")
    rows = b""
    for number in itertools.count():
        part = stack.read_object(stack.artifacts_bucket, f"{folder}/test/rows/{names.part_name(number)}")
        if part is None:
            break
        rows += part
    if not rows or truth is None:
        raise Trouble(
            f"The held-out cars of run {run} are not in the artifacts bucket any more.",
            "`tidegate train` with --again trains once more.",
        )
    prices = [float(line["target"]) for line in csv.DictReader(io.StringIO(truth.decode()))]
    cars = [json.loads(line) for line in rows.decode().splitlines() if line]
    ranked = sorted(zip(cars, prices, strict=True), key=lambda pair: pair[1])
    last = len(ranked) - 1
    return [ranked[round(last * (2 * part + 1) / (2 * CARS))] for part in range(CARS)]


def _last_screen(
    model: str,
    spec: dict[str, Any],
    result: dict[str, Any],
    record: dict[str, Any],
    document: dict[str, Any],
    cars: list[tuple[Row, float]],
    file: Path,
    where: str,
) -> list[Any]:
    """Draw the gate's numbers, the endpoints, three predictions, and what to try next."""
    algorithms = list(document["predictions"][0]["by_algorithm"])
    shown = list(spec["features"])[:4]
    columns = [*shown, *algorithms, f"predicted ({spec['serving']['combine']})", f"true {spec['target']}"]
    rows = [
        [
            *(row.get(name) for name in shown),
            *(figure(each["by_algorithm"][one]) for one in algorithms),
            figure(each["prediction"]),
            figure(truth),
        ]
        for (row, truth), each in zip(cars, document["predictions"], strict=True)
    ]
    next_steps = [
        (f"tidegate predict {model} {file}", "prices for every car of the file"),
        (f"tidegate run {result['run']}", "its states, times and reasons"),
        (f"tidegate logs {result['run']}", "what functions and jobs wrote"),
        ("tidegate inbox", "the notifications sent"),
        (f"tidegate train {model} FILE --wait", "rows of your own, behind the same gate"),
        ("tidegate down", "stop it all; what it holds is kept"),
    ]
    return [
        summary(result, model, record),
        "",
        table(
            ["endpoint", "state"], [[name, status(state)] for name, state in document["endpoints"].items()]
        ),
        "",
        f"Three cars that the models have not seen ({file.name}):",
        table(columns, rows),
        "",
        "What to try next:",
        table(["", ""], [[f"  {command}{where}", what] for command, what in next_steps]),
    ]
