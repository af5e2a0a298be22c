"""A real-time API on a port of this machine: just enough of it for `tidegate predict`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from cli_fakes import SPEC
from tests.http_server import Asked

Row = dict[str, str]


class ApiServer:
    """Describes the cars, and predicts what `predict` says for a row of text."""

    def __init__(self) -> None:
        self.predict: Callable[[Row], dict[str, float]] = lambda row: {"xgboost": 1.0}
        self.refusal: tuple[int, dict[str, Any]] | None = None
        self.asked: list[tuple[str, str, str]] = []
        self.seen_authorization: set[str] = set()

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Answer one request."""
        method, path, authorization, body = asked
        self.asked.append((method, path, body))
        self.seen_authorization.add(authorization)
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
