"""Each function as Lambda starts it: a clean Python, its own folder, its own layers, its own variables, boto3.

In every Python of the three that AWS and laptops run; one that is not on this machine is skipped with a notice.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest
from layers_building import ROOT, interpreters
from tests.conformance.synthesis import template, texts

pytestmark = pytest.mark.integration

# What Lambda's Python runtime brings; all of it is pure Python.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
# Functions import much of their rooms only when they need it; these import all of them.
ROOMS = {"PreprocessFunction": ["table", "serving"], "PredictFunction": ["core", "api", "edge"]}
# Forks before each function, so that none finds what another one imported.
PROGRAM = """
import json, os, pkgutil, sys, traceback
for name, paths, variables, rooms in json.loads(sys.argv[1]):
    child = os.fork()
    if child == 0:
        sys.path[:0] = paths
        os.environ.clear()
        os.environ.update(variables)
        try:
            import app
            assert callable(app.handler)
            assert not {"numpy", "pyarrow"} & set(sys.modules), "it imports what a cold start should not wait for"
            import tidegate
            for room in rooms:
                for found in pkgutil.walk_packages([f"{each}/{room}" for each in tidegate.__path__], f"tidegate.{room}."):
                    if not found.name.endswith(".native.kernel"):  # a library, not a module
                        __import__(found.name)
        except BaseException:
            print(name, file=sys.stderr)
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(name)
"""


def runtime(folder: Path) -> Path:
    """Make a folder with what the runtime brings, and nothing else of what is installed here."""
    for name in RUNTIME:
        found = importlib.util.find_spec(name)
        assert found is not None and found.origin is not None
        origin = Path(found.origin)
        place = origin.parent if origin.name == "__init__.py" else origin
        (folder / place.name).symlink_to(place)
    return folder


def functions() -> list[tuple[str, str, list[str], dict[str, str]]]:
    """Give each function's name, folder, layers and variables, as the template has them."""
    source = {
        name: found["Properties"]
        for name, found in template()["Resources"].items()
        if found["Type"] == "AWS::Lambda::Function"
    }
    folders = {path.parent.name.replace("_", ""): path.parent for path in ROOT.glob("functions/*/app.py")}
    return [
        (
            name,
            str(folders[name.removesuffix("Function").lower()]),
            [
                layer
                for layer in ("Table", "Core")
                if any(layer in each.get("Ref", "") for each in properties["Layers"])
            ],
            {key: next(texts(value), "") for key, value in properties["Environment"]["Variables"].items()},
        )
        for name, properties in source.items()
    ]


def test_every_function_of_the_template_is_tried():
    assert {Path(folder).name for _, folder, _, _ in functions()} == {
        path.parent.name for path in ROOT.glob("functions/*/app.py")
    }


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_each_function_is_imported_with_nothing_but_its_layers(built, tmp_path, version):
    python = next(interpreters(version), None)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    boto = str(runtime(tmp_path))
    plan = []
    for name, folder, layers, variables in functions():
        paths = [folder, *(str(built(layer, version) / "python") for layer in layers), boto]
        plan.append((name, paths, variables, ROOMS.get(name, [])))
    done = subprocess.run(
        [python, "-I", "-S", "-c", PROGRAM, json.dumps(plan)],
        capture_output=True,
        text=True,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stdout.split() == [], done.stderr
