"""A cancelled task ends, even where a library swallowed the cancellation."""

import asyncio


def heed_cancellation() -> None:
    """Raise ``CancelledError`` when the running task was cancelled and has not noticed.

    ``asyncio.wait_for`` of Python 3.11 returns its result, and forgets the cancellation, when both come at
    the same moment; nats-py waits with it for every answer. A loop without an end calls this once per turn.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
