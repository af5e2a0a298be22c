"""Nothing goes by what the stack is called by default: neither the template, nor where SAM puts what it uploads."""

import re
import tomllib

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


def test_the_code_that_is_deployed_names_no_resource_by_the_default_name():
    wrong = []
    for folder in CODE:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix not in (".py", ".yaml"):
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                named = re.search(r"""["'/](tidegate|tg)-[a-z]|["']/tidegate/""", line)
                if named and ">>>" not in line and "engine" not in line:  # a folder of the job's own
                    wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert wrong == []
