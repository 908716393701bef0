"""Other systems subscribe by NATS: each hears its company's events of its choice, and can do nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import date, timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

import nats
import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError, NotFoundError

from chassis import clock
from chassis.embedded_config import NATS_ADMIN, SUBSCRIBERS_API
from contracts.ledger import ClientStopped, NoteAdded
from services.reporting.settings import ReportingSettings
from services.reporting.subscribers import door, durables
from services.reporting.subscribers.door import Door
from services.reporting.subscribers.rows import Subscriber
from tests.integration.reporting.conftest import House, Voices
from tests.waiting import comes_true

Json = dict[str, Any]
api = import_module("services.reporting.api.subscribers")
"""The module; the package holds its router under the same name."""
FOREVER = "permissions violation"


async def command(house: House, company: str, path: str, status: int = 200, **body: Any) -> Json:
    headers = house.token(company, role="admin")
    answer = await house.http.post(f"/companies/{company}{path}", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    told: Json = answer.json()
    return told


async def subscriber(house: House, company: str, *events: str, name: str = "crm") -> Json:
    added = await command(house, company, "/subscribers", 201, name=name, events=list(events))
    connect: Json = added["connect"]
    return connect


def doorkeeper(house: House) -> Door:
    settings = house.process.settings
    assert isinstance(settings, ReportingSettings)
    return Door(house.process, settings)


@asynccontextmanager
async def connected(connect: Json, complaints: list[str] | None = None, **more: Any) -> AsyncIterator[Client]:
    async def complain(error: Exception) -> None:
        if complaints is not None:
            complaints.append(str(error))

    bus = await nats.connect(
        connect["url"],
        user=connect["user"],
        password=connect["password"],
        inbox_prefix=connect["inbox_prefix"],
        error_cb=complain,
        max_reconnect_attempts=2,
        reconnect_time_wait=0.1,
        **more,
    )
    try:
        yield bus
    finally:
        # what the server has ended the client may be closing just now, and cancels what waits for it here
        with suppress(asyncio.CancelledError):
            await bus.close()


async def heard(connect: Json, count: int, within: float = 5) -> list[Json]:
    """What a program that knows the answer of ``add`` and nothing else reads."""
    found: list[Json] = []
    async with connected(connect) as bus:
        jetstream = bus.jetstream(prefix=connect["api_prefix"])
        for place in connect["consumers"]:
            reading = await jetstream.pull_subscribe_bind(place["durable"], place["stream"])
            while len(found) < count:
                try:
                    messages = await reading.fetch(10, timeout=within)
                except (nats.errors.TimeoutError, TimeoutError):
                    break
                for message in messages:
                    found.append({**(message.headers or {}), "data": json.loads(message.data)})
                    await message.ack()
    return found


def stopped(client: str) -> ClientStopped:
    return ClientStopped(client_id=client)


def noted(client: str) -> NoteAdded:
    return NoteAdded(client_id=client, note_id=uuid4(), entry_id=None)


async def test_it_hears_its_own_company_and_what_it_chose(house: House, voices: Voices, company: str) -> None:
    """Product F2: limited to their company and to reading."""
    other = f"{company}x"
    connect = await subscriber(house, company, "ClientStopped")
    await voices.say(company, stopped("C1"), noted("C1"))
    await voices.say(other, stopped("C9"))
    await voices.say(company, stopped("C2"))
    found = await heard(connect, 2)
    assert sorted((one["ce-company"], one["ce-type"], one["ce-subject"]) for one in found) == [
        (company, "relance.ledger.ClientStopped.v1", "C1"),
        (company, "relance.ledger.ClientStopped.v1", "C2"),
    ]
    assert await heard(connect, 1, within=0.5) == [], "what was acknowledged does not come again"


async def test_it_begins_where_it_was_added_and_replays_from_a_day(
    house: House, voices: Voices, company: str
) -> None:
    await house.get(company, "/who-owes-what", await voices.say(company, stopped("C1")))
    connect = await subscriber(house, company, "ClientStopped")
    await voices.say(company, stopped("C2"))
    assert [one["ce-subject"] for one in await heard(connect, 1)] == ["C2"]
    told = await command(house, company, "/subscribers/replay", name="crm", since="2026-01-01")
    assert "password" not in told["connect"]
    assert sorted(one["ce-subject"] for one in await heard(connect, 2)) == ["C1", "C2"]
    await command(house, company, "/subscribers/replay", name="crm", since="2100-01-01")
    assert await heard(connect, 1, within=0.5) == []


FORBIDDEN = (
    "evt.ledger.{company}.p00.ClientStopped",
    "dlq.ledger.x",
    "$JS.API.CONSUMER.CREATE.EVT_LEDGER_G1.mine",
    "$JS.API.CONSUMER.DURABLE.CREATE.EVT_LEDGER_G1.mine",
    f"{SUBSCRIBERS_API}.CONSUMER.CREATE.EVT_LEDGER_G1.mine",
    "$JS.API.CONSUMER.DELETE.EVT_LEDGER_G1.{user}",
    "$JS.API.STREAM.INFO.EVT_LEDGER_G1",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.MSG.GET.EVT_LEDGER_G1",
    "$JS.API.DIRECT.GET.EVT_LEDGER_G1",
    "$JS.API.STREAM.PURGE.EVT_LEDGER_G1",
    f"{SUBSCRIBERS_API}.CONSUMER.MSG.NEXT.EVT_SYNC_G1.{{user}}",
    f"{SUBSCRIBERS_API}.CONSUMER.MSG.NEXT.EVT_LEDGER_G1.erp@{{company}}",
    f"{SUBSCRIBERS_API}.CONSUMER.INFO.EVT_LEDGER_G1.erp@{{company}}",
    "$JS.ACK.EVT_LEDGER_G1.erp@{company}.1.1.1.1.0",
    "_INBOX.erp@{company}.1",
    "$SYS.REQ.USER.AUTH",
    "$SYS.REQ.SERVER.PING.CONNZ",
)
OVERHEARD = ("evt.>", "evt.ledger.{company}.>", "_INBOX.>", "_INBOX.erp@{company}.>", "$SYS.>", ">")


async def test_it_may_ask_for_nothing_but_its_own_events(house: House, voices: Voices, company: str) -> None:
    """To say events, make consumers, read other streams, other places and other deliveries: each is tried."""
    connect = await subscriber(house, company, "ClientStopped")
    await subscriber(house, company, "ClientStopped", name="erp")
    await voices.say(company, stopped("C1"))
    told: list[str] = []
    answers: list[str] = []

    async def answered(message: Msg) -> None:
        answers.append(message.subject)

    async with connected(connect, told) as bus:
        await bus.subscribe(f"{connect['inbox_prefix']}.all.*", cb=answered)
        for number, subject in enumerate(FORBIDDEN):
            asked = subject.format(company=company, user=connect["user"])
            await bus.publish(asked, b"", reply=f"{connect['inbox_prefix']}.all.{number}")
        for subject in OVERHEARD:
            await bus.subscribe(subject.format(company=company), cb=answered)
        await bus.flush()
        await comes_true(lambda: len(told) == len(FORBIDDEN) + len(OVERHEARD), "the server refuses each")
    assert all(FOREVER in one for one in told)
    assert answers == []
    assert [one["ce-subject"] for one in await heard(connect, 1)] == ["C1"], "what it may, it still may"


async def test_it_cannot_have_its_events_put_into_a_stream(house: House, voices: Voices, company: str) -> None:
    """Whoever asks for the next message names where to send it: not into a stream, nor to JetStream's commands."""
    connect = await subscriber(house, company, "ClientStopped")
    await voices.say(company, stopped("C1"), stopped("C2"), stopped("C3"))
    admin = await nats.connect(house.stack.nats_url(NATS_ADMIN))
    jetstream = admin.jetstream()
    before = (await jetstream.stream_info("EVT_NOTIFY_G1")).state
    asked = f"{SUBSCRIBERS_API}.CONSUMER.MSG.NEXT.EVT_LEDGER_G1.{connect['user']}"
    async with connected(connect) as bus:
        await bus.publish(asked, b"1", reply=f"evt.notify.{company}.p00.EmailSent")
        await bus.publish(asked, b"1", reply="$JS.API.STREAM.PURGE.EVT_NOTIFY_G1")
        await bus.publish(asked, b"1", reply=f"$JS.API.CONSUMER.DELETE.EVT_LEDGER_G1.{connect['user']}")
        await bus.flush()
        await asyncio.sleep(0.3)
    after = (await jetstream.stream_info("EVT_NOTIFY_G1")).state
    assert (after.messages, after.last_seq) == (before.messages, before.last_seq)
    assert (await jetstream.consumer_info("EVT_LEDGER_G1", connect["user"])).name == connect["user"]
    await admin.close()


