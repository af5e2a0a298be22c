"""What the template promises about data at rest, on its way, and in logs; and about traces."""

import pytest

from tests.conformance.synthesis import of_kind, statements, template

pytestmark = pytest.mark.conformance

BUCKETS = of_kind("AWS::S3::Bucket")
QUEUES = of_kind("AWS::SQS::Queue")
TOPICS = of_kind("AWS::SNS::Topic")
LOG_GROUPS = of_kind("AWS::Logs::LogGroup")
FUNCTIONS = of_kind("AWS::Lambda::Function")
MACHINES = of_kind("AWS::StepFunctions::StateMachine")
OWN_KEY = {"Ref": "KmsKeyArn"}
WITH_A_KEY = {"Fn::If": ["HasKey", OWN_KEY, {"Ref": "AWS::NoValue"}]}


def denied(holder: str, sid: str) -> dict:
    """Give the statement by which a bucket or a queue refuses everybody something."""
    kinds = {
        "AWS::S3::BucketPolicy": "Bucket",
        "AWS::SNS::TopicPolicy": "Topics",
        "AWS::SQS::QueuePolicy": "Queues",
    }
    [policy] = [
        each["PolicyDocument"]["Statement"]
        for kind, member in kinds.items()
        for each in of_kind(kind).values()
        if each[member] in ({"Ref": holder}, [{"Ref": holder}])
    ]
    [found] = [each for each in policy if each["Sid"] == sid]
    assert (found["Effect"], found["Principal"]) == ("Deny", "*")
    return found


@pytest.mark.parametrize("name", [*BUCKETS, *QUEUES, *TOPICS])
def test_nobody_reaches_data_over_a_connection_that_is_not_encrypted(name):
    statement = denied(name, "EncryptedConnectionsOnly")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Action"] in ("s3:*", "sqs:*", "sns:Publish")
    if name in BUCKETS:
        whole = [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}/*"}]
        assert statement["Resource"] == whole
        assert denied(name, "ModernConnectionsOnly")["Condition"] == {
            "NumericLessThan": {"s3:TlsVersion": "1.2"}
        }
        assert denied(name, "ModernConnectionsOnly")["Resource"] == whole


@pytest.mark.parametrize("name", BUCKETS)
def test_nobody_stores_an_object_that_is_not_encrypted_or_weaker_than_the_stack_s_key(name):
    statement = denied(name, "EncryptedObjectsOnly")
    member = "s3:x-amz-server-side-encryption"
    by_key = ["aws:kms", "aws:kms:dsse"]
    assert statement["Condition"] == {
        "Null": {member: "false"},
        "StringNotEquals": {member: {"Fn::If": ["HasKey", by_key, [*by_key, "AES256"]]}},
    }


def test_one_parameter_encrypts_all_that_is_stored_with_a_key_of_one_s_own():
    for bucket in BUCKETS.values():
        [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        condition, own, _ = rule["ServerSideEncryptionByDefault"]["Fn::If"]
        assert (condition, own["KMSMasterKeyID"]) == ("HasKey", OWN_KEY)
    for table in of_kind("AWS::DynamoDB::Table").values():
        condition, own, _ = table["SSESpecification"]["Fn::If"]
        assert (condition, own["KMSMasterKeyId"]) == ("HasKey", OWN_KEY)
    for topic in TOPICS.values():
        assert topic["KmsMasterKeyId"]["Fn::If"][:2] == ["HasKey", OWN_KEY]
    for each in QUEUES.values():
        assert each["KmsMasterKeyId"] == WITH_A_KEY
    for each in LOG_GROUPS.values():
        assert each["KmsKeyId"] == WITH_A_KEY
    for each in FUNCTIONS.values():
        assert each["KmsKeyArn"] == WITH_A_KEY
    for name in ("TrainMachine", "ScoreMachine"):  # what their jobs write
        assert MACHINES[name]["DefinitionSubstitutions"]["KmsKeyArn"] == OWN_KEY
    assert FUNCTIONS["UpsertEndpointFunction"]["Environment"]["Variables"]["KMS_KEY_ID"] == OWN_KEY


def test_every_log_group_forgets_after_a_while():
    assert LOG_GROUPS
    for name, each in LOG_GROUPS.items():
        assert each["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_functions_machines_and_the_api_write_no_log_group_but_the_stack_s():
    groups = set(LOG_GROUPS)
    for each in FUNCTIONS.values():
        assert each["LoggingConfig"]["LogGroup"]["Ref"] in groups
    for each in MACHINES.values():
        logging = each["LoggingConfiguration"]
        [destination] = logging["Destinations"]
        assert destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0] in groups
        assert logging["IncludeExecutionData"] is False
    for each in of_kind("AWS::ApiGatewayV2::Stage").values():
        assert each["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0] in groups


@pytest.mark.parametrize("tracing", ["Active", "Disabled"])
def test_one_parameter_has_every_function_and_machine_traced(tracing):
    traced = {"Mode": {"Ref": "Tracing"}} if tracing == "Active" else None
    for name, each in of_kind("AWS::Lambda::Function", tracing).items():
        assert each.get("TracingConfig") == traced, name
    holders = {each["Ref"] for each in template()["Resources"]["TracePolicy"]["Properties"]["Roles"]}
    for name, each in MACHINES.items():
        assert each["TracingConfiguration"] == {"Enabled": {"Fn::If": ["IsTraced", True, False]}}
        assert f"{name}Role" in holders


def test_what_is_called_and_not_waited_for_has_a_queue_for_what_fails():
    targets = {
        target["Arn"]["Fn::GetAtt"][0]: target
        for rule in of_kind("AWS::Events::Rule").values()
        for target in rule["Targets"]
        if "Fn::GetAtt" in target["Arn"]
    }
    assert targets
    for name, target in targets.items():
        assert "DeadLetterConfig" in target, name
        assert "DeadLetterConfig" in FUNCTIONS[name], name


USES_THE_KEY = {"s3:GetObject", "s3:PutObject", "sqs:SendMessage", "sns:Publish", "dynamodb:UpdateItem"}


def test_every_role_that_uses_what_the_key_encrypts_may_use_the_key():
    held = {each["Ref"] for each in template()["Resources"]["UseTheKeyPolicy"]["Properties"]["Roles"]}
    held |= {each.owner for each in statements() if "kms:Decrypt" in each.actions}
    roles = of_kind("AWS::IAM::Role")
    users = {
        each.owner: sorted(USES_THE_KEY.intersection(each.actions))
        for each in statements()
        if each.effect == "Allow" and each.owner in roles and USES_THE_KEY.intersection(each.actions)
    }
    assert {"ScheduleRole", "CollectAtNightRole"} <= users.keys()
    assert {role: uses for role, uses in users.items() if role not in held} == {}


def test_whoever_makes_endpoints_may_grant_them_the_key_through_aws_alone():
    makers = {each.owner for each in statements() if "sagemaker:CreateEndpoint" in each.actions}
    policy = template()["Resources"]["LendEndpointsTheKeyPolicy"]
    assert makers == {each["Ref"] for each in policy["Properties"]["Roles"]}
    assert policy["Condition"] == "HasKey"
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("kms:CreateGrant", OWN_KEY)
    assert statement["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
