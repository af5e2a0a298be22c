"""The credentials of jobs and models with IAM in force, and the address where their containers fetch them."""

from __future__ import annotations

from tidegate.core.errors import TidegateError
from tidegate.local import settings
from tidegate.local.emulator import sessions
from tidegate.local.emulator.guard import Scope, Send, answer
from tidegate.local.sagemaker.roles import Roles


def make_roles(url: str) -> Roles:
    """Return the roles that jobs and models act in, with IAM in force."""
    return Roles(
        check=sessions.check_trust,
        issue=sessions.issue,
        region=settings.REGION,
        endpoint_url=url,
        credentials_url=f"{url}{settings.CREDENTIALS_PATH}",
    )


async def give_credentials(roles: Roles, scope: Scope, send: Send) -> None:
    """Answer a container that shows the token it was started with."""
    token = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    try:
        document = roles.document(token)
    except TidegateError as error:
        await answer(send, 400, {"code": "RoleGone", "message": str(error)})
        return
    if document is None:
        await answer(
            send, 403, {"code": "Forbidden", "message": "The authorization token is not known here."}
        )
    else:
        await answer(send, 200, document)
