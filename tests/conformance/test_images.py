"""The libraries that stand for AWS's images here are the ones inside them."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from tidegate.local.sagemaker.images.xgboost.library import IMAGE_VERSION, LIBRARY_VERSION

pytestmark = pytest.mark.conformance

HOME = Path(__file__).parents[2]


def test_the_template_names_the_xgboost_image_whose_library_is_here() -> None:
    tags = re.findall(r"/sagemaker-xgboost:([\w.-]+)", (HOME / "template.yaml").read_text())
    assert set(tags) == {IMAGE_VERSION}
    assert f'"XGBoost": ("xgboost", "{IMAGE_VERSION}")' in (HOME / "scripts" / "image_map.py").read_text()
    # The image's tag is the library's version: 3.0-5 has 3.0.5.
    assert IMAGE_VERSION.replace("-", ".") == LIBRARY_VERSION


def test_the_xgboost_library_is_the_image_s_wherever_it_is_installed() -> None:
    assert version("xgboost-cpu") == LIBRARY_VERSION
    local = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]["optional-dependencies"]["local"]
    assert f"xgboost-cpu=={LIBRARY_VERSION}" in local
    locked = re.findall(r"^xgboost-cpu==(\S+)(.*)$", (HOME / "requirements.lock").read_text(), re.M)
    assert locked == [(LIBRARY_VERSION, "")], "one version, whatever the Python"


def test_every_transform_says_how_much_it_sends_at_once() -> None:
    """Else the container is asked, which takes 100 MiB (after the recipe): times its CPUs, more than AWS allows."""
    transforms = 0
    for machine in (HOME / "statemachines").glob("*.yaml"):
        text = machine.read_text()
        for found in re.finditer(r"^( +)TransformInput:", text, re.M):
            transforms += 1
            state = text[: found.start()].rsplit("TransformJobName:", 1)[1]
            assert f"{found[1]}MaxPayloadInMB:" in state, machine.name
    assert transforms == 3


def test_no_layer_carries_xgboost() -> None:
    for requirements in (HOME / "layers").rglob("requirements*"):
        assert "xgboost" not in requirements.read_text()
