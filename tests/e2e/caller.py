"""A client of the real-time API as any HTTP program is one: signed requests over kept connections."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.e2e.town import Town
from tidegate.cli.stack import api_url

CREDENTIALS = boto3.Session("test", "test", region_name="us-east-1").get_credentials()


@dataclass(frozen=True)
class Said:
    """What the API answered."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Caller:
    """Asks the API of a deployed stack."""

    def __init__(self, town: Town) -> None:
        url = api_url(town.outputs, town.cloud.endpoint_url)
        assert url is not None
        self.url = url
        self._pool = urllib3.PoolManager(retries=False, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, *, signed: bool = True, **headers: str) -> Said:
        """Send one request; what is neither text nor bytes goes as JSON."""
        content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else None
        if body is not None and content is None:
            content = json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method, self.url + path, headers=named, data=content)
        if signed:
            SigV4Auth(CREDENTIALS, "execute-api", "us-east-1").add_auth(request)
        answer = self._pool.request(method, self.url + path, body=content, headers=dict(request.headers))
        return Said(answer.status, answer.headers, answer.data)

    def predict(self, model: str, body: Any, content_type: str = "application/json", **headers: str) -> Said:
        """Ask for predictions."""
        return self.ask("POST", f"/models/{model}/predictions", body, content_type=content_type, **headers)
