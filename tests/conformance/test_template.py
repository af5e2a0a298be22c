"""The template against rules of our own: what every function, machine and bucket must have."""

from pathlib import Path

import pytest
import yaml

from tests.conformance.test_asl import TEMPLATE, AnyTagLoader

pytestmark = pytest.mark.conformance

RESOURCES = TEMPLATE["Resources"]
ROOT = Path(__file__).parents[2]


def of_type(kind: str) -> dict[str, dict]:
    """Give the resources of one type, their properties by name."""
    return {name: found["Properties"] for name, found in RESOURCES.items() if found["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
MACHINES = of_type("AWS::Serverless::StateMachine")
BUCKETS = of_type("AWS::S3::Bucket")


def test_every_role_that_touches_data_may_use_a_key_of_one_s_own():
    listed = set(RESOURCES["UseTheKeyPolicy"]["Properties"]["Roles"])
    schedulers = {"ScheduleRole", "CollectAtNightRole"}  # for the queue
    assert listed - schedulers == {
        f"{name}Role" for name in (*FUNCTIONS, *MACHINES, *of_type("AWS::Glue::Job"))
    }
    assert schedulers <= listed


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_in_its_folder_and_has_policies_of_its_own(name):
    code = ROOT / FUNCTIONS[name]["CodeUri"]
    assert (code / "app.py").exists()
    words = name.removesuffix("Function")
    assert code.name.replace("_", "") == words.lower()


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_private_versioned_and_encrypted(name):
    bucket = BUCKETS[name]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_a_claimed_run_is_never_forgotten_however_late_its_event_comes_again():
    assert "TimeToLiveSpecification" not in RESOURCES["RunsTable"]["Properties"]


def test_the_template_holds_no_yaml_aliases_which_cloudformation_does_not_read():
    events = yaml.parse((ROOT / "template.yaml").read_text(), Loader=AnyTagLoader)
    assert not [event for event in events if isinstance(event, yaml.AliasEvent)]


def test_the_template_is_linted_for_every_region_that_it_has_images_for():
    settings = yaml.safe_load((ROOT / ".cfnlintrc").read_text())
    assert settings["regions"] == list(TEMPLATE["Mappings"]["ImageAccounts"])


def test_people_are_told_of_this_stack_s_alarms_and_of_no_other_s():
    # A prefix would take those of the stack "tidegate-test" for alarms of "tidegate".
    rule = FUNCTIONS["TellAlarmFunction"]["Events"]["AlarmWentOn"]["Properties"]
    assert sorted(rule["Pattern"]["detail"]["alarmName"]) == sorted(of_type("AWS::CloudWatch::Alarm"))


def test_several_large_windows_are_read_at_once():
    [job] = of_type("AWS::Glue::Job").values()
    assert job["ExecutionProperty"]["MaxConcurrentRuns"] > 1
    # Glue's own bookmark is one a job: two runs at once would write it over each other.
    assert job["DefaultArguments"]["--job-bookmark-option"] == "job-bookmark-disable"
