"""``image serve``: answer requests with the model in ``/opt/ml/model``."""

from __future__ import annotations

import os
import sys

from tidegate.local.sagemaker.images.container import ClientError, ml_root
from tidegate.local.sagemaker.images.server import Answer, Refused, parameters, serve

from . import answers, requests
from .artifact import LinearModel, ModelUnreadable

MOST_BYTES = 6 * 1024**2
"""The largest body: what the built-in algorithms' containers take, and batch transform sends by default."""


class Server:
    """Answers for one model; ``answer`` is what each request of ``/invocations`` calls."""

    def __init__(self, model: LinearModel) -> None:
        self._model = model
        self._default = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or answers.FORMATS[0]

    def answer(self, body: bytes, content_type: str, accept: str) -> Answer:
        """Score the rows of a request.

        Raises
        ------
        Refused
            413 for a body of more than 6 MiB, 415 for a content type that is not read, 406 for an answer that
            is not written, 400 for rows that do not fit the model; each with one sentence.
        """
        if len(body) > MOST_BYTES:
            raise Refused(
                413,
                f"The body has {len(body)} bytes, and {MOST_BYTES} are taken at most: send fewer rows.",
            )
        media = _media(content_type) or "text/csv"
        if media not in requests.FORMATS:
            raise Refused(415, f"Content-Type {content_type} is not read; send {_list(requests.FORMATS)}.")
        wanted = self._wanted(accept)
        try:
            rows = requests.parse(body, media, self._model.features)
        except ClientError as error:
            raise Refused(400, error.sentence) from error
        return Answer(answers.render(self._model, rows, wanted), wanted)

    def _wanted(self, accept: str) -> str:
        choices = [_media(part) for part in (accept or "").split(",")]
        for choice in choices:
            if choice in ("", "*/*", "application/*"):
                return self._default
            if choice in answers.FORMATS:
                return choice
        raise Refused(406, f"Accept {accept} cannot be answered; ask for {_list(answers.FORMATS)}.")


def run_server() -> None:
    """Load the model and answer until SIGTERM."""
    try:
        server = Server(LinearModel.load(ml_root() / "model"))
    except ModelUnreadable as error:
        sys.exit(f"The model cannot be served. {error}")
    serve(lambda: True, server.answer, parameters())


def _media(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _list(formats: tuple[str, ...]) -> str:
    return ", ".join(formats[:-1]) + " or " + formats[-1]
