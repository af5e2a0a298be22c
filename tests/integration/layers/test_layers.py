"""The layers as AWS gets them: built with their third-party packages, within Lambda's size, and importable alone."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from layers_building import ARM64, ROOT, X86_64, interpreters, size_of

pytestmark = pytest.mark.integration

MOST_UNZIPPED_BYTES = 250 * 1024**2
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LAMBDA_S_PYTHON = "3.13"
LAMBDA_S_GLIBC = 34  # of 2: Amazon Linux 2023, on which its Python runs
GLIBC = re.compile(rb"GLIBC_2\.(\d+)")  # the versions of symbols that an ELF file asks for
EM_X86_64, EM_AARCH64 = 62, 183  # how an ELF file names its processor


@pytest.fixture
def core(built) -> Path:
    """The core layer for the Python that runs this test, so that it can import it."""
    return built("Core", THIS_PYTHON)


@pytest.fixture
def table(built) -> Path:
    return built("Table", THIS_PYTHON)


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


@pytest.mark.parametrize("platform", [X86_64, ARM64])
def test_both_layers_together_fit_in_a_lambda(built, platform):
    # Lambda's limit is on what is unzipped; the 50 MB of a zipped upload do not hold for S3, where SAM puts it.
    layers = [built("Core", LAMBDA_S_PYTHON, platform), built("Table", LAMBDA_S_PYTHON, platform)]
    assert sum(map(size_of, layers)) < MOST_UNZIPPED_BYTES


@pytest.mark.parametrize(("platform", "machine"), [(X86_64, EM_X86_64), (ARM64, EM_AARCH64)])
def test_everything_compiled_in_a_layer_is_for_its_processor(built, platform, machine):
    libraries = [each for each in built("Table", LAMBDA_S_PYTHON, platform).rglob("*.so*") if each.is_file()]
    assert len(libraries) > 20
    for library in libraries:
        head = library.read_bytes()[:20]
        assert head[:4] == b"\x7fELF", library
        assert int.from_bytes(head[18:20], "little") == machine, library


@pytest.mark.parametrize("platform", [X86_64, ARM64])
def test_nothing_compiled_in_a_layer_needs_a_newer_c_library_than_lambda_has(built, platform):
    libraries = [each for each in built("Table", LAMBDA_S_PYTHON, platform).rglob("*.so*") if each.is_file()]
    found = {
        library.name: max(map(int, GLIBC.findall(library.read_bytes())), default=0) for library in libraries
    }
    assert max(found.values()) > 0
    assert {name: newest for name, newest in found.items() if newest > LAMBDA_S_GLIBC} == {}


def test_the_core_layer_is_pure_python_and_small(core, tmp_path):
    assert not list(core.rglob("*.so"))
    zipped = shutil.make_archive(str(tmp_path / "core"), "zip", core)
    assert Path(zipped).stat().st_size < 3 * 1024**2


def test_the_table_layer_reads_computes_and_writes_with_nothing_else_installed(core, table):
    code = """
import io
import numpy, pyarrow, pyarrow.csv, pyarrow.compute, pyarrow.parquet
import tidegate.table.prepare, tidegate.table.evaluate, tidegate.table.baseline, tidegate.serving.bundle
table = pyarrow.csv.read_csv(io.BytesIO(b"a,b\\n1,x\\n2,y\\n"))
packed = io.BytesIO()
pyarrow.parquet.write_table(table, packed)
print(pyarrow.parquet.read_table(io.BytesIO(packed.getvalue())).num_rows)
"""
    found = imported([table / "python", core / "python"], code)
    assert found.stdout.strip() == "2", found.stderr


def test_the_core_layer_has_what_every_function_shares(core):
    code = (
        "import tidegate.core.plan, tidegate.core.outcome, tidegate.modelfile, aws_lambda_powertools, jmespath; "
        "from tidegate.modelfile import read_model_file; print(read_model_file)"
    )
    found = imported([core / "python"], code)
    assert found.returncode == 0, found.stderr


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
