"""The user's serving handlers, put together with the defaults that AWS's toolkit gives.

`model_fn` is required. `transform_fn(model, data, content_type, accept)` does all by itself; otherwise
`input_fn(data, content_type)`, `predict_fn(data, model)` and `output_fn(prediction, accept)` do it in turn.
Each may take one argument more, the toolkit's context, which is None here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tidegate.local.sagemaker.images.container import ContainerError
from tidegate.local.sagemaker.images.scikit_learn.codecs import (
    ANY,
    JSON,
    TEXT_TYPES,
    UnsupportedFormat,
    decode,
    encode,
)
from tidegate.local.sagemaker.images.server import Answer, Refused


class Handlers:
    """One user module and its loaded model; call it with a request.

    Parameters
    ----------
    module
        The user's module.
    model_dir
        What `model_fn` is called with.
    default_accept
        The media type to answer in when the request does not say.

    Raises
    ------
    ContainerError
        When the module lacks `model_fn`, or defines `transform_fn` along with what it replaces.
    """

    def __init__(self, module: ModuleType, model_dir: str, default_accept: str) -> None:
        model_fn = getattr(module, "model_fn", None)
        if model_fn is None:
            raise ContainerError(
                f"{module.__name__} has no model_fn(model_dir): write one that loads and returns the model."
            )
        names = ("input_fn", "predict_fn", "output_fn")
        own = {name: getattr(module, name, None) for name in names}
        transform = getattr(module, "transform_fn", None)
        if transform is not None and any(own.values()):
            raise ContainerError(
                f"{module.__name__} has transform_fn and also {', '.join(n for n in names if own[n])}: "
                "transform_fn takes the place of these three, so keep one or the other."
            )
        self._default_accept = default_accept or JSON
        self._input = _fit(own["input_fn"], 2) if own["input_fn"] else decode
        self._predict = _fit(own["predict_fn"], 2) if own["predict_fn"] else _default_predict
        self._output = _fit(own["output_fn"], 2) if own["output_fn"] else encode
        self._transform = _fit(transform, 4) if transform else self._in_turn
        self.model = _fit(model_fn, 1)(model_dir)

    def __call__(self, body: bytes, content_type: str, accept: str) -> Answer:
        """Answer one request; an exception with an `http_status` decides the status of the refusal."""
        content_type = content_type or JSON
        if not accept or accept == ANY:
            accept = self._default_accept
        try:
            # The toolkit hands JSON and CSV over as text, everything else as bytes.
            data = body.decode("utf-8") if content_type in TEXT_TYPES else body
            return _answer(self._transform(self.model, data, content_type, accept), accept)
        except UnicodeDecodeError as error:
            raise Refused(400, f"The body is {content_type} and not UTF-8: {error}") from error
        except Exception as error:
            status = getattr(error, "http_status", None)
            if not isinstance(status, int) or not 400 <= status <= 599:
                raise
            raise Refused(status, str(error)) from error

    def _in_turn(self, model: Any, data: Any, content_type: str, accept: str) -> Any:
        try:
            rows = self._input(data, content_type)
        except UnsupportedFormat as error:
            raise Refused(415, str(error)) from error
        prediction = self._predict(rows, model)
        try:
            return self._output(prediction, accept)
        except UnsupportedFormat as error:
            raise Refused(406, str(error)) from error


def _default_predict(rows: Any, model: Any) -> Any:
    return model.predict(rows)


def _fit(function: Callable[..., Any], arguments: int) -> Callable[..., Any]:
    """Call the handler with the arguments it takes: the usual ones, or those and the context."""
    taken = len(inspect.signature(function).parameters)
    if taken == arguments:
        return function
    if taken == arguments + 1:
        return lambda *values: function(*values, None)
    raise ContainerError(
        f"{getattr(function, '__name__', function)} takes {taken} arguments; "
        f"the serving toolkit calls it with {arguments} (or {arguments + 1}, the last one the context)."
    )


def _answer(result: Any, accept: str) -> Answer:
    status, content_type = 200, accept
    if isinstance(result, tuple):
        result, content_type = result
    elif hasattr(result, "get_data"):  # a Flask response, which AWS's image also takes
        status, content_type = result.status_code, result.content_type or accept
        result = result.get_data()
    if isinstance(result, str):
        result = result.encode()
    if not isinstance(result, bytes | bytearray):
        raise TypeError(
            f"output_fn returned {type(result).__name__}; return text, bytes, or (body, content type)"
        )
    return Answer(bytes(result), content_type, status)
