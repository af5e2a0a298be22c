"""Has Schemathesis sign each of its requests, as the API of a stack with IAM in force wants it.

Named by ``SCHEMATHESIS_HOOKS``; signs what is really sent, so that the signature is right whatever the case holds.
"""

from __future__ import annotations

from typing import Any

import boto3
import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

CREDENTIALS = boto3.Session("test", "test", region_name="us-east-1").get_credentials()


class Signed(requests.auth.AuthBase):
    """Signs a prepared request, its headers and body as they are."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the signature in the place of the header that stands for it; a case without one is unsigned."""
        if "Authorization" not in prepared.headers:
            return prepared
        bare = AWSRequest(prepared.method, prepared.url, data=prepared.body)
        SigV4Auth(CREDENTIALS, "execute-api", "us-east-1").add_auth(bare)
        prepared.headers.update(dict(bare.headers.items()))
        return prepared


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Have the request signed at the last moment."""
    kwargs["auth"] = Signed()
