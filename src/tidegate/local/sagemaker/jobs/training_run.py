"""A training job's way: data down, the container, the model up, each step told in the job's record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidegate.local.sagemaker.containers.archives import left_out, pack
from tidegate.local.sagemaker.containers.environment import container_environment
from tidegate.local.sagemaker.containers.layout import ContainerRoot, lay_out_training, make_root
from tidegate.local.sagemaker.containers.logs import translate
from tidegate.local.sagemaker.containers.metrics import MetricWatch
from tidegate.local.sagemaker.containers.transfer import (
    TransferError,
    download_all,
    files_in,
    find_objects,
    join_uri,
    upload_file,
    upload_folder,
)
from tidegate.local.sagemaker.images.registry import Image
from tidegate.local.sagemaker.jobs import records
from tidegate.local.sagemaker.jobs.checkpoints import Checkpoints
from tidegate.local.sagemaker.jobs.lifecycle import TRAINING, Cause, Interrupted, Job
from tidegate.local.sagemaker.jobs.records import CLIENT, JobFailed, transition
from tidegate.local.sagemaker.jobs.running import (
    ContainerRun,
    container_failure,
    entrypoint_command,
    find_image,
    run_container,
    whole_seconds,
)
from tidegate.local.sagemaker.store import now

Record = dict[str, Any]

_ENDINGS = {
    None: (records.STOPPED, "Training job stopped"),
    Cause.ASKED: (records.STOPPED, "Training job stopped"),
    Cause.MAX_RUNTIME: (
        "MaxRuntimeExceeded",
        "Training job runtime exceeded MaxRuntimeInSeconds provided",
    ),
    Cause.MAX_WAIT: (
        "MaxWaitTimeExceeded",
        "Training job wait time exceeded MaxWaitTimeInSeconds provided",
    ),
}


class TrainingRun(ContainerRun):
    """One training job under way."""

    def __init__(self, job: Job, record: Record) -> None:
        super().__init__(job, record)
        self._metrics: MetricWatch | None = None

    def _work(self) -> None:
        image = find_image(self._job, self._record["AlgorithmSpecification"]["TrainingImage"])
        command = self._command(image)
        self._metrics = self._watch(image)
        self._job.metric_values = self._metrics.values
        root = make_root(self._ctx.root / "containers", f"{TRAINING.kind}-{self._job.name}")
        try:
            self._download(root)
            self._train(root, command)
        finally:
            root.remove()

    def _download(self, root: ContainerRoot) -> None:
        self._job.limit(self._record["StoppingCondition"]["MaxRuntimeInSeconds"], Cause.MAX_RUNTIME)
        self._tell("Downloading", "Downloading input data", TrainingStartTime=now())
        lay_out_training(root, self._record)
        for channel in self._record.get("InputDataConfig", []):
            source = channel["DataSource"]["S3DataSource"]
            folder = root.ml / "input" / "data" / channel["ChannelName"]
            try:
                found = find_objects(self._s3, source["S3Uri"], source["S3DataType"])
                download_all(self._s3, found, folder, self._job.check)
            except TransferError as error:
                raise JobFailed(
                    CLIENT, f"Data download failed: channel {channel['ChannelName']}: {error}"
                ) from error

    def _train(self, root: ContainerRoot, command: list[str]) -> None:
        checkpoints = Checkpoints.of(self._s3, root, self._record.get("CheckpointConfig"))
        platform = {
            "TRAINING_JOB_NAME": self._job.name,
            "TRAINING_JOB_ARN": self._record["TrainingJobArn"],
        }
        variables = self._record.get("Environment", {})
        env = container_environment(self._ctx, self._access, root, variables, platform=platform)
        hosts = self._record["ResourceConfig"].get("InstanceCount", 1)
        self._tell("Training", "Training image download completed. Training in progress.")
        if hosts > 1:
            self._line(f"This job asks for {hosts} instances; the local SageMaker runs it on one host.")
        try:
            with checkpoints:
                code = run_container(
                    self._job, root.local_all(command), env=env, root=root, on_line=self._line
                )
            cause = self._job.cause
            if cause is Cause.SHUTDOWN:
                raise Interrupted(cause)
            for folder in (root.ml / "output" / "data", root.ml / "model"):
                for sentence in left_out(folder):
                    self._line(f"[WARNING] {folder.name}: {sentence}")
            self._logs.end()
            self._upload(root, code, cause)
        except TransferError as error:
            raise JobFailed(CLIENT, f"Data transfer failed: {error}") from error
        if cause is not None:
            raise Interrupted(cause)

    def _upload(self, root: ContainerRoot, code: int, cause: Cause | None) -> None:
        """Keep what the container left: its output always, the model when it succeeded or was stopped."""
        output = join_uri(self._record["OutputDataConfig"]["S3OutputPath"], f"{self._job.name}/output")
        flat = self._record["OutputDataConfig"].get("CompressionType") == "NONE"
        failed = code != 0 and cause is None
        if not failed:
            self._tell("Uploading", "Uploading generated training model")
        data = root.ml / "output" / "data"
        if files_in(data):
            self._put(data, output, "output", flat)
        if failed:
            raise container_failure(root.ml, code, TRAINING.log_group, self._stream)
        model = root.ml / "model"
        # A stopped job may have had no time to save a model; one that succeeded always has an archive.
        if cause is None or files_in(model):
            artifacts = self._put(model, output, "model", flat)
            self._change(ModelArtifacts={"S3ModelArtifacts": artifacts})

    def _put(self, folder: Path, output: str, name: str, flat: bool) -> str:
        if flat:
            upload_folder(self._s3, folder, join_uri(output, name))
            return join_uri(output, f"{name}/")
        uri = join_uri(output, f"{name}.tar.gz")
        archive = folder.parent / f"{name}.tar.gz.tidegate"
        pack(folder, archive)
        upload_file(self._s3, archive, uri)
        return uri

    def _finish(self, status: str, reason: str | None, cause: Cause | None) -> None:
        going_down = self._job.cause is Cause.SHUTDOWN
        # The log and the metrics can be read when the job says that it has ended.
        self._logs.close(send=not going_down)
        if self._metrics is not None:
            self._metrics.close(send=not going_down)

        def finish(record: Record) -> Record:
            final = records.final_status(record, TRAINING, status)
            end = now()
            changes: Record = {"TrainingJobStatus": final, "TrainingEndTime": end}
            if "TrainingStartTime" in record:
                seconds = whole_seconds(record["TrainingStartTime"], end)
                changes |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
            if self._metrics is not None:
                changes["FinalMetricDataList"] = self._metrics.final()
            if reason is not None:
                changes["FailureReason"] = reason
            step = {
                records.COMPLETED: (records.COMPLETED, "Training job completed"),
                records.FAILED: (records.FAILED, reason or "Training job failed"),
                records.STOPPED: _ENDINGS.get(cause, _ENDINGS[None]),
            }[final]
            return transition({**record, **changes}, *step)

        records.update(self._ctx, TRAINING, self._job.name, finish)

    def _tell(self, status: str, message: str, **changes: Any) -> None:
        """Go on to the next secondary status; a job that is being stopped keeps saying so."""

        def next_step(record: Record) -> Record:
            changed = {**record, **changes}
            if record["TrainingJobStatus"] == records.STOPPING:
                return changed
            return transition(changed, status, message)

        records.update(self._ctx, TRAINING, self._job.name, next_step)

    def _change(self, **changes: Any) -> None:
        self._ctx.store.update(TRAINING.kind, self._job.name, **changes)

    def _line(self, line: str) -> None:
        translated = translate(line)
        self._logs.write(translated)
        if self._metrics is not None:
            self._metrics.read(translated)

    def _watch(self, image: Image) -> MetricWatch:
        own = self._record["AlgorithmSpecification"].get("MetricDefinitions", [])
        definitions = dict(image.metric_definitions) | {item["Name"]: item["Regex"] for item in own}
        return MetricWatch(
            self._access.client("cloudwatch"), self._job.name, definitions.items(), self._logs.write
        )

    def _command(self, image: Image) -> list[str]:
        algorithm = self._record["AlgorithmSpecification"]
        arguments = algorithm.get("ContainerArguments", [])
        if "ContainerEntrypoint" in algorithm:
            return entrypoint_command(image, algorithm["ContainerEntrypoint"], arguments)
        if image.train is None:
            raise JobFailed(
                CLIENT,
                f"The image {image.repository} is registered without a train command, so it cannot train. "
                'Add "train" to its entry, or give the job a ContainerEntrypoint.',
            )
        return [*image.train, *arguments]
