"""Times real-time predictions: 1, 8 and 32 clients on kept connections, one car a request.

    .venv/bin/python benchmarks/realtime.py [--seconds 3] [--rounds 2] [--clients 1 8 32] [--json]

Asked in turn, in one session, on one machine, by the same client:

- server: the XGBoost container of the endpoint alone, an encoded row to its port;
- endpoint: InvokeEndpoint of the local SageMaker (recipe and XGBoost containers), a raw car;
- api: the real-time API (API Gateway, Lambda, endpoint), the same car;
- api-two: the API for the model with two algorithms;
- fastapi, mlflow: a plain FastAPI server and `mlflow models serve` with the same model file, an encoded row.

The peers get a virtual environment of their own, made by uv; one that cannot be installed is left out with a
notice. Reported for each number of clients: requests a second, and milliseconds at the median and the 99th
percentile; and for the servers that run alone, the CPU milliseconds a request, which tell of throughput even
on a machine that is busy with other things. IAM is not enforced; the signature is there and is not checked.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine
import yaml
from http_load import Target, load, summed_up
from peer_environments import interpreter
from train_pipeline import ROOT, Bench, corollas, free_port

from tidegate.cli.stack import api_url
from tidegate.local import cloud as local_cloud
from tidegate.local.deploy import deploy
from tidegate.local.sagemaker.containers.archives import unpack
from tidegate.local.sagemaker.images.registry import find_image
from tidegate.serving.apply import Recipe

PEERS = {"fastapi_xgboost": ["fastapi", "uvicorn"], "mlflow_serve": ["mlflow"]}
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
)
START_SECONDS = 90


@contextmanager
def process(command: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    """Run a server, and give its process group; 0 if it did not come up."""
    child = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end, up = time.monotonic() + START_SECONDS, False
        while not up and child.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
            with socket.socket() as probe:
                up = probe.connect_ex(("127.0.0.1", port)) == 0
        yield child.pid if up else 0
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait(timeout=30)


def peer_python(folder: Path) -> Path | None:
    """Make the peers' environment, if it can be made."""
    own = [f"xgboost-cpu=={version('xgboost-cpu')}", "numpy"]
    return interpreter("serving", [*own, *(each for one in PEERS.values() for each in one)], folder)


def model_files(folder: Path, bench: Bench, run: str) -> tuple[Path, Recipe]:
    """Fetch a run's XGBoost model, laid out for its container, and its recipe."""
    s3, bucket = bench.clients["s3"], bench.outputs["ArtifactsBucket"]
    home = f"{bench.spec.name}/runs/{run}/xgboost"
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{home}/model/")["Contents"]
    [key] = [each["Key"] for each in listed if each["Key"].endswith("/model.tar.gz")]
    archive = folder / "model.tar.gz"
    archive.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    unpack(archive, folder / "model")
    recipe = json.loads(s3.get_object(Bucket=bucket, Key=f"{home}/recipe.json")["Body"].read())
    return folder / "model", Recipe(recipe)


def declared(name: str, algorithms: list[str]) -> bytes:
    """Write the reference model's file under another name, with some of its algorithms."""
    spec = yaml.safe_load((ROOT / "models" / "used-car-price" / "model.yaml").read_text())
    kept = {algorithm: spec["algorithms"][algorithm] for algorithm in algorithms}
    serving = {**spec["serving"], "instances": {"min": 1, "max": 1}}
    return yaml.safe_dump(
        {**spec, "name": name, "algorithms": kept, "serving": serving, "notify": []}
    ).encode()


