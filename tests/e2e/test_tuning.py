"""A model whose file asks for tuning: the machine looks for the best hyperparameters, then trains with them."""

from __future__ import annotations

from tests.e2e import cars
from tests.e2e.town import Town, csv_bytes

TUNING = {
    "max_jobs": 3,
    "ranges": {"eta": {"least": 0.2, "most": 0.5}, "max_depth": {"least": 2, "most": 4}},
}


def test_the_machine_tunes_before_it_trains(town: Town):
    algorithm = {
        "hyperparameters": {"num_round": 30, "eta": 0.9},
        "tuning": TUNING,
        "instance": "ml.m5.large",
    }
    town.declare(cars.spec("cars-tuned", algorithms={"xgboost": algorithm}))
    record = town.train("cars-tuned", "cars.csv", csv_bytes(cars.rows()))
    assert record["status"] == "SUCCEEDED", record["reason"]
    assert "Tune the hyperparameters" in town.states_of(record)
    sagemaker = town.client("sagemaker")
    listed = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=record["run"])
    [name] = [each["HyperParameterTuningJobName"] for each in listed["HyperParameterTuningJobSummaries"]]
    tuned = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert tuned["TrainingJobStatusCounters"]["Completed"] == 3
    best = tuned["BestTrainingJob"]["TunedHyperParameters"]
    trained = sagemaker.describe_training_job(
        TrainingJobName=record["result"]["algorithms"]["xgboost"]["training_job"]
    )
    told = record["result"]["algorithms"]["xgboost"]["tuned"]
    assert told == {
        "job": name,
        "best": tuned["BestTrainingJob"]["TrainingJobName"],
        "jobs": 3,
        "hyperparameters": best,
    }
    assert trained["HyperParameters"] | best == trained["HyperParameters"]
    assert trained["HyperParameters"]["num_round"] == "30"
