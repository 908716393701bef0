"""Repairs how FastStream 0.7.8 and nats-py 2.16 fetch a batch together, and makes it cheap.

nats-py's ``fetch`` lets the builtin ``TimeoutError`` out; FastStream catches its subclass
``nats.errors.TimeoutError`` only. So whenever the time of a half-filled batch runs out inside nats-py,
FastStream's task dies and the messages it had collected are gone: 7 to 12 % of a trickle. Gaps in the partition
numbers would bring them back, slowly; this keeps them.

nats-py also makes two tasks for every message it fetches, and asks the server anew five times a second while there
is nothing. Here one request stays with the server until it is filled, and what has come is taken from the queue.
"""

from __future__ import annotations

import asyncio
import json
from time import monotonic
from typing import TYPE_CHECKING

import nats.errors

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

REQUEST_SECONDS = 5.0
"""How long the server may keep a request that is not filled."""

REQUEST_BYTES = 4 << 20
"""What one request may bring, so that bulk events do not fill the memory."""

PATIENCE_SECONDS = 1.0
"""How long a batch waits for its first message before FastStream may look around."""

LINGER_SECONDS = 0.02
"""How long a batch that has begun waits for company."""

HEARTBEAT = "100"


class BatchFetch:
    """Stands in for ``PullSubscription.fetch`` under a FastStream batch subscriber of ``batch`` messages."""

    def __init__(self, subscription: JetStreamContext.PullSubscription, batch: int) -> None:
        self.batch = batch
        self._subscription = subscription
        self._queue: asyncio.Queue[Msg] = subscription._sub._pending_queue
        # messages that the server still owes, until when, and on which connection they were asked for
        self._owed = 0
        self._until = 0.0
        self._reconnects = -1

    async def fetch(
        self,
        batch: int = 1,
        timeout: float | None = 5,  # noqa: ASYNC109 the signature of nats-py
        heartbeat: float | None = None,
    ) -> list[Msg]:
        """Up to ``batch`` messages. Raises ``nats.errors.TimeoutError`` when none came in time, which FastStream
        takes as the end of a batch.

        ``timeout`` is how long FastStream collects a batch. While there is nothing to collect it is of no use to
        come back so often; once it is over FastStream takes what it is given, so the company is waited for here.
        """
        if self._subscription._nc.is_closed:
            raise nats.errors.ConnectionClosedError
        seconds = REQUEST_SECONDS if timeout is None else timeout
        if batch < self.batch:  # FastStream holds a part of a batch already
            messages = await self._some(batch, min(seconds, LINGER_SECONDS))
        else:
            began = monotonic()
            messages = await self._some(batch, max(seconds, PATIENCE_SECONDS))
            if messages and monotonic() - began + LINGER_SECONDS > seconds:
                messages += await self._company(batch - len(messages), seconds)
        if not messages:
            raise nats.errors.TimeoutError
        return messages

    async def _company(self, batch: int, seconds: float) -> list[Msg]:
        """What comes close behind the first messages."""
        messages: list[Msg] = []
        until = monotonic() + seconds
        while len(messages) < batch and monotonic() < until:
            more = await self._some(batch - len(messages), LINGER_SECONDS)
            if not more:
                break
            messages += more
        return messages

    async def _some(self, batch: int, seconds: float) -> list[Msg]:
        """What is here, or comes first within so many seconds."""
        messages = self._take(batch)
        if messages:
            return messages
        await self._ask()
        until = monotonic() + seconds
        while (remaining := until - monotonic()) > 0:
            try:
                first = await asyncio.wait_for(self._queue.get(), remaining)
            except TimeoutError:
                break
            messages = self._accept(first) + self._take(batch - 1)
            if messages:
                return messages
            await self._ask()
        return []

    def _take(self, batch: int) -> list[Msg]:
        """What is here already."""
        messages: list[Msg] = []
        while len(messages) < batch and not self._queue.empty():
            messages += self._accept(self._queue.get_nowait())
        return messages

    def _accept(self, message: Msg) -> list[Msg]:
        self._subscription._sub._pending_size -= len(message.data)
        self._queue.task_done()
        status = message.headers.get("Status") if message.headers else None
        if status is None:
            self._owed -= 1
            return [message]
        if status != HEARTBEAT:
            # the request is over: nothing there, time over, enough bytes, or the consumer is gone
            self._owed = 0
        return []

    async def _ask(self) -> None:
        connection = self._subscription._nc
        reconnects = connection.stats["reconnects"]
        if self._owed > 0 and monotonic() < self._until and reconnects == self._reconnects:
            return
        request = {"batch": self.batch, "expires": int(REQUEST_SECONDS * 1e9), "max_bytes": REQUEST_BYTES}
        await connection.publish(
            self._subscription._nms, json.dumps(request).encode(), self._subscription._deliver
        )
        self._owed = self.batch
        self._until = monotonic() + REQUEST_SECONDS + 0.5
        self._reconnects = reconnects


def keep_half_batches(subscription: JetStreamContext.PullSubscription, batch: int) -> None:
    """Repair a FastStream batch subscriber's subscription. Call it right after the subscriber's ``start()``."""
    subscription.fetch = BatchFetch(subscription, batch).fetch  # type: ignore[method-assign]


def read_headers_quickly(connection: Client) -> None:
    """Let a connection read headers line by line; nats-py tests every letter of every name for being a space,
    which is a quarter of what hearing a small event costs."""
    connection._parse_header_lines = _header_lines  # type: ignore[method-assign]


def _header_lines(raw: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in raw.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    return headers
