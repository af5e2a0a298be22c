"""The hyperparameters of Linear Learner: names, types, ranges, defaults, and the words for what is wrong."""

import pytest

from tidegate.local.sagemaker.images.container import ClientError
from tidegate.local.sagemaker.images.linear_learner.candidates import make_candidates
from tidegate.local.sagemaker.images.linear_learner.hyperparameters import PARAMETERS, read_hyperparameters

REGRESSOR = {"predictor_type": "regressor"}


def test_defaults_are_the_documented_ones():
    settings = read_hyperparameters(REGRESSOR)
    assert settings.whole("epochs") == 15
    assert settings.whole("mini_batch_size") == 1000
    assert settings.whole("early_stopping_patience") == 3
    assert settings.number("early_stopping_tolerance") == 0.001
    assert settings.flag("normalize_data") is True
    assert settings.auto("num_models") and settings.auto("learning_rate")


@pytest.mark.parametrize(
    ("predictor", "loss"),
    [
        ("regressor", "squared_loss"),
        ("binary_classifier", "logistic"),
        ("multiclass_classifier", "softmax_loss"),
    ],
)
def test_auto_loss_follows_the_predictor_type(predictor, loss):
    settings = read_hyperparameters({"predictor_type": predictor, "num_classes": "3", "loss": "auto"})
    assert settings.text("loss") == loss


DOCUMENTED = """accuracy_top_k balance_multiclass_weights beta_1 beta_2 bias_lr_mult bias_wd_mult
    binary_classifier_model_selection_criteria early_stopping_patience early_stopping_tolerance
    epochs f_beta feature_dim huber_delta init_bias init_method init_scale init_sigma l1
    learning_rate loss loss_insensitivity lr_scheduler_factor lr_scheduler_minimum_lr
    lr_scheduler_step margin mini_batch_size momentum normalize_data normalize_label
    num_calibration_samples num_classes num_models num_point_for_scaler optimizer
    positive_example_weight_mult predictor_type quantile target_precision target_recall
    unbias_data unbias_label use_bias use_lr_scheduler wd"""


def test_every_documented_name_is_known():
    assert sorted(PARAMETERS) == DOCUMENTED.split()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("epochs", "0", "of at least 1"),
        ("epochs", "1.5", "a whole number"),
        ("wd", "-1", "of at least 0"),
        ("quantile", "1", "below 1"),
        ("learning_rate", "0", "above 0"),
        ("learning_rate", "nan", "a number"),
        ("use_bias", "perhaps", "true or false"),
        ("optimizer", "lbfgs", "'adam'"),
        ("loss", "logistic", "does not fit predictor_type regressor"),
        ("mini_batch_size", "auto", "a whole number"),
    ],
)
def test_a_value_out_of_its_range_is_told_with_what_is_accepted(name, text, told):
    with pytest.raises(ClientError) as caught:
        read_hyperparameters({**REGRESSOR, name: text})
    assert f"Hyperparameter {name}: {text!r}" in str(caught.value)
    assert told in str(caught.value)


def test_an_unknown_name_is_refused_by_name():
    with pytest.raises(ClientError, match="Unknown hyperparameter 'num_round'"):
        read_hyperparameters({**REGRESSOR, "num_round": "300"})


def test_predictor_type_and_num_classes_are_required():
    with pytest.raises(ClientError, match="predictor_type is required"):
        read_hyperparameters({})
    with pytest.raises(ClientError, match="num_classes is required"):
        read_hyperparameters({"predictor_type": "multiclass_classifier"})


def test_the_sdks_python_booleans_are_read():
    settings = read_hyperparameters({**REGRESSOR, "use_bias": "False", "normalize_data": "True"})
    assert settings.flag("use_bias") is False
    assert settings.flag("normalize_data") is True


def test_given_values_are_kept_by_every_candidate():
    settings = read_hyperparameters({**REGRESSOR, "wd": "0.5", "learning_rate": "0.2"})
    candidates = make_candidates(settings, (1.0, 2.0), classes=1)
    assert {(one.learning_rate, one.wd) for one in candidates} == {(0.2, 0.5)}


def test_num_models_limits_the_candidates_and_a_tuning_job_trains_one():
    five = read_hyperparameters({**REGRESSOR, "num_models": "5"})
    assert len(make_candidates(five, (1.0, 2.0), classes=1)) == 5
    tuned = read_hyperparameters({**REGRESSOR, "num_models": "5", "_tuning_objective_metric": "x"})
    assert len(make_candidates(tuned, (1.0, 2.0), classes=1)) == 1
