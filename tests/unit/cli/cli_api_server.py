"""A real-time API on a port of this machine: just enough of it for `tidegate predict`."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cli_fakes import SPEC

Row = dict[str, str]


class ApiServer:
    """Describes the cars, and predicts what `predict` says for a row of text."""

    def __init__(self) -> None:
        self.predict: Callable[[Row], dict[str, float]] = lambda row: {"xgboost": 1.0}
        self.refusal: tuple[int, dict[str, Any]] | None = None
        self.asked: list[tuple[str, str, str]] = []
        self.seen_authorization: set[str] = set()

    def answer(self, method: str, path: str, body: str) -> tuple[int, Any]:
        """Answer one request."""
        self.asked.append((method, path, body))
        if not path.startswith("/models/cars"):
            return 404, {"detail": "there is no such model", "request_id": "r"}
        if method == "GET":
            properties = {name: {} for name in (*SPEC["features"], "Id")}
            described = {"name": "cars", "target": "Price", "combine": "max", "id": "Id"}
            return 200, {**described, "record": {"properties": properties}}
        if self.refusal is not None:
            return self.refusal
        by_algorithm = [self.predict(row) for row in csv.DictReader(io.StringIO(body))]
        predictions = [{"prediction": max(each.values()), "by_algorithm": each} for each in by_algorithm]
        return 200, {"predictions": predictions, "versions": {"xgboost": "v1"}}


@contextmanager
def served(api: ApiServer) -> Iterator[str]:
    """Serve it for a while, and give its URL."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            api.seen_authorization.add(self.headers.get("Authorization", ""))
            status, document = api.answer(self.command, self.path, self.rfile.read(length).decode())
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _do

        def log_message(self, *_: object) -> None:
            """Say nothing on the tests' own standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
