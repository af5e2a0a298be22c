"""Runs the scripts of Glue jobs as processes: here there is no Spark, unless the environment has PySpark."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tidegate.local import settings
from tidegate.local.sagemaker.containers.process import Child
from tidegate.local.sagemaker.context import Context

SERVICE = "glue.amazonaws.com"
STOP_SECONDS = 10.0
LAST_LINES = 20

Ended = Callable[[int, str], None]


class Runner:
    """Starts job runs.

    Parameters
    ----------
    context
        Where the local cloud is, and whom jobs act as.
    check
        Raises a `TidegateError` unless a service may assume a role: (role ARN, service, ARN it acts for).
        None where no policies are enforced.
    """

    def __init__(self, context: Context, check: Callable[[str, str, str], None] | None) -> None:
        self._context = context
        self._check = check

    def __call__(
        self, job: Mapping[str, Any], arguments: Mapping[str, str], ended: Ended
    ) -> Callable[[], Any]:
        """Start a run; gives what stops it.

        Parameters
        ----------
        job
            As Glue describes it.
        arguments
            What the script is given.
        ended
            Called once with the exit code and the last lines that the script wrote.

        Raises
        ------
        TidegateError
            If the job's role does not trust Glue.
        CannotStart
            If there is no process to be had.
        """
        arn = f"arn:aws:glue:{settings.REGION}:{settings.ACCOUNT}:job/{job['Name']}"
        if self._check is not None:
            self._check(job["Role"], SERVICE, arn)
        scratch = tempfile.TemporaryDirectory(prefix="glue-")
        script = Path(scratch.name) / "script.py"
        place = urlsplit(job["Command"]["ScriptLocation"])
        # Glue reads the script in the job's role, too.
        access = self._context.acting_as(job["Role"])
        access.client("s3").download_file(place.netloc, place.path.lstrip("/"), str(script))
        lines: deque[str] = deque(maxlen=LAST_LINES)

        def done(code: int) -> None:
            scratch.cleanup()
            ended(code, "\n".join(lines))

        given = [part for name, value in arguments.items() for part in (name, str(value))]
        machine = settings.machine_environment(os.environ)
        child = Child(
            [sys.executable, str(script), *given],
            env={
                **machine,
                settings.MARKER: os.environ.get(settings.MARKER, ""),
                "PYTHONUNBUFFERED": "1",
                "AWS_ENDPOINT_URL": self._context.endpoint_url,
                "AWS_EC2_METADATA_DISABLED": "true",
                **access.variables,
            },
            cwd=scratch.name,
            on_line=lines.append,
            on_exit=done,
        )
        return lambda: child.stop(STOP_SECONDS)
