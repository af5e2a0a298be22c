"""`tidegate gc`: removes endpoint configurations and models that nothing refers to, here and now."""

from __future__ import annotations

import json
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.cli.options import Session

SECONDS_AN_HOUR = 3600


def gc(session: Session, dry_run: bool, older_than_hours: float) -> int:
    """Have the deployed collector work, or with `dry_run` only tell what it would remove."""
    stack = session.stack
    asked = {"dry_run": dry_run, "least_age_seconds": older_than_hours * SECONDS_AN_HOUR}
    answer = stack.client("lambda").invoke(
        FunctionName=stack.output("CollectOrphansFunction"), Payload=json.dumps(asked).encode()
    )
    found = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Trouble(
            f"The collector failed: {found.get('errorMessage', 'it gave no reason')}.",
            "Its log tells more, in the function's log group; what it had removed stays removed.",
        )
    session.output.answer(found, *_shown(found))
    return 0


def _shown(found: dict[str, Any]) -> list[str]:
    things = [f"endpoint configuration {name}" for name in found["endpoint_configs"]]
    things += [f"model {name}" for name in found["models"]]
    if not things:
        return ["Nothing to remove: everything is referred to, or too young."]
    did = "removed" if found["removed"] else "would remove"
    hint = [] if found["removed"] else ["", "`tidegate gc` removes them; their artefacts stay in S3."]
    return [f"{did} {each}" for each in things] + hint
