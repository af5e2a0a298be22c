"""The folder that stands for a container's file system: `/opt/ml` and the JSON files AWS puts there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]

# AWS calls the only host algo-1; its training toolkit waits for that name to resolve, which it does not here.
HOST = "localhost"
_GROUP = "homogeneousCluster"
# "/opt/ml" where a path begins: at the start, after "=", ":", "," …, but not within "s3://bucket/opt/ml".
_ML = re.compile(r"(?:(?<![\w/.\-])|(?<=file://))/opt/ml(?=$|[/:,;\s\"'])")


@dataclass(frozen=True)
class ContainerRoot:
    """One container's folder.

    Examples
    --------
    >>> root = ContainerRoot(Path("/state/containers/one"))
    >>> root.local("--model-dir=/opt/ml/model")
    '--model-dir=/state/containers/one/opt/ml/model'
    >>> root.local("s3://bucket/opt/ml/model")
    's3://bucket/opt/ml/model'
    """

    path: Path

    @property
    def ml(self) -> Path:
        """What the container knows as `/opt/ml`."""
        return self.path / "opt" / "ml"

    @property
    def temporary(self) -> Path:
        """The temporary folder of its programs; what a killed one left in it goes with the rest."""
        return self.path / "tmp"

    def local(self, text: str) -> str:
        """Map every `/opt/ml` prefix in an argument or a value to this folder."""
        return _ML.sub(lambda _: str(self.ml), text)

    def local_all(self, texts: Sequence[str]) -> list[str]:
        """Map each argument of a command."""
        return [self.local(text) for text in texts]

    def remove(self) -> None:
        """Delete the folder and all in it."""
        shutil.rmtree(self.path, ignore_errors=True)


def make_root(containers: Path, container_id: str) -> ContainerRoot:
    """Make a container's folder, empty even when one of that id was left behind."""
    root = ContainerRoot(containers / container_id)
    if root.path.exists():
        shutil.rmtree(root.path)
    root.ml.mkdir(parents=True)
    root.temporary.mkdir()
    return root


def lay_out_training(root: ContainerRoot, job: Record) -> None:
    """Write what a training container finds: `input/config/*.json` and the folders of its results."""
    channels = {
        channel["ChannelName"]: {
            "ContentType": channel.get("ContentType", ""),
            "TrainingInputMode": _file_mode(channel),
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        for channel in job.get("InputDataConfig", [])
    }
    instance = job["ResourceConfig"].get("InstanceType", "local")
    hosts = {
        "current_host": HOST,
        "current_instance_type": instance,
        "current_group_name": _GROUP,
        "hosts": [HOST],
        "instance_groups": [
            {"instance_group_name": _GROUP, "instance_type": instance, "hosts": [HOST]},
        ],
        "network_interface_name": "lo",
    }
    # Script mode turns hyperparameters into arguments, hence the same mapping as for arguments.
    parameters = {name: root.local(value) for name, value in job.get("HyperParameters", {}).items()}
    config = root.ml / "input" / "config"
    _write(config / "hyperparameters.json", parameters)
    _write(config / "inputdataconfig.json", channels)
    _write(config / "resourceconfig.json", hosts)
    for folder in ("input/data", "model", "output/data"):
        (root.ml / folder).mkdir(parents=True, exist_ok=True)
    for channel in channels:
        (root.ml / "input" / "data" / channel).mkdir()


def lay_out_processing(root: ContainerRoot, job: Record) -> None:
    """Write what a processing container finds: `config/*.json` and the folders of its inputs and outputs."""
    described = (
        "ProcessingJobArn",
        "ProcessingJobName",
        "Environment",
        "AppSpecification",
        "ProcessingInputs",
        "ProcessingOutputConfig",
        "ProcessingResources",
        "RoleArn",
        "StoppingCondition",
        "NetworkConfig",
    )
    config = root.ml / "config"
    _write(config / "processingjobconfig.json", {key: job[key] for key in described if key in job})
    _write(config / "resourceconfig.json", {"current_host": HOST, "hosts": [HOST]})
    (root.ml / "output").mkdir()
    (root.ml / "processing").mkdir()


def lay_out_serving(root: ContainerRoot) -> None:
    """Make the folder of the model that a model server loads."""
    (root.ml / "model").mkdir(parents=True)


def _file_mode(channel: Record) -> str:
    # Fast File streams on first read; a folder of files looks the same to the container.
    mode = str(channel.get("InputMode", "File"))
    return "File" if mode == "FastFile" else mode


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
