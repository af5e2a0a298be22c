"""A small SAM project that uses the local cloud as Tidegate does: events, functions, a layer, a state machine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tidegate.local.cloud import Cloud

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, Handler: app.handler, Timeout: 30, MemorySize: 256}
Resources:
  Data:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      NotificationConfiguration: {EventBridgeConfiguration: {EventBridgeEnabled: true}}
  Names: {Type: "AWS::SSM::Parameter", Properties: {Name: /tidegate-test/greeting, Type: String, Value: hello}}
  WordsLayer:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties: {ContentUri: layers/words/, CompatibleRuntimes: [python3.13]}
  Greet:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/greet/, Layers: [!Ref WordsLayer]}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: statemachines/flow.asl.yaml
      DefinitionSubstitutions: {Greet: !GetAtt Greet.Arn}
      Policies:
        - Statement:
            - {Effect: Allow, Action: "lambda:InvokeFunction", Resource: !GetAtt Greet.Arn}
      Events:
        Drop:
          Type: EventBridgeRule
          Properties:
            Pattern: {source: [aws.s3], detail-type: [Object Created]}
Outputs:
  Data: {Value: !Ref Data}
  Flow: {Value: !Ref Flow}
"""

FLOW = """\
QueryLanguage: JSONata
StartAt: What is asked
States:
  What is asked:
    Type: Choice
    Choices:
      - {Condition: "{% $states.input.do = 'wait' %}", Next: Wait}
      - {Condition: "{% $states.input.do = 'look' %}", Next: Look}
    Default: Greet
  Greet:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: "${Greet}", Payload: "{% $states.input %}"}
    Output: "{% $states.result.Payload %}"
    Catch: [{ErrorEquals: [BadGreeting], Output: "{% $states.errorOutput %}", Next: Mend}]
    End: true
  Mend: {Type: Pass, End: true}
  Wait: {Type: Wait, Seconds: 600, End: true}
  Look:
    Type: Task
    Resource: arn:aws:states:::aws-sdk:ssm:getParameter
    Arguments: {Name: "{% $states.input.name %}"}
    Output: "{% $states.result.Parameter.Value %}"
    End: true
"""

GREET = """\
import words


class BadGreeting(Exception):
    pass


def handler(event, context):
    if event.get("do") == "fail":
        raise BadGreeting("nobody to greet")
    return {"said": words.HELLO, "event": event}
"""

CONFIG = """\
version = 0.1
[local.build.parameters]
parallel = true
build_in_source = true
[local.deploy.parameters]
capabilities = "CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"
confirm_changeset = false
fail_on_empty_changeset = false
resolve_s3 = true
"""

MAKEFILE = """\
build-WordsLayer:
\tmkdir -p "$(ARTIFACTS_DIR)/python"
\techo "HELLO = 'hello, $(TIDEGATE_LAYER)'" > "$(ARTIFACTS_DIR)/python/words.py"
"""


def write(root: Path) -> Path:
    """Write the project into a folder and return it."""
    files = {
        "template.yaml": TEMPLATE,
        "samconfig.toml": CONFIG,
        "statemachines/flow.asl.yaml": FLOW,
        "functions/greet/app.py": GREET,
        "layers/words/Makefile": MAKEFILE,
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def outputs(cloud: Cloud, stack: str = "tidegate") -> dict[str, str]:
    """Return the stack's outputs."""
    described = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def run(cloud: Cloud, machine: str, given: dict[str, Any], seconds: float = 300.0) -> dict[str, Any]:
    """Run a state machine to its end and return the description of the execution."""
    client = cloud.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
    return ended(client, arn, seconds)


def ended(client: Any, arn: str, seconds: float = 300.0) -> dict[str, Any]:
    """Wait for an execution's end and return its description."""
    deadline = time.monotonic() + seconds
    while True:
        described: dict[str, Any] = client.describe_execution(executionArn=arn)
        if described["status"] != "RUNNING":
            print(described)  # shown when a test fails
            return described
        assert time.monotonic() < deadline, "the execution did not end"
        time.sleep(0.05)
