"""What others wrote is only text on a terminal: hostile names and values in every verb, and one door to it."""

from __future__ import annotations

import ast
import csv
import json
from pathlib import Path
from typing import Any

import pytest
from cli_api_server import ApiServer
from cli_fakes import ARTIFACTS, START, FakeCloud, History, refusal
from hypothesis import given
from hypothesis import strategies as st

from tidegate.cli.console import Console
from tidegate.cli.exit_codes import MEANINGS
from tidegate.cli.main import app
from tidegate.cli.render import table
from tidegate.cli.visible import as_json, visible

CLI = Path(__file__).parents[3] / "src" / "tidegate" / "cli"
HOSTILE = {
    "markup that closes nothing": "[/x]",
    "markup that vanishes": "[unknown]",
    "markup that hides a link": "[link=https://evil.example]a[/link]",
    "colours": "\x1b[31mred\x1b[0m",
    "a title of the window": "\x1b]0;owned\x07",
    "a screen wiped": "\x1b[2J\x1b[H",
    "controls of eight bits": "\x9b31m",
    "a turn of direction": "a\u202egnp.exe",
    "tags nobody sees": "a\U000e0041",
    "half a character": "a\ud800",
    "a name for a face": ":skull:",
    "an end of line that is none": "a\u2028b",
}
RUN = "aaaa00000000"


def is_quiet(text: str) -> bool:
    return text == visible(text)


def poison(cloud: FakeCloud, text: str) -> None:
    """Have everything that the cloud tells hold a text."""
    entry = {
        "status": f"FAILED{text}",
        "reason": text,
        "endpoint": text,
        "model": text,
        "gate": {"checks": [{"passed": False, "sentence": text}]},
        "tuned": {"job": text, "jobs": 3, "hyperparameters": {text: text}},
        "columns": [{"sentence": text, "name": text}],
    }
    result = {
        "reason": text,
        "algorithms": {f"xgboost{text}": entry},
        "scores": text,
        "report": f"s3://a/{text}",
    }
    cloud.dynamodb.put(
        RUN,
        model="cars",
        status="FAILED",
        started="2026-11-21T03:00:00Z",
        finished="2026-11-21T03:00:20Z",
        reason=text,
        key=f"cars/train/{text}",
        bucket=text,
        execution="arn:run",
        result=json.dumps(result),
    )
    check = {**result, "verdict": "drift", "refused": [{"key": text, "reason": text}]}
    cloud.dynamodb.put(
        "bbbb00000000",
        kind="monitor",
        model="cars",
        status="SUCCEEDED",
        started="2026-11-21T02:00:00Z",
        key=text,
        result=json.dumps({**check, "report": f"s3://{ARTIFACTS}/cars/x/report.html"}),
    )
    cloud.s3.objects[ARTIFACTS, "cars/x/report.html"] = {"body": b"<p>", "Metadata": {}, "VersionId": "v"}
    history = History()
    history.add("ExecutionStarted")
    entered = history.add("TaskStateEntered", name=f"Train{text}")
    failed = history.add("TaskFailed", entered, error=f"Odd{text}", cause=text)
    history.add("ExecutionFailed", failed, error=f"Odd{text}", cause=text)
    cloud.stepfunctions.events, cloud.stepfunctions.status = history.events, "FAILED"
    told = {"model": "cars", "kind": f"model-refused{text}", "subject": text, "message": text, "at": text}
    cloud.s3.put_json("notifications/1-a.json", told)
    at = int(START.timestamp() * 1000)
    said = json.dumps({"message": text, "function_name": text, "level": text, "extra": text, "run": RUN})
    cloud.logs.lines["/aws/lambda/tidegate-Preprocess"] = [("s", at, said), ("s", at, f"{RUN} {text}")]
    cloud.serve()
    cloud.sagemaker.states["tg-cars-xgboost"] = text


def rows(path: Path, text: str) -> Path:
    """Write a file whose names and values hold a text, where UTF-8 has it."""
    text = text.encode("utf-8", "replace").decode()
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["KM", text], *([[1, text]] * 50)])
    return path


VERBS = {
    "status": [],
    "models": [],
    "runs": [],
    "runs cars": [],
    f"run {RUN}": [],
    "run": ["text"],
    f"logs {RUN}": [],
    "inbox": [],
    "report cars --out": ["page"],
    f"retry {RUN}": [],
    "train cars": ["file"],
    "train": ["text", "file"],
    "score cars": ["nothing"],
    "predict cars": ["file"],
    "apply": ["model file"],
    "cost": ["model file"],
    "monitor": ["text"],
    "dlq": [],
    "gc": [],
    "truth cars": ["file"],
    "delete": ["text"],
    "delete cars --yes": [],
    "destroy --yes": [],
    "doctor": [],
    "doctor --stack": ["text"],
    "doctor --aws": ["model file"],
    "profile": ["file"],
    "compare": ["file", "file"],
    "demo --model": ["text"],
    "up --profile": ["text"],
    "down --state": ["state"],
    "nonsense": ["text"],
}


