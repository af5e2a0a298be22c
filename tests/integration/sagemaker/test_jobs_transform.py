"""Batch transform with real model servers: splitting, joining, pipelines, failures, and an end that leaves nothing."""

from __future__ import annotations

import gzip
import json

import pytest
from jobs_world import World, descendants

from tidegate.local.sagemaker.errors import ValidationException
from tidegate.local.sagemaker.store import now

pytestmark = pytest.mark.integration
pytest_plugins = ["jobs_world"]

SERVER = """
import http.server, json, os, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args):
        pass
    def answer(self, status, body=b"", content_type="text/csv"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if self.path == "/ping":
            return self.answer(PING())
        if self.path == "/execution-parameters" and PARAMETERS:
            return self.answer(200, json.dumps(PARAMETERS).encode())
        self.answer(404)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print("asked", len(body), flush=True)
        self.answer(*INVOKE(body, self.headers))

PARAMETERS = {}
PING = lambda: 200
{more}
port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""

LENGTHS = "INVOKE = lambda body, headers: (200, b'\\n'.join(b'%d' % len(l) for l in body.split(b'\\n')))"


def serve(world: World, name: str, more: str, **model: object) -> None:
    """Make a model whose only container answers by the given lines of Python."""
    container = {"Image": world.image(name, SERVER.replace("{more}", more)), **model}
    world.ctx.store.create(
        "model", name, {"ModelName": name, "PrimaryContainer": container, "CreationTime": now()}
    )


def transform(world: World, model: str, name: str, **more: object) -> None:
    given = {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://jobs-in/{name}/"}},
        "ContentType": "text/csv",
        "SplitType": "Line",
        **more.pop("given", {}),  # type: ignore[dict-item]
    }
    output = {"S3OutputPath": f"s3://jobs-out/{name}", "AssembleWith": "Line", "Accept": "text/csv"}
    output |= more.pop("output", {})  # type: ignore[arg-type]
    world.put("s3://jobs-out/.keep", b"")
    world.call(
        "CreateTransformJob",
        TransformJobName=name,
        ModelName=model,
        TransformInput=given,
        TransformOutput={key: value for key, value in output.items() if value is not None},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    )


def test_every_file_of_a_prefix_is_scored_under_its_own_name(world: World) -> None:
    serve(world, "lengths", LENGTHS)
    world.put("s3://jobs-in/many/a b+c.csv", "1\n22\n333")
    world.put("s3://jobs-in/many/deep/ü.csv", "4444\r\n\n55555\n")
    world.put("s3://jobs-in/many/empty.csv", "")
    transform(world, "lengths", "many")
    record = world.end("transform-job", "many")
    assert record["TransformJobStatus"] == "Completed", record.get("FailureReason")
    assert {key: world.read(f"s3://jobs-out/{key}") for key in world.keys("s3://jobs-out/many/")} == {
        "many/a b+c.csv.out": b"1\n2\n3\n",
        "many/deep/ü.csv.out": b"4\n5\n",
        "many/empty.csv.out": b"",
    }
    assert record["CreationTime"] <= record["TransformStartTime"] <= record["TransformEndTime"]
    assert [detail["TransformJobStatus"] for _, detail, _ in world.events] == ["InProgress", "Completed"]
    lines = world.logs("/aws/sagemaker/TransformJobs", "many/")
    assert "asked 8" in lines
    assert any("MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in x for x in lines)
    assert not descendants()
    assert not list((world.ctx.root / "containers").iterdir())


def test_the_model_and_the_environment_reach_the_container(world: World) -> None:
    world.put("s3://jobs-in/model.tar.gz", _archive(world))
    serve(
        world,
        "environment",
        "INVOKE = lambda body, headers: (200, json.dumps({**os.environ, 'model':"
        " open(os.environ['TIDEGATE_ML_ROOT'] + '/model/weights').read()}).encode())",
        ModelDataUrl="s3://jobs-in/model.tar.gz",
        Environment={"A": "of the model", "B": "of the model", "DIR": "/opt/ml/model"},
    )
    world.put("s3://jobs-in/environment/x", "1")
    transform(
        world,
        "environment",
        "environment",
        Environment={"B": "of the job"},
        MaxPayloadInMB=7,
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=3,
    )
    assert world.end("transform-job", "environment")["TransformJobStatus"] == "Completed"
    seen = json.loads(world.read("s3://jobs-out/environment/x.out"))
    assert seen["model"] == "w"
    assert (seen["A"], seen["B"]) == ("of the model", "of the job")
    assert seen["DIR"] == seen["TIDEGATE_ML_ROOT"] + "/model"
    assert seen["SAGEMAKER_BATCH"] == "true"
    assert seen["SAGEMAKER_MAX_PAYLOAD_IN_MB"] == "7"
    assert seen["SAGEMAKER_BATCH_STRATEGY"] == "SINGLE_RECORD"
    assert seen["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] == "3"


def _archive(world: World) -> bytes:
    record = world.trained(
        world.shell("makes-model", "printf w > $TIDEGATE_ML_ROOT/model/weights"), "makes-model"
    )
    return world.read(record["ModelArtifacts"]["S3ModelArtifacts"])


def test_a_pipeline_hands_body_and_type_on_and_accept_to_the_last_only(world: World) -> None:
    first = (
        "INVOKE = lambda body, headers: (200, json.dumps([body.decode(), headers['Content-Type'],"
        " headers['Accept']]).encode(), 'application/json')"
    )
    second = (
        "INVOKE = lambda body, headers: (200, json.dumps(json.loads(body) + [headers['Content-Type'],"
        " headers['Accept']]).encode(), 'application/json')"
    )
    containers = [
        {"Image": world.image(name, SERVER.replace("{more}", more)), "ContainerHostname": name}
        for name, more in (("first", first), ("second", second))
    ]
    world.ctx.store.create(
        "model", "pipeline", {"ModelName": "pipeline", "Containers": containers, "CreationTime": now()}
    )
    world.put("s3://jobs-in/pipeline/x", "1,2")
    transform(world, "pipeline", "pipeline")
    assert world.end("transform-job", "pipeline")["TransformJobStatus"] == "Completed"
    assert json.loads(world.read("s3://jobs-out/pipeline/x.out")) == [
        "1,2",
        "text/csv",
        None,
        "application/json",
        "text/csv",
    ]
    streams = world.ctx.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix="pipeline/"
    )["logStreams"]
    assert {stream["logStreamName"].rpartition("/")[2] for stream in streams} == {
        "first",
        "second",
        "data-log",
    }


def test_input_is_filtered_and_joined_to_the_answers_in_order(world: World) -> None:
    serve(world, "joins", LENGTHS + "; PARAMETERS = {'MaxConcurrentTransforms': 4, 'MaxPayloadInMB': 1}")
    rows = [f"id{number},{'x' * (number % 7)},tail" for number in range(200_000)]
    world.put("s3://jobs-in/joins/rows.csv", "\n".join(rows) + "\n")
    transform(
        world,
        "joins",
        "joins",
        DataProcessing={"InputFilter": "$[1]", "JoinSource": "Input", "OutputFilter": "$[0,3]"},
    )
    record = world.end("transform-job", "joins")
    assert record["TransformJobStatus"] == "Completed", record.get("FailureReason")
    # "" is written as the CSV of one empty field, two quotes.
    expected = [f"id{number},{number % 7 or 2}" for number in range(200_000)]
    assert world.read("s3://jobs-out/joins/rows.csv.out").decode().splitlines() == expected
    assert record["DataProcessing"]["JoinSource"] == "Input"


def test_json_lines_join_by_name(world: World) -> None:
    serve(
        world,
        "doubles",
        "INVOKE = lambda body, headers: (200, b'\\n'.join(json.dumps({'score': json.loads(l)['x'] * 2}).encode()"
        " for l in body.split(b'\\n')), 'application/jsonlines')",
    )
    world.put("s3://jobs-in/json/rows.jsonl", '{"id": "ü", "x": 1}\n{"id": "b", "x": 2}\n')
    transform(
        world,
        "doubles",
        "json",
        given={"ContentType": "application/jsonlines"},
        output={"Accept": "application/jsonlines"},
        DataProcessing={"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
    )
    assert world.end("transform-job", "json")["TransformJobStatus"] == "Completed"
    lines = world.read("s3://jobs-out/json/rows.jsonl.out").decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": "ü", "SageMakerOutput": {"score": 2}},
        {"id": "b", "SageMakerOutput": {"score": 4}},
    ]


def test_a_compressed_object_goes_whole_to_the_model(world: World) -> None:
    serve(world, "whole", "INVOKE = lambda body, headers: (200, b'%d' % len(body))")
    world.put("s3://jobs-in/whole/x.gz", gzip.compress(b"1\n2\n"))
    transform(
        world,
        "whole",
        "whole",
        given={"SplitType": "None", "CompressionType": "Gzip"},
        output={"AssembleWith": "None"},
    )
    assert world.end("transform-job", "whole")["TransformJobStatus"] == "Completed"
    assert world.read("s3://jobs-out/whole/x.gz.out") == b"4"


def test_requests_run_at_once_as_many_as_asked_and_answers_keep_their_order(world: World) -> None:
    serve(
        world,
        "parallel",
        # None is answered before all are there; the first to be answered is the last of the file.
        "import threading; together = threading.Barrier(8); order = [threading.Event() for _ in range(9)]\n"
        "order[8].set()\n"
        "def INVOKE(body, headers):\n"
        "    together.wait(120); order[int(body) + 1].wait(120); order[int(body)].set(); return 200, body",
    )
    world.put("s3://jobs-in/parallel/x", "\n".join(str(number) for number in range(8)))
    transform(world, "parallel", "parallel", MaxConcurrentTransforms=8, BatchStrategy="SingleRecord")
    assert world.end("transform-job", "parallel")["TransformJobStatus"] == "Completed"
    assert world.read("s3://jobs-out/parallel/x.out").decode().split() == [str(n) for n in range(8)]


def test_a_file_that_fails_has_no_output_the_others_do_and_the_job_is_failed(world: World) -> None:
    serve(
        world,
        "picky",
        "INVOKE = lambda body, headers: (415, b'no such words') if b'bad' in body else (200, body)",
    )
    for name, body in (("a", "1\n"), ("b", "2\nbad\n"), ("c", "3\n")):
        world.put(f"s3://jobs-in/picky/{name}", body)
    transform(world, "picky", "picky", BatchStrategy="SingleRecord")
    record = world.end("transform-job", "picky")
    assert record["TransformJobStatus"] == "Failed"
    assert record["FailureReason"] == (
        "ClientError: 1 of 3 files could not be transformed; the first is s3://jobs-in/picky/b. "
        "Container 1 of the model answered 415: no such words"
    )
    assert world.keys("s3://jobs-out/picky/") == ["picky/a.out", "picky/c.out"]
    assert any(
        "jobs-in/picky/b: ClientError" in x for x in world.logs("/aws/sagemaker/TransformJobs", "picky/")
    )


def test_a_request_that_the_container_fails_over_is_repeated(world: World) -> None:
    serve(
        world,
        "shaky",
        "asked = []\nINVOKE = lambda body, headers: (asked.append(1), (500, b'') if len(asked) < 3"
        " else (200, b'ok'))[1]",
    )
    world.put("s3://jobs-in/shaky/x", "1")
    transform(world, "shaky", "shaky")
    assert world.end("transform-job", "shaky")["TransformJobStatus"] == "Completed"
    assert world.read("s3://jobs-out/shaky/x.out") == b"ok\n"


@pytest.mark.parametrize(
    ("more", "whose", "words"),
    [
        (
            "raise SystemExit('broken')",
            "AlgorithmError",
            "ended with exit code 1 before it answered GET /ping",
        ),
        ("INVOKE = lambda body, headers: os._exit(9)", "AlgorithmError", "broke the connection"),
    ],
    ids=["at the start", "over a request"],
)
def test_a_container_that_dies_fails_the_job_and_says_how(
    world: World, more: str, whose: str, words: str
) -> None:
    serve(world, "dies", more)
    world.put("s3://jobs-in/dies/x", "1")
    transform(world, "dies", "dies")
    record = world.end("transform-job", "dies")
    assert record["TransformJobStatus"] == "Failed"
    assert record["FailureReason"].startswith(whose)
    assert words in record["FailureReason"]
    assert not descendants()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"ModelDataUrl": "s3://jobs-in/no/model.tar.gz"}, "could not be fetched"),
        ({"ModelDataUrl": "s3://jobs-in/no-archive"}, "not a tar.gz"),
        ({"Image": "nobody:1"}, "No program is registered"),
    ],
)
def test_a_model_that_cannot_be_served_fails_the_job_and_says_why(
    world: World, model: dict[str, str], words: str
) -> None:
    serve(world, "bad-model", LENGTHS, **model)
    world.put("s3://jobs-in/no-archive", "text")
    world.put("s3://jobs-in/bad-model/x", "1")
    transform(world, "bad-model", "bad-model")
    record = world.end("transform-job", "bad-model")
    assert record["FailureReason"].startswith("ClientError: Container 1 of the model")
    assert words in record["FailureReason"]


def test_a_stop_ends_the_servers_in_the_middle_of_a_request(world: World) -> None:
    serve(world, "slow", "INVOKE = lambda body, headers: time.sleep(600)")
    world.put("s3://jobs-in/slow/x", "1")
    transform(world, "slow", "slow")
    world.until(lambda: "asked 1" in _lines(world, "slow/"))
    world.call("StopTransformJob", TransformJobName="slow")
    assert world.end("transform-job", "slow")["TransformJobStatus"] == "Stopped"
    assert not descendants()
    assert world.keys("s3://jobs-out/slow/") == []


def _lines(world: World, stream: str) -> list[str]:
    try:
        return world.logs("/aws/sagemaker/TransformJobs", stream)
    except world.ctx.client("logs").exceptions.ResourceNotFoundException:
        return []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"DataProcessing": {"InputFilter": "$..a"}}, "cannot be used"),
        ({"DataProcessing": {"InputFilter": "$.a"}}, "no names"),
        ({"DataProcessing": {"JoinSource": "Input"}, "output": {"Accept": "application/json"}}, "Accept"),
        ({"DataProcessing": {"JoinSource": "Input"}, "output": {"AssembleWith": "None"}}, "AssembleWith"),
        (
            {"DataProcessing": {"InputFilter": "$[1:]"}, "given": {"ContentType": "text/libsvm"}},
            "ContentType",
        ),
        ({"given": {"SplitType": "RecordIO"}}, "SplitType"),
        ({"MaxConcurrentTransforms": 20, "MaxPayloadInMB": 6}, "is 120"),
    ],
)
def test_a_request_that_cannot_be_served_is_refused_with_a_sentence(
    world: World, change: dict[str, object], words: str
) -> None:
    serve(world, "refused", LENGTHS)
    with pytest.raises(ValidationException, match=words):
        transform(world, "refused", "refused", **change)


def test_a_model_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(ValidationException, match=r"Could not find model .*:model/nobody"):
        transform(world, "nobody", "nobody")
