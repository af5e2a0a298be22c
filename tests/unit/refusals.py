"""What a refusal says to those who may read the data; written as it is, an error shows no value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tidegate.core.errors import DataError


@contextmanager
def refused(kind: type[DataError], words: str) -> Iterator[pytest.ExceptionInfo[DataError]]:
    """Expect a refusal whose plain sentence matches a pattern."""
    with pytest.raises(kind) as caught:
        yield caught
    assert re.search(words, caught.value.plain), caught.value.plain
