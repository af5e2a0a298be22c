"""Which names in SageMaker belong to a model: each to one, whatever the models are called."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core import names
from tidegate.core.algorithms import BUILT_IN
from tidegate.core.belonging import is_version_of

MODELS = st.from_regex(names.MODEL_NAME_PATTERN, fullmatch=True).filter(lambda name: len(name) <= 28)
# Names that begin and end as others do, and as algorithms are called.
ALIKE = st.lists(st.sampled_from(["cars", "old", "linear", "learner", "xgboost"]), min_size=1, max_size=4)
NAMES = MODELS | ALIKE.map("-".join).filter(names.is_model_name)
RUNS = st.from_regex(r"[0-9a-f]{12}", fullmatch=True)
SUFFIXES = st.sampled_from(["", "-1", "-Z", "s", "-1s"])


@given(NAMES, NAMES, st.sampled_from(sorted(BUILT_IN)), RUNS, SUFFIXES)
def test_a_version_belongs_to_its_model_and_to_no_other(model, other, algorithm, run, suffix):
    name = names.job_name("tg", model, algorithm, run) + suffix
    assert is_version_of(name, "tg", model, BUILT_IN)
    assert is_version_of(name, "tg", other, BUILT_IN) == (other == model)
    assert not is_version_of(name, "x7", model, BUILT_IN)


@given(NAMES, st.sampled_from(sorted(BUILT_IN)))
def test_what_no_run_made_belongs_to_nobody(model, algorithm):
    endpoint = names.endpoint_name("tg", model, algorithm)
    for name in (endpoint, f"{endpoint}-mine", f"{endpoint}-0123456789ab-by-hand"):
        assert not is_version_of(name, "tg", model, BUILT_IN)
