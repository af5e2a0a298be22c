"""Options of the whole test suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--iam",
        action="store_true",
        default=False,
        help="run the end-to-end suite with IAM policies enforced",
    )
