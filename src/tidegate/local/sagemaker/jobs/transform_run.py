"""A transform job's way: its model's servers, then every input file through them, then the servers' end."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from tidegate.local.sagemaker.containers.layout import make_root
from tidegate.local.sagemaker.containers.logs import LogStream, translate
from tidegate.local.sagemaker.containers.serving import (
    CannotServe,
    ModelServers,
    containers_of,
    role_of,
    start_model,
)
from tidegate.local.sagemaker.containers.transfer import TransferError, find_objects
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.association import Association
from tidegate.local.sagemaker.jobs.inference import FileFailure, Inference
from tidegate.local.sagemaker.jobs.lifecycle import SHUTDOWN_GRACE_SECONDS, TRANSFORM, Cause, Job
from tidegate.local.sagemaker.jobs.records import ALGORITHM, CLIENT, JobFailed
from tidegate.local.sagemaker.jobs.running import Run
from tidegate.local.sagemaker.jobs.splitting import Cut
from tidegate.local.sagemaker.store import now

Record = dict[str, Any]

_STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
_DEFAULT_PAYLOAD_MB = 6
_MOST_PAYLOAD_MB = 100
_STOP_GRACE_SECONDS = 5.0


class TransformRun(Run):
    """One transform job under way.

    Parameters
    ----------
    job
        Its handle.
    record
        Its record as it was created.
    model
        The record of its model at that time.
    """

    def __init__(self, job: Job, record: Record, model: Record) -> None:
        super().__init__(job, record)
        self._model = model
        # A transform job has no role of its own: it acts in its model's.
        self._access = job.ctx.acting_as(role_of(model))
        self._s3 = self._access.client("s3")
        instance = f"{job.name}/i-{uuid.uuid4().hex[:17]}"
        containers = containers_of(model)
        streams = (
            [instance]
            if len(containers) == 1
            else [
                f"{instance}/{container.get('ContainerHostname', f'container-{number}')}"
                for number, container in enumerate(containers, start=1)
            ]
        )
        self._logs = [self._log(stream) for stream in streams]
        self._data_log = self._log(f"{instance}/data-log")

    def _work(self) -> None:
        self._ctx.store.update(TRANSFORM.kind, self._job.name, TransformStartTime=now())
        source = self._record["TransformInput"]["DataSource"]["S3DataSource"]
        try:
            found = find_objects(self._s3, source["S3Uri"], source["S3DataType"])
        except TransferError as error:
            raise JobFailed(CLIENT, f"Data download failed: {error}") from error
        servers = self._start()
        root = make_root(self._ctx.root / "containers", f"{TRANSFORM.kind}-{self._job.name}")
        try:
            inference = self._inference(servers)
            failures = inference.run(found, root.path)
        finally:
            servers.stop(SHUTDOWN_GRACE_SECONDS if self._job.cause else _STOP_GRACE_SECONDS)
            root.remove()
        if failures:
            raise _failed(failures, len(found))

    def _start(self) -> ModelServers:
        try:
            return start_model(
                self._ctx,
                self._model,
                f"{TRANSFORM.kind}-{self._job.name}",
                environment={**self._platform(), **self._record.get("Environment", {})},
                on_line=lambda number, line: self._logs[number].write(translate(line)),
                on_exit=lambda *_: self._job.wake.set(),
                check=self._job.check,
                connections=self._record.get("MaxConcurrentTransforms") or 8,
            )
        except CannotServe as error:
            whose = CLIENT if error.fault == "client" else ALGORITHM
            where = f"See {self._logs[error.container].stream} in {TRANSFORM.log_group}."
            raise JobFailed(whose, f"{error} {where}" if whose == ALGORITHM else str(error)) from error

    def _inference(self, servers: ModelServers) -> Inference:
        """Settle the parameters: what the request says, then what the containers say, then the defaults."""
        said = servers.execution_parameters()
        strategy = _STRATEGIES.get(self._record.get("BatchStrategy", "")) or said.get(
            "BatchStrategy", "MULTI_RECORD"
        )
        concurrency = self._record.get("MaxConcurrentTransforms") or said.get("MaxConcurrentTransforms") or 1
        payload = self._record.get("MaxPayloadInMB", said.get("MaxPayloadInMB", _DEFAULT_PAYLOAD_MB))
        # 0 means no limit; the whole of a request has to fit the memory all the same.
        payload = min(payload or _MOST_PAYLOAD_MB, _MOST_PAYLOAD_MB)
        self._tell_data(
            f"MaxConcurrentTransforms={concurrency}, MaxPayloadInMB={payload}, BatchStrategy={strategy}"
        )
        given, output = self._record["TransformInput"], self._record["TransformOutput"]
        client = self._record.get("ModelClientConfig", {})
        return Inference(
            job=self._job,
            s3=self._s3,
            servers=servers,
            association=Association.of(given.get("ContentType"), self._record["DataProcessing"]),
            cut=Cut(
                by_line=given["SplitType"] == "Line",
                single=strategy == "SINGLE_RECORD",
                most_bytes=payload << 20,
                gzip=given["CompressionType"] == "Gzip",
            ),
            content_type=given.get("ContentType"),
            accept=output.get("Accept"),
            by_line=output["AssembleWith"] == "Line",
            output_uri=output["S3OutputPath"],
            concurrency=concurrency,
            timeout_seconds=client.get("InvocationsTimeoutInSeconds", 600),
            retries=client.get("InvocationsMaxRetries", 3),
            on_failure=lambda failure: self._tell_data(
                f"{failure.item.bucket}/{failure.item.key}: {failure.whose}: {failure.message}"
            ),
        )

    def _platform(self) -> dict[str, str]:
        variables = {"SAGEMAKER_BATCH": "true"}
        if "MaxPayloadInMB" in self._record:
            variables["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(self._record["MaxPayloadInMB"])
        if "BatchStrategy" in self._record:
            variables["SAGEMAKER_BATCH_STRATEGY"] = _STRATEGIES[self._record["BatchStrategy"]]
        if self._record.get("MaxConcurrentTransforms"):  # 0 leaves it to the container
            variables["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(self._record["MaxConcurrentTransforms"])
        return variables

    def _finish(self, status: str, reason: str | None, cause: Cause | None) -> None:
        del cause  # a transform job has no limits of its own; asked to stop is the only other end
        logs = (*self._logs, self._data_log)
        for stream in logs:
            stream.end()
        for stream in logs:
            stream.close(send=self._job.cause is not Cause.SHUTDOWN)

        def finish(record: Record) -> Record:
            changes: Record = {
                "TransformJobStatus": records.final_status(record, TRANSFORM, status),
                "TransformEndTime": now(),
            }
            if reason is not None:
                changes["FailureReason"] = reason
            return {**record, **changes}

        records.update(self._ctx, TRANSFORM, self._job.name, finish)

    def _tell_data(self, text: str) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._data_log.write(translate(f"{time}:[sagemaker logs]: {text}"))

    def _log(self, stream: str) -> LogStream:
        return LogStream(self._access.client("logs"), TRANSFORM.log_group, stream)


def _failed(failures: list[FileFailure], files: int) -> JobFailed:
    first = failures[0]
    return JobFailed(
        first.whose,
        f"{len(failures)} of {files} files could not be transformed; the first is {first.item.uri}. "
        f"{first.message}",
    )
