"""A model file: what is accepted, what is refused and in which words; the published schema says the same."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tidegate.core.endpoints import scaling, serverless_config
from tidegate.core.errors import BadSpec
from tidegate.core.spec import ModelSpec
from tidegate.modelfile import read_model_file

ROOT = Path(__file__).parents[3]
SCHEMA = Draft7Validator(json.loads((ROOT / "docs" / "model.schema.json").read_text()))
GOOD = {
    "name": "used-car-price",
    "target": "price",
    "id": "listing_id",
    "features": {"mileage": "numeric", "make": {"type": "categorical", "levels": 9}, "sold": "date"},
    "algorithms": {"xgboost": {"hyperparameters": {"num_round": 300, "eta": 0.1}}, "linear-learner": None},
    "gate": {"metric": "rmse", "at_most": 2500},
    "notify": ["ml-team@example.com"],
}


def changed(path: tuple[str, ...], value: object) -> dict:
    spec = copy.deepcopy(GOOD)
    at = spec
    for key in path[:-1]:
        at = at.setdefault(key, {})
    at[path[-1]] = value
    return spec


def test_a_good_file_gets_its_defaults_and_survives_the_round_trip():
    spec = ModelSpec.from_dict(GOOD)
    assert spec.serving.combine == "max"
    assert spec.algorithms["linear-learner"].hyperparameters == {"predictor_type": "regressor"}
    assert spec.algorithms["xgboost"].hyperparameters["num_round"] == "300"
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_weights_and_a_rule_of_ones_own_are_read():
    weighted = {"combine": "weighted", "weights": {"xgboost": 3, "linear-learner": 1}}
    serving = ModelSpec.from_dict(changed(("serving",), weighted)).serving
    assert serving.weights == {"xgboost": 3.0, "linear-learner": 1.0}
    own = changed(("serving", "combine"), "pricing.rules:cautious")
    assert ModelSpec.from_dict(own).serving.combine == "pricing.rules:cautious"


def test_a_model_is_served_on_instances_that_follow_the_load_or_without_any():
    many = ModelSpec.from_dict(changed(("serving",), {"instances": {"min": 1, "max": 4}})).serving
    assert scaling(many, "e") == {
        "resource": "endpoint/e/variant/AllTraffic",
        "min": 1,
        "max": 4,
        "target": 1000,
    }
    assert scaling(ModelSpec.from_dict(GOOD).serving, "e") is None
    without = ModelSpec.from_dict(changed(("serving",), {"instances": {"max": 4}, "serverless": {}})).serving
    assert scaling(without, "e") is None
    assert serverless_config(without) == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


def test_the_reference_model_is_good():
    spec = read_model_file((ROOT / "models" / "used-car-price" / "model.yaml").read_bytes())
    assert spec.name == "used-car-price"


def test_a_gpu_instance_trains_xgboost_on_its_gpu_in_the_image_s_own_words():
    on_gpu = changed(("algorithms", "xgboost"), {"instance": "ml.g5.xlarge"})
    chosen = ModelSpec.from_dict(on_gpu).algorithms["xgboost"].hyperparameters
    assert chosen["tree_method"] == "gpu_hist"
    assert "device" not in chosen, "AWS's image refuses it"
    told = changed(
        ("algorithms", "xgboost"), {"instance": "ml.g5.xlarge", "hyperparameters": {"tree_method": "hist"}}
    )
    assert ModelSpec.from_dict(told).algorithms["xgboost"].hyperparameters["tree_method"] == "hist"
    assert "tree_method" not in ModelSpec.from_dict(GOOD).algorithms["xgboost"].hyperparameters


MODEL = """name: cars
target: Price
features: {KM: numeric}
algorithms:
  xgboost:
    instance: ml.g5.xlarge
    hyperparameters:
      num_round: 10
      %s
