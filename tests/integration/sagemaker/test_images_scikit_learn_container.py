"""Script mode as processes: a user's training script and a user's serving module."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from images_containers import lay_out, serving, start_serving, start_training, train
from tests.free_ports import free_port

pytestmark = pytest.mark.integration

IMAGE = "sagemaker-scikit-learn:1.4-2-cpu-py3"

TRAIN = """
import argparse, json, os, helper
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--fail", default="")
arguments = parser.parse_args()
if arguments.fail:
    raise ValueError(arguments.fail)
found = open(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "part-0.csv")).read()
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"), "w") as file:
    json.dump({"rate": arguments.rate, "data": found, "helper": helper.WORD}, file)
print("trained")
"""
SERVE = """
import json, pathlib
from helper import WORD
def model_fn(model_dir):
    return json.loads((pathlib.Path(model_dir) / "model.json").read_text())
def input_fn(data, content_type):
    return [float(cell) for cell in data.split(",")]
def predict_fn(cells, model):
    return [cell * model["rate"] for cell in cells]
def output_fn(prediction, accept):
    return ",".join(map(str, prediction)) + " " + WORD, "text/csv"
"""
HELPER = "WORD = 'helped'\n"


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{name}.py")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture
def bucket() -> Iterator[str]:
    """A stand-in for S3 that has one object, the source code."""
    body = archive(train=TRAIN, inference=SERVE, helper=HELPER)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            known = self.path == "/artifacts/code/sourcedir.tar.gz"
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(body)) if known else "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def aws(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def test_a_script_from_s3_is_trained_and_its_model_served(bucket: str, tmp_path: Path) -> None:
    given = {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://artifacts/code/sourcedir.tar.gz"',
        "rate": "0.5",
    }
    root = lay_out(tmp_path, given, {"train": "1,2\n"})
    code, log = train(IMAGE, root, **aws(bucket))
    assert code == 0, log
    model = json.loads((root / "model" / "model.json").read_text())
    assert model == {"rate": 0.5, "data": "1,2\n", "helper": "helped"}
    assert "trained" in log

    (tmp_path / "sourcedir.tar.gz").write_bytes(archive(inference=SERVE, helper=HELPER))
    variables = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": str(tmp_path / "sourcedir.tar.gz"),
    }
    (root / "code").rename(root / "code of training")
    with serving(IMAGE, root, **variables) as server:
        assert server.ask(b"1,4", Content_Type="text/csv") == (200, b"0.5,2.0 helped", "text/csv")
        status, body, _ = server.ask(b"1,x", Content_Type="text/csv")
        assert status == 500
        assert b"ValueError" in body
        assert server.ask(None, "/execution-parameters")[0] == 404
        server.child.send_signal(signal.SIGTERM)
        assert server.child.wait(timeout=300) == 0


def test_a_script_that_fails_leaves_its_last_words(tmp_path: Path) -> None:
    root = lay_out(tmp_path, {"sagemaker_program": "train.py", "fail": '"no cars left"'}, {"train": "1\n"})
    for name, text in {"train": TRAIN, "helper": HELPER}.items():
        (root / "code").mkdir(exist_ok=True)
        (root / "code" / f"{name}.py").write_text(text)
    code, log = train(IMAGE, root)
    assert code == 1
    failure = (root / "output" / "failure").read_text()
    assert failure.startswith("ExecuteUserScriptError:\nExitCode 1")
    assert "ValueError: no cars left" in failure
    assert "ValueError: no cars left" in log


def test_source_that_is_not_in_the_bucket_is_named(bucket: str, tmp_path: Path) -> None:
    given = {"sagemaker_program": "train.py", "sagemaker_submit_directory": '"s3://artifacts/gone.tar.gz"'}
    root = lay_out(tmp_path, given, {})
    code, _ = train(IMAGE, root, **aws(bucket))
    assert code == 1
    assert "s3://artifacts/gone.tar.gz could not be downloaded" in (root / "output" / "failure").read_text()


def test_a_stop_reaches_the_script(tmp_path: Path) -> None:
    root = lay_out(tmp_path, {"sagemaker_program": "train.py"}, {})
    (root / "code").mkdir()
    script = (
        "import pathlib, signal, sys, time\n"
        f"stop = pathlib.Path({str(root / 'model' / 'stopped')!r})\n"
        "signal.signal(signal.SIGTERM, lambda *_: (stop.touch(), sys.exit(0)))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    (root / "code" / "train.py").write_text(script)
    child = start_training(IMAGE, root)
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("ready"):
            break
    child.send_signal(signal.SIGTERM)
    log, _ = child.communicate(timeout=300)
    assert child.returncode == 0, log
    assert (root / "model" / "stopped").exists()


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (None, "There is no inference.py in"),
        ("x = 1\n", "has no model_fn(model_dir)"),
        ("def model_fn(d):\n    raise KeyError('weights')\n", "inference.py could not be started: KeyError"),
    ],
)
def test_a_server_that_cannot_start_says_why_and_ends(
    module: str | None, sentence: str, tmp_path: Path
) -> None:
    code = tmp_path / "model" / "code"
    code.mkdir(parents=True)
    if module is not None:
        (code / "inference.py").write_text(module)
    child = start_serving(IMAGE, tmp_path, free_port())
    log, _ = child.communicate(timeout=300)
    assert child.returncode == 1
    assert sentence in log


def test_a_server_of_plain_python_starts_without_numeric_libraries() -> None:
    program = (
        "import sys, tidegate.local.sagemaker.images.scikit_learn.serve\n"
        "print(sorted({'numpy', 'scipy', 'boto3', 'pandas', 'sklearn', 'pyarrow'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
