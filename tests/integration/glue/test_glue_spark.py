"""The Glue job's script on a real Spark of two cores, against a local cloud's S3."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.free_ports import free_port

from tidegate.core.windows import Manifest
from tidegate.local import cloud as local_cloud
from tidegate.local.cloud import Cloud
from tidegate.table.profile import Profile

pytestmark = [pytest.mark.integration, pytest.mark.spark]

ROOT = Path(__file__).parents[3]
KEPT = Path.home() / ".cache" / "tidegate" / "spark"
NEEDS = ["pyspark>=3.5", "numpy", "pyarrow", "boto3"]
BUCKET, HOME = "artifacts", "cars/monitor/xgboost/windows/000001-r"
PARTS, ROWS = 3, 40


@pytest.fixture(scope="module")
def python() -> Path:
    """Give the Python of an environment that has PySpark, made where there is none."""
    if shutil.which("java") is None:
        pytest.skip("there is no Java on this machine, which Spark runs on")
    mark = KEPT / "installed"
    if not mark.exists() or mark.read_text() != " ".join(NEEDS):
        uv = shutil.which("uv") or str(ROOT / ".venv" / "bin" / "uv")
        subprocess.run([uv, "venv", "-q", "--clear", "--python", "3.11", str(KEPT)], check=True, timeout=60)
        subprocess.run(
            [uv, "pip", "install", "-q", "--python", str(KEPT / "bin/python"), *NEEDS],
            check=True,
            timeout=900,
        )
        mark.write_text(" ".join(NEEDS))
    return KEPT / "bin" / "python"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    port = free_port()
    state = tmp_path_factory.mktemp("cloud")
    yield local_cloud.up(state, port)
    local_cloud.down(state)


def captured(part: int) -> bytes:
    lines = []
    for at in range(ROWS):
        sides = {
            "endpointInput": {"data": f"{part * 100 + at},fiat", "encoding": "CSV"},
            "endpointOutput": {"data": str(at), "encoding": "CSV"},
        }
        meta = {"eventId": f"e{part}-{at}", "inferenceTime": f"2024-05-0{part + 1}T10:00:00Z"}
        lines.append(json.dumps({"captureData": sides, "eventMetadata": meta}))
    return "\n".join(lines).encode()


def test_spark_reads_a_window_part_by_part_and_keeps_it_as_the_function_would(
    python: Path, cloud: Cloud, tmp_path: Path
):
    # As on AWS, where SAM uploads the script under a digest, so that it is no module and no name ends in .py.
    script = tmp_path / "0c4f1d2e7b9a"
    shutil.copyfile(ROOT / "glue" / "profile_window.py", script)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    objects = []
    for part in range(PARTS):
        key = f"cars/capture/e/AllTraffic/{part}.jsonl"
        put = s3.put_object(Bucket=BUCKET, Key=key, Body=captured(part))
        objects.append(
            {
                "source": "capture",
                "key": key,
                "etag": put["ETag"].strip('"'),
                "size": 64 << 20,
                "counted_in": [],
            }
        )
    manifest = Manifest(
        model="cars",
        algorithm="xgboost",
        run="r",
        window=1,
        objects=objects,
        labels=[],
        state=None,
        champion="c",
        baseline="s3://artifacts/b",
        columns={"km": "numeric", "make": "categorical"},
        target="price",
        identity="",
        endpoint="e",
        least_rows=1,
        left=0,
        seen={},
        newest=None,
        waiting=None,
        home=f"s3://{BUCKET}/{HOME}",
    )
    s3.put_object(Bucket=BUCKET, Key=f"{HOME}/manifest.json", Body=json.dumps(manifest.to_dict()).encode())
    done = subprocess.run(
        [
            str(python),
            str(script),
            "--JOB_NAME",
            "x",
            "--aws-region",
            cloud.environment["AWS_DEFAULT_REGION"],
            "--manifest",
            manifest.place,
        ],
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ},
            # Glue's machines do not say their region in the environment: the job's arguments do.
            **{name: value for name, value in cloud.environment.items() if "REGION" not in name},
            "PYTHONPATH": str(ROOT / "src"),
            "PYSPARK_PYTHON": str(python),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_SUBMIT_ARGS": "--master local[2] pyspark-shell",
        },
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "SparkContext" in done.stderr or "spark" in done.stderr.lower()

    def read(name: str) -> bytes:
        body: bytes = s3.get_object(Bucket=BUCKET, Key=f"{HOME}/{name}")["Body"].read()
        return body

    assert json.loads(read("read.json")) == {
        "rows": PARTS * ROWS,
        "repeated": 0,
        "first": "2024-05-01T10:00:00Z",
        "last": "2024-05-03T10:00:00Z",
        "unreadable": [],
        "skipped": 0,
    }
    rows = pq.read_table(io.BytesIO(read("rows.parquet")))
    assert rows.column("km").to_pylist() == [part * 100 + at for part in range(PARTS) for at in range(ROWS)]
    profile = Profile.from_bytes(read("profile.bin"))
    assert profile.columns["km"].moments.total == sum(rows.column("km").to_pylist())
    assert profile.columns["make"].categories() == {"fiat": PARTS * ROWS}
