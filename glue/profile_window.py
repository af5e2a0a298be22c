"""Reads a large window on Glue's Spark, as the function profile_window reads a small one, part by part.

Started by the monitor machine for windows of more than the template's LargeWindowMB. Reads the manifest and
its objects (artifacts bucket), each part by a task; writes `rows.parquet`, the profile and `read.json` into
the window's folder. The engine comes out of the functions' layers, so that both compute the same. Which
objects are a window's is the monitor's own bookmark's to say; Glue keeps none, so that several runs may be at
work at once, each on a window of its own. Without Spark the parts are read one after the other.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3

ENGINE = "python/tidegate/"  # of a layer; its libraries are built for another Python than Glue's
MARK = "tidegate-engine-"


def settle_region(region: str) -> None:
    """Tell the SDK on this machine in which region it works, unless it knows: Glue's machines do not say."""
    if region:
        os.environ.setdefault("AWS_DEFAULT_REGION", region)


def bring_engine(layers: Sequence[str]) -> None:
    """Put the engine of the deployed layers before everything else that this process imports."""
    if not layers or any(MARK in entry for entry in sys.path):
        return
    found = [_content(*layer.rsplit(":", 2)[1:]) for layer in layers]
    digest = hashlib.sha256("".join(each["CodeSha256"] for each in found).encode()).hexdigest()[:16]
    home = Path(tempfile.gettempdir()) / f"{MARK}{digest}"
    if not home.exists():
        with tempfile.TemporaryDirectory() as scratch:
            for each in found:
                # Lambda itself names the place, over TLS.
                with urllib.request.urlopen(each["Location"], timeout=120) as answer:  # nosec B310
                    packed = zipfile.ZipFile(io.BytesIO(answer.read()))
                packed.extractall(scratch, [name for name in packed.namelist() if name.startswith(ENGINE)])
            try:
                Path(scratch, "python").replace(home)
            except OSError:
                if not home.exists():  # else another task of this machine was quicker
                    raise
    sys.path.insert(0, str(home))


def _content(layer: str, version: str) -> dict[str, Any]:
    answer = boto3.client("lambda").get_layer_version(LayerName=layer, VersionNumber=int(version))
    return dict(answer["Content"])


def read(
    task: tuple[int, list[dict[str, Any]]], manifest_uri: str, layers: Sequence[str], region: str
) -> Any:
    """Read one part on whichever machine this is; gives what is known of it, and leaves its rows in S3."""
    settle_region(region)
    bring_engine(layers)
    from tidegate.core.unforeseen import guarded

    return guarded(_read)(task, manifest_uri)


def _read(task: tuple[int, list[dict[str, Any]]], manifest_uri: str) -> Any:
    from tidegate.core.windows import Manifest
    from tidegate.edge import storage
    from tidegate.edge.fetch import put
    from tidegate.edge.window_parts import read_part

    number, objects = task
    manifest = Manifest.from_dict(storage.read_json(manifest_uri))
    with tempfile.TemporaryDirectory() as scratch:
        rows = Path(scratch) / "rows.parquet"
        part = read_part(manifest, objects, Path(scratch), rows)
        put(part_uri(manifest.home, number), rows)
    return part


def part_uri(home: str, number: int) -> str:
    """Say where a task leaves its rows until they are joined."""
    return f"{home}/parts/{number:05d}.parquet"


def join(home: str, parts: int, out: Path) -> None:
    """Join the rows that the tasks left, in their order and a batch at a time."""
    import pyarrow.parquet as pq

    from tidegate.edge.fetch import fetch

    writer = None
    for number in range(parts):
        path = fetch(part_uri(home, number), out.with_suffix(".part"))
        with pq.ParquetFile(path) as file:
            writer = writer or pq.ParquetWriter(out, file.schema_arrow, compression="zstd")
            for batch in file.iter_batches():
                writer.write_batch(batch)
    if writer is not None:
        writer.close()


def spark_or_here() -> Callable[[Callable[[Any], Any], list[Any]], list[Any]]:
    """Give what maps a function over tasks: Spark where there is one, a loop otherwise."""
    try:
        from pyspark import SparkContext
    except ModuleNotFoundError:
        return lambda work, tasks: [work(task) for task in tasks]
    spark = SparkContext.getOrCreate()
    return lambda work, tasks: spark.parallelize(tasks, max(1, len(tasks))).map(work).collect()


def main() -> None:
    """Read the window that the arguments name."""
    parser = argparse.ArgumentParser(description="Reads a large window.")
    parser.add_argument("--manifest", required=True, help="S3 URI of the window's manifest")
    parser.add_argument("--layers", default="", help="ARNs of the layers that hold the engine, by commas")
    parser.add_argument("--aws-region", default="", help="the region of the stack")
    options, _ = parser.parse_known_args()
    settle_region(options.aws_region)
    layers = [each for each in options.layers.split(",") if each]
    bring_engine(layers)
    from tidegate.core.unforeseen import guarded

    # What the job ends with is its message, and a line of its log: no value of the data may be in it.
    guarded(_window)(options.manifest, layers, options.aws_region)


def _window(uri: str, layers: Sequence[str], region: str) -> None:
    from tidegate.core.windows import Manifest, parts_of
    from tidegate.edge import storage
    from tidegate.edge.window_parts import keep_window

    manifest = Manifest.from_dict(storage.read_json(uri))
    tasks = list(enumerate(parts_of(manifest.objects)))
    parts = spark_or_here()(lambda task: read(task, uri, layers, region), tasks)
    with tempfile.TemporaryDirectory() as scratch:
        rows = Path(scratch) / "rows.parquet"
        join(manifest.home, len(parts), rows)
        found = keep_window(manifest, parts, rows)
    for number in range(len(parts)):
        storage.delete(part_uri(manifest.home, number))
    print(f"window {manifest.window} of {manifest.model}, {manifest.algorithm}: {found['rows']} rows read")


if __name__ == "__main__":
    main()
