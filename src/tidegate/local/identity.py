"""Which local cloud answers on a port: only the one that proves that it knows our secret is ours.

The secret is in the record of the state folder, which only its owner reads, and in the local cloud's own
memory. It never travels: who asks sends a number of their own, and gets its HMAC back.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tidegate.core.errors import TidegateError
from tidegate.local import settings

_ASK_SECONDS = 5.0
# How a local cloud's process says with its exit status why it did not start.
EXIT_PORT_TAKEN, EXIT_FOLDER_TAKEN = 73, 74


class PortTaken(TidegateError):
    """Another program listens on the port."""


@dataclass(frozen=True)
class Answer:
    """What answered on a port.

    Parameters
    ----------
    state, pid
        The state folder and the process that it names.
    ready
        Whether it has taken up all that an earlier local cloud left.
    ours
        Whether it proved to know the secret.
    problem
        Why it cannot become ready, if it said so.
    mended
        What it found broken in its state folder, and what it did about that: sentences.
    """

    state: str
    pid: int
    ready: bool
    ours: bool
    problem: str | None = None
    mended: tuple[str, ...] = ()


def new_secret() -> str:
    """Return a secret that nobody can guess."""
    return secrets.token_urlsafe(32)


def prove(secret: str, number: str) -> str:
    """Return what only a holder of the secret can answer to a number."""
    return hmac.new(secret.encode(), number.encode(), "sha256").hexdigest()


def ask(port: int, secret: str | None = None) -> Answer | None:
    """Ask what listens on a port; None when no local cloud answers. Without its secret none is ours."""
    number = secrets.token_hex(16)
    # Not through a proxy, whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    url = f"http://127.0.0.1:{port}{settings.READY_PATH}?{number}"
    try:
        with opener.open(url, timeout=_ASK_SECONDS) as response:
            return _answer(json.load(response), number, secret or "", ready=True)
    except urllib.error.HTTPError as refusal:
        try:
            with refusal:
                return _answer(json.load(refusal), number, secret or "", ready=False)
        except (OSError, ValueError):
            return None
    except (OSError, ValueError):
        return None


def _answer(said: Any, number: str, secret: str, *, ready: bool) -> Answer | None:
    if not (
        isinstance(said, dict) and isinstance(said.get("state"), str) and isinstance(said.get("pid"), int)
    ):
        return None
    proof = str(said.get("proof", ""))
    ours = bool(secret) and hmac.compare_digest(proof.encode(), prove(secret, number).encode())
    problem = said.get("problem")
    mended = tuple(map(str, said.get("mended") or ()))
    return Answer(said["state"], said["pid"], ready, ours, None if problem is None else str(problem), mended)


def listen(port: int) -> socket.socket:
    """Take a port of 127.0.0.1: who has it bound and listening is the only one, until this socket is closed.

    Raises
    ------
    PortTaken
        Another program listens there, or this one may not.
    """
    # With its protocol named: only then does asyncio send small answers at once (TCP_NODELAY).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A port whose connections are still winding down is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortTaken(_who_has(port, error)) from error
    return listener


def _who_has(port: int, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"This user may not listen on port {port}. Choose one above 1023 with `--port`."
    if isinstance(error, OverflowError):
        return f"{port} is no port: choose one between 1024 and 65535 with `--port`."
    other = ask(port)
    if other is not None:
        return (
            f"The local cloud of {other.state} (process {other.pid}) listens on port {port} of this machine. "
            f"Choose another port with `--port`, or stop that one with `tidegate down --state {other.state}`."
        )
    return (
        f"Another program listens on port {port} of this machine. Stop it (`lsof -i :{port}` names it), "
        f"or choose another port with `--port`."
    )
