"""A local SageMaker of models and endpoints behind MiniStack's front door, in a process that tests may kill.

Run as ``python hosting_daemon.py PORT URL FOLDER``: it listens on PORT, keeps its state in FOLDER and takes
S3, logs and metrics from the local cloud at URL.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

port, url, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
os.environ.update(
    GATEWAY_PORT=str(port),
    BIND_HOST="127.0.0.1",
    IOT_MTLS_ENABLED="0",
    SERVICES="sts",
    LOG_LEVEL="WARNING",
    AWS_DEFAULT_REGION="us-east-1",
)

sys.path.append(str(Path(__file__).parents[3]))  # for what all tests share

from hosting_cloud import make_context  # noqa: E402
from ministack import app  # noqa: E402
from ministack.core import router  # noqa: E402

from tidegate.local.sagemaker import control, hosting, service  # noqa: E402

ctx = make_context(url, folder)
rooms = service.Rooms(
    operations={**control.OPERATIONS, **hosting.OPERATIONS},
    invoke_endpoint=hosting.invoke_endpoint,
    wait=lambda *_: {},
    recover=(hosting.recover,),
    shutdown=(hosting.shutdown,),
)
# Without this MiniStack reads every service model of botocore to learn that there is a SageMaker.
router.SERVICE_PATTERNS["sagemaker"] = {"target_prefixes": ["SageMaker."], "host_patterns": []}
app.SERVICE_HANDLERS["sagemaker"] = service.make_handler(ctx, rooms)
service.start(ctx, rooms)
sys.argv = sys.argv[:1]
app.main()