gate: {metric: rmse, at_most: 10}
"""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "device: cuda",
            "Extraneous hyperparameter found: device; a GPU is asked for by tree_method: gpu_hist",
        ),
        ("max_deph: 3", r"found: max_deph \(AWS's image would refuse it\); did you mean 'max_depth'"),
        ("eta: 1.5", r"Hyperparameter eta: 1.5 is not in \[0, 1\]"),
        ("eval_metric: speed", "eval_metric: 'speed' is not one of"),
        ("objective: multi:softmax", "needs the hyperparameter num_class"),
        ("monotone_constraints: (1)", "monotone_constraints: "),
    ],
)
def test_a_hyperparameter_that_the_image_would_refuse_is_refused_with_its_line(line, sentence):
    with pytest.raises(BadSpec, match=sentence) as refused:
        read_model_file(MODEL % line)
    assert refused.value.path[:3] == ("algorithms", "xgboost", "hyperparameters")
    assert refused.value.line == 9
    assert read_model_file(MODEL % "learning_rate: 0.1").name == "cars"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("epoch: 3", r"'epoch'.*\(AWS's image would refuse it\); did you mean 'epochs'"),
        ("epochs: none", "epochs: 'none' is not accepted; give a whole number of at least 1"),
        ("loss: logistic", "loss: 'logistic' does not fit predictor_type regressor"),
        ("quantile: 1", "above 0 and below 1"),
    ],
)
def test_so_is_one_that_linear_learner_would_refuse(line, sentence):
    file = MODEL.replace("xgboost", "linear-learner").replace("num_round: 10", "l1: 0.1")
    with pytest.raises(BadSpec, match=sentence) as refused:
        read_model_file(file % line)
    assert refused.value.path[:3] == ("algorithms", "linear-learner", "hyperparameters")
    assert refused.value.line == 9
    assert read_model_file(file % "learning_rate: auto").name == "cars"


TO_1 = {"least": 0.1, "most": 1}
REFUSED = [
    (("name",), "Used Cars", "lower-case"),
    (("name",), "x" * 29, "at most 28"),
    (("target",), None, "'target' is missing"),
    (("target",), "mileage", "listed as a feature"),
    (("id",), "make", "listed as a feature"),
    (("features",), {}, "no feature"),
    (("features", "mileage"), "numbr", "did you mean 'numeric'?"),
    (("features", "mileage"), {"type": "numeric", "levels": 3}, "levels belong to a categorical"),
    (("algorithms",), {}, "no algorithm"),
    (("algorithms", "xgbost"), {}, "did you mean 'xgboost'?"),
    (("algorithms", "xgboost"), {"instances": 2}, "did you mean 'instance'?"),
    (("algorithms", "xgboost"), {"instance": "m5.large"}, "ml.m5.large"),
    (("algorithms", "xgboost"), {"hyperparameters": {"eta": [1]}}, "expected one value"),
    (("algorithms", "xgboost", "tuning"), {"max_jobs": 5}, "'ranges' is missing"),
    (("algorithms", "xgboost", "tuning"), {"max_jobs": 5, "ranges": {}}, "no range is given"),
    (("algorithms", "xgboost", "tuning"), {"ranges": {"eta": TO_1}}, "'max_jobs' is missing"),
    (("algorithms", "xgboost", "tuning"), {"max_jobs": 0, "ranges": {"eta": TO_1}}, "is outside 1 to 750"),
    (
        ("algorithms", "xgboost", "tuning"),
        {"max_jobs": 5, "ranges": {"eta": {"least": 1}}},
        "'most' is missing",
    ),
    (
        ("algorithms", "xgboost", "tuning"),
        {"max_jobs": 5, "ranges": {"eta": 0.1}},
        "expected names with values",
    ),
    (("algorithms", "xgboost", "tuning"), {"max_jobs": 5, "ranges": {"eta": []}}, "or a list of values"),
    (
        ("algorithms", "xgboost", "tuning"),
        {"max_jobs": 5, "ranges": {"eta": {**TO_1, "scale": "lg"}}},
        "did you mean 'log'?",
    ),
    (
        ("algorithms", "xgboost", "tuning"),
        {"max_jobs": 5, "ranges": {"eta": TO_1}, "strategy": "hyperband"},
        "not one of bayesian",
    ),
    (
        ("algorithms", "xgboost", "tuning"),
        {"strategy": "grid", "ranges": {"eta": TO_1}},
        "a grid takes lists",
    ),
    (
        ("algorithms", "xgboost", "tuning"),
        {"strategy": "grid", "max_jobs": 3, "ranges": {"booster": ["dart"]}},
        "has 1 combinations",
    ),
    (
        ("algorithms", "xgboost", "tuning"),
        {"max_jobs": 5, "parallel": 6, "ranges": {"eta": TO_1}},
        "is outside 1 to 5",
    ),
    (
        ("algorithms", "xgboost", "tuning"),
        {"max_jobs": 5, "ranges": {"eta": {"least": 2, "most": 1}}},
        "is not less than most",
    ),
    (
        ("algorithms", "xgboost", "tuning"),
        {"max_jobs": 5, "ranges": {"eta": {"least": 0, "most": 1, "scale": "log"}}},
        "greater than 0",
    ),
    (("split",), {"train": 0.5, "validation": 0.1, "test": 0.1}, "add up to 0.7"),
    (("gate",), {"metric": "r2", "at_most": 0.9}, "use at_least"),
    (("gate", "at_most"), "low", "expected a number"),
    (("serving",), {"combine": "product"}, "not one of max, min"),
    (("serving",), {"combine": "my rules:best"}, "module:function"),
    (("serving",), {"combine": "os:system"}, "'os' is Python's own"),
    (("serving",), {"combine": "weighted"}, "give a weight for xgboost, linear-learner"),
    (("serving",), {"combine": "max", "weights": {"xgboost": 1}}, "weights belong to combine: weighted"),
    (
        ("serving",),
        {"combine": "weighted", "weights": {"xgboost": 0, "linear-learner": 1}},
        "0 is outside 1e-06",
    ),
    (
        ("serving",),
        {"combine": "weighted", "weights": {"xgboost": 1, "linear-learner": 1, "forest": 1}},
        "'forest' is not known here",
    ),
    (("serving",), {"instances": {"min": 3, "max": 2}}, "less than min"),
    (("serving",), {"on_failure": "ignore"}, "not one of fail, others"),
    (("serving",), {"invocations_per_instance": 0}, "0 is outside 1 to"),
    (("serving",), {"serverless": {"memory_mb": 1500}}, "not a size that AWS offers"),
    (("serving",), {"serverless": {"memory": 1024}}, "did you mean 'memory_mb'?"),
    (("serving",), {"serverless": {"max_concurrency": 201}}, "201 is outside 1 to 200"),
    (("scoring",), {"instance": "ml.t2.medium"}, "batch transform has no ml.t2.medium"),
    (("scoring",), {"max_concurrent": 20}, "20 requests of 6 MB are 120 MB at once"),
    (("scoring",), {"max_payload_mb": 101}, "101 is outside 1 to 100"),
    (("scoring",), {"bad_rows": "skip"}, "not one of set_aside, refuse"),
    (("scoring",), {"most_bad_share": 10}, "10 is outside 0 to 1"),
    (("monitor",), {"every": "hourly"}, "1 hour"),
    (
        ("algorithms", "linear-learner"),
        {"spot": True, "max_runtime_seconds": 3601},
        "linear-learner keeps no checkpoints",
    ),
    (
        ("algorithms", "xgboost"),
        {"count": 2, "instance": "ml.g4dn.xlarge"},
        "XGBoost trains on several GPU instances by Dask alone",
    ),
    (("notify",), ["nobody"], "an e-mail address"),
    (("traget",), "price", "did you mean 'target'?"),
]


@pytest.mark.parametrize(("path", "value", "words"), REFUSED, ids=lambda each: str(each)[:40])
def test_a_bad_file_is_refused_in_a_sentence_that_says_where(path, value, words):
    with pytest.raises(BadSpec) as refusal:
        ModelSpec.from_dict(changed(path, value))
    assert words in refusal.value.message
    # A column listed twice is complained of where it has to be taken out.
    assert refusal.value.path[0] == ("features" if "listed as a feature" in words else path[0])


# What a schema of this draft cannot say: relations between members.
RELATIONS = (
    "listed as a feature",
    "add up to",
    "use at_least",
    "less than min",
    "is Python's own",
    "give a weight for",
    "weights belong to",
    "'forest' is not known",
    "MB at once",
    "keeps no checkpoints",
    "by Dask alone",
    "a grid takes lists",
    "has 1 combinations",
    "is outside 1 to 5",
    "is not less than most",
    "greater than 0",
)


@pytest.mark.parametrize(("path", "value", "words"), REFUSED, ids=lambda each: str(each)[:40])
def test_the_published_schema_refuses_the_same(path, value, words):
    assert SCHEMA.is_valid(changed(path, value)) == any(relation in words for relation in RELATIONS)


def test_the_published_schema_accepts_the_good():
    assert list(SCHEMA.iter_errors(GOOD)) == []
    assert list(SCHEMA.iter_errors(ModelSpec.from_dict(GOOD).to_dict())) == []


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(key=st.sampled_from([*ModelSpec.__dataclass_fields__, "other"]), value=plain)
def test_whatever_a_file_holds_it_is_read_or_refused_in_words(key, value):
    try:
        spec = ModelSpec.from_dict({**GOOD, key: value})
    except BadSpec as refusal:
        assert refusal.message
    else:
        assert ModelSpec.from_dict(spec.to_dict()) == spec


YAML_REFUSED = [
    (b"", None, "empty"),
    (b"name: [", 1, "not YAML"),
    (b"\xff\xfe", 1, "UTF-8"),
    (b"a: &x 1\nb: *x\n", 2, "aliases"),
    (b"name: x\ntarget: y\nfeatures:\n  a: numrc\nalgorithms:\n  xgboost:\n", 4, "numeric"),
    (b"- a list\n", 1, "expected names"),
    (b"name: !!python/object/apply:os.system [ls]\n", 1, "not YAML"),
    (b"x" * (300 * 1024), None, "at most 262,144"),
]


@pytest.mark.parametrize(("text", "line", "words"), YAML_REFUSED, ids=range(len(YAML_REFUSED)))
def test_bad_yaml_is_refused_with_its_line(text, line, words):
    with pytest.raises(BadSpec) as refusal:
        read_model_file(text)
    assert refusal.value.line == line
    assert words in str(refusal.value)
