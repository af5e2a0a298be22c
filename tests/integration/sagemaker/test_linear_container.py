"""The Linear Learner image as the platform runs it: processes, files, signals, HTTP."""

import http.client
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
from tests.free_ports import free_port
from tests.waiting import PATIENCE_SECONDS, children_seconds

from tidegate.local.sagemaker.images.linear_learner.artifact import LinearModel
from tidegate.local.sagemaker.images.registry import find_image

pytestmark = pytest.mark.integration

IMAGE = find_image("382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1")


def environment(root, **more):
    bounded = {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}  # as the platform starts containers
    return {**os.environ, **bounded, "TIDEGATE_ML_ROOT": str(root), **more}


def prepare(root, channels, **hyperparameters):
    config = root / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (config / "inputdataconfig.json").write_text(
        json.dumps({name: {"ContentType": "text/csv", "TrainingInputMode": "File"} for name in channels})
    )
    for name, (x, y) in channels.items():
        folder = root / "input" / "data" / name
        folder.mkdir(parents=True)
        np.savetxt(folder / "part-0.csv", np.column_stack([y, x]), delimiter=",", fmt="%.7g")


def train(root):
    return subprocess.run(
        IMAGE.train, env=environment(root), capture_output=True, text=True, timeout=300, check=False
    )


@contextmanager
def served(root):
    """Run the server on a free port; yield a connection to it once it answers its ping."""
    port = free_port()
    process = subprocess.Popen(IMAGE.serve, env=environment(root, SAGEMAKER_BIND_TO_PORT=str(port)))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                connection.request("GET", "/ping")
                assert connection.getresponse().read() == b""
                break
            except ConnectionRefusedError:
                connection.close()
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)
        yield connection
    finally:
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=300) == 0


def test_a_model_is_trained_then_served(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(1200, 4))
    y = x @ [3.0, -2, 0, 1] + 10
    prepare(
        tmp_path, {"train": (x[:1000], y[:1000]), "test": (x[1000:], y[1000:])}, predictor_type="regressor"
    )
    done = train(tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "output" / "failure").exists()
    with served(tmp_path) as connection:
        for media, body in (
            ("text/csv", "1,1,5,1\n"),
            ("application/json", '{"instances": [{"features": [1, 1, 5, 1]}]}'),
        ):
            connection.request("POST", "/invocations", body, {"Content-Type": media})
            reply = connection.getresponse()
            assert reply.getheader("content-type") == "application/json"
            assert json.loads(reply.read())["predictions"][0]["score"] == pytest.approx(12, abs=0.01)
        connection.request("POST", "/invocations", "1,1", {"Content-Type": "text/csv"})
        reply = connection.getresponse()
        assert (reply.status, b"trained on 4" in reply.read()) == (400, True)
        connection.request("GET", "/execution-parameters")
        assert json.loads(connection.getresponse().read())["BatchStrategy"] == "MULTI_RECORD"


def wide_table(random, rows, sizes, numeric):
    """Return numeric columns, the level of each row in each categorical column, and labels."""
    codes = [np.minimum(random.zipf(1.5, rows) - 1, size - 1) for size in sizes]
    numbers = random.normal(size=(rows, numeric))
    effects = [random.normal(size=size) for size in sizes]
    y = numbers @ random.normal(size=numeric) + random.normal(size=rows)
    for code, effect in zip(codes, effects, strict=True):
        y += effect[code]
    return numbers, codes, 10_000 + 1000 * y


def write_one_hot(path, numbers, codes, sizes, y):
    """Write the CSV from ready-made pieces: formatting 24 million cells one by one takes longer than training."""
    path.parent.mkdir(parents=True)
    columns = [[",".join(map(repr, row)) for row in np.column_stack([y, numbers]).round(6).tolist()]]
    for code, size in zip(codes, sizes, strict=True):
        words = [",".join("1" if at == level else "0" for at in range(size)) for level in range(size)]
        columns.append([words[level] for level in code])
    path.write_text("".join(",".join(cells) + "\n" for cells in zip(*columns, strict=True)))


def test_a_wide_table_is_trained_in_bounded_time_and_memory(tmp_path):
    rows, sizes = 33_000, (100, 200, 280)
    numbers, codes, y = wide_table(np.random.default_rng(1), 40_000, sizes, 20)
    prepare(tmp_path, {}, predictor_type="regressor")
    for name, part in (("train", slice(0, rows)), ("validation", slice(rows, None))):
        path = tmp_path / "input" / "data" / name / "part-0.csv"
        write_one_hot(path, numbers[part], [code[part] for code in codes], sizes, y[part])
    start = children_seconds()
    done = train(tmp_path)
    seconds = children_seconds() - start
    assert done.returncode == 0, done.stderr
    assert seconds < 20  # of the CPU, as others may use the machine too: about 3 s
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 900_000  # KB; the matrices hold 96 MB
    # The noise in the labels has a standard deviation of 1000: no model can do better than that.
    (rmse,) = re.findall(r"#quality_metric: host=algo-1, validation rmse <loss>=(\S+)", done.stdout)
    assert 980 < float(rmse) < 1030


def test_a_stopped_job_saves_its_best_model_and_leaves_cleanly(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(3000, 30))
    prepare(
        tmp_path,
        {"train": (x, x.sum(axis=1) + random.normal(size=3000))},
        predictor_type="regressor",
        epochs="1000000",
        early_stopping_patience="1000000",
    )
    process = subprocess.Popen(IMAGE.train, env=environment(tmp_path), stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "epoch=3," in line:
            process.send_signal(signal.SIGTERM)
            break
    rest = process.stdout.read()
    assert process.wait(timeout=300) == 0
    assert "Asked to stop" in rest
    assert LinearModel.load(tmp_path / "model").features == 30


@pytest.mark.parametrize(
    ("hyperparameters", "told"),
    [
        (
            {"predictor_type": "regressor", "num_round": "3"},
            "ClientError: Unknown hyperparameter 'num_round'",
        ),
        (
            {"predictor_type": "regressor"},
            "line 1, column 1 is 'price', which is not a number. It looks like a header",
        ),
    ],
)
def test_a_failed_job_leaves_its_reason_and_exit_code_1(tmp_path, hyperparameters, told):
    prepare(tmp_path, {}, **hyperparameters)
    folder = tmp_path / "input" / "data" / "train"
    folder.mkdir(parents=True)
    (folder / "cars.csv").write_text("price,km\n1,2\n")
    done = train(tmp_path)
    assert done.returncode == 1
    assert told in (tmp_path / "output" / "failure").read_text()
    assert "Traceback" not in done.stderr


def test_a_server_without_a_model_says_so_and_ends(tmp_path):
    done = subprocess.run(
        IMAGE.serve, env=environment(tmp_path), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1
    assert re.search(r"cannot be served\. .* has no model\.json", done.stderr)


@pytest.mark.parametrize("part", ["train", "serving"])
def test_a_container_imports_nothing_heavy(part):
    check = (
        f"import sys, tidegate.local.sagemaker.images.linear_learner.{part}; "
        "print([name for name in ('pandas', 'scipy', 'pyarrow', 'xgboost', 'boto3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
