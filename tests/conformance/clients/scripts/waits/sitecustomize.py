"""Shortens the waits between two looks, for clients that wait half a minute where a job here takes a second."""

import time

_sleep = time.sleep


def sleep(seconds):
    """Sleep, at most a quarter of a second."""
    _sleep(min(seconds, 0.25))


time.sleep = sleep
