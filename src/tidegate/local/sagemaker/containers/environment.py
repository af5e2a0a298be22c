"""A container's environment variables: the job's own, the platform's, and the way to the local cloud."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tidegate.local.sagemaker.containers.layout import ContainerRoot
from tidegate.local.sagemaker.context import Access, Context

# What any program needs of the machine it runs on; everything else of ours stays ours.
_FROM_THE_MACHINE = (
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "TIDEGATE_CLOUD",
)


def container_environment(
    ctx: Context,
    access: Access,
    root: ContainerRoot,
    variables: Mapping[str, str],
    *,
    platform: Mapping[str, str] | None = None,
    threads: int | None = None,
) -> dict[str, str]:
    """Return a container's whole environment.

    Parameters
    ----------
    ctx
        Where the local cloud is.
    access
        As whom the container acts there.
    root
        The container's folder; `/opt/ml` in the job's values is mapped into it.
    variables
        The job's or model's own variables; they win over ours, except for where `/opt/ml` is.
    platform
        What SageMaker sets for this kind of container, such as ``TRAINING_JOB_NAME``.
    threads
        How many threads numeric libraries may start; by default one per core.
    """
    # A container's working folder is its own, so that relative entries of ours would lead nowhere.
    search = os.pathsep.join(str(Path(entry).resolve()) for entry in _search_path())
    bound = str(threads or os.cpu_count() or 1)
    return {
        **{name: os.environ[name] for name in _FROM_THE_MACHINE if name in os.environ},
        **({"PYTHONPATH": search} if search else {}),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(root.temporary),
        "OMP_NUM_THREADS": bound,
        # Threads that wait must not spin: two containers share these cores.
        "OMP_WAIT_POLICY": "PASSIVE",
        "OPENBLAS_NUM_THREADS": bound,
        **access.variables,
        "AWS_REGION": ctx.region,
        "AWS_DEFAULT_REGION": ctx.region,
        "AWS_ENDPOINT_URL": ctx.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        **(platform or {}),
        **{name: root.local(value) for name, value in variables.items()},
        "TIDEGATE_ML_ROOT": str(root.ml),
        "SAGEMAKER_BASE_DIR": str(root.ml),
    }


def _search_path() -> list[str]:
    return [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
