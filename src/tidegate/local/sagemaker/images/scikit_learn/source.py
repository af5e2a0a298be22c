"""Brings the user's code onto the disk: from a folder, a tar.gz, or a tar.gz in S3."""

from __future__ import annotations

import re
import tempfile
from importlib import metadata
from pathlib import Path

from tidegate.local.sagemaker.containers.archives import BadArchive, unpack
from tidegate.local.sagemaker.images.container import ContainerError, ml_root


def local_path(location: str) -> Path:
    """The place of a container path on this machine: `/opt/ml/…` lies in the container's root folder."""
    path = location.removeprefix("file://")
    if path == "/opt/ml" or path.startswith("/opt/ml/"):
        return ml_root() / path.removeprefix("/opt/ml").lstrip("/")
    return Path(path)


def fetch_source(location: str, into: Path) -> Path:
    """Make the code at `location` available in a folder and return that folder.

    Parameters
    ----------
    location
        A folder (used where it is), a `.tar.gz` file, or `s3://bucket/key` of one.
    into
        The folder to unpack an archive into; when it already holds files, they are used as they are.

    Raises
    ------
    ContainerError
        When there is nothing at the location, or no archive that can be unpacked safely.
    """
    if not location.startswith("s3://"):
        path = local_path(location)
        if path.is_dir():
            return path
        if not path.exists():
            raise ContainerError(f"There is no source code at {location}: it is neither a folder nor a file.")
        return _unpack(path, location, into)
    if into.is_dir() and any(into.iterdir()):
        print(f"[INFO] {into} already holds code; {location} is not downloaded.", flush=True)
        return into
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "sourcedir.tar.gz"
        _download(location, archive)
        return _unpack(archive, location, into)


def _download(location: str, archive: Path) -> None:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = location.removeprefix("s3://").partition("/")
    try:
        boto3.client("s3").download_file(bucket, key, str(archive))
    except (BotoCoreError, ClientError) as error:
        raise ContainerError(f"The source code {location} could not be downloaded: {error}") from error


def _unpack(archive: Path, location: str, into: Path) -> Path:
    into.mkdir(parents=True, exist_ok=True)
    try:
        unpack(archive, into)
    except BadArchive as error:
        raise ContainerError(f"The source code {location} cannot be used: {error}") from error
    return into


def warn_of_missing_requirements(folder: Path) -> None:
    """Say which packages of a `requirements.txt` are not installed here.

    AWS's image installs them as it starts. Here a container shares the environment of the local cloud, which
    no job may change.
    """
    path = folder / "requirements.txt"
    if not path.is_file():
        return
    missing = []
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.match(r"[A-Za-z0-9][\w.-]*", line.strip())
        if match:
            try:
                metadata.distribution(match[0])
            except metadata.PackageNotFoundError:
                missing.append(match[0])
    if missing:
        print(
            f"[WARNING] requirements.txt names {', '.join(missing)}, which AWS installs and this machine "
            "lacks: install them into the environment in which the local cloud runs.",
            flush=True,
        )
