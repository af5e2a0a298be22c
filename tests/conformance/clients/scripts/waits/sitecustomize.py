"""Read by every client's Python first: waits between two looks are short, and operations are noted.

The clients wait half a minute where a job here takes a second. What they call goes to the file that
TIDEGATE_OPERATIONS names, a line an operation.
"""

import contextlib
import os
import time

_sleep = time.sleep


def sleep(seconds):
    """Sleep, at most a quarter of a second."""
    _sleep(min(seconds, 0.25))


def note_operations(path):
    """Write down each operation that botocore calls."""
    with contextlib.suppress(ImportError):
        import awscli  # noqa: F401 (it has a botocore of its own, and gives it that name)
    from botocore.client import BaseClient

    call = BaseClient._make_api_call
    noted = set()

    def noting(self, operation, arguments):
        name = f"{self.meta.service_model.service_name}:{operation}"
        answer = call(self, operation, arguments)
        if name not in noted:
            noted.add(name)
            with open(path, "a") as file:  # noqa: PTH123 (this runs in interpreters of any age)
                file.write(f"{name}\n")
        return answer

    BaseClient._make_api_call = noting


time.sleep = sleep
if "TIDEGATE_OPERATIONS" in os.environ:
    note_operations(os.environ["TIDEGATE_OPERATIONS"])
