"""What programs and pages of bad will try on a local cloud, with IAM in force and without."""

from __future__ import annotations

import http.client
import json
import re
import socket
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tidegate.local import settings
from tidegate.local.cloud import Cloud, down, up

pytestmark = pytest.mark.integration

ROOT = Credentials(settings.ACCESS_KEY_ID, settings.SECRET_ACCESS_KEY)


ANY_CLOUD = pytest.mark.parametrize("cloud", [False, True], indirect=True, ids=["open", "guarded"])
GUARDED = pytest.mark.parametrize("cloud", [True], indirect=True, ids=["guarded"])


@pytest.fixture(scope="module")
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("attacked")
    cloud = up(folder, port, auth=request.param)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="page.html", Body=b"<script>1</script>", ContentType="text/html")
    yield cloud
    down(folder)


@pytest.fixture(scope="module")
def guarded(cloud: Cloud) -> Cloud:
    assert cloud.auth
    return cloud


def send(
    cloud: Cloud, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=20)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    answer = response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    connection.close()
    return answer


@ANY_CLOUD
def test_the_emulator_s_doors_are_shut_and_nothing_is_lost(cloud: Cloud) -> None:
    for method, path in (
        ("POST", "/_ministack/reset"),
        ("POST", "/_ministack/reset?init=1"),
        ("POST", "/%5Fministack/reset"),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/lambda-code/000000000000/us-east-1/f"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_ministack/health"),
        ("GET", "/_localstack/health"),
    ):
        assert send(cloud, method, path)[0] == 404
    # These names are S3's, or nobody's.
    for method, path in (
        ("GET", "/health"),
        ("GET", "/oauth2/authorize?client_id=1"),
        ("GET", "/v2/_catalog"),
    ):
        status, _headers, body = send(cloud, method, path)
        assert status in (400, 403, 404) and b"client_id" not in body
    assert cloud.client("s3").get_object(Bucket="data", Key="page.html")["ContentLength"] == 18


@ANY_CLOUD
def test_pages_of_this_machine_s_other_ports_are_kept_out(cloud: Cloud) -> None:
    for origin in ("http://localhost:8000", f"http://localhost:{cloud.port}", "null"):
        status, headers, _ = send(cloud, "GET", "/data/page.html", Origin=origin)
        assert status == 403 and "access-control-allow-origin" not in headers
        status, headers, _ = send(cloud, "OPTIONS", "/", Origin=origin, Access_Control_Request_Method="POST")
        assert status == 403 and "access-control-allow-origin" not in headers
    assert send(cloud, "GET", "/data/page.html", Host="evil.example\\@127.0.0.1")[0] == 403
    assert send(cloud, "GET", "/data/page.html", Sec_Fetch_Site="same-site")[0] == 403


@ANY_CLOUD
def test_a_page_in_a_bucket_runs_nothing(cloud: Cloud) -> None:
    url = cloud.client("s3").generate_presigned_url("get_object", {"Bucket": "data", "Key": "page.html"})
    status, headers, body = send(cloud, "GET", url.partition(f":{cloud.port}")[2], Sec_Fetch_Site="none")
    assert (status, body) == (200, b"<script>1</script>")
    assert headers["content-security-policy"] == "sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


def signed(cloud: Cloud, service: str, method: str, path: str, body: bytes, **headers: str) -> dict[str, str]:
    request = AWSRequest(method, f"{cloud.endpoint_url}{path}", data=body, headers=headers)
    SigV4Auth(ROOT, service, settings.REGION).add_auth(request)
    return dict(request.headers.items())


JSON = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
WIRES: dict[str, tuple[str, str, bytes, dict[str, str]]] = {
    "dynamodb": ("POST", "/", b"{}", JSON),
    "sagemaker": ("POST", "/", b"{}", {**JSON, "X-Amz-Target": "SageMaker.ListModels"}),
    "ssm": ("POST", "/", b"{}", {**JSON, "X-Amz-Target": "AmazonSSM.DescribeParameters"}),
    "states": ("POST", "/", b"{}", {**JSON, "X-Amz-Target": "AWSStepFunctions.ListStateMachines"}),
    "sts": ("POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15", FORM),
    "iam": ("POST", "/", b"Action=ListUsers&Version=2010-05-08", FORM),
    "sns": ("POST", "/", b"Action=ListTopics&Version=2010-03-31", FORM),
    "cloudformation": ("POST", "/", b"Action=DescribeStacks&Version=2010-05-15", FORM),
    "lambda": ("GET", "/2015-03-31/functions/", b"", {}),
    "s3": ("GET", "/data", b"", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}),
}
# AWS's names: of JSON's services, of the query services, of S3.
WRONG = {"sts": "SignatureDoesNotMatch", "iam": "SignatureDoesNotMatch", "sns": "SignatureDoesNotMatch",
         "cloudformation": "SignatureDoesNotMatch", "s3": "SignatureDoesNotMatch"}  # fmt: skip
LATE = {**WRONG, "s3": "RequestTimeTooSkewed"}
UNKNOWN = {**dict.fromkeys(WRONG, "InvalidClientTokenId"), "s3": "InvalidAccessKeyId"}


def code_of(answer: tuple[int, dict[str, str], bytes]) -> str:
    found = re.search(rb'<Code>(\w+)|"__type": ?"(?:[\w.]+#)?(\w+)"', answer[2])
    assert found, answer
    return (found[1] or found[2]).decode()


