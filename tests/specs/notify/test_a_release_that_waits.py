"""While the tables are another release's, what works by itself waits without a word: nothing is wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.derivation import OtherVersion
from chassis.health import Health
from services.ledger import main as ledger
from services.notify import retention


class Rows:
    """Answers every question with one company."""

    async def execute(self, *_: Any) -> Any:
        row = SimpleNamespace(company="acme", time_zone="Europe/Paris", as_of=None)
        return type("Found", (list,), {"all": lambda self: self})([row])


@asynccontextmanager
async def rows(*_: Any) -> AsyncIterator[Rows]:
    yield Rows()


async def other_version(*_: Any) -> Any:
    raise OtherVersion("ledger", 2, 1)


async def a_time_zone(*_: Any) -> str:
    return "Europe/Paris"


def process() -> Any:
    return SimpleNamespace(engine=None, say=lambda tx: None, health=Health())


async def test_contents_that_had_their_time_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "transaction", rows)
    monkeypatch.setattr(retention, "expire", other_version)
    monkeypatch.setattr(retention.queries, "time_zone", a_time_zone)
    running = process()
    with pytest.raises(OtherVersion):
        await retention.expire_today(running)
    assert running.health.hindered_by() == {}


async def test_days_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "transaction", rows)
    monkeypatch.setattr(ledger, "begin_day", other_version)
    running = process()
    with pytest.raises(OtherVersion):
        await ledger.begin_days_that_came(running)
    assert running.health.hindered_by() == {}
