"""The four things that the API answers, put together from what reads, asks and writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tidegate.api.exchange import CSV, JSON, Answer, Request, json_answer, wanted
from tidegate.api.failures import (
    EndpointTrouble,
    not_combined,
    not_deployed,
    problem_of,
    told,
    unknown_model,
    updating,
)
from tidegate.api.model import Model
from tidegate.api.predictions import Predicted, combined, write
from tidegate.api.problems import Problem
from tidegate.api.records import Record, read_records
from tidegate.api.unseen import find_unseen
from tidegate.core.errors import CombineFailed
from tidegate.core.names import is_model_name
from tidegate.edge.ask import ask
from tidegate.edge.catalogue import KEPT_SECONDS, LATELY_SECONDS, Catalogue

Warn = Callable[[str, dict[str, Any]], None]


class Api:
    """The answers of one stack's API.

    Parameters
    ----------
    catalogue : Catalogue
        The models.
    artifacts : str
        The artifacts bucket.
    auth : str
        ``iam`` or ``jwt``: what the API's document says of how callers prove who they are.
    warn : callable
        Logs what callers are not told of endpoints that fail, and counts it.
    log : callable
        Logs what else they are not told.
    """

    def __init__(self, catalogue: Catalogue, artifacts: str, auth: str, warn: Warn, log: Warn) -> None:
        self._catalogue, self._artifacts, self._auth = catalogue, artifacts, auth
        self._warn, self._log = warn, log

    def predict(self, request: Request, request_id: str) -> Answer:
        """Predict the records of a request."""
        kind = wanted(request.headers.get("accept", ""), (JSON, CSV))
        model, records, answers, troubles = self._asked(request, request_id)
        serving = model.spec.serving
        for name, trouble in troubles.items():
            self._warn("endpoint failed", {"algorithm": name, "kind": trouble.kind, "said": str(trouble)})
        if troubles and (serving.on_failure == "fail" or not answers):
            raise problem_of(troubles, self._statuses(model, troubles))
        try:
            together = combined(serving.combine, answers, serving.weights)
        except CombineFailed as failure:
            self._log("predictions not combined", {"rule": serving.combine, "said": failure.masked})
            raise not_combined(serving.combine, failure) from failure
        identity = model.spec.id
        named = identity is not None and any(identity in record for record in records)
        predicted = Predicted(
            model=model.spec.name,
            rule=serving.combine,
            inference_id=request_id,
            versions={each.algorithm: each.version for each in model.served if each.algorithm in answers},
            by_algorithm=answers,
            combined=together,
            ids=[record.get(identity) for record in records] if identity and named else None,
            failed=told(troubles),
            unseen=find_unseen(records, model.learned, model.form.gaps),
        )
        return write(predicted, kind)

    def list_models(self, request: Request, _request_id: str) -> Answer:
        """List the models."""
        return json_answer({"models": [model.summary() for model in self._catalogue.models()]}, request)

    def describe_model(self, request: Request, _request_id: str) -> Answer:
        """Tell all about one model."""
        model = self._model(request, seconds=LATELY_SECONDS)
        with ThreadPoolExecutor(2 * max(1, len(model.served))) as pool:
            states = {
                each.endpoint: pool.submit(self._catalogue.status, each.endpoint) for each in model.served
            }
            metrics = {
                each.algorithm: pool.submit(self._catalogue.metrics, each, model.spec.name)
                for each in model.served
            }
            description = model.describe(
                lambda endpoint: states[endpoint].result(), lambda served: metrics[served.algorithm].result()
            )
        return json_answer(description, request)

    def openapi(self, request: Request, _request_id: str) -> Answer:
        """Describe the API, with the records of each model."""
        from tidegate.api.openapi import document  # asked for seldom, so no cold start pays for it

        return json_answer(document(self._catalogue.models(), self._auth), request)

    def _model(self, request: Request, *, seconds: float = KEPT_SECONDS) -> Model:
        name = request.variables.get("model", "")
        model = self._catalogue.model(name, seconds=seconds) if is_model_name(name) else None
        if model is None:
            raise unknown_model(name)
        return model

    def _asked(
        self, request: Request, request_id: str
    ) -> tuple[Model, Sequence[Record], dict[str, list[float]], dict[str, EndpointTrouble]]:
        model = self._model(request)
        while True:
            if not model.served:
                name = model.spec.name
                coming = self._catalogue.coming(model)
                raise updating(f"'{name}' is being deployed") if coming else not_deployed(name, model.lost)
            # A model that came into service a moment ago may read other fields than the one known here.
            try:
                kind = request.headers.get("content-type", "")
                records = read_records(request.body, kind, model.form, model.most_records)
            except Problem:
                now = self._model(request, seconds=LATELY_SECONDS)
                if (now.served, now.form) == (model.served, model.form):
                    raise
                model = now
                continue
            answers, troubles = ask(model, records, request_id, self._artifacts)
            if not any(trouble.kind in ("refused", "absent") for trouble in troubles.values()):
                return model, records, answers, troubles
            now = self._model(request, seconds=0)
            if now.served == model.served:
                return model, records, answers, troubles
            model = now

    def _statuses(self, model: Model, troubles: dict[str, EndpointTrouble]) -> dict[str, str]:
        return {
            each.algorithm: self._catalogue.status(each.endpoint)
            for each in model.served
            if each.algorithm in troubles and troubles[each.algorithm].kind == "absent"
        }