@pytest.mark.slow
@pytest.mark.parametrize("as_json_too", [False, True], ids=["for people", "json"])
@pytest.mark.parametrize("what", ["everything at once", "markup that closes nothing"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_hostile_text_is_only_a_text_in_every_verb(
    cloud: FakeCloud, api: ApiServer, tidegate: Any, tmp_path: Path, verb: str, what: str, as_json_too: bool
) -> None:
    text = HOSTILE.get(what) or " ".join(HOSTILE.values())
    poison(cloud, text)
    api.refusal = 422, {"detail": text, "request_id": text}
    model_file = tmp_path / "model.yaml"
    model_file.write_text(f'name: cars\ntarget: "{text}"\n', "utf-8", errors="replace")
    given = {
        "text": text,
        "file": rows(tmp_path / "rows.csv", text),
        "nothing": tmp_path / f"nothing{text.replace('/', '')}.csv",
        "page": tmp_path / "page.html",
        "model file": model_file,
        "state": tmp_path / text.replace("/", ""),
    }
    arguments = [*verb.split(), *(str(given[each]) for each in VERBS[verb])]
    done = tidegate(*arguments, *(["--json"] if as_json_too else []))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in MEANINGS
    assert is_quiet(done.stdout) and is_quiet(done.stderr)
    if as_json_too:
        json.loads(done.stdout)


def test_every_verb_is_among_them() -> None:
    declared = {command.name for command in app.registered_commands}
    assert declared <= {verb.split()[0] for verb in VERBS}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_was_hidden_is_shown(cloud: FakeCloud, tidegate: Any, text: str) -> None:
    poison(cloud, text)
    assert visible(text).replace("\\x07", "") in tidegate("inbox").stdout
    assert visible(text.rsplit("/", 1)[-1]).replace("\\x07", "") in tidegate("runs").stdout


def test_a_refusal_of_aws_is_told_as_it_is(cloud: FakeCloud, tidegate: Any, monkeypatch: Any) -> None:
    def denied(**_: Any) -> Any:
        raise refusal("Odd[/x]", "no \x1b[31m[/y]")

    monkeypatch.setattr(cloud.cloudformation, "describe_stacks", denied)
    told = tidegate("models").stderr
    assert "no \\x1b[31m[/y] (Odd[/x])" in told


@given(st.text())
def test_a_visible_text_has_nothing_that_a_terminal_obeys(text: str) -> None:
    assert is_quiet(visible(text))
    assert visible(visible(text)) == visible(text)
    assert visible(text, "").isprintable() or set(text) & set("\u200c\u200d") or not text.isprintable()


@pytest.mark.slow
@given(st.dictionaries(st.text(), st.one_of(st.text(), st.floats(), st.lists(st.floats()))))
def test_json_is_valid_and_quiet_whatever_it_holds(document: dict[str, Any]) -> None:
    written = as_json(document, str)
    assert is_quiet(written)
    read = json.loads(written, parse_constant=lambda word: pytest.fail(word))
    assert {key: value for key, value in read.items() if isinstance(value, str)} == {
        key: value for key, value in document.items() if isinstance(value, str)
    }


@given(st.text(), st.booleans())
def test_a_cell_of_a_table_is_shown_whole(text: str, colours: bool) -> None:
    console = Console(width=20_000, force_terminal=colours)
    with console.capture() as said:
        console.print(table(["name"], [[text]]))
    assert is_quiet(said.get().replace("\x1b[2m", "").replace("\x1b[0m", ""))
    assert visible(text, "").strip() in said.get()


# Who may write to a terminal by other means: nobody. The groups of verbs come through here as well.
def test_there_is_one_door_to_the_terminal() -> None:
    for path in CLI.rglob("*.py"):
        if path.name in ("output.py", "console.py"):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in (
                    "print",
                    "rich.print",
                    "Console",
                    "Text.from_markup",
                    "sys.stdout.write",
                ), f"{path.name}, line {node.lineno}: {called}"
                assert not called.endswith(("from_markup", "typer.echo", "secho")), path.name
            if isinstance(node, ast.ImportFrom) and node.module == "rich.console":
                assert "Console" not in {each.name for each in node.names} or path.name == "render.py", (
                    path.name
                )
