"""The layers as AWS gets them: built with their third-party packages, within Lambda's size, and importable alone."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
MOST_UNZIPPED_BYTES = 250 * 1024**2
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))


@pytest.fixture(scope="module")
def layers(tmp_path_factory) -> Path:
    """Both layers, built for the Python that runs this test, so that it can import them."""
    if sys.platform != "linux":
        pytest.skip("the layers hold Linux wheels")
    home = tmp_path_factory.mktemp("layers")
    for name in ("Core", "Table"):
        folder = ROOT / "layers" / name.lower()
        made = subprocess.run(
            ["make", f"build-{name}Layer", f"ARTIFACTS_DIR={home / name}", f"PYTHON_VERSION={THIS_PYTHON}"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr
    return home


def imported(paths: list[Path], code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a clean interpreter that sees these folders and nothing that is installed."""
    path = ", ".join(repr(str(each)) for each in paths)
    program = f"import sys; sys.path[:0] = [{path}]; {code}"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        capture_output=True,
        text=True,
        env={"ARTIFACTS_BUCKET": "b"},
    )


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_both_layers_together_fit_in_a_lambda(layers):
    assert size_of(layers) < MOST_UNZIPPED_BYTES


def test_the_core_layer_is_pure_python_and_small(layers, tmp_path):
    assert not list((layers / "Core").rglob("*.so"))
    zipped = shutil.make_archive(str(tmp_path / "core"), "zip", layers / "Core")
    assert Path(zipped).stat().st_size < 3 * 1024**2


def test_the_table_layer_reads_computes_and_writes_with_nothing_else_installed(layers):
    code = """
import io
import numpy, pyarrow, pyarrow.csv, pyarrow.compute, pyarrow.parquet
import tidegate.table.prepare, tidegate.table.evaluate, tidegate.table.baseline, tidegate.serving.bundle
table = pyarrow.csv.read_csv(io.BytesIO(b"a,b\\n1,x\\n2,y\\n"))
packed = io.BytesIO()
pyarrow.parquet.write_table(table, packed)
print(pyarrow.parquet.read_table(io.BytesIO(packed.getvalue())).num_rows)
"""
    found = imported([layers / "Table" / "python", layers / "Core" / "python"], code)
    assert found.stdout.strip() == "2", found.stderr


def test_the_core_layer_has_what_every_function_shares(layers):
    code = (
        "import tidegate.core.plan, tidegate.core.outcome, tidegate.modelfile, aws_lambda_powertools, jmespath; "
        "from tidegate.modelfile import read_model_file; print(read_model_file)"
    )
    found = imported([layers / "Core" / "python"], code)
    assert found.returncode == 0, found.stderr


def interpreters(version: str) -> Iterator[str]:
    """Find an interpreter on the path or among pyenv's."""
    named = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    for python in filter(None, named):
        if subprocess.run([python, "-V"], capture_output=True).returncode == 0:
            yield str(python)


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.12", "3.13"])
def test_the_serving_code_runs_on_the_python_of_the_container(version):
    python = next(interpreters(version), None)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    recipe = {
        "version": 1,
        "inputs": ["a"],
        "outputs": ["a"],
        "columns": [{"name": "a", "type": "numeric", "impute": 5.0, "indicator": False, "scale": None}],
    }
    code = f"import inference, apply; print(apply.Recipe({recipe!r}).encode('1\\n', 'text/csv'))"
    found = subprocess.run(
        [python, "-c", code], cwd=ROOT / "src" / "tidegate" / "serving", capture_output=True, text=True
    )
    assert found.stdout.strip() == "1.0", found.stderr
