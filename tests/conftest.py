"""Options of the whole test suite."""

import pytest
from hypothesis import settings

# How long one example takes says nothing on a busy machine: no test is judged by it.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--iam",
        action="store_true",
        default=False,
        help="run the end-to-end suite with IAM policies enforced",
    )


# Long suites that `make test` samples; `pytest -m faults` and `pytest -m corpus` go through all of them.
COMPLETE = {
    "faults": "the local cloud is killed, and tasks fail, at every state",
    "corpus": "every broken input, and long fuzzing",
    "spark": "the Glue job on a real Spark, which is a download of half a gigabyte",
}


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in COMPLETE.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = config.option.markexpr
    left_out = [name for name in COMPLETE if name not in asked]
    chosen = [item for item in items if not any(item.get_closest_marker(name) for name in left_out)]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen
