"""Small servers that stand for a neighbour: they listen before a test goes on, and end with it."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from tests.waiting import asked_until, comes_true

MOST_SECONDS_TO_END = 5
"""For callers that keep their connections; a server that waits for them would hold the whole run."""


def listening() -> socket.socket:
    """On a port of its own of this machine: nobody can take it before the server starts."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    return listener


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


class _Server(uvicorn.Server):
    """Leaves signals to those whose process it is."""

    def __init__(self, app: Callable[..., Any], options: dict[str, Any]) -> None:
        calm = {"log_level": "warning", "lifespan": "off", "timeout_graceful_shutdown": MOST_SECONDS_TO_END}
        super().__init__(uvicorn.Config(app, **calm | options))

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Callable[..., Any], listener: socket.socket, **options: Any) -> AsyncIterator[None]:
    """``app`` over HTTP in the loop of the test; ``options`` are uvicorn's."""
    server = _Server(app, options)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await comes_true(lambda: server.started or task.done(), "the server listens")
        yield
    finally:
        server.should_exit = True
        await task


@contextmanager
def serving_besides(app: Callable[..., Any], listener: socket.socket, **options: Any) -> Iterator[None]:
    """``app`` over HTTP in a thread of its own, for tests whose thread is the browser's."""
    server = _Server(app, options)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    assert asked_until(bool, lambda: server.started or not thread.is_alive())
    try:
        assert server.started, "the server did not start"
        yield
    finally:
        server.should_exit = True
        thread.join(2 * MOST_SECONDS_TO_END)
        assert not thread.is_alive(), "the server did not end"


@contextmanager
def closed_at_the_end(*servers: asyncio.Server) -> Iterator[None]:
    """Servers of the loop, while the block lasts. Since Python 3.12 ``async with server`` waits besides until the
    last caller hangs up, and services keep their connections: the test would never end."""
    try:
        yield
    finally:
        for server in servers:
            server.close()
