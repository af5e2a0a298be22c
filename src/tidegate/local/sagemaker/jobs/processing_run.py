"""A processing job's way: inputs down, the container, outputs up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidegate.local.sagemaker.containers.environment import container_environment
from tidegate.local.sagemaker.containers.layout import ContainerRoot, lay_out_processing, make_root
from tidegate.local.sagemaker.containers.logs import translate
from tidegate.local.sagemaker.containers.transfer import (
    TransferError,
    download_all,
    find_objects,
    upload_folder,
)
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.lifecycle import PROCESSING, Cause, Interrupted, Job
from tidegate.local.sagemaker.jobs.records import CLIENT, JobFailed
from tidegate.local.sagemaker.jobs.running import (
    ContainerRun,
    container_failure,
    entrypoint_command,
    failure_text,
    find_image,
    run_container,
)
from tidegate.local.sagemaker.store import now

Record = dict[str, Any]


class ProcessingRun(ContainerRun):
    """One processing job under way.

    Notes
    -----
    Outputs are uploaded at the end of a job that succeeded, also those whose mode is Continuous.
    """

    def __init__(self, job: Job, record: Record) -> None:
        super().__init__(job, record)
        self._said = ""

    def _work(self) -> None:
        command = self._command()
        limit = self._record.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        if limit is not None:
            self._job.limit(limit, Cause.MAX_RUNTIME)
        self._ctx.store.update(PROCESSING.kind, self._job.name, ProcessingStartTime=now())
        root = make_root(self._ctx.root / "containers", f"{PROCESSING.kind}-{self._job.name}")
        try:
            lay_out_processing(root, self._record)
            self._download(root)
            self._process(root, command)
        finally:
            root.remove()

    def _download(self, root: ContainerRoot) -> None:
        for item in self._record.get("ProcessingInputs", []):
            source = item["S3Input"]
            if item.get("AppManaged"):
                continue
            folder = Path(root.local(source["LocalPath"]))
            folder.mkdir(parents=True, exist_ok=True)
            try:
                found = find_objects(self._s3, source["S3Uri"], source.get("S3DataType", "S3Prefix"))
                download_all(self._s3, found, folder, self._job.check)
            except TransferError as error:
                raise JobFailed(
                    CLIENT, f"Data download failed: input {item['InputName']}: {error}"
                ) from error

    def _process(self, root: ContainerRoot, command: list[str]) -> None:
        outputs = [
            (Path(root.local(item["S3Output"]["LocalPath"])), item["S3Output"]["S3Uri"], item["OutputName"])
            for item in self._record.get("ProcessingOutputConfig", {}).get("Outputs", [])
            if not item.get("AppManaged")
        ]
        for folder, _, _ in outputs:
            folder.mkdir(parents=True, exist_ok=True)
        env = container_environment(self._ctx, self._access, root, self._record.get("Environment", {}))
        env["PROCESSING_JOB_ARN"] = self._record["ProcessingJobArn"]
        hosts = self._record["ProcessingResources"]["ClusterConfig"]["InstanceCount"]
        if hosts > 1:
            self._line(f"This job asks for {hosts} instances; the local SageMaker runs it on one host.")
        code = run_container(self._job, root.local_all(command), env=env, root=root, on_line=self._line)
        self._logs.end()
        self._said = failure_text(root.ml / "output" / "message")
        if (cause := self._job.cause) is not None:
            raise Interrupted(cause)
        if code != 0:
            raise container_failure(root.ml, code, PROCESSING.log_group, self._stream)
        for folder, uri, name in outputs:
            try:
                upload_folder(self._s3, folder, uri)
            except TransferError as error:
                raise JobFailed(CLIENT, f"Upload of the output {name} failed: {error}") from error

    def _finish(self, status: str, reason: str | None, cause: Cause | None) -> None:
        self._logs.close(send=self._job.cause is not Cause.SHUTDOWN)

        def finish(record: Record) -> Record:
            changes: Record = {
                "ProcessingJobStatus": records.final_status(record, PROCESSING, status),
                "ProcessingEndTime": now(),
            }
            if self._said:
                changes["ExitMessage"] = self._said
            if reason is not None:
                changes["FailureReason"] = reason
            elif cause is Cause.MAX_RUNTIME:
                changes["FailureReason"] = f"{CLIENT}: the job {cause.value} and was stopped."
            return {**record, **changes}

        records.update(self._ctx, PROCESSING, self._job.name, finish)

    def _line(self, line: str) -> None:
        self._logs.write(translate(line))

    def _command(self) -> list[str]:
        app = self._record["AppSpecification"]
        image = find_image(self._job, app["ImageUri"])
        arguments = app.get("ContainerArguments", [])
        if "ContainerEntrypoint" in app:
            return entrypoint_command(image, app["ContainerEntrypoint"], arguments)
        if image.process is None:
            raise JobFailed(
                CLIENT,
                f"The image {image.repository} is registered without a process command. Give the job a "
                'ContainerEntrypoint such as ["python3", "/opt/ml/processing/input/code/run.py"].',
            )
        return [*image.process, *arguments]
