"""How well Linear Learner trains: against closed-form and long-run solutions, and its losses' slopes."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.algorithms import mini_batch
from tidegate.local.sagemaker.images.container import ClientError
from tidegate.local.sagemaker.images.linear_learner.artifact import LinearModel
from tidegate.local.sagemaker.images.linear_learner.binary import best_cut
from tidegate.local.sagemaker.images.linear_learner.hyperparameters import read_hyperparameters
from tidegate.local.sagemaker.images.linear_learner.losses import make_loss
from tidegate.local.sagemaker.images.linear_learner.metrics import roc_auc
from tidegate.local.sagemaker.images.linear_learner.train import train
from tidegate.local.sagemaker.images.registry import find_image


class Job:
    """A training job in a folder of its own; after ``run`` it has the model and the log lines."""

    def __init__(self, root, capsys):
        self.root, self.capsys = root, capsys

    def run(self, channels, **hyperparameters):
        rows = len(channels["train"][1])
        if rows < 1000:  # the default batch would not be filled: what Tidegate's plan says then
            hyperparameters = mini_batch(rows) | hyperparameters
        return self.train(channels, **hyperparameters)

    def train(self, channels, **hyperparameters):
        config = self.root / "input" / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        for name, (x, y) in channels.items():
            folder = self.root / "input" / "data" / name
            folder.mkdir(parents=True, exist_ok=True)
            np.savetxt(folder / "part-0.csv", np.column_stack([y, x]), delimiter=",", fmt="%.9g")
        train(lambda: False)
        self.lines = self.capsys.readouterr().out.splitlines()
        self.model = LinearModel.load(self.root / "model")
        return self

    def metric(self, text):
        return [float(line.rsplit("=", 1)[1]) for line in self.lines if text in line]


@pytest.fixture
def job(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TIDEGATE_ML_ROOT", str(tmp_path))
    return Job(tmp_path, capsys)


def cars(seed, rows, levels=(3, 10, 2), numeric=25, noise=0.4):
    """Data like a used-car table: numeric columns of all sizes, rare one-hot levels, large labels."""
    random = np.random.default_rng(seed)
    total = int(rows * 1.4)
    parts = [random.normal(size=(total, numeric)) * random.lognormal(2, 2, numeric) + 1000]
    for count in levels:
        chances = 1 / np.arange(1, count + 1) ** 1.5
        drawn = random.choice(count, total, p=chances / chances.sum())
        parts.append(np.eye(count)[drawn])
    x = np.hstack(parts)
    y = x @ (random.normal(size=x.shape[1]) / np.maximum(x.std(axis=0), 0.05))
    y = 10_000 + 1000 * (y + noise * y.std() * random.normal(size=total))
    cut = int(rows * 1.2)
    return {
        "train": (x[:rows], y[:rows]),
        "validation": (x[rows:cut], y[rows:cut]),
        "test": (x[cut:], y[cut:]),
    }


def with_bias(x):
    return np.column_stack([np.ones(len(x)), x])


def closed_form_rmse(data):
    x, y = data["train"]
    shift, scale = x.mean(axis=0), np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    weights = np.linalg.lstsq(with_bias((x - shift) / scale), y, rcond=None)[0]
    x, y = data["test"]
    return float(np.sqrt(np.mean((with_bias((x - shift) / scale) @ weights - y) ** 2)))


def model_rmse(model, data):
    x, y = data["test"]
    return float(np.sqrt(np.mean((model.scores(x) - y) ** 2)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rows", [1000, 3500])
def test_defaults_reach_the_closed_form_solution_of_squared_loss(job, seed, rows):
    data = cars(seed, rows)
    job.run(data, predictor_type="regressor")
    assert model_rmse(job.model, data) <= 1.01 * closed_form_rmse(data)


@pytest.mark.slow
def test_small_batches_with_rare_levels_come_close_though_each_epoch_has_the_same_order(job):
    data = cars(7, 4000, levels=(150,), numeric=5)
    job.run(data, predictor_type="regressor", mini_batch_size="100")
    assert model_rmse(job.model, data) <= 1.03 * closed_form_rmse(data)


def test_without_a_validation_channel_the_training_data_judge(job):
    data = cars(3, 1000)
    job.run({"train": data["train"]}, predictor_type="regressor")
    assert model_rmse(job.model, data) <= 1.01 * closed_form_rmse(data)
    assert not job.metric("validation mse_objective")


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_the_documented_optimizers_come_close(job, optimizer):
    data = cars(1, 2000)
    job.run(data, predictor_type="regressor", optimizer=optimizer, **mini_batch(2000))
    assert model_rmse(job.model, data) <= 1.03 * closed_form_rmse(data)


def test_the_same_data_give_the_same_model(job):
    data = cars(5, 500)
    first = job.run(data, predictor_type="regressor", optimizer="adam").model
    again = job.run(data, predictor_type="regressor", optimizer="adam").model
    assert np.array_equal(first.weights, again.weights) and np.array_equal(first.bias, again.bias)


def test_fewer_rows_than_a_batch_are_refused_by_default_and_by_what_is_given(job):
    data = cars(5, 999)
    for size, told in (({}, r"1000 \(its default\)"), ({"mini_batch_size": "1001"}, "1001")):
        with pytest.raises(ClientError, match=f"999 rows, and mini_batch_size is {told}.*999 or fewer"):
            job.train(data, predictor_type="regressor", **size)


def test_the_rows_are_taken_as_they_lie(job):
    x, y = cars(5, 2000)["train"]
    by_label = np.argsort(y)
    settings = {"predictor_type": "regressor", "optimizer": "sgd", "epochs": "1", **mini_batch(2000)}
    spread = job.run({"train": (x, y)}, **settings).model
    by_rank = job.run({"train": (x[by_label], y[by_label])}, **settings).model
    errors = [float(np.sqrt(np.mean((each.scores(x) - y) ** 2))) for each in (spread, by_rank)]
    assert errors[1] > 1.02 * errors[0]


@pytest.mark.slow
def test_quantile_loss_leaves_its_share_of_labels_below(job):
    data = cars(2, 4000)
    job.run(data, predictor_type="regressor", loss="quantile_loss", quantile="0.9")
    x, y = data["test"]
    assert 0.86 < np.mean(y < job.model.scores(x)) < 0.94


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["absolute_loss", "huber_loss", "eps_insensitive_absolute_loss"])
def test_robust_losses_do_not_follow_outliers(job, loss):
    data = cars(6, 2000, noise=0.1)
    x, y = data["train"]
    wild = y.copy()
    wild[::20] += 50 * y.std()
    job.run({**data, "train": (x, wild)}, predictor_type="regressor", loss=loss)
    misled = closed_form_rmse({**data, "train": (x, wild)})
    assert model_rmse(job.model, data) < misled / 3


def test_without_a_bias_the_scores_of_zeros_are_zero(job):
    random = np.random.default_rng(0)
    x = random.normal(3, 1, (400, 4))
    job.run({"train": (x, x @ [1.0, 2, 3, 4] + 5)}, predictor_type="regressor", use_bias="false")
    assert job.model.scores(np.zeros((1, 4))).tolist() == [0.0]
    expected = np.linalg.lstsq(x, x @ [1.0, 2, 3, 4] + 5, rcond=None)[0]
    assert job.model.weights[:, 0] == pytest.approx(expected, rel=0.02)


def test_a_strong_l1_makes_useless_weights_exactly_zero(job):
    random = np.random.default_rng(0)
    x = random.normal(size=(2000, 10))
    y = 5 * x[:, 0] + random.normal(size=2000)
    job.run({"train": (x, y)}, predictor_type="regressor", optimizer="sgd", l1="0.3", learning_rate="0.05",
            **mini_batch(2000))  # fmt: skip
    assert np.count_nonzero(job.model.weights[1:]) == 0
    assert job.model.weights[0, 0] > 4


def classes(seed, rows, count):
    random = np.random.default_rng(seed)
    centres = random.normal(size=(count, 6)) * 2
    y = random.integers(0, count, rows)
    return centres[y] + random.normal(size=(rows, 6)) * 1.5, y


def logistic_by_newton(x, y):
    rows, weights = with_bias(x), np.zeros(x.shape[1] + 1)
    for _ in range(30):
        chance = 1 / (1 + np.exp(-rows @ weights))
        curvature = (rows * (chance * (1 - chance))[:, None]).T @ rows
        weights -= np.linalg.solve(curvature, rows.T @ (chance - y))
    return weights


def test_logistic_loss_comes_close_to_newtons_solution(job):
    x, y = classes(0, 3000, 2)
    job.run({"train": (x, y)}, predictor_type="binary_classifier",
            binary_classifier_model_selection_criteria="loss_function")  # fmt: skip
    weights = logistic_by_newton(x, y)
    best = float(np.mean(np.logaddexp(0, -(2 * y - 1) * (with_bias(x) @ weights))))
    (loss,) = job.metric("train binary_classification_cross_entropy_objective <loss>")[-1:]
    assert best <= loss <= 1.005 * best
    assert job.model.threshold == 0.5


@pytest.mark.parametrize(
    ("criterion", "metric"),
    [("precision_at_target_recall", "recall"), ("recall_at_target_precision", "precision")],
)
def test_the_threshold_meets_the_asked_target(job, criterion, metric):
    x, y = classes(1, 1500, 2)
    job.run({"train": (x, y)}, predictor_type="binary_classifier", target_recall="0.95",
            binary_classifier_model_selection_criteria=criterion, target_precision="0.95")  # fmt: skip
    (value,) = job.metric(f"train {metric} <score>")
    assert value >= 0.95


def test_balancing_finds_more_of_a_rare_class(job):
    random = np.random.default_rng(0)
    y = (random.random(4000) < 0.05).astype(int)
    x = random.normal(size=(4000, 3)) + y[:, None]
    options = {
        "predictor_type": "binary_classifier",
        "binary_classifier_model_selection_criteria": "loss_function",
    }
    (plain,) = job.run({"train": (x, y)}, **options).metric("train recall <score>")
    (balanced,) = job.run({"train": (x, y)}, **options, positive_example_weight_mult="balanced").metric(
        "train recall <score>"
    )
    assert balanced > plain + 0.3


def test_settings_without_effect_are_named_in_the_log(job):
    x, y = classes(1, 200, 2)
    job.run({"train": (x, y)}, predictor_type="binary_classifier", momentum="0.5", init_sigma="0.1")
    (line,) = [line for line in job.lines if "of no effect" in line]
    assert line.endswith("init_sigma, momentum.")


@pytest.mark.parametrize("balance", ["false", "true"])
def test_a_multiclass_classifier_tells_classes_apart(job, balance):
    x, y = classes(3, 1500, 4)
    data = {"train": (x[:1000], y[:1000]), "validation": (x[1000:], y[1000:])}
    job.run(data, predictor_type="multiclass_classifier", num_classes="4", balance_multiclass_weights=balance)
    (accuracy,) = job.metric("validation multiclass_accuracy <score>")
    said = job.model.labels(job.model.scores(x[1000:]))
    assert accuracy == np.mean(said == y[1000:]) > 0.85


def test_hinge_loss_scores_are_margins(job):
    x, y = classes(4, 1000, 2)
    job.run({"train": (x, y)}, predictor_type="binary_classifier", loss="hinge_loss")
    scores = job.model.scores(x)
    assert scores.min() < -1 and scores.max() > 1
    assert np.mean(job.model.labels(scores) == y) > 0.9


def test_log_lines_have_the_documented_form_and_the_platforms_expressions_read_them(job):
    data = cars(0, 300)
    job.run(data, predictor_type="regressor", epochs="4", early_stopping_patience="9")
    stamp = r"^\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d INFO \d+\] "
    assert any(
        re.search(stamp + r"#quality_metric: host=algo-1, epoch=0, train mse_objective <loss>=\d", line)
        for line in job.lines
    )
    assert len(job.metric("early_stopping_criteria_metric")) == 4
    found = {
        name: re.findall(expression, "\n".join(job.lines))
        for name, expression in find_image("linear-learner").metric_definitions
    }
    assert len(found["validation:objective_loss"]) == 4
    assert found["train:progress"] == ["25.0", "50.0", "75.0", "100.0"]
    assert float(found["test:mse"][-1]) == pytest.approx(model_rmse(job.model, data) ** 2, rel=1e-4)
    assert float(found["validation:rmse"][-1]) > 0


def test_the_validation_objective_is_in_the_labels_own_units(job):
    data = cars(0, 300)
    job.run(data, predictor_type="regressor")
    x, y = data["validation"]
    assert job.metric("validation mse <loss>") == pytest.approx(
        [np.mean((job.model.scores(x) - y) ** 2)], rel=1e-4
    )


@pytest.mark.parametrize(
    ("y", "options", "told"),
    [
        ([0, 1, 2], {"predictor_type": "binary_classifier"}, "label 2; a binary_classifier needs"),
        ([0, 1, 3], {"predictor_type": "multiclass_classifier", "num_classes": "3"}, "from 0 to 2"),
        ([1, 1, 1], {"predictor_type": "binary_classifier"}, "nothing to tell apart"),
        ([1, 2, 3], {"predictor_type": "regressor", "feature_dim": "7"}, "have 2 features"),
        ([1, 2, 9], {"predictor_type": "regressor", "optimizer": "sgd", "learning_rate": "1e30"}, "diverged"),
    ],
)
def test_a_job_that_cannot_train_says_why(job, y, options, told):
    x = np.arange(6.0).reshape(3, 2)
    with pytest.raises(ClientError, match=re.escape(told)):
        job.run({"train": (x, np.array(y))}, **options)


def test_data_of_one_row_and_columns_that_never_vary_still_train(job):
    job.run({"train": (np.array([[1.0, 2.0]]), np.array([7.0]))}, predictor_type="regressor")
    assert job.model.scores(np.array([[1.0, 2.0]])) == pytest.approx([7.0])


LOSSES = [
    *[("regressor", loss) for loss in ("squared_loss", "absolute_loss", "quantile_loss", "huber_loss")],
    *[("regressor", f"eps_insensitive_{kind}_loss") for kind in ("squared", "absolute")],
    *[("binary_classifier", loss) for loss in ("logistic", "hinge_loss")],
]


@pytest.mark.parametrize(("predictor", "name"), LOSSES)
def test_each_slope_is_the_derivative_of_its_loss(predictor, name):
    job = read_hyperparameters({"predictor_type": predictor, "loss": name, "quantile": "0.3"})
    evaluate = make_loss(job).evaluate
    random = np.random.default_rng(0)
    scores = random.normal(size=(200, 3)) * 2
    labels = (
        random.integers(0, 2, (200, 1)) if predictor == "binary_classifier" else np.zeros((200, 1))
    ) * 1.0
    _, slopes = evaluate(scores, labels)
    numeric = (evaluate(scores + 1e-6, labels)[0] - evaluate(scores - 1e-6, labels)[0]) / 2e-6
    assert slopes == pytest.approx(numeric, abs=1e-4)


def test_the_softmax_slope_is_the_derivative_of_its_loss():
    job = read_hyperparameters({"predictor_type": "multiclass_classifier", "num_classes": "3"})
    evaluate = make_loss(job).evaluate
    random = np.random.default_rng(0)
    scores, labels = random.normal(size=(20, 3, 2)), random.integers(0, 3, (20, 1)) * 1.0
    _, slopes = evaluate(scores, labels)
    for which in range(3):
        step = np.zeros((1, 3, 1))
        step[0, which] = 1e-6
        numeric = (evaluate(scores + step, labels)[0] - evaluate(scores - step, labels)[0]) / 2e-6
        assert slopes[:, which] == pytest.approx(numeric, abs=1e-4)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=25),
    st.sampled_from(["accuracy", "f_beta", "precision_at_target_recall", "recall_at_target_precision"]),
)
def test_no_other_threshold_beats_the_chosen_one(pairs, criterion):
    job = read_hyperparameters(
        {"predictor_type": "binary_classifier", "binary_classifier_model_selection_criteria": criterion}
    )
    scores = np.array([score for score, _ in pairs], float)
    truth = np.array([label for _, label in pairs])
    (value,), (cut,) = best_cut(scores[:, None], truth.astype(float), job)

    def judge(threshold):
        said = scores >= threshold
        hits = int((said & truth).sum())
        precision = hits / said.sum() if said.any() else 1.0
        recall = hits / max(1, truth.sum())
        if criterion == "accuracy":
            return np.mean(said == truth)
        if criterion == "f_beta":
            return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        if criterion == "precision_at_target_recall":
            return precision if recall >= 0.8 else recall - 1.8
        return recall if precision >= 0.8 and said.any() else precision - 1.8

    assert judge(cut) == pytest.approx(value)
    assert value >= max(judge(threshold) for threshold in np.arange(-4, 5) - 0.5) - 1e-12


def test_the_area_under_the_curve_counts_ties_as_half():
    assert roc_auc(np.array([1.0, 1.0, 2.0]), np.array([False, True, True])) == 0.75
