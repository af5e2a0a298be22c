"""A local cloud for tests: MiniStack with the control room's operations and a stand-in for endpoints.

Run as ``python control_cloud.py PORT FOLDER``; it prints ``ready`` once it answers.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import urllib.request
from pathlib import Path

port, folder = int(sys.argv[1]), Path(sys.argv[2])
os.environ.update(
    GATEWAY_PORT=str(port),
    BIND_HOST="127.0.0.1",
    IOT_MTLS_ENABLED="0",
    SERVICES="s3,sts,iam,logs,cloudwatch,events",
    LOG_LEVEL="WARNING",
    AWS_DEFAULT_REGION="us-east-1",
)

from ministack import app  # noqa: E402

from tidegate.local.sagemaker import control, service  # noqa: E402
from tidegate.local.sagemaker.context import Context  # noqa: E402
from tidegate.local.sagemaker.errors import ModelError, ValidationError  # noqa: E402
from tidegate.local.sagemaker.images.registry import Image  # noqa: E402
from tidegate.local.sagemaker.store import Store  # noqa: E402


def invoke_endpoint(ctx, name, body, headers):
    if name != "cars":
        raise ValidationError(f"Endpoint {name} of account {ctx.account} not found.")
    if body == b"bad":
        raise ModelError("The container said no.", original_status=415, original_message="no")
    return 200, {"content-type": headers["accept"], "x-amzn-invoked-production-variant": "all"}, body[::-1]


ctx = Context(
    region="us-east-1",
    account="000000000000",
    endpoint_url=f"http://127.0.0.1:{port}",
    root=folder,
    store=Store(folder / "sagemaker.db"),
    images=lambda uri: Image(uri, serve=("serve",)),
    emit=lambda *event: None,
)
rooms = service.Rooms(operations=control.OPERATIONS, invoke_endpoint=invoke_endpoint, wait=lambda *_: {})
app.SERVICE_HANDLERS["sagemaker"] = service.make_handler(ctx, rooms)


def say_ready():
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            print("ready", flush=True)
            return


threading.Thread(target=say_ready, daemon=True).start()
sys.argv = sys.argv[:1]
app.main()
