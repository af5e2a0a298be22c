"""The template's image accounts are those of the SageMaker SDK, where AWS keeps them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.clients.conftest import environment_of

pytestmark = pytest.mark.clients

SCRIPT = Path(__file__).parents[3] / "scripts" / "image_map.py"


def test_the_image_map_is_what_its_script_makes_of_the_sdk_s_data() -> None:
    [data] = (
        environment_of("sagemaker2").parents[1].glob("lib/python3*/site-packages/sagemaker/image_uri_config")
    )
    done = subprocess.run([sys.executable, str(SCRIPT), str(data), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
