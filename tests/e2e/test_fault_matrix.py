"""Every Task state of every machine times everything that can go wrong in it, in the running local cloud.

What passes by itself is tried again and the run succeeds; what lasts fails it, people are told the state, the
reason and the remedy, nothing is left half made, and `tidegate retry` takes a training run up. The cells are made
from the definitions (`matrix.py`), so that a new state cannot be forgotten. `make faults` goes through all of
them; without it a few stand for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import matrix
from tests.e2e.matrix import Cell
from tests.e2e.town import Town
from tests.e2e.trials import Trials

SAMPLE = {
    ("train", "Preprocess", "out of memory"),
    ("train", "Export a name", "access denied"),
    ("train", "Look at the endpoint", "endpoint failed"),
    ("score", "Combine the predictions", "malformed answer"),
    ("score", "Score with the champion", "job stopped"),
    ("score", "Prepare the rows", "throttle"),
}
CELLS = matrix.cells()


def is_sample(cell: Cell) -> bool:
    lasts = not cell.trouble.passes or cell.trouble.kind == "throttle"
    return (cell.machine, cell.state, cell.trouble.kind) in SAMPLE and lasts


each_cell = pytest.mark.parametrize(
    "cell",
    [pytest.param(cell, id=str(cell), marks=() if is_sample(cell) else pytest.mark.faults) for cell in CELLS],
)


@pytest.fixture(scope="module")
def trials(town: Town, request: pytest.FixtureRequest) -> Iterator[Trials]:
    """All chosen cells on their way."""
    chosen = [
        item.callspec.params["cell"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module and hasattr(item, "callspec")
    ]
    made = Trials(town, chosen)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.timeout(2400)
@each_cell
def test_a_run_that_meets_it_ends_as_it_has_to(trials: Trials, cell: Cell):
    matrix.DONE.append(trials.wait(cell))
    assert not cell.wrong, f"{cell}: {cell.wrong}"


def test_every_sample_is_a_cell():
    assert {(cell.machine, cell.state, cell.trouble.kind) for cell in CELLS if is_sample(cell)} == SAMPLE
