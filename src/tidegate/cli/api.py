"""The real-time API as a verb asks it: requests signed or with a token, refusals put into words."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tidegate.cli.errors import Trouble

if TYPE_CHECKING:
    from tidegate.cli.stack import Stack

Place = Callable[[int], str]
SERVICE = "execute-api"
TOKEN = "TIDEGATE_API_TOKEN"  # nosec B105 # the name of a variable
SECONDS = 40  # API Gateway gives up after 30
REMEDIES = {
    401: f"An API with tokens needs one: set {TOKEN}.",
    403: f"It asks for {SERVICE}:Invoke; choose other credentials with --profile, or set {TOKEN}.",
    409: "Train it: `tidegate train {model} FILE --wait`. `tidegate runs {model}` tells how runs ended.",
    413: "Drop the file for batch scoring: `tidegate score {model} FILE`.",
    429: "Ask again in a moment, or drop the file for batch scoring: `tidegate score {model} FILE`.",
    503: "Ask again in a moment; `tidegate models` tells the state of the endpoints.",
}


class Refused(Trouble):
    """What the API answered instead of a prediction.

    Parameters
    ----------
    status : int
        The HTTP status.
    message, remedy : str
        Words for a person.
    """

    def __init__(self, status: int, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.status = status


def ask(
    stack: Stack,
    method: str,
    path: str,
    model: str,
    body: str | None = None,
    place: Place = "record {}".format,
) -> Any:
    """Ask the API of a stack and give the document that it answers.

    Parameters
    ----------
    stack : Stack
        The stack.
    method, path : str
        The request.
    model : str
        The model it is about.
    body : str, optional
        Records as CSV with a header.
    place : callable
        Says where the caller knows a record of the body by its number, counted from 1: ``row 17``.

    Raises
    ------
    Refused
        When the answer is no success.
    Trouble
        When there is no API, or it cannot be reached.
    """
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import HTTPClientError
    from botocore.httpsession import URLLib3Session

    url = stack.api_url or stack.output("ApiUrl")
    headers = {"Accept": "application/json"} | ({"Content-Type": "text/csv"} if body is not None else {})
    request = AWSRequest(method, url + path, headers, None if body is None else body.encode())
    if token := os.environ.get(TOKEN):
        request.headers["Authorization"] = f"Bearer {token}"
    else:
        session = stack.place.session
        SigV4Auth(session.get_credentials(), SERVICE, session.region_name).add_auth(request)
    try:
        # A proxy set for the web must not be asked for 127.0.0.1.
        proxies: dict[str, str] | None = {} if stack.place.is_near else None
        answer = URLLib3Session(proxies=proxies, timeout=SECONDS).send(request.prepare())
    except HTTPClientError as error:
        raise Trouble(f"The API at {url} cannot be reached: {error}", "Ask again in a moment.") from error
    document = _read(answer.content)
    if answer.status_code >= 300:
        said = _words(document, place) or f"it answered with the status {answer.status_code}"
        number = document.get("request_id") if isinstance(document, dict) else None
        remedy = REMEDIES.get(answer.status_code, "Mend the rows and ask again.").format(model=model)
        if answer.status_code >= 500 and answer.status_code not in REMEDIES:
            remedy = f"The log of the function `predict` has more under the request {number}."
        raise Refused(answer.status_code, f"The API refused: {said}", remedy)
    return document


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return {}


def _words(document: Any, place: Place) -> str:
    """Take the sentence out of a problem document, its record named by its place in the whole input."""
    if not isinstance(document, dict):
        return ""
    faults = document.get("errors") or [{}]
    said = str(document.get("detail") or document.get("message") or "")
    record = faults[0].get("record")
    if isinstance(record, int):
        said = said.replace(f"record {record}", place(record), 1)
    return said
