"""Where the local cloud keeps things, and its environment: nothing of yours leaks into functions."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"  # nosec B105 # known to all, good for this machine alone
DEFAULT_PORT = 4566

# Paths that are ours and not AWS's. This one says which local cloud answers, and whether it is ready.
READY_PATH = "/_tidegate/ready"
# Where containers fetch the credentials of their role, as they do on AWS from an address of their host.
CREDENTIALS_PATH = "/_tidegate/credentials"

# Every process of a local cloud carries this variable, with its state folder: so `down` finds them all.
MARKER = "TIDEGATE_CLOUD"

# How `up` gives a local cloud what it will prove to know; it is taken out of the environment at once.
PROOF_SETTING = "_TIDEGATE_CLOUD_SECRET"

# Names a file of images of one's own (sagemaker/images/registry.py).
IMAGES_SETTING = "TIDEGATE_IMAGES"

# What the emulator serves; SageMaker is ours and comes on top.
SERVICES = (
    "apigateway",
    "athena",
    "cloudformation",
    "dynamodb",
    "events",
    "glue",
    "iam",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "s3",
    "scheduler",
    "sns",
    "sqs",
    "ssm",
    "states",
    "sts",
    "tagging",
)

# What any program needs of the machine it runs on.
_FROM_THE_MACHINE = (
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "TZ",
    "TMPDIR",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "SFN_WAIT_SCALE",
)
_FROM_THE_MACHINE_PREFIXES = ("LC_", "TIDEGATE_")


@dataclass(frozen=True)
class StateFolder:
    """The folder in which one local cloud keeps all it has.

    Parameters
    ----------
    path
        The folder; by convention ``.tidegate`` in the project.
    """

    path: Path

    @classmethod
    def of(cls, path: Path | str) -> StateFolder:
        """Return the folder at ``path``, which need not exist yet."""
        return cls(Path(path).expanduser().resolve())

    @property
    def record(self) -> Path:
        """Who runs here: process id, port, start."""
        return self.path / "cloud.json"

    @property
    def lock(self) -> Path:
        """Held while a local cloud is being started or stopped."""
        return self.path / "lock"

    @property
    def running(self) -> Path:
        """Held by the local cloud's process for as long as it lives."""
        return self.path / "running"

    @property
    def deploying(self) -> Path:
        """Held while something is being deployed."""
        return self.path / "deploying"

    @property
    def entries(self) -> tuple[Path, ...]:
        """All that may be in the folder."""
        files = (self.record, self.lock, self.running, self.deploying, self.daemon_log, self.deploy_log)
        return (*files, self.emulator, self.objects, self.sagemaker, self.temporary, self.build)

    @property
    def daemon_log(self) -> Path:
        """What the local cloud says of itself."""
        return self.path / "daemon.log"

    @property
    def deploy_log(self) -> Path:
        """What ``sam`` said."""
        return self.path / "deploy.log"

    @property
    def emulator(self) -> Path:
        """The emulator's saved services."""
        return self.path / "emulator"

    @property
    def objects(self) -> Path:
        """The objects of S3."""
        return self.path / "s3"

    @property
    def sagemaker(self) -> Path:
        """The local SageMaker's records and containers."""
        return self.path / "sagemaker"

    @property
    def temporary(self) -> Path:
        """Files that are worth nothing once the local cloud is down."""
        return self.path / "tmp"

    @property
    def build(self) -> Path:
        """What ``sam build`` makes, its cache, and what is deployed."""
        return self.path / "build"


def client_environment(endpoint_url: str) -> dict[str, str]:
    """Return the variables that point AWS tools at a local cloud, and keep them off everything else."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def machine_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an environment that describes the machine: paths and language, no AWS profile."""
    return {
        name: value
        for name, value in given.items()
        if name in _FROM_THE_MACHINE or (name.startswith(_FROM_THE_MACHINE_PREFIXES) and name != MARKER)
    }


def daemon_environment(
    folder: StateFolder, port: int, auth: bool, given: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a local cloud's process, and so of its functions.

    Parameters
    ----------
    folder, port, auth
        The state folder, the port on 127.0.0.1, and whether IAM policies are enforced.
    given
        The environment it is started from.
    """
    cores = os.cpu_count() or 2
    # A local cloud works in its state folder, from where a relative path would lead elsewhere.
    images = given.get(IMAGES_SETTING)
    return {
        **machine_environment(given),
        **({IMAGES_SETTING: str(Path(images).absolute())} if images else {}),
        **client_environment(f"http://127.0.0.1:{port}"),
        MARKER: str(folder.path),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(folder.temporary),
        # the emulator
        "AUTH": "true" if auth else "false",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": given.get("LOG_LEVEL", "WARNING"),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "S3_DATA_DIR": str(folder.objects),
        "S3_PERSIST": "1",
        "SERVICES": ",".join(SERVICES),
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(folder.emulator),
        # A burst of drops must not start more Python processes than the machine can run: calls beyond this
        # are throttled, as on AWS, and the state machines try them again.
        "LAMBDA_ACCOUNT_CONCURRENCY": str(max(4, 2 * cores)),
        # No container engine is looked for: functions run as processes.
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        # Functions run side by side: none may take every core.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "ARROW_IO_THREADS": "2",
        # Threads come and go by the thousand: each must not leave a heap of its own behind (glibc's default).
        "MALLOC_ARENA_MAX": "2",
        # What is large, such as a service's state while it is saved, goes back when it is freed. Left alone,
        # glibc learns from the first large block to keep the next ones on its heap, which then never shrinks.
        "MALLOC_MMAP_THRESHOLD_": str(256 * 1024),
    }


def daemon_command(folder: StateFolder, port: int, auth: bool) -> list[str]:
    """Return the command that runs a local cloud in the foreground."""
    command = [
        sys.executable,
        "-m",
        "tidegate.local.daemon",
        "--port",
        str(port),
        "--state",
        str(folder.path),
    ]
    return [*command, "--auth"] if auth else command
