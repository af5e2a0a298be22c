"""Tuning jobs run real training jobs: what they find, how they end, and what is told of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from jobs_world import ROLE, World

from tidegate.local.sagemaker import integrations, jobs, service, tuning
from tidegate.local.sagemaker.errors import ResourceInUse, ResourceNotFound, ValidationException

pytest_plugins = ["jobs_world"]

# Reads a hyperparameter off the JSON without a JSON reader, for the quickest container there is.
READ = 'x=$(sed -n \'s/.*"x": *"\\([0-9.]*\\)".*/\\1/p\' opt/ml/input/config/hyperparameters.json)'
LOSS = {"Name": "loss", "Regex": "loss=([0-9.]+)"}
TUNING = "hyper-parameter-tuning-job"


class TuningWorld:
    def __init__(self, world: World) -> None:
        self.world = world
        world.rooms = service.Rooms(
            operations={**jobs.OPERATIONS, **tuning.OPERATIONS},
            invoke_endpoint=lambda *_: (500, {}, b""),
            wait=jobs.wait,
        )

    def create(self, image: str, name: str, *, values: list[str] | None = None, **config: Any) -> None:
        more = config.pop("request", {})
        choices = {"CategoricalParameterRanges": [{"Name": "x", "Values": values or ["1", "2", "3"]}]}
        definition = {
            "AlgorithmSpecification": {
                "TrainingImage": image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [LOSS],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://jobs-out/tuned"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        self.world.put("s3://jobs-out/tuned/.keep", b"")
        self.world.call(
            "CreateHyperParameterTuningJob",
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig={
                "Strategy": "Grid",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
                "ResourceLimits": {"MaxParallelTrainingJobs": 2},
                "ParameterRanges": choices,
                **config,
            },
            **{"TrainingJobDefinition": definition, **more},
        )

    def describe(self, name: str) -> dict[str, Any]:
        return self.world.call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name)

    def ended(self, name: str) -> dict[str, Any]:
        self.world.end(TUNING, name)
        return self.describe(name)

    def children(self, name: str, **how: Any) -> list[dict[str, Any]]:
        answer = self.world.call(
            "ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName=name, **how
        )
        listed: list[dict[str, Any]] = answer["TrainingJobSummaries"]
        return listed


@pytest.fixture
def place(world: World) -> TuningWorld:
    return TuningWorld(world)


def test_a_grid_tries_everything_and_names_the_best(place: TuningWorld) -> None:
    image = place.world.shell("tunes", f"{READ}; echo loss=$x")
    place.create(image, "grid", values=["3", "1", "2"], request={"Tags": [{"Key": "team", "Value": "a"}]})
    described = place.ended("grid")
    assert described["HyperParameterTuningJobStatus"] == "Completed"
    best = described["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"x": "1"}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {"MetricName": "loss", "Value": 1.0}
    assert described["TrainingJobStatusCounters"]["Completed"] == 3
    assert described["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    by_objective = place.children("grid", SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    assert [each["TunedHyperParameters"]["x"] for each in by_objective] == ["3", "2", "1"]
    job = place.world.call("DescribeTrainingJob", TrainingJobName=best["TrainingJobName"])
    assert job["TuningJobArn"] == described["HyperParameterTuningJobArn"]
    assert job["HyperParameters"] == {"x": "1", "_tuning_objective_metric": "loss"}
    listed = place.world.call("ListHyperParameterTuningJobs")["HyperParameterTuningJobSummaries"]
    assert [each["Strategy"] for each in listed] == ["Grid"]
    events = [detail for kind, detail, _ in place.world.events if "HyperParameter Tuning" in kind]
    assert [each["HyperParameterTuningJobStatus"] for each in events] == ["InProgress", "Completed"]
    assert events[-1]["Tags"] == {"team": "a"}


def test_no_more_jobs_run_at_once_than_asked_for(place: TuningWorld) -> None:
    image = place.world.shell("slow", f"{READ}; sleep 0.2; echo loss=$x")
    place.create(image, "one-by-one", ResourceLimits={"MaxParallelTrainingJobs": 1})
    place.ended("one-by-one")
    spans = [(each["CreationTime"], each["TrainingEndTime"]) for each in place.children("one-by-one")]
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


def test_a_tuning_job_that_is_stopped_stops_its_training_jobs(place: TuningWorld) -> None:
    image = place.world.shell("waits", "sleep 30")
    place.create(image, "stopped")
    place.world.until(lambda: place.describe("stopped")["TrainingJobStatusCounters"]["InProgress"] == 2)
    place.world.call("StopHyperParameterTuningJob", HyperParameterTuningJobName="stopped")
    described = place.ended("stopped")
    assert described["HyperParameterTuningJobStatus"] == "Stopped"
    assert described["TrainingJobStatusCounters"]["Stopped"] == 2
    assert "BestTrainingJob" not in described
    with pytest.raises(ValidationException, match="Stopped"):
        place.world.call("StopHyperParameterTuningJob", HyperParameterTuningJobName="stopped")
    place.world.call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="stopped")
    with pytest.raises(ResourceNotFound):
        place.describe("stopped")


def test_early_stopping_ends_the_job_that_falls_behind(place: TuningWorld) -> None:
    image = place.world.shell("epochs", f"{READ}; echo loss=$x; test $x = 9 && sleep 30; echo loss=$x")
    place.create(
        image,
        "early",
        values=["1", "9"],
        ResourceLimits={"MaxParallelTrainingJobs": 1},
        TrainingJobEarlyStoppingType="Auto",
    )
    described = place.ended("early")
    assert described["HyperParameterTuningJobStatus"] == "Completed"
    counters = described["TrainingJobStatusCounters"]
    assert (counters["Completed"], counters["Stopped"]) == (1, 1)


def test_a_tuning_job_whose_jobs_all_fail_says_so(place: TuningWorld) -> None:
    image = place.world.shell("fails", "exit 3")
    place.create(image, "failing")
    described = place.ended("failing")
    assert described["HyperParameterTuningJobStatus"] == "Failed"
    assert "All training jobs failed" in described["FailureReason"]
    assert described["TrainingJobStatusCounters"]["NonRetryableError"] == 3


def test_tuning_ends_at_the_objective_that_was_asked_for(place: TuningWorld) -> None:
    image = place.world.shell("tunes", f"{READ}; echo loss=$x")
    place.create(
        image,
        "target",
        values=["5", "1", "2", "3"],
        ResourceLimits={"MaxParallelTrainingJobs": 1},
        TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 1.0},
    )
    assert place.ended("target")["TrainingJobStatusCounters"]["Completed"] == 2


def test_a_warm_start_knows_the_best_of_its_parents(place: TuningWorld) -> None:
    image = place.world.shell("tunes", f"{READ}; echo loss=$x")
    place.create(image, "parent", values=["1", "2"])
    place.ended("parent")

    def warm(name: str, kind: str) -> dict[str, Any]:
        parents = [{"HyperParameterTuningJobName": "parent"}]
        return {"WarmStartConfig": {"ParentHyperParameterTuningJobs": parents, "WarmStartType": kind}}

    place.create(
        image,
        "child",
        values=["2", "3"],
        Strategy="Bayesian",
        ResourceLimits={"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
        request=warm("child", "IdenticalDataAndAlgorithm"),
    )
    described = place.ended("child")
    assert described["OverallBestTrainingJob"]["TuningJobName"] == "parent"
    assert described["BestTrainingJob"]["TuningJobName"] == "child"
    other = place.world.shell("another", f"{READ}; echo loss=$x")
    with pytest.raises(ValidationException, match="TransferLearning"):
        place.create(other, "strange", request=warm("strange", "IdenticalDataAndAlgorithm"))
    place.create(other, "related", request=warm("related", "TransferLearning"))
    assert place.ended("related")["HyperParameterTuningJobStatus"] == "Completed"


def test_several_definitions_take_turns(place: TuningWorld) -> None:
    image = place.world.shell("tunes", f"{READ}; echo loss=$x")
    place.world.put("s3://jobs-out/tuned/.keep", b"")

    def definition(name: str, *values: str) -> dict[str, Any]:
        return {
            "DefinitionName": name,
            "TuningObjective": {"Type": "Minimize", "MetricName": "loss"},
            "HyperParameterRanges": {"CategoricalParameterRanges": [{"Name": "x", "Values": list(values)}]},
            "AlgorithmSpecification": {
                "TrainingImage": image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [LOSS],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://jobs-out/tuned"},
            "HyperParameterTuningResourceConfig": {
                "InstanceConfigs": [{"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}]
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }

    place.world.call(
        "CreateHyperParameterTuningJob",
        HyperParameterTuningJobName="both",
        HyperParameterTuningJobConfig={"Strategy": "Grid", "ResourceLimits": {"MaxParallelTrainingJobs": 2}},
        TrainingJobDefinitions=[definition("first", "4", "5"), definition("second", "3")],
    )
    described = place.ended("both")
    assert described["BestTrainingJob"]["TrainingJobDefinitionName"] == "second"
    assert [each["TrainingJobDefinitionName"] for each in place.children("both")] == [
        "first",
        "second",
        "first",
    ]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"Strategy": "Hyperband"}, "Hyperband is not served"),
        ({"Strategy": "Random"}, "MaxNumberOfTrainingJobs is missing"),
        (
            {"ResourceLimits": {"MaxNumberOfTrainingJobs": 9, "MaxParallelTrainingJobs": 1}},
            "has 3 combinations",
        ),
        ({"ResourceLimits": {"MaxParallelTrainingJobs": 4}}, "there are 3 jobs"),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "rmse"}},
            "rmse is not defined for this algorithm. Known: loss",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused_in_a_sentence(
    place: TuningWorld, config: dict[str, Any], sentence: str
) -> None:
    image = place.world.shell("tunes", "echo loss=1")
    with pytest.raises(ValidationException, match=sentence):
        place.create(image, "refused", **config)


def test_a_name_is_used_once(place: TuningWorld) -> None:
    image = place.world.shell("tunes", f"{READ}; echo loss=$x")
    place.create(image, "twice", values=["1", "2"])
    with pytest.raises(ResourceInUse, match="twice"):
        place.create(image, "twice", values=["1", "2"])
    place.ended("twice")


def test_a_tuning_job_that_a_stop_of_the_cloud_interrupts_is_failed(place: TuningWorld) -> None:
    image = place.world.shell("waits", "sleep 30")
    place.create(image, "cut")
    place.world.until(lambda: place.describe("cut")["TrainingJobStatusCounters"]["InProgress"] == 2)
    jobs.shutdown(place.world.ctx)
    described = place.describe("cut")
    assert described["HyperParameterTuningJobStatus"] == "Failed"
    assert "local cloud stopped" in described["FailureReason"]
    assert described["TrainingJobStatusCounters"]["NonRetryableError"] == 2


def test_a_state_machine_waits_for_a_tuning_job(place: TuningWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "all_rooms", lambda: place.world.rooms)
    image = place.world.shell("tunes", f"{READ}; echo loss=$x")
    place.create(image, "template", values=["1", "2"])
    given = place.ended("template")
    resource = "arn:aws:states:::sagemaker:createHyperParameterTuningJob"
    arguments = {
        "HyperParameterTuningJobName": "from-a-machine",
        "HyperParameterTuningJobConfig": given["HyperParameterTuningJobConfig"],
        "TrainingJobDefinition": given["TrainingJobDefinition"],
    }
    handler = integrations.HANDLERS[resource]
    answer = handler(place.world.ctx, f"{resource}.sync", arguments, lambda: False)
    assert answer["BestTrainingJob"]["TunedHyperParameters"] == {"x": "1"}
    assert isinstance(answer["HyperParameterTuningEndTime"], int)
    assert answer["Tags"] == {"MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS"}
