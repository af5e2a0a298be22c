"""Takes MiniStack in as a library: checks it, puts every hook in place, adds SageMaker."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from tidegate.local.emulator import (
    alarms,
    apis,
    autoscaling,
    definitions,
    deliveries,
    doors,
    encryption,
    events,
    glue,
    iam,
    journal,
    keys,
    lambdas,
    loading,
    log_streams,
    memory,
    metrics,
    names,
    objects,
    recovery,
    retention,
    sequencers,
    stepfunctions,
    tables,
    walk,
    witness,
)
from tidegate.local.emulator.guard import App
from tidegate.local.emulator.names import router, server
from tidegate.local.emulator.signed import checked
from tidegate.local.emulator.stepfunctions import Handler

ServiceHandler = iam.ServiceHandler

emit = events.emit
busy = walk.busy
announce_interrupted = stepfunctions.announce_interrupted
deliver = deliveries.deliver
recover = recovery.recover
keep_journal = journal.keep
tidy = retention.tidy


def load() -> None:
    """Import the emulator, which reads its settings from the environment, and check that we know it."""
    names.check()


def wrap(service: str, wrapper: Callable[[ServiceHandler], ServiceHandler]) -> None:
    """Put something around a service's handler."""
    server.handlers[service] = wrapper(server.handlers[service])


def embed(
    sagemaker: ServiceHandler, integrations: Mapping[str, Handler], run_glue: glue.Run, key_of: keys.KeyOf
) -> App:
    """Return the emulator's ASGI application with our hooks and SageMaker in it.

    Parameters
    ----------
    sagemaker
        Serves SageMaker and SageMaker Runtime.
    integrations
        Step Functions' optimized integrations with SageMaker, by resource.
    run_glue
        Starts a run of a Glue job.
    key_of
        Gives the key that encrypts what an endpoint configuration's endpoints have on disk.
    """
    doors.install()
    loading.install()
    definitions.install()
    encryption.install()
    events.install()
    memory.install()
    lambdas.install()
    apis.install()
    deliveries.install()
    tables.install()
    objects.install()
    glue.install(run_glue)
    integrations = {**integrations, glue.RESOURCE: glue.start_job_run}
    # The emulator's own services keep their state there too.
    state = Path(os.environ["STATE_DIR"])
    log_streams.install()
    sequencers.install(state)
    retention.install(state)
    stepfunctions.install(integrations, authorize=iam.authorize_task if server.auth else None)
    metrics.install()
    alarms.install()
    if server.auth:
        iam.install()
        keys.install()
        if record := os.environ.get(witness.SETTING):
            witness.listen(Path(record))
    scaling_file = state / "application-autoscaling.json"
    autoscaling.install(scaling_file, iam.guarded_scaling if server.auth else lambda handler: handler)
    server.handlers["sagemaker"] = iam.guarded(sagemaker, key_of) if server.auth else sagemaker
    router.patterns["sagemaker"] = {"target_prefixes": ["SageMaker."], "host_patterns": []}
    app: App = server.app
    return checked(app) if server.auth else app