def lift_throttle(cloud: local_cloud.Cloud) -> None:
    """Let more requests in than the template's default: the limit is not what is measured."""
    gateway = cloud.client("apigatewayv2")
    [api] = gateway.get_apis()["Items"]
    gateway.update_stage(
        ApiId=api["ApiId"],
        StageName="$default",
        DefaultRouteSettings={"ThrottlingRateLimit": 100_000.0, "ThrottlingBurstLimit": 100_000},
    )


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Start everything, ask everything, in turn."""
    content = corollas(1436)
    car = next(csv.DictReader(io.StringIO(content.decode())))
    with ExitStack() as stack:
        cloud = local_cloud.up(folder / "cloud", free_port())
        stack.callback(local_cloud.down, folder / "cloud")
        deploy(cloud, ROOT, "tidegate")
        lift_throttle(cloud)
        benches = {
            "bench-one": Bench(cloud, declared("bench-one", ["xgboost"])),
            "bench-two": Bench(cloud, declared("bench-two", ["xgboost", "linear-learner"])),
        }
        results = {name: bench.train("cars.csv", content)[1] for name, bench in benches.items()}
        one = benches["bench-one"]
        model, recipe = model_files(folder, one, results["bench-one"]["run"])
        names = list(one.spec.features)
        raw = ",".join(car[name] for name in names).encode()
        encoded = recipe.encode(raw, "text/csv")
        row = [float(cell) for cell in encoded.split(",")]
        path = (api_url(one.outputs, "") or "") + "/models/{}/predictions"
        ask_api = {"Content_Type": "text/csv", "Authorization": SIGNED.format("execute-api")}
        ask_endpoint = {
            "Content_Type": "text/csv",
            "Authorization": SIGNED.format("sagemaker"),
            "Accept": "text/csv",
        }
        port = free_port()
        command = find_image("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5").serve
        assert command is not None
        environment = {
            "TIDEGATE_ML_ROOT": str(folder), "SAGEMAKER_BIND_TO_PORT": str(port),
            "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE",
        }  # fmt: skip
        group = stack.enter_context(process(command, port, environment))
        assert group, "the model server did not come up"
        targets = {
            "server": Target(
                port, "/invocations", encoded.encode(), group, Content_Type="text/csv", Accept="text/csv"
            ),
            "endpoint": Target(
                cloud.port, "/endpoints/tg-bench-one-xgboost/invocations", raw, **ask_endpoint
            ),
            "api": Target(cloud.port, path.format("bench-one"), raw, **ask_api),
            "api-two": Target(cloud.port, path.format("bench-two"), raw, **ask_api),
            **peers(stack, options, model / "xgboost-model", row),
        }
        took: dict[tuple[str, int], list[float]] = {}
        cpu: dict[tuple[str, int], float] = {}
        for _ in range(options.rounds):
            for clients in options.clients:
                for name, target in targets.items():
                    print(f"asking {name} from {clients}", file=sys.stderr)
                    used = target.cpu_seconds()
                    took.setdefault((name, clients), []).extend(load(target, clients, options.seconds))
                    used = target.cpu_seconds() - used
                    cpu[name, clients] = cpu.get((name, clients), 0.0) + used
    whole = options.seconds * options.rounds
    return {
        name: {
            str(clients): summed_up(sorted(took[name, clients]), whole, cpu[name, clients])
            for clients in options.clients
        }
        for name in targets
    }


def peers(stack: ExitStack, options: argparse.Namespace, model: Path, row: list[float]) -> dict[str, Target]:
    """Start the peers that can be installed."""
    python = None if options.no_peers else peer_python(options.peers_folder)
    found: dict[str, Target] = {}
    bodies = {"fastapi_xgboost": {"rows": [row]}, "mlflow_serve": {"inputs": [row]}}
    ubj = model.with_suffix(".ubj")
    shutil.copy(model, ubj)
    for name, body in bodies.items() if python else ():
        port = free_port()
        script = Path(__file__).parent / "serving_peers" / f"{name}.py"
        command = [str(python), str(script), str(ubj), str(port)]
        if group := stack.enter_context(process(command, port, {})):
            content = json.dumps(body).encode()
            target = Target(port, "/invocations", content, group, Content_Type="application/json")
            found[name.split("_")[0]] = target
        else:
            print(f"left out {name}: it did not come up within {START_SECONDS} s", file=sys.stderr)
    return found


def show(found: dict[str, Any]) -> None:
    """Print a table for people."""
    print(f"{'':10} {'clients':>7} {'req/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'cpu ms':>8}")
    for name, by_clients in found.items():
        for clients, each in by_clients.items():
            figures = f"{each['requests_per_second']:9.0f} {each['p50_ms']:8.2f} {each['p99_ms']:8.2f}"
            cpu = f"{each['cpu_ms']:8.2f}" if "cpu_ms" in each else ""
            print(f"{name:10} {clients:>7} {figures} {cpu}")


def main() -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=3.0, help="of one turn")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument(
        "--peers-folder", type=Path, default=Path.home() / ".cache" / "tidegate" / "serving-peers",
        help="where the peers' environment is kept",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(machine.told(), file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options, Path(folder))
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
