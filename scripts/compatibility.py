"""Writes docs/compatibility.md: which operations of SageMaker the local cloud serves, and who has tried them.

From the operations that are served, botocore's list of all there are, and the outcomes that
``pytest -m clients`` recorded (tests/conformance/clients/outcomes.json). With --check nothing is written, and
the exit code is 1 if the page is out of date.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import botocore.session

from tidegate.local.sagemaker.integrations import HANDLERS
from tidegate.local.sagemaker.service import all_rooms

ROOT = Path(__file__).parents[1]
OUTCOMES = ROOT / "tests" / "conformance" / "clients" / "outcomes.json"
PAGE = ROOT / "docs" / "compatibility.md"

# What an operation lacks; those that are not here do what AWS documents.
PARTIAL = {
    "CreateTrainingJob": "One host whatever the count; no Pipe mode, file systems, algorithm resources, "
    "warm pools, serverless jobs, debugger and profiler rules",
    "ListTrainingJobs": "No warm pools and training plans to filter by",
    "CreateProcessingJob": "One host; no DatasetDefinition, feature stores, Pipe mode; Continuous uploads "
    "at the end",
    "CreateTransformJob": "SplitType Line or None; no data capture of its own",
    "CreateHyperParameterTuningJob": "No Hyperband, Autotune, AutoParameters, CompleteOnConvergence; "
    "Bayesian search proposes other values than AWS's",
    "CreateModel": "One model a container; no model packages, direct invocation of one container",
    "CreateEndpointConfig": "No asynchronous inference, explanations, shadow variants, inference components",
    "CreateEndpoint": "One process chain a variant, whatever its instance count",
    "UpdateEndpoint": "Waits of a deployment are shortened",
    "UpdateEndpointWeightsAndCapacities": "Counts are recorded only; no concurrency of serverless variants",
    "InvokeEndpoint": "No TargetModel, TargetContainerHostname, inference components, sessions",
}
RUNTIME = ("InvokeEndpoint",)


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    fresh = page(json.loads(OUTCOMES.read_text()))
    if not parser.parse_args().check:
        PAGE.write_text(fresh)
    elif PAGE.read_text() != fresh:
        print("docs/compatibility.md is out of date: run `python scripts/compatibility.py`", file=sys.stderr)
        return 1
    return 0


def page(outcomes: dict[str, dict[str, Any]]) -> str:
    """Return the page's text."""
    served = {*all_rooms().operations, *RUNTIME}
    everything = _operations("sagemaker") | _operations("sagemaker-runtime")
    unserved = sorted(everything - served)
    return "\n".join(
        [
            "# What the local SageMaker serves",
            "",
            "Made by `scripts/compatibility.py` from the operations that are served and from what clients of "
            "others did when `make conformance` last ran them; a test tells when it is out of date. How "
            "things differ in detail is in [local-sagemaker.md](local-sagemaker.md).",
            "",
            f"Of {len(everything)} operations {len(served)} are served: {len(served - PARTIAL.keys())} as "
            f"AWS documents them, {len(PARTIAL)} in part.",
            "",
            "## Operations",
            "",
            "Every one checks its request by botocore's model, and answers a wrong one with AWS's code and "
            "status (`tests/unit/sagemaker/test_errors_*.py` go through all members). The last column names "
            "the clients that called it and got an answer.",
            "",
            "| operation | support | what is missing | called by |",
            "| --- | --- | --- | --- |",
            *(_row(name, outcomes) for name in sorted(served)),
            "",
            "## Clients",
            "",
            "| client | script | outcome | operations |",
            "| --- | --- | --- | --- |",
            *(_client(script, outcome) for script, outcome in sorted(outcomes.items())),
            "",
            "boto3's waiters and paginators for all that is served are used in "
            "`tests/conformance/clients/test_boto3.py`. What the Step Functions SDK's workflows call, state "
            "machines call for it.",
            "",
            "Both SageMaker SDKs ask STS for the account at an address of AWS's own, whatever "
            "`AWS_ENDPOINT_URL` says, to name their default bucket: give the session a bucket "
            '(`Session(default_bucket="…")`). The third SDK checks a role\'s policies first: make one '
            "with its `IamRoleResolver`, or set `SAGEMAKER_VALIDATE_ROLE=false`.",
            "",
            "## Step Functions",
            "",
            "Optimized integrations: "
            + ", ".join(f"`{name.rpartition(':')[2]}`" for name in sorted(HANDLERS))
            + "; those of jobs with `.sync` too. Everything that is served can be called as "
            "`aws-sdk:sagemaker:*`. `createLabelingJob` is not there.",
            "",
            "## Not served",
            "",
            "Answered with `UnknownOperationException`.",
            "",
            "<details><summary>All of them</summary>",
            "",
            ", ".join(f"`{name}`" for name in unserved),
            "",
            "</details>",
            "",
        ]
    )


def _operations(service: str) -> set[str]:
    return set(botocore.session.get_session().get_service_model(service).operation_names)


def _row(name: str, outcomes: dict[str, dict[str, Any]]) -> str:
    callers = sorted(
        {
            outcome["client"].split()[0] + " " + outcome["client"].split()[1].split(".")[0]
            for outcome in outcomes.values()
            if outcome["passed"] and name in {each.partition(":")[2] for each in outcome["operations"]}
        }
    )
    support = "partial" if name in PARTIAL else "full"
    return f"| `{name}` | {support} | {PARTIAL.get(name, '')} | {', '.join(callers)} |"


def _client(script: str, outcome: dict[str, Any]) -> str:
    passed = "passed" if outcome["passed"] else "**failed**"
    return f"| {outcome['client']} | `{script}` | {passed} | {len(outcome['operations'])} |"


if __name__ == "__main__":
    sys.exit(main())
