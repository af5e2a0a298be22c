"""Options of the whole test suite, and the check that it leaves nothing behind."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import tidiness

# Before anything is collected: modules make folders and import the emulator as they are read.
HOME: Path | None = tidiness.begin()
# How long one example takes says nothing on a busy machine: no test is judged by it. A failure says how to
# have it again.
hypothesis.settings.register_profile(
    "patient",
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
# Laws are held in small by the inner loop, many times a day, and in full by `make corpus`.
hypothesis.settings.register_profile("small", hypothesis.settings.get_profile("patient"), max_examples=40)
hypothesis.settings.load_profile("small")
LEFT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--iam",
        action="store_true",
        default=False,
        help="run the end-to-end suite with IAM policies enforced",
    )
    parser.addoption(
        "--kms",
        action="store_true",
        default=False,
        help="run the end-to-end suite with a KMS key of one's own, and with it IAM enforced",
    )
    parser.addoption(
        "--stack",
        default="tidegate",
        metavar="NAME",
        help="run the end-to-end suite under another stack's name, and a name prefix of its own",
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
    if config.getoption("--kms"):  # without it in force nobody is asked for the key
        config.option.iam = True
    if "corpus" in config.option.markexpr:
        hypothesis.settings.load_profile("patient")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = config.option.markexpr
    left_out = [name for name in COMPLETE if name not in asked]
    chosen = [item for item in items if not any(item.get_closest_marker(name) for name in left_out)]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Look at what was left, once all workers have ended."""
    yield
    if HOME is None:
        return
    left = tidiness.end(HOME)
    if left:
        session.config.stash[LEFT] = left
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for sentence in config.stash.get(LEFT, []):
        terminalreporter.write_line(f"LEFT BEHIND: {sentence}", red=True)