@pytest.mark.parametrize("service", WIRES)
@GUARDED
def test_each_service_looks_at_the_signature_and_refuses_in_its_own_words(
    guarded: Cloud, service: str
) -> None:
    method, path, body, fields = WIRES[service]
    good = signed(guarded, service, method, path, body, **fields)

    def answer(changed: dict[str, str], content: bytes = body) -> tuple[int, dict[str, str], bytes]:
        return send(guarded, method, path, content, **changed)

    assert answer(good)[0] == 200, answer(good)
    wrong = {**good, "Authorization": re.sub("Signature=.*", "Signature=0", good["Authorization"])}
    assert code_of(answer(wrong)) == WRONG.get(service, "InvalidSignatureException")
    stranger = {
        **good,
        "Authorization": good["Authorization"].replace("Credential=test/", "Credential=AKIANOBODY/"),
    }
    assert code_of(answer(stranger)) == UNKNOWN.get(service, "UnrecognizedClientException")
    if body:
        assert code_of(answer(good, body + b" ")) == WRONG.get(service, "InvalidSignatureException")
    for unsigned in (
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=test/"},
    ):
        kept = {name: value for name, value in good.items() if name != "Authorization"}
        assert answer({**kept, **unsigned})[0] in (400, 403), unsigned


@pytest.mark.parametrize("service", WIRES)
@GUARDED
def test_a_request_of_long_ago_is_refused(
    guarded: Cloud, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import botocore.auth

    method, path, body, fields = WIRES[service]
    then = datetime.now(UTC) - timedelta(minutes=16)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: then)
    answer = send(guarded, method, path, body, **signed(guarded, service, method, path, body, **fields))
    assert code_of(answer) == LATE.get(service, "InvalidSignatureException")


def client_of(
    cloud: Cloud, service: str, key: str, secret: str, token: str | None, at: str = "", **config: Any
) -> Any:
    return boto3.client(
        service,
        endpoint_url=at or cloud.endpoint_url,
        region_name=settings.REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 1}, **config),
    )


@GUARDED
def test_a_session_s_key_is_good_with_its_own_secret_and_token_only(guarded: Cloud) -> None:
    iam = guarded.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=policy)
    given = guarded.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    key, secret, token = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    assert client_of(guarded, "s3", key, secret, token).list_objects_v2(Bucket="data")["KeyCount"] == 1
    for wrong in ((key, "x", token), (key, secret, "x"), (key, secret, None), ("ASIAX", secret, token)):
        with pytest.raises(ClientError):
            client_of(guarded, "s3", *wrong).list_objects_v2(Bucket="data")


@pytest.mark.parametrize("version", ["s3v4", "s3"])
@pytest.mark.parametrize("style", ["path", "virtual"])
@GUARDED
def test_a_presigned_address_is_good_for_what_it_says_and_nothing_else(
    guarded: Cloud, version: str, style: str
) -> None:
    at = f"http://localhost:{guarded.port}"
    style_of = {"signature_version": version, "s3": {"addressing_style": style}}
    client = client_of(guarded, "s3", "test", "test", None, at, **style_of)
    url = client.generate_presigned_url("get_object", {"Bucket": "data", "Key": "page.html"}, ExpiresIn=60)
    name, path = re.fullmatch(r"http://([^/]+)(/.*)", url).groups()  # type: ignore[union-attr]
    assert name.startswith("data.") == (style == "virtual")
    assert send(guarded, "GET", path, Host=name)[0] == 200
    assert send(guarded, "DELETE", path, Host=name)[0] == 403
    assert send(guarded, "GET", path.replace("page.html", "other.html"), Host=name)[0] == 403
    assert send(guarded, "GET", path.replace("Signature=", "Signature=0"), Host=name)[0] == 403
    foreign = client_of(guarded, "s3", "test", "guess", None, at, **style_of)
    url = foreign.generate_presigned_url("get_object", {"Bucket": "data", "Key": "page.html"})
    assert send(guarded, "GET", url.partition(name)[2], Host=name)[0] == 403


@GUARDED
def test_large_and_streamed_bodies_pass_with_their_signatures(guarded: Cloud, tmp_path: Path) -> None:
    s3 = guarded.client("s3")
    content = b"x" * (20 << 20)
    (tmp_path / "f").write_bytes(content)
    s3.upload_file(str(tmp_path / "f"), "data", "large")
    with (tmp_path / "f").open("rb") as file:
        s3.put_object(Bucket="data", Key="streamed", Body=file, ChecksumAlgorithm="SHA256")
    for key in ("large", "streamed"):
        assert s3.get_object(Bucket="data", Key=key)["Body"].read() == content
    headers = signed(guarded, "s3", "PUT", "/data/other", b"", **{"x-amz-content-sha256": "0" * 64})
    assert code_of(send(guarded, "PUT", "/data/other", b"y", **headers)) == "XAmzContentSHA256Mismatch"


@ANY_CLOUD
def test_the_code_of_a_function_is_read_from_its_address_and_by_nobody_else(
    cloud: Cloud, tmp_path: Path
) -> None:
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return 1\n")
    functions = cloud.client("lambda")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam").create_role(
        RoleName="f", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    functions.create_function(
        FunctionName="f",
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": packed.getvalue()},
    )
    layer = functions.publish_layer_version(LayerName="l", Content={"ZipFile": packed.getvalue()})
    for url in (
        functions.get_function(FunctionName="f")["Code"]["Location"],
        functions.get_layer_version(LayerName="l", VersionNumber=layer["Version"])["Content"]["Location"],
    ):
        with urllib.request.urlopen(url, timeout=10) as response:
            assert zipfile.ZipFile(io.BytesIO(response.read())).namelist() == ["app.py"]
        assert send(cloud, "GET", url.partition(f":{cloud.port}")[2].replace("Link=", "Link=1"))[0] == 404
