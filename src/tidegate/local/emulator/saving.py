"""Saves the emulator's services as they change, so that a kill loses nothing that people were told is done.

What changes all the time and grows, tables and histories, is in the journal at once and saved as a whole now
and then; the other services are saved soon after a change, Parameter Store before it answers, and all that a
deployment has made before anyone is told that its stack is complete.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tidegate.local.emulator.journal import Journal
from tidegate.local.emulator.names import disk, server

_log = logging.getLogger("tidegate.saving")

_ATTEMPTS = 20
# A journal is taken in when it is longer than this, and than what the last such save wrote: then all that is
# ever written stays in proportion to what has happened.
_JOURNAL_BYTES = 32 * 1024**2
_JOURNALED = ("dynamodb", "stepfunctions")
# What is answered only when it is on disk: the approved models' names, and that a stack is done.
_AT_ONCE = "ssm"
_STACKS = "cloudformation"
_DONE = b"_COMPLETE</StackStatus>"
# Reading, and what the journal holds; any other request may change what only a whole save keeps.
_KEPT_BY_JOURNAL = (
    "DynamoDB_20120810.PutItem",
    "DynamoDB_20120810.UpdateItem",
    "DynamoDB_20120810.DeleteItem",
    "DynamoDB_20120810.GetItem",
    "DynamoDB_20120810.Query",
    "DynamoDB_20120810.Scan",
    "DynamoDB_20120810.Describe",
    "AWSStepFunctions.StartExecution",
    "AWSStepFunctions.StopExecution",
    "AWSStepFunctions.GetExecutionHistory",
    "AWSStepFunctions.Describe",
    "AWSStepFunctions.List",
)
_DEFINED_BY = ("DynamoDB_20120810.", "AWSStepFunctions.")

Handler = Callable[..., Any]


class Saver:
    """Writes each service whose state differs from what was written last.

    Parameters
    ----------
    folder
        Where the emulator looks for saved services when it starts.
    journal
        Where tables and histories are written line by line.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder = folder
        self._journal = journal
        self._written: dict[str, bytes] = {}
        self._whole = threading.Event()
        self._lock = threading.Lock()
        # Parameter Store is saved by its handler too, while a round may be about to.
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._last_bytes = 0

    def saw(self, headers: Mapping[bytes, bytes]) -> None:
        """Look at a request that is about to be served: it may define tables or state machines."""
        target = headers.get(b"x-amz-target", b"").decode("latin-1")
        if target.startswith(_DEFINED_BY):
            if not target.startswith(_KEPT_BY_JOURNAL):
                self._whole.set()
        elif b"/cloudformation/" in headers.get(b"authorization", b""):
            self._whole.set()

    def save(self, everything: bool = False) -> list[str]:
        """Save what changed and return the services' names; a file is replaced as a whole or not at all."""
        with self._lock:
            long = self._journal.bytes > max(_JOURNAL_BYTES, self._last_bytes)
            whole = everything or long or self._journal.gap or self._whole.is_set()
            if whole:
                self._whole.clear()
            try:
                saved, complete = self._save_round(whole)
            except BaseException:
                complete = False
                raise
            finally:
                if whole and not complete:  # it stays due, whatever stopped it
                    self._whole.set()
            return saved

    def _save_round(self, whole: bool) -> tuple[list[str], bool]:
        if whole:
            self._journal.turn()
        saved = []
        complete = True
        for service, get_state in server.savers().items():
            if whole or service not in _JOURNALED:
                done = self._save_one(service, get_state)
                complete = complete and done is not None
                saved += [service] if done else []
        if whole and complete:
            self._last_bytes = sum(
                (self._folder / f"{service}.json").stat().st_size
                for service in _JOURNALED
                if service in self._written
            )
            self._journal.forget()
        return saved, complete

    def at_once(self, handler: Handler) -> Handler:
        """Return Parameter Store's handler, which answers a change only when it is saved."""

        async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
            answer = await handler(method, path, headers, body, query)
            action = str(headers.get("x-amz-target", "")).rpartition(".")[2]
            if not action.startswith(("Get", "Describe", "List")):
                self._save_one(_AT_ONCE, server.savers()[_AT_ONCE])
            return answer

        return handle

    def when_complete(self, handler: Handler) -> Handler:
        """Return CloudFormation's handler, which calls a stack complete only when all it made is saved."""

        async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
            answer = await handler(method, path, headers, body, query)
            if _DONE in answer[2]:
                await asyncio.to_thread(self._save_all_made)
            return answer

        return handle

    def _save_all_made(self) -> None:
        """Save everything, where a deployment has made something since."""
        payload = _encoded(_STACKS, server.savers()[_STACKS])
        if payload is None or (payload and self._written.get(_STACKS) != _digest(payload)):
            self.save(everything=True)

    def _save_one(self, service: str, get_state: Any) -> bool | None:
        """Save a service if it changed; None where it kept changing while it was read."""
        with self._turns[service]:
            payload = _encoded(service, get_state)
            if not payload:
                return None if payload is None else False
            digest = _digest(payload)
            if self._written.get(service) == digest:
                return False
            self._write(service, payload)
            self._written[service] = digest
            return True

    def _write(self, service: str, payload: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        final = self._folder / f"{service}.json"
        partial = final.with_name(f"{service}.json.new")
        partial.write_bytes(payload)
        partial.replace(final)


def _digest(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=16).digest()


def _encoded(service: str, get_state: Any) -> bytes | None:
    """Return a service's file content, empty where there is nothing to save; None if it kept changing."""
    for _ in range(_ATTEMPTS):
        try:
            state = get_state()
        except RuntimeError:
            # Another thread changed a dictionary while it was being copied: look again.
            time.sleep(0.01)
            continue
        if state is None:
            return b""
        content = {"__ministack_format__": disk.format_version(service), "payload": state}
        return json.dumps(content, default=disk.encode).encode()
    _log.warning("The state of %s kept changing while it was read; it is saved in the next round.", service)
    return None
