"""What models need of SageMaker's quotas: worked out by hand for some, by laws for all."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.quotas import Need, needs
from tidegate.core.spec import ModelSpec
from tidegate.modelfile import read_model_file

ROOT = Path(__file__).parents[3]


def spec(name: str = "cars", **more) -> ModelSpec:
    algorithms = more.pop("algorithms", {"xgboost": {"instance": "ml.m5.large"}})
    return ModelSpec.from_dict(
        {"name": name, "target": "price", "features": {"km": "numeric"}, "algorithms": algorithms, **more}
    )


def test_the_reference_model_needs_what_the_documents_say():
    reference = read_model_file((ROOT / "models/used-car-price/model.yaml").read_text())
    assert needs([reference]) == [
        Need("ml.m5.large", "endpoint", 4, 8),
        Need("ml.m5.large", "training job", 2, 2),
        Need("ml.m5.large", "transform job", 4, 4),
    ]
    written = (ROOT / "docs" / "aws.md").read_text()
    for words in ("2 for training job usage", "4 for transform job usage", "4 for endpoint usage"):
        assert words in written


def test_tuning_spot_and_serverless_count_for_what_they_are():
    found = needs(
        [
            spec(
                algorithms={
                    "xgboost": {
                        "instance": "ml.m5.xlarge",
                        "spot": True,
                        "tuning": {
                            "max_jobs": 9,
                            "parallel": 3,
                            "ranges": {"max_depth": {"least": 2, "most": 8}},
                        },
                    }
                },
                serving={"serverless": {}},
            )
        ]
    )
    assert found == [
        Need("ml.m5.large", "transform job", 2, 2),
        Need("ml.m5.xlarge", "spot training job", 3, 3),
    ]


MODELS = st.lists(
    st.builds(
        lambda least, more, count: spec(
            serving={"instances": {"min": least, "max": least + more}}, scoring={"count": count}
        ),
        st.integers(1, 4),
        st.integers(0, 4),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=4,
)


@given(MODELS, MODELS)
def test_more_models_never_need_less_and_all_serve_at_once_with_one_update_beside(some, others):
    alone = {need.quota: need for need in needs(some)}
    both = {need.quota: need for need in needs([*some, *others])}
    for quota, need in alone.items():
        assert need.least <= need.most
        assert need.least <= both[quota].least
        assert need.most <= both[quota].most
    endpoints = both["ml.m5.large for endpoint usage"]
    every = [each.serving.instances for each in [*some, *others]]
    assert endpoints.least == sum(one["min"] for one in every) + max(one["min"] for one in every)
    assert both["ml.m5.large for training job usage"].least == 1
