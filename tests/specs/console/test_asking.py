"""A service that closes a kept connection at the very moment something is sent on it."""

import httpx
import pytest
from joserfc.jwk import OKPKey

from chassis.auth import new_key_pair
from services.console.gateway import Gateway, ServiceSilent
from services.console.settings import ConsoleSettings


class Closing:
    """Closes the first connections, then answers."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.heard: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request.method)
        if len(self.heard) <= self.times:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return httpx.Response(200, json={})


def gateway(closing: Closing) -> Gateway:
    key = OKPKey.import_key(new_key_pair().private)
    http = httpx.AsyncClient(transport=httpx.MockTransport(closing))
    return Gateway(ConsoleSettings(dunning_url="http://dunning"), http, key)


async def test_a_question_is_asked_once_more() -> None:
    closing = Closing(1)
    answer = await gateway(closing).ask("dunning", "GET", "/tasks")
    assert answer.status_code == 200
    assert closing.heard == ["GET", "GET"]


async def test_and_no_third_time() -> None:
    closing = Closing(5)
    with pytest.raises(ServiceSilent):
        await gateway(closing).ask("dunning", "GET", "/tasks")
    assert closing.heard == ["GET", "GET"]


async def test_a_command_is_never_sent_twice() -> None:
    closing = Closing(1)
    with pytest.raises(ServiceSilent):
        await gateway(closing).ask("dunning", "POST", "/confirm")
    assert closing.heard == ["POST"]
