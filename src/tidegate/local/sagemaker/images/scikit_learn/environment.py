"""The `SM_*` variables and the command line that AWS's training toolkit gives a training script."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidegate.local.sagemaker.images.container import ml_root, read_config

_OF_PLATFORM = (
    "sagemaker_program",
    "sagemaker_submit_directory",
    "sagemaker_enable_cloudwatch_metrics",
    "sagemaker_region",
    "sagemaker_container_log_level",
    "sagemaker_job_name",
    "default_user_module_name",
    "_tuning_objective_metric",
    "sagemaker_s3_output",
)


class TrainingEnvironment:
    """What the files under `/opt/ml/input/config` and the container's variables say about the job."""

    def __init__(self) -> None:
        given = {name: _decoded(value) for name, value in read_config("hyperparameters").items()}
        platform = {n: v for n, v in given.items() if n.startswith("sagemaker_") or n in _OF_PLATFORM}
        self.hyperparameters = {n: v for n, v in given.items() if n not in platform}
        self.framework = {n: v for n, v in platform.items() if n not in _OF_PLATFORM}
        self.program = str(os.environ.get("SAGEMAKER_PROGRAM") or platform.get("sagemaker_program") or "")
        self.source = str(
            os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or platform.get("sagemaker_submit_directory") or ""
        )
        self.log_level = platform.get("sagemaker_container_log_level", 20)
        self._inputs = read_config("inputdataconfig")
        self._resources = read_config("resourceconfig")

    def arguments(self) -> list[str]:
        """The hyperparameters as `--name value`, sorted by name."""
        return to_arguments(self.hyperparameters)

    def variables(self, code: Path) -> dict[str, str]:
        """Every `SM_*` variable of the toolkit, as text."""
        root = ml_root()
        host = self._resources.get("current_host", "algo-1")
        groups = self._resources.get("instance_groups", [])
        group = self._resources.get("current_group_name", "homogeneousCluster")
        channels = {name: str(root / "input" / "data" / name) for name in self._inputs}
        values: dict[str, Any] = {
            "hosts": self._resources.get("hosts", [host]),
            "current_host": host,
            "network_interface_name": self._resources.get("network_interface_name", "eth0"),
            "current_instance_type": self._resources.get("current_instance_type", "local"),
            "current_instance_group": group,
            "current_instance_group_hosts": [
                h for g in groups if g.get("instance_group_name") == group for h in g.get("hosts", [])
            ],
            "instance_groups": [g.get("instance_group_name") for g in groups],
            "instance_groups_dict": {g.get("instance_group_name"): g for g in groups},
            "distribution_instance_groups": [],
            "is_hetero": len(groups) > 1,
            "hps": self.hyperparameters,
            "framework_params": self.framework,
            "framework_module": "sagemaker_sklearn_container.training:main",
            "user_entry_point": self.program,
            "user_args": self.arguments(),
            "module_name": self.program.removesuffix(".py"),
            "module_dir": self.source or str(code),
            "log_level": self.log_level,
            "resource_config": self._resources,
            "input_data_config": self._inputs,
            "channels": sorted(channels),
            "input_dir": str(root / "input"),
            "input_config_dir": str(root / "input" / "config"),
            "model_dir": str(root / "model"),
            "output_dir": str(root / "output"),
            "output_data_dir": str(root / "output" / "data"),
            "output_intermediate_dir": str(root / "output" / "intermediate"),
            "num_cpus": os.cpu_count() or 1,
            "num_gpus": sum(1 for _ in Path("/dev").glob("nvidia[0-9]*")),
            "num_neurons": 0,
        }
        values["training_env"] = {
            **{n: v for n, v in values.items() if n not in ("hps", "user_args", "framework_params")},
            "hyperparameters": self.hyperparameters,
            "additional_framework_parameters": self.framework,
            "channel_input_dirs": channels,
            "job_name": os.environ.get("TRAINING_JOB_NAME", ""),
            "is_master": True,
            "master_hostname": host,
        }
        values |= {f"channel_{name}": path for name, path in channels.items()}
        values |= {f"hp_{name}": value for name, value in self.hyperparameters.items()}
        return {f"SM_{name.upper()}": _as_text(value) for name, value in values.items()}


def to_arguments(hyperparameters: Mapping[str, Any]) -> list[str]:
    """Turn decoded hyperparameters into the command line of a script.

    Examples
    --------
    >>> to_arguments({"rate": 0.1, "c": True, "where": {"a": 1}})
    ['-c', 'True', '--rate', '0.1', '--where', 'a=1']
    """
    arguments: list[str] = []
    for name in sorted(hyperparameters):
        value = hyperparameters[name]
        if isinstance(value, Mapping):
            value = ",".join(f"{key}={item}" for key, item in sorted(value.items()))
        arguments += [f"--{name}" if len(name) > 1 else f"-{name}", "" if value is None else str(value)]
    return arguments


def _decoded(value: Any) -> Any:
    """The SDK sends each hyperparameter as JSON; what is not JSON is the text itself."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
