"""A release whose tables are not switched to yet stands by: quietly, and goes on by itself."""

import logging

import pytest

from chassis import health
from chassis.database import is_transient
from chassis.derivation import OtherVersion
from chassis.health import Health, keep_running


@pytest.mark.parametrize("grouped", [False, True])
async def test_a_part_that_waits_for_the_switch_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, grouped: bool
) -> None:
    monkeypatch.setattr(health, "LAST_RETRY_SECONDS", 0)
    found = Health()
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries < 5:
            other = OtherVersion("ledger", 1, 2)
            raise ExceptionGroup("a round", [other, other]) if grouped else other
        assert await found.waiting_for() == {}, "readiness asks for the version by itself"

    with caplog.at_level(logging.INFO, logger="chassis.health"):
        await keep_running("settle", found, work)
    assert tries == 5
    assert [(one.levelname, one.getMessage(), one.exc_info) for one in caplog.records] == [
        ("INFO", "a part stands by", None)
    ]
    assert "relance rebuild status ledger" in str(caplog.records[0].__dict__["why"])


async def test_what_fails_beside_it_is_told_as_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(health, "FIRST_RETRY_SECONDS", 0)
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ExceptionGroup("a round", [OtherVersion("ledger", 1, 2), ValueError("of ours")])

    await keep_running("settle", Health(), work)
    assert [one.levelname for one in caplog.records] == ["WARNING"]


def test_it_passes_by_itself() -> None:
    """So that loops over companies end their pass, as they do while the database is away."""
    assert is_transient(OtherVersion("ledger", 1, 2))
