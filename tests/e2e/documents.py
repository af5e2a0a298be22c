"""The commands that README, CONTRIBUTING and everything in docs/ tell people to type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md")))
# Documents with a test of their own that types what they say.
ELSEWHERE = {"docs/local-sagemaker.md": "tests/integration/sagemaker/test_docs_local_sagemaker.py"}
# What only AWS can answer, and why.
ON_AWS_ALONE = {"aws configure sso --profile mlops": "it signs a person in"}

# Programs that take minutes: not run here, but what they name must be there.
LONG = (".venv/bin/python benchmarks/", ".venv/bin/pytest tests/")

TIDEGATE, SAM = ".venv/bin/tidegate ", ".venv/bin/sam "
DEPLOY = "sam build && sam deploy --guided --config-file samconfig.mine.toml"
TAKING_DOWN = (f"{TIDEGATE}delete ", f"{TIDEGATE}destroy ")
_PROGRAMS = r"(make|sam|aws|cp|curl|uv|python3?|tidegate|pytest|\.venv/bin/\S+) "
_PROFILE = " --profile mlops"


def commands(document: str) -> Iterator[str]:
    """Give each command line of a document's code blocks, its comment taken off."""
    if document in ELSEWHERE:
        return
    for block in re.findall(r"^```(?:sh|bash)?\n(.*?)^```", (ROOT / document).read_text(), re.S | re.M):
        for line in block.splitlines():
            command = re.split(r" +# ", line, maxsplit=1)[0].rstrip()
            if re.match(_PROGRAMS, command):
                yield plain(command)


def plain(command: str) -> str:
    """Write a command in one way: with the programs of this checkout, for the cloud that is up."""
    command = command.replace(_PROFILE, "")
    starts = {"tidegate ": TIDEGATE, "sam list ": f"{SAM}list ", "sam delete ": f"{SAM}delete "}
    for start, ours in starts.items():
        if command.startswith(start):
            return ours + command.removeprefix(start)
    return command


def mentioned(document: str) -> Iterator[str]:
    """Give each command between backticks in a document's sentences."""
    text = re.sub(r"^```.*?^```", "", (ROOT / document).read_text(), flags=re.S | re.M)
    for words in re.findall(r"`([^`\n]+)`", text):
        if re.match(_PROGRAMS, words):
            yield words
