"""The daily report is asked for again where it surely did not leave, and nowhere else."""

import asyncio
from typing import cast

import pytest

from services.notify import at_once
from services.notify.mailer import MailServerUnreachable, PutOff, Result, Unknown
from services.notify.messages import Mail
from services.notify.servers import of_installation
from services.notify.settings import NotifySettings


class Connection:
    """``result`` is what becomes of the message; none: the server never says."""

    def __init__(self, result: Result | None, *, reached: bool = True) -> None:
        self.result = result
        self.reached = reached

    async def connect(self) -> None:
        if not self.reached:
            raise MailServerUnreachable("no route")

    async def carry(self, mail: Mail) -> Result:
        return self.result or await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("connection", "again"),
    [
        (Connection(Unknown("connection lost")), False),
        (Connection(None), False),
        (Connection(PutOff("later")), True),
        (Connection(None, reached=False), True),
    ],
    ids=["lost while it left", "no answer", "put off", "unreachable"],
)
async def test_it_is_not_asked_for_again_where_it_may_have_left(
    monkeypatch: pytest.MonkeyPatch, connection: Connection, again: bool
) -> None:
    monkeypatch.setattr(at_once, "SmtpConnection", lambda _: connection)
    attempt = await at_once.attempted(of_installation(NotifySettings()), cast("Mail", object()), 0.01)
    assert (attempt.ok, attempt.surely_stayed) == (False, again)
