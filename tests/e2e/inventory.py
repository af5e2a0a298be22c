"""Every resource of a cloud, by walking all lists of the services that the template and the machines use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.e2e.town import Town

# Service, operation, where its answer lists them, how each is called, and what is asked.
List = tuple[str, str, str, str, dict[str, Any]]
LISTS: tuple[List, ...] = (
    ("apigatewayv2", "get_apis", "Items", "Name", {}),
    ("application-autoscaling", "describe_scalable_targets", "ScalableTargets", "ResourceId", {"ServiceNamespace": "sagemaker"}),
    ("application-autoscaling", "describe_scaling_policies", "ScalingPolicies", "PolicyName", {"ServiceNamespace": "sagemaker"}),
    ("cloudformation", "describe_stacks", "Stacks", "StackName", {}),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName", {}),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName", {}),
    ("dynamodb", "list_tables", "TableNames", "", {}),
    ("events", "list_rules", "Rules", "Name", {}),
    ("glue", "get_databases", "DatabaseList", "Name", {}),
    ("glue", "get_jobs", "Jobs", "Name", {}),
    ("iam", "list_policies", "Policies", "PolicyName", {"Scope": "Local"}),
    ("iam", "list_roles", "Roles", "RoleName", {}),
    ("lambda", "list_functions", "Functions", "FunctionName", {}),
    ("lambda", "list_layers", "Layers", "LayerName", {}),
    ("logs", "describe_log_groups", "logGroups", "logGroupName", {}),
    ("s3", "list_buckets", "Buckets", "Name", {}),
    ("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", {}),
    ("sagemaker", "list_endpoints", "Endpoints", "EndpointName", {}),
    ("sagemaker", "list_models", "Models", "ModelName", {}),
    ("scheduler", "list_schedule_groups", "ScheduleGroups", "Name", {}),
    ("scheduler", "list_schedules", "Schedules", "Name", {}),
    ("sns", "list_subscriptions", "Subscriptions", "Endpoint", {}),
    ("sns", "list_topics", "Topics", "TopicArn", {}),
    ("sqs", "list_queues", "QueueUrls", "", {}),
    ("ssm", "describe_parameters", "Parameters", "Name", {}),
    ("stepfunctions", "list_state_machines", "stateMachines", "name", {}),
)  # fmt: skip
# By the types of the template's resources which service lists them; parts of others are listed with those.
LISTED_BY = {
    "AWS::ApiGatewayV2::Api": "apigatewayv2",
    "AWS::CloudWatch::Alarm": "cloudwatch",
    "AWS::CloudWatch::Dashboard": "cloudwatch",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::Events::Rule": "events",
    "AWS::Glue::Database": "glue",
    "AWS::Glue::Job": "glue",
    "AWS::IAM::ManagedPolicy": "iam",
    "AWS::IAM::Role": "iam",
    "AWS::Lambda::Function": "lambda",
    "AWS::Lambda::LayerVersion": "lambda",
    "AWS::Logs::LogGroup": "logs",
    "AWS::S3::Bucket": "s3",
    "AWS::SNS::Topic": "sns",
    "AWS::SQS::Queue": "sqs",
    "AWS::SSM::Parameter": "ssm",
    "AWS::Scheduler::Schedule": "scheduler",
    "AWS::Scheduler::ScheduleGroup": "scheduler",
    "AWS::StepFunctions::StateMachine": "stepfunctions",
}
PARTS = {
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Glue::Table",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}


def everything(town: Town) -> set[str]:
    """Name every resource of a cloud, each with its service and its kind."""
    return {f"{service} {listed} {name}" for service, listed, name in _walk(town.client)}


def _walk(client: Callable[[str], Any]) -> Iterator[tuple[str, str, str]]:
    for service, operation, listed, member, asked in LISTS:
        made = client(service)
        paged = made.can_paginate(operation)
        pages = (
            made.get_paginator(operation).paginate(**asked) if paged else [getattr(made, operation)(**asked)]
        )
        for page in pages:
            for each in page.get(listed) or []:
                yield service, listed, each[member] if member else each


def types_of(town: Town) -> set[str]:
    """List the types of the stack's resources, as CloudFormation made them."""
    pages = town.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=town.stack)
    return {each["ResourceType"] for page in pages for each in page["StackResourceSummaries"]}
