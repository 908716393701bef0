"""Repairs how FastStream 0.7.8 and nats-py 2.16 fetch a batch together.

nats-py's ``fetch`` lets the builtin ``TimeoutError`` out; FastStream catches its subclass
``nats.errors.TimeoutError`` only. So whenever the time of a half-filled batch runs out inside nats-py,
FastStream's task dies and the messages it had collected are gone: 7 to 12 % of a trickle. Gaps in the partition
numbers would bring them back, slowly; this keeps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nats.errors

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

SHORTEST_FETCH_SECONDS = 0.002
"""With less time left nats-py times out before it has asked."""


def keep_half_batches(subscription: JetStreamContext.PullSubscription) -> None:
    """Make ``subscription.fetch`` end with the one exception that FastStream expects. Call it right after the
    subscriber's ``start()``."""
    fetch = subscription.fetch

    async def patient_fetch(
        batch: int = 1,
        timeout: float | None = 5,  # noqa: ASYNC109 the signature of nats-py
        heartbeat: float | None = None,
    ) -> list[Msg]:
        if timeout is not None and timeout < SHORTEST_FETCH_SECONDS:
            raise nats.errors.TimeoutError
        try:
            return await fetch(batch, timeout, heartbeat)
        except TimeoutError as error:
            raise nats.errors.TimeoutError from error

    subscription.fetch = patient_fetch  # type: ignore[method-assign]
