"""Reports in the drop folder become events of their message, once; dead addresses are told to ledger."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import PATIENCE_SECONDS, House, action, synced, until
from tests.specs.notify.given_reports import delivery_report


@pytest.fixture
def reports_dir(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def settings(settings: NotifySettings, reports_dir: Path) -> NotifySettings:
    return settings.model_copy(update={"reports_dir": reports_dir, "reports_pause_seconds": 0.2})


def drop(folder: Path, name: str, raw: bytes) -> None:
    """A file that nobody writes any more."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = folder / f".{name}"
    hidden.write_bytes(raw)
    long_ago = time.time() - 60
    os.utime(hidden, (long_ago, long_ago))
    hidden.rename(folder / name)


async def sent(house: House, company: str, *client_ids: str) -> Sequence[str]:
    """The Message-IDs of a reminder to each client, once all have left."""
    invoices = {one: synced(f"F-{one}", one, "100") for one in client_ids}
    await house.voices.book(company, invoices.values())
    await house.voices.due(company, *(action(company, one, [invoices[one]]) for one in client_ids))
    left = await house.until_said(company, "EmailSent", len(client_ids))
    return [next(one["message_id"] for one in left if one["client_id"] == client) for client in client_ids]


async def test_what_comes_back_is_said_once_and_dead_addresses_are_marked(
    house: House, company: str, reports_dir: Path
) -> None:
    """Rules 4.2, 22.16, 22.31: the level is dunning's and nothing is said of it."""
    dead, full, other = await sent(house, company, "DEAD", "FULL", "OTHER")
    to = f"dead@{company}.example"
    hard = delivery_report("5.1.1", "550 5.1.1 User unknown", to=to, message_id=dead, named="a")
    folder = reports_dir / company
    drop(folder, "1.eml", hard)
    drop(folder, "2.eml", b"Delivered-To: again@b.example\n" + hard)
    drop(
        folder,
        "3.eml",
        delivery_report("5.2.2", "552 Quota exceeded", to=f"full@{company}.example", message_id=full, named="b"),
    )
    # names the address of OTHER, but a message that never was ours: nobody guesses
    stranger = delivery_report(
        "5.1.1", "550 User unknown", to=f"other@{company}.example", message_id="<x@y.example>"
    )
    drop(folder, "4.eml", stranger)
    drop(folder, "5.eml", b"\x00\xff no mail at all")
    # of another recipient than the message had: told, and no address marked
    drop(
        folder,
        "6.eml",
        delivery_report("5.1.1", "550 User unknown", to="z@z.example", message_id=other, named="c"),
    )

    await until(lambda: sorted(one.name for one in folder.iterdir() if one.is_file()) == [])
    bounced = {one["client_id"]: one for one in await house.said(company, "EmailBounced")}
    assert len(await house.said(company, "EmailBounced")) == 3
    assert (bounced["DEAD"]["kind"], bounced["DEAD"]["status"], bounced["DEAD"]["permanent"]) == (
        "hard",
        "5.1.1",
        True,
    )
    assert (bounced["FULL"]["kind"], bounced["FULL"]["reason"]) == ("soft", "mailbox_full")
    assert all(to not in str(one) for one in bounced.values())
    assert sorted(one.name for one in (folder / "read").iterdir()) == ["1.eml", "2.eml", "3.eml", "6.eml"]
    assert sorted(one.name for one in (folder / "aside").iterdir()) == ["4.eml", "5.eml"]

    await until(lambda: [one for one in house.people.marked if one[1].endswith(f"@{company}.example")])
    assert [one for one in house.people.marked if one[1].endswith(f"@{company}.example")] == [
        ("DEAD", to, "address_unknown")
    ]
    told = await house.get(company, "/mailboxes")
    assert [(one["place"], one["trouble"]) for one in told["places"]] == [("folder", None)]
    assert told["last_days"]["hard"] == {"bound": 2, "unbound": 1}
    (message,) = (await house.get(company, "/messages", client_id="DEAD"))["messages"]
    assert message["bounced"] == "hard"
    shown = await house.get(company, "/message", action_id=message["action_id"])
    assert [(one["kind"], one["address"]) for one in shown["reports"]] == [("hard", to)]


async def test_a_folder_that_cannot_be_read_is_told_and_loses_nothing(
    house: House, company: str, reports_dir: Path
) -> None:
    """What waits there is read when it can be again."""
    (dead,) = await sent(house, company, "DEAD")
    folder, away = reports_dir / company, reports_dir / "away"
    folder.mkdir(parents=True)
    await until_trouble(house, company, None)
    folder.rename(away)
    folder.write_text("no folder")
    await until_trouble(house, company, "folder_unreadable")
    assert f"folder of {company}" in house.process.health.hindered_by()

    to = f"dead@{company}.example"
    drop(away, "1.eml", delivery_report("5.1.1", "550 User unknown", to=to, message_id=dead))
    folder.unlink()
    away.rename(folder)
    await house.until_said(company, "EmailBounced")
    await until_trouble(house, company, None)
    assert f"folder of {company}" not in house.process.health.hindered_by()


async def until_trouble(house: House, company: str, wanted: str | None) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            places = (await house.get(company, "/mailboxes"))["places"]
            if [one["trouble"] for one in places] == [wanted]:
                return
            await asyncio.sleep(0.1)