async def is_let_in(connect: Json) -> bool:
    try:
        async with connected(connect, allow_reconnect=False):
            return True
    except nats.errors.Error:
        return False


async def test_a_secret_is_changed_in_the_subscribers_own_time_or_at_once(house: House, company: str) -> None:
    first = await subscriber(house, company)
    assert not await is_let_in(first | {"password": "guessed"})
    assert not await is_let_in(first | {"user": f"crm@{company}x"})
    second = (await command(house, company, "/subscribers/rotate", name="crm"))["connect"]
    assert await is_let_in(first)
    assert await is_let_in(second)
    async with connected(second) as bus:
        third = (await command(house, company, "/subscribers/rotate", name="crm", overlap_hours=0))["connect"]
        await comes_true(lambda: not bus.is_connected, "the connection by the old secret is ended")
    assert not await is_let_in(second)
    assert await is_let_in(third)


async def test_connections_by_the_secret_before_end_with_it(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given one from before the change, one by the old secret after it, and one by the new."""
    monkeypatch.setattr(door, "CLOCKS_DIFFER", timedelta(0))
    first = await subscriber(house, company)
    async with connected(first) as before, asyncio.timeout(60):
        await asyncio.sleep(0.05)
        second = (await command(house, company, "/subscribers/rotate", name="crm", overlap_hours=2 / 3600))[
            "connect"
        ]
        async with connected(first) as meanwhile, connected(second) as by_the_new:
            await doorkeeper(house).mend()
            assert before.is_connected
            await comes_true(lambda: not meanwhile.is_connected, "the server ends it with the old secret")
            await doorkeeper(house).mend()
            await comes_true(lambda: not before.is_connected, "it is shown out")
            assert by_the_new.is_connected
            await doorkeeper(house).mend()
            assert by_the_new.is_connected
    assert not await is_let_in(first)
    assert await is_let_in(second)


async def test_a_secret_changed_twice_is_good_for_as_long_as_was_said(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a secret that was promised an hour more, when the one that followed it is changed as well, then the
    promise holds, whoever uses it; when its hour is over, its connections end and those of the second do not."""
    monkeypatch.setattr(door, "CLOCKS_DIFFER", timedelta(0))
    first = await subscriber(house, company)
    async with connected(first) as by_the_first, asyncio.timeout(60):
        await asyncio.sleep(0.05)
        second = (await command(house, company, "/subscribers/rotate", name="crm", overlap_hours=1))["connect"]
        async with connected(second) as by_the_second:
            await asyncio.sleep(0.05)
            third = (await command(house, company, "/subscribers/rotate", name="crm", overlap_hours=24))["connect"]
            assert [await is_let_in(one) for one in (first, second, third)] == [True, True, True]
            now = clock.now()
            with monkeypatch.context() as later:
                later.setattr(clock, "now", lambda: now + timedelta(hours=2))
                assert not await is_let_in(first)
                await doorkeeper(house).mend()
                await comes_true(lambda: not by_the_first.is_connected, "it is shown out")
                await doorkeeper(house).mend()
            assert by_the_second.is_connected
            assert [await is_let_in(one) for one in (first, second, third)] == [False, True, True]
    await command(house, company, "/subscribers/rotate", name="crm", overlap_hours=0)
    assert [await is_let_in(one) for one in (second, third)] == [False, False], "at once is at once for all"


async def test_the_places_of_one_are_not_those_of_the_others(
    house: House, voices: Voices, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a subscriber whose places cannot be made, then it is told, and those behind it get theirs."""
    broken = await subscriber(house, company, "ClientStopped", name="a-broken")
    connect = await subscriber(house, company, "ClientStopped", name="crm")
    admin = await nats.connect(house.stack.nats_url(NATS_ADMIN))
    for one in (broken, connect):
        await admin.jetstream().delete_consumer("EVT_LEDGER_G1", one["user"])
    make = durables.make

    async def refusing(bus: Client, one: Subscriber) -> list[str]:
        if one.name == "a-broken" and one.company == company:
            raise APIError(code=400, err_code=10_000, description="cannot be")
        return await make(bus, one)

    keeper = doorkeeper(house)
    with monkeypatch.context() as patched:
        patched.setattr(durables, "make", refusing)
        await keeper.mend()
        await keeper.mend()
    assert (await admin.jetstream().consumer_info("EVT_LEDGER_G1", connect["user"])).name == connect["user"]
    assert (
        f"{broken['user']} (APIError) cannot be given a place" in house.process.health.hindered_by()["subscribers"]
    )
    await keeper.mend()
    assert "subscribers" not in house.process.health.hindered_by()
    assert (await admin.jetstream().consumer_info("EVT_LEDGER_G1", broken["user"])).name == broken["user"]
    await admin.close()


async def test_every_connection_is_found_however_many_there_are(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server tells of so many in one answer; the rest is on its next pages."""
    monkeypatch.setattr(door, "PAGE", 2)
    connect = await subscriber(house, company)
    async with AsyncExitStack() as stack:
        open_now = [await stack.enter_async_context(connected(connect)) for _ in range(5)]
        told = await command(house, company, "/subscribers/remove", name="crm")
        assert told["connections_ended"] == 5
        await comes_true(lambda: not any(one.is_connected for one in open_now), "each is ended")


@pytest.mark.parametrize("path", ["/subscribers/rotate", "/subscribers/remove"])
async def test_what_nats_did_not_do_is_done_later(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The command was carried out before: its secret is not lost in an error, and the old one lets nobody stay."""

    async def away(url: str, user: str) -> int:
        raise nats.errors.NoServersError

    monkeypatch.setattr(api, "show_out", away)
    connect = await subscriber(house, company)
    more = {"overlap_hours": 0} if path.endswith("rotate") else {}
    async with connected(connect) as bus:
        told = await command(house, company, path, name="crm", **more)
        assert told["connections_ended"] is None
        assert bus.is_connected
        await doorkeeper(house).mend()
        await comes_true(lambda: not bus.is_connected, "the connection is ended")
    assert not await is_let_in(connect)
    if path.endswith("rotate"):
        assert await is_let_in(told["connect"])


async def test_nothing_is_removed_while_nats_takes_no_place_away(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise nats.errors.TimeoutError

    connect = await subscriber(house, company)
    with monkeypatch.context() as broken:
        broken.setattr(durables, "unmake", away)
        told = await command(house, company, "/subscribers/remove", 503, name="crm")
    assert told["type"].rpartition("/")[2] == "nats-away"
    assert await is_let_in(connect)
    await command(house, company, "/subscribers/remove", name="crm")
    assert not await is_let_in(connect)


async def test_removed_it_hears_nothing_and_comes_in_no_more(house: House, voices: Voices, company: str) -> None:
    connect = await subscriber(house, company, "ClientStopped")
    async with connected(connect) as bus:
        told = await command(house, company, "/subscribers/remove", name="crm")
        assert told["connections_ended"] == 1
        await comes_true(lambda: not bus.is_connected, "the connection is ended")
    assert not await is_let_in(connect)
    admin = await nats.connect(house.stack.nats_url(NATS_ADMIN))
    with pytest.raises(NotFoundError):
        await admin.jetstream().consumer_info("EVT_LEDGER_G1", connect["user"])
    await admin.close()


async def test_a_place_lost_with_its_stream_is_made_again(house: House, voices: Voices, company: str) -> None:
    connect = await subscriber(house, company, "ClientStopped")
    admin = await nats.connect(house.stack.nats_url(NATS_ADMIN))
    await admin.jetstream().delete_consumer("EVT_LEDGER_G1", connect["user"])
    await admin.close()
    await doorkeeper(house).mend()
    await voices.say(company, stopped("C1"))
    assert [one["ce-subject"] for one in await heard(connect, 1)] == ["C1"]


async def test_they_are_listed_with_what_waits_for_them(house: House, voices: Voices, company: str) -> None:
    await subscriber(house, company, "ClientStopped", "NoteAdded")
    await voices.say(company, stopped("C1"))
    headers = house.token(company, role="admin")

    async def listed() -> Json:
        answer = await house.http.get(f"/companies/{company}/subscribers", headers=headers)
        one: Json = answer.json()["subscribers"][0]
        return one

    async def waits() -> bool:
        return bool((await listed())["waiting"] == 1)

    await comes_true(waits, "the event is in the stream")
    one = await listed()
    assert (one["name"], one["user"], one["events"]) == ("crm", f"crm@{company}", ["ClientStopped", "NoteAdded"])
    assert not {"secret", "secret_hash", "password"} & set(one)


async def test_what_cannot_be_is_refused_in_words(house: House, company: str) -> None:
    refused = await command(house, company, "/subscribers", 422, name="crm", events=["ClientStoped"])
    assert refused["detail"] == "no service says ClientStoped (did you mean ClientStopped?)"
    await subscriber(house, company)
    assert (await command(house, company, "/subscribers", 409, name="crm"))["type"] == "subscriber-exists"
    assert (await command(house, company, "/subscribers/remove", 404, name="no"))["type"] == "subscriber-unknown"
    user = await house.http.post(
        f"/companies/{company}/subscribers", json={"name": "x"}, headers=house.token(company, role="user")
    )
    assert user.status_code == 403


async def test_the_day_of_a_replay_begins_at_the_companys_midnight(house: House, company: str) -> None:
    await subscriber(house, company)
    told = await command(house, company, "/subscribers/replay", name="crm", since=str(date(2026, 7, 1)))
    assert told["since"].startswith("2026-07-01T00:00:00+02:00")
