"""`tidegate up`, `down` and `status`: the laptop cloud, and what is deployed in whichever cloud is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidegate.cli.errors import Trouble
from tidegate.cli.models import describe_models, models_table
from tidegate.cli.options import Session
from tidegate.cli.render import table
from tidegate.cli.stack import api_url

TEMPLATE = "template.yaml"


def up(session: Session, port: int | None, auth: bool | None, deploy: bool, force: bool) -> int:
    """Start the local cloud and deploy the stack into it."""
    started = bring_up(session, port=port, auth=auth, deploy=deploy, force=force)
    session.output.answer(started, *_welcome(started))
    return 0


def bring_up(
    session: Session,
    *,
    port: int | None = None,
    auth: bool | None = None,
    deploy: bool = True,
    force: bool = False,
) -> dict[str, Any]:
    """Start the local cloud if it is not up, deploy what has changed, and tell where things are.

    Without a port or a word on IAM, a cloud that is up stays as it is.
    """
    from tidegate.local import cloud as local

    options = session.options
    if options.aws or options.profile:
        raise Trouble(
            "`tidegate up` starts the local cloud; it does not deploy to AWS.",
            "Leave out --aws and --profile, or deploy to AWS with `sam build && sam deploy`.",
            exit_code=2,
        )
    from tidegate.local.deploy import check_name
    from tidegate.local.deploy import deploy as deploy_stack

    if deploy:
        check_name(options.stack)
    if auth is None:
        running = local.status(options.state).cloud
        auth = running is not None and running.auth
    cloud = local.up(options.state, port=port, auth=auth, on_progress=session.output.note)
    document: dict[str, Any] = {"url": cloud.endpoint_url, "state": str(options.state), "stack": None}
    if not deploy:
        return document
    changed = deploy_stack(
        cloud, project_folder(), stack=options.stack, force=force, on_progress=session.output.note
    )
    stacks = cloud.client("cloudformation").describe_stacks(StackName=options.stack)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0].get("Outputs", [])}
    api = api_url(outputs, cloud.endpoint_url)
    return {**document, "stack": options.stack, "deployed": changed, "outputs": outputs, "api": api}


def project_folder() -> Path:
    """Find the project: the folder of the template, from here upwards, or the checkout this code is in."""
    here = Path.cwd()
    for folder in (here, *here.parents, *Path(__file__).resolve().parents):
        if (folder / TEMPLATE).is_file() and (folder / "statemachines").is_dir():
            return folder
    raise Trouble(
        f"No {TEMPLATE} was found in {here} or above it.", "Run the command in a checkout of Tidegate."
    )


def down(session: Session) -> int:
    """Stop the local cloud with all that runs in it; what it holds is kept."""
    from tidegate.local import cloud as local

    state = session.options.state
    was_up = local.status(state).cloud is not None
    local.down(state, on_progress=session.output.note)
    said = "The local cloud is down; what it held is kept in" if was_up else "No local cloud was up in"
    session.output.answer({"state": str(state), "was_running": was_up, "running": False}, f"{said} {state}.")
    return 0


def status(session: Session) -> int:
    """Tell which cloud is meant, whether it answers, what is deployed and what is served."""
    place, stack = session.place, session.stack
    deployed = stack.description  # the first request: a cloud that does not answer ends the verb here
    models = describe_models(stack)
    near = place.local
    document = {
        "speaking_to": str(place),
        "local": near
        and {"url": near.endpoint_url, "pid": near.pid, "since": near.started, "auth": near.auth},
        "stack": {"name": stack.name, "status": deployed["StackStatus"], "outputs": stack.outputs},
        "api": stack.api_url,
        "models": models,
    }
    facts: list[list[Any]] = [
        ["speaking to", str(place)],
        ["stack", f"{stack.name}, {deployed['StackStatus']}"],
        ["drop files in", f"s3://{stack.data_bucket}"],
        ["artifacts in", f"s3://{stack.artifacts_bucket}"],
    ]
    if stack.api_url:
        facts.append(["predictions at", stack.api_url])
    shown: list[Any] = [table(["", ""], facts), ""]
    if models:
        shown.append(models_table(models))
    else:
        shown.append("No model is declared yet; `tidegate apply MODEL.yaml` declares one.")
    session.output.answer(document, *shown)
    return 0


def _welcome(started: dict[str, Any]) -> list[Any]:
    facts = [["local cloud", started["url"]], ["state", started["state"]]]
    if started["stack"] is None:
        return [table(["", ""], facts), "", "Next: `tidegate up` deploys the stack."]
    outputs = started["outputs"]
    facts += [
        ["stack", started["stack"]],
        ["drop files in", f"s3://{outputs.get('DataBucket', '–')}"],
        ["artifacts in", f"s3://{outputs.get('ArtifactsBucket', '–')}"],
    ]
    if started["api"]:
        facts.append(["predictions at", started["api"]])
    return [
        table(["", ""], facts),
        "",
        "Next: `tidegate demo` shows everything on real used cars. Or step by step:",
        "  tidegate apply models/used-car-price/model.yaml",
        "  tidegate train used-car-price FILE.csv --wait",
        *([CURL, f"    {started['api']}/models"] if started["api"] else []),
    ]


# With IAM in force the local cloud checks the signature; without, it takes any. Root's two words do for both.
CURL = "  curl --aws-sigv4 aws:amz:us-east-1:execute-api --user test:test \\"
