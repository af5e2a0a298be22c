"""The table that Athena asks: its columns and places are those of the files that checks write."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conformance.test_template import RESOURCES
from tidegate.core import names
from tidegate.table.watch.results import write_results
from tidegate.table.watch.rows import Source, read_window

pytestmark = pytest.mark.conformance

TABLE = RESOURCES["CheckedRows"]["Properties"]["TableInput"]
HIVE = {"string": "string", "double": "double", "int64": "bigint"}


def test_the_table_has_every_column_of_the_results_but_a_model_s_own_inputs(tmp_path: Path):
    sides = {
        "endpointInput": {"data": "5", "encoding": "CSV"},
        "endpointOutput": {"data": "7", "encoding": "CSV"},
    }
    record = {"captureData": sides, "eventMetadata": {"eventId": "e", "inferenceTime": "2024-05-04"}}
    (tmp_path / "capture").write_text(json.dumps(record))
    rows, about = tmp_path / "rows.parquet", {"window": 1}
    read_window([Source("capture", "k", tmp_path / "capture")], {"km": "numeric"}, "xgboost", "", rows)
    about |= dict.fromkeys(("model", "algorithm", "check", "verdict", "drifting"), "x")
    [file] = write_results(rows, tmp_path, about, {}, "2024-05-04").values()
    written = {field.name: HIVE[str(field.type)] for field in pq.read_schema(file)}
    declared = {column["Name"]: column["Type"] for column in TABLE["StorageDescriptor"]["Columns"]}
    partitions = {key["Name"] for key in TABLE["PartitionKeys"]}
    assert {name: kind for name, kind in written.items() if name not in {"km", *partitions}} == declared


def test_its_partitions_are_the_folders_of_the_results():
    separator, parts = TABLE["Parameters"]["storage.location.template"]
    place = separator.join(parts).replace("ArtifactsBucket", "bucket")
    place = place.replace("${model}", "cars").replace("${date}", "2024-05-04")
    assert f"s3://bucket/{names.result_key('cars', '2024-05-04', 'xgboost', 3)}".rpartition("/")[0] == place
