"""Nothing goes by what the stack is called by default: neither the template, nor where SAM puts what it uploads."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.synthesis import ROOT, statements

pytestmark = pytest.mark.conformance
# Where the product's own name may stand: before the stack's, as a namespace, and for whom tokens are by default.
OWN = (
    "/tidegate/${AWS::StackName}",
    "tidegate.${AWS::StackName}",
    "Default: tidegate",
)
CODE = ("src/tidegate/core", "src/tidegate/edge", "functions", "statemachines", "glue")


def test_no_line_of_the_template_takes_the_stack_to_be_called_tidegate():
    wrong = []
    for number, line in enumerate((ROOT / "template.yaml").read_text().splitlines(), 1):
        said = line.split(" #")[0]
        if "Description" in said or said.lstrip().startswith("#"):
            continue
        for own in OWN:
            said = said.replace(own, "")
        # What people type is no name.
        said = re.sub(r"`tidegate [^`]*`", "", said)
        wrong += [f"{number}: {line.strip()}"] if "tidegate" in said else []
    assert wrong == []


def test_no_role_may_read_below_a_folder_of_a_fixed_name():
    script = [each for each in statements() if each.sid == "ReadTheScript"]
    [resource] = script[0].resources
    assert resource.endswith(":::*/tidegate/*")  # the name that the stack has here
    source = (ROOT / "template.yaml").read_text()
    assert '"arn:${AWS::Partition}:s3:::*/${AWS::StackName}/*"' in source


def test_sam_puts_what_it_uploads_below_the_stack_s_name():
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    default = config["default"]
    assert default["deploy"]["parameters"]["s3_prefix"] == default["global"]["parameters"]["stack_name"]
    # On the laptop `deploy` gives both.
    assert "s3_prefix" not in config["local"]["deploy"]["parameters"]


def said_in(path: Path) -> Iterator[str]:
    """Give what a file says to a cloud: the texts of Python's code, docstrings left out, or a machine's lines."""
    source = path.read_text()
    if path.suffix == ".yaml":
        yield from source.splitlines()
        return
    tree = ast.parse(source)
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef)
    told = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, holders)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in told:
            yield node.value


@pytest.mark.slow
def test_the_code_that_is_deployed_names_no_resource_by_the_default_name():
    files = [
        path for folder in CODE for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".yaml")
    ]
    named = re.compile(r"^(tidegate|tg)-[a-z]|^/tidegate/|[\"'/](tidegate|tg)-[a-z]|[\"']/tidegate/")
    found = {text for path in files for text in said_in(path) if named.search(text)}
    assert found == {"tidegate-engine-"}  # a folder of the Glue job's own
