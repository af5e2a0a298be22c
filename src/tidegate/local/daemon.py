"""The local cloud's process: MiniStack on one port of 127.0.0.1, with our hooks, guard, saving and SageMaker.

Started by `tidegate up`; ``python -m tidegate.local.daemon --port 4566 --state .tidegate`` runs it by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import uvicorn

from tidegate.local import glue, mending, settings
from tidegate.local.credentials import give_credentials, make_roles
from tidegate.local.emulator import embedding, sessions
from tidegate.local.emulator.guard import App, Receive, Scope, Send, answer, guarded
from tidegate.local.emulator.journal import Journal
from tidegate.local.emulator.saving import Saver
from tidegate.local.files import UMASK, private_folder
from tidegate.local.holding import hold, holder
from tidegate.local.identity import EXIT_FOLDER_TAKEN, EXIT_PORT_TAKEN, PortTaken, listen, new_secret, prove
from tidegate.local.running import Cloud, write_record
from tidegate.local.sagemaker import integrations, service
from tidegate.local.sagemaker.context import Context
from tidegate.local.sagemaker.images.registry import find_image
from tidegate.local.sagemaker.store import Store
from tidegate.local.settings import StateFolder

_log = logging.getLogger("tidegate.daemon")

# After a save that took long, a longer pause: saving is never more than a small part of the work.
SAVE_EVERY_SECONDS = 0.5
SAVING_SHARE = 0.05
# How long a local cloud that was killed may take to let go of its folder.
_LET_GO_SECONDS = 3.0


class Daemon:
    """One local cloud: what its server answers, and what happens when it starts and ends.

    Parameters
    ----------
    folder
        The state folder.
    port
        The port on 127.0.0.1.
    auth
        Whether IAM policies are enforced.
    secret
        What it proves to know to whoever asks who it is.
    """

    def __init__(self, folder: StateFolder, port: int, auth: bool, secret: str) -> None:
        self._folder = folder
        self._auth = auth
        self._secret = secret
        folder.sagemaker.mkdir(parents=True, exist_ok=True)
        url = f"http://127.0.0.1:{port}"
        self._roles = make_roles(url) if auth else None
        self._context = Context(
            region=settings.REGION,
            account=settings.ACCOUNT,
            endpoint_url=url,
            root=folder.sagemaker,
            store=Store(folder.sagemaker / "records.db"),
            images=find_image,
            emit=embedding.emit,
            max_jobs=max(2, (os.cpu_count() or 2) // 2),
            access_key_id=settings.ACCESS_KEY_ID,
            secret_access_key=settings.SECRET_ACCESS_KEY,
            roles=self._roles,
        )
        # What a crash left: read into what the emulator is about to load, and what was still on its way.
        self._pending = embedding.recover(folder.emulator)
        journal = Journal(folder.emulator)
        embedding.keep_journal(journal)
        self._saver = Saver(folder.emulator, journal)
        self._changed = asyncio.Event()
        self._started = asyncio.Event()
        self._problem: str | None = None
        self._tasks: list[asyncio.Task[None]] = []
        bound = {name: _bind(handler, self._context) for name, handler in integrations.HANDLERS.items()}
        self._emulator = embedding.embed(
            self._wait_for_start(service.make_handler(self._context)),
            bound,
            glue.Runner(self._context, sessions.check_trust if auth else None),
            self._key_of,
        )
        embedding.wrap("ssm", self._saver.at_once)
        embedding.wrap("cloudformation", self._saver.when_complete)

    @property
    def app(self) -> App:
        """The ASGI application."""
        return guarded(self._serve)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._emulator(scope, receive, self._after_startup(send))
        elif scope["type"] == "http" and scope["path"] == settings.READY_PATH:
            await self._say_ready(scope["query_string"].decode("latin-1"), send)
        elif scope["type"] == "http" and scope["path"] == settings.CREDENTIALS_PATH and self._roles:
            await give_credentials(self._roles, scope, send)
        else:
            self._saver.saw(dict(scope["headers"]))
            self._changed.set()
            await self._emulator(scope, receive, send)

    async def _say_ready(self, number: str, send: Send) -> None:
        proof = prove(self._secret, number)
        content = {"state": str(self._folder.path), "pid": os.getpid(), "auth": self._auth, "proof": proof}
        content["mended"] = mending.sentences()
        if self._problem:
            await answer(send, 500, {**content, "problem": self._problem})
        else:
            await answer(send, 200 if self._started.is_set() else 503, content)

    def _key_of(self, config: str) -> str | None:
        """Give the key of an endpoint configuration, whose disks SageMaker encrypts by a grant on it."""
        return (self._context.store.get("endpoint-config", config) or {}).get("KmsKeyId")

    def _wait_for_start(self, handler: embedding.ServiceHandler) -> embedding.ServiceHandler:
        """Hold SageMaker's requests back until what an earlier local cloud left has been taken up."""

        async def handle(
            method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
        ) -> Any:
            await self._started.wait()
            return await handler(method, path, headers, body, query)

        return handle

    def _after_startup(self, send: Send) -> Send:
        async def sending(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._tasks = [asyncio.create_task(self._take_up()), asyncio.create_task(self._keep_saving())]

        return sending

    async def stop(self) -> None:
        """Stop SageMaker and save, while the port still answers: the last words of jobs go to the logs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.to_thread(self._stop)

    async def _take_up(self) -> None:
        """Start SageMaker once the port answers: endpoints that come back read their models from our S3."""
        try:
            await asyncio.to_thread(service.start, self._context)
            await asyncio.to_thread(embedding.announce_interrupted)
            await asyncio.to_thread(embedding.deliver, self._pending)
        except Exception as problem:
            _log.exception("The local SageMaker did not start")
            self._problem = f"The local SageMaker did not start: {problem}"
        self._started.set()

    async def _keep_saving(self) -> None:
        trouble = ""
        while True:
            await self._changed.wait()
            # Clear first: what changes while we save belongs to the next round.
            self._changed.clear()
            began = time.monotonic()
            for what in (embedding.tidy, self._saver.save):
                try:
                    await asyncio.to_thread(what)
                except Exception as problem:
                    # Once for a trouble that lasts: a full disk has no room for a log of it.
                    if str(problem) != trouble:
                        _log.exception("The local cloud's state is not saved; trying until it is")
                    trouble = str(problem)
                    self._changed.set()
                    break
            else:
                if trouble:
                    _log.warning("The local cloud's state is saved again")
                trouble = ""
            if embedding.busy():
                self._changed.set()
            await asyncio.sleep(max(SAVE_EVERY_SECONDS, (time.monotonic() - began) / SAVING_SHARE))

    def _stop(self) -> None:
        try:
            service.stop(self._context)
        except Exception:
            _log.exception("The local SageMaker did not stop cleanly")
        self._saver.save(everything=True)


class _Server(uvicorn.Server):
    """A server that, told to end, lets the local cloud stop its own first."""

    def __init__(self, config: uvicorn.Config, daemon: Daemon) -> None:
        super().__init__(config)
        self._daemon = daemon
        self._loop = asyncio.get_running_loop()
        self._stopping: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop the local cloud, then serve no more; a second signal does not wait."""

        async def stop() -> None:
            try:
                await self._daemon.stop()
            finally:
                # A disk that is full, or a folder that is gone, is no reason to stay.
                super(_Server, self).handle_exit(sig, frame)

        def begin() -> None:
            if self._stopping is None:
                self._stopping = asyncio.create_task(stop())
            else:
                super(_Server, self).handle_exit(sig, frame)

        self._loop.call_soon_threadsafe(begin)


def _bind(handler: integrations.Integration, context: Context) -> Callable[..., dict[str, Any]]:
    def bound(resource: str, arguments: dict[str, Any], aborted: Callable[[], bool]) -> dict[str, Any]:
        return handler(context, resource, arguments, aborted)

    return bound


def main(arguments: list[str] | None = None) -> None:
    """Run a local cloud in the foreground until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tidegate.local.daemon", description=__doc__)
    parser.add_argument("--port", type=int, default=settings.DEFAULT_PORT)
    parser.add_argument("--state", required=True, help="the folder that keeps the local cloud's state")
    parser.add_argument("--auth", action="store_true", help="enforce IAM policies")
    options = parser.parse_args(arguments)
    os.umask(UMASK)
    folder = StateFolder.of(options.state)
    private_folder(folder.temporary)
    # Neither is let go of before this process ends, and nothing is read before both are ours.
    lock = hold(folder.running, _LET_GO_SECONDS)
    if lock is None:
        said = f"Another local cloud ({holder(folder.running)}) has the state folder {folder.path}."
        print(said, file=sys.stderr)
        sys.exit(EXIT_FOLDER_TAKEN)
    try:
        listener = listen(options.port)
    except PortTaken as taken:
        print(taken, file=sys.stderr)
        sys.exit(EXIT_PORT_TAKEN)
    secret = os.environ.pop(settings.PROOF_SETTING, "") or new_secret()
    environment = settings.daemon_environment(folder, options.port, options.auth, os.environ)
    os.environ.clear()
    os.environ.update(environment)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    write_record(folder, Cloud(folder.path, options.port, os.getpid(), started, options.auth, secret))
    embedding.load()
    logging.getLogger("tidegate").setLevel(logging.INFO)
    _raise_file_limit()

    async def serve() -> None:
        daemon = Daemon(folder, options.port, options.auth, secret)
        config = uvicorn.Config(
            daemon.app,
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
        )
        await _Server(config, daemon).serve(sockets=[listener])

    asyncio.run(serve())


def _raise_file_limit() -> None:
    """Allow as many open files as the machine lets us: a burst of connections exceeds the usual 1,024."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
