"""A container's program finds its own folder at `/opt/ml`, where this machine lets us give it that."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from jobs_world import World, channel

from tidegate.local.sagemaker.containers import mounting
from tidegate.local.sagemaker.containers.mounting import is_possible, seen_at_opt_ml

pytest_plugins = ["jobs_world"]
only_where_possible = pytest.mark.skipif(not is_possible(), reason="no mount namespaces for us here")


@only_where_possible
def test_a_program_sees_its_folder_at_opt_ml_and_the_rest_of_opt_as_it_is(tmp_path: Path) -> None:
    ml = tmp_path / "opt" / "ml"
    ml.mkdir(parents=True)
    (ml / "mine").write_text("yes")
    command = seen_at_opt_ml(
        ml, ["sh", "-c", "cat /opt/ml/mine; touch /opt/ml/result; ls -A /opt"], os.environ
    )
    seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    others = {entry.name for entry in Path("/opt").iterdir()} - {"ml"}
    assert seen.startswith("yes")
    assert others <= set(seen.removeprefix("yes").split())
    assert (ml / "result").exists()
    assert [entry.name for entry in ml.parent.iterdir()] == ["ml"]  # nothing of the mounting is left


@only_where_possible
def test_a_program_keeps_its_process_number_so_that_signals_reach_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        seen_at_opt_ml(tmp_path, ["sh", "-c", "echo $$"], os.environ), stdout=subprocess.PIPE, text=True
    )
    said, _ = process.communicate(timeout=300)
    assert int(said) == process.pid


@only_where_possible
def test_two_jobs_at_once_have_an_opt_ml_each(world: World) -> None:
    image = world.shell(
        "literal", "cp /opt/ml/input/data/train/* /opt/ml/model/; sleep 0.3; ls /opt/ml/model"
    )
    for name in ("one", "two"):
        world.put(f"s3://jobs-in/{name}/{name}.csv", "1\n")
        world.train(image, f"mounted-{name}", InputDataConfig=[channel("train", f"s3://jobs-in/{name}/")])
    for name in ("one", "two"):
        record = world.end("training-job", f"mounted-{name}")
        assert record["TrainingJobStatus"] == "Completed", record.get("FailureReason")
        assert world.logs("/aws/sagemaker/TrainingJobs", f"mounted-{name}/") == [f"{name}.csv"]


def test_where_it_cannot_be_a_program_starts_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounting, "is_possible", lambda: False)
    assert seen_at_opt_ml(tmp_path, ["true"], os.environ) == ["true"]


def test_a_program_that_does_not_exist_is_left_to_say_so_itself(tmp_path: Path) -> None:
    assert seen_at_opt_ml(tmp_path, ["no-such-program"], os.environ) == ["no-such-program"]
