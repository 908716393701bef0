"""The log into the stream: all, once, in order, and never past a disagreement."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from nats.aio.msg import Msg
from nats.js.api import StoreCompression
from sqlalchemy import text

from chassis import measures
from chassis.database import driver, engine, transaction
from chassis.delivered import Cause, Said
from chassis.embedded_config import nats_binary
from chassis.eventlog import Say
from chassis.provision import provision
from chassis.relay import NotAccepted, Relay
from chassis.server_process import free_port
from chassis.waking import filling_the_cores
from contracts.subjects import partition_filter, stream
from tests.integration.chassis.conftest import DAY, Toys, eventually, running
from tests.integration.chassis.example.wiring import Counted, Line, Loaded
from tests.waiting import asked_until


async def published(toys: Toys, count: int, nats_url: str | None = None) -> None:
    bus = await nats.connect(nats_url or toys.nats_admin)

    async def there() -> bool:
        return bool((await bus.jetstream().stream_info(stream("alpha"))).state.messages >= count)

    await eventually(there)
    await bus.close()


async def messages(nats_url: str, pattern: str = "evt.alpha.>") -> list[Msg]:
    bus = await nats.connect(nats_url)
    subscription = await bus.jetstream().pull_subscribe(pattern, stream=stream("alpha"))
    found: list[Msg] = []
    try:
        while True:
            found += await subscription.fetch(500, timeout=0.5)
    except TimeoutError:
        return found
    finally:
        await bus.close()


def attributes(message: Msg) -> dict[str, str]:
    assert message.headers is not None
    return message.headers


async def test_a_relay_at_rest_is_woken_by_what_its_process_says(toys: Toys) -> None:
    relay = Relay("alpha", toys.alpha, toys.nats_url("alpha"), lease_seconds=3600, poll_seconds=900)
    async with running(relay):
        await eventually(lambda: relay.active)
        for turn in range(1, 4):
            await toys.say("acme", ("C1", turn))
            await published(toys, turn)


async def test_a_relay_at_rest_finds_what_another_process_says(toys: Toys) -> None:
    relay = Relay("alpha", toys.alpha, toys.nats_url("alpha"), lease_seconds=1)
    async with running(relay):
        await eventually(lambda: relay.active)
        for turn in range(1, 4):
            with pytest.MonkeyPatch.context() as patch:  # as another process, it wakes nobody here
                patch.setattr("chassis.eventlog.wake", lambda _: None)
                await toys.say("acme", ("C1", turn))
            await published(toys, turn)


async def test_what_is_said_by_work_that_fills_the_cores_is_told_after_it(toys: Toys) -> None:
    async with toys.relay() as relay:
        await eventually(lambda: relay.active)
        with filling_the_cores():
            await toys.say("acme", ("C1", 1))
            await asyncio.sleep(0.5)  # twelve times what a relay that is not held back takes
            assert await messages(toys.nats_admin) == []
        await published(toys, 1)


async def test_nor_does_it_wait_for_long(toys: Toys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.relay.LEAVES_SECONDS", 0.2)
    async with toys.relay() as relay:
        await eventually(lambda: relay.active)
        with filling_the_cores():
            for turn in range(1, 3):
                await toys.say("acme", ("C1", turn))
                await published(toys, turn)


async def test_the_stream_holds_the_log_in_order_and_each_event_once(toys: Toys) -> None:
    async with toys.relay():
        for turn in range(10):
            await toys.say("acme", *((f"C{n}", turn) for n in range(90)))
    async with toys.relay():
        await toys.say("acme", ("C0", 1))
        await published(toys, 901)
    found = await messages(toys.nats_admin)
    log = await toys.rows(toys.alpha, "select p, pseq, event_id::text from event_log order by p, pseq")
    by_place = sorted(
        (int(attributes(m)["ce-partition"]), int(attributes(m)["ce-partitionseq"]), attributes(m)["ce-id"])
        for m in found
    )
    assert by_place == [(row["p"], row["pseq"], row["event_id"]) for row in log]
    for p in {row["p"] for row in log}:
        numbers = [int(attributes(m)["ce-partitionseq"]) for m in found if attributes(m)["ce-partition"] == str(p)]
        assert numbers == sorted(numbers)


async def test_a_message_is_a_cloud_event_in_binary_mode(toys: Toys) -> None:
    cause = Cause("user:Zoé 100 %", uuid4(), uuid4(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    async with toys.relay(), transaction(toys.alpha) as tx:
        said = [Said(Counted(amount=3), "Été & fils/1")]
        await Say("alpha", tx)("acme", said, as_of=DAY, cause=cause)
    async with toys.relay():
        await published(toys, 1)
    (message,) = await messages(toys.nats_admin)
    assert all(
        name == name.lower() and value.isascii()
        for name, value in attributes(message).items()
        if not name.startswith("Nats-")
    )
    event = from_binary(HTTPMessage(attributes(message), message.data), JSONFormat(), CloudEvent)
    assert event.get_type() == "relance.alpha.Counted.v1"
    assert event.get_subject() == "Été & fils/1"
    assert event.get_extension("actor") == "user:Zoé 100 %"
    assert event.get_extension("company") == "acme"
    assert event.get_extension("partitionseq") == "1"
    assert event.get_extension("asof") == DAY.isoformat()
    assert event.get_extension("correlationid") == str(cause.correlation_id)
    assert event.get_extension("causationid") == str(cause.causation_id)
    assert event.get_data() == {"amount": 3}
    assert attributes(message)["traceparent"] == cause.traceparent
    assert attributes(message)["correlation_id"] == str(cause.correlation_id)
    assert attributes(message)["Nats-Msg-Id"] == event.get_id()


async def test_bulk_events_travel_in_batches_that_the_server_takes(toys: Toys) -> None:
    bulk = Loaded(lines=tuple(Line(client_id=f"C{n:060d}", amount=n) for n in range(4000)))
    async with transaction(toys.alpha) as tx:
        said = [Said(bulk, partition=p % 64) for p in range(40)]
        await Say("alpha", tx)("acme", said, as_of=DAY, cause=Cause.new("test"))
    async with toys.relay() as relay:
        await published(toys, 40)
        assert relay.problems() == []


async def test_the_relay_refuses_a_stream_that_is_ahead_of_the_log(toys: Toys) -> None:
    """PostgreSQL was restored to an earlier state."""
    async with toys.relay():
        await toys.say("acme", ("C1", 1), ("C1", 2))
        await published(toys, 2)
    owner = engine(toys.url("alpha", "owner"), "alpha")
    async with owner.begin() as tx:
        await tx.execute(text("delete from event_log where pseq = 2"))
        await tx.execute(text("update partition_head set seq = 1 where seq = 2"))
    await owner.dispose()
    async with toys.relay() as relay:
        await eventually(lambda: any("the log ends at 1" in problem for problem in relay.problems()))
        await toys.say("acme", ("C2", 3))
        await asyncio.sleep(0.3)
        assert not relay.active
    assert len(await messages(toys.nats_admin)) == 2


async def test_the_relay_refuses_a_stream_that_holds_another_event_under_a_number(toys: Toys) -> None:
    async with toys.relay():
        await toys.say("acme", ("C1", 1))
        await published(toys, 1)
    owner = engine(toys.url("alpha", "owner"), "alpha")
    async with owner.begin() as tx:
        await tx.execute(text("update event_log set event_id = uuidv7()"))
    await owner.dispose()
    async with toys.relay() as relay:
        await eventually(lambda: any("refuses" in problem for problem in relay.problems()))
    assert len(await messages(toys.nats_admin)) == 1


async def test_a_relay_that_lost_its_lease_unnoticed_is_refused_by_the_server(toys: Toys) -> None:
    zombie = Relay("alpha", toys.alpha, toys.nats_url("alpha"))
    bus = await nats.connect(toys.nats_url("alpha"))
    async with toys.alpha.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await zombie._resume(connection, bus)
        await toys.say("acme", ("C1", 1), ("C2", 2))
        events, _ = await zombie._next((await driver(connection)).cursor())
        async with toys.relay():
            await published(toys, 2)
        with pytest.raises(NotAccepted, match="wrong last sequence|duplicate message id"):  # noqa: RUF043
            await zombie._publish(bus, events)
    await bus.close()
    assert len(await messages(toys.nats_admin)) == 2


async def test_only_one_of_two_relays_works_and_the_other_takes_over(toys: Toys) -> None:
    async with toys.relay() as second:
        async with toys.relay() as first:
            await eventually(lambda: first.active or second.active)
            await asyncio.sleep(0.3)
            assert [first.active, second.active].count(True) == 1
        await eventually(lambda: second.active)
        await toys.say("acme", ("C1", 1))
        await published(toys, 1)


async def test_streams_are_provisioned_as_the_plumbing_says(toys: Toys) -> None:
    assert set((await provision(toys.nats_admin, ("alpha", "beta"))).values()) == {"unchanged"}
    bus = await nats.connect(toys.nats_admin)
    config = (await bus.jetstream().stream_info(stream("alpha"))).config
    await bus.close()
    assert config.allow_atomic
    assert config.allow_direct
    assert config.deny_delete
    assert config.compression == StoreCompression.S2
    assert config.discard == "new"
    assert config.max_msg_size == 1 << 20
    assert config.duplicate_window == 120


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def nats_server(store: Path, port: int) -> Iterator[str]:
    """A server of its own, so that its store can be put back to an older copy."""
    process = subprocess.Popen(
        [nats_binary(), "-js", "-sd", str(store), "-p", str(port), "-a", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert asked_until(bool, lambda: _listens(port))
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


async def test_a_lost_tail_is_filled_again_and_applied_once(toys: Toys, tmp_path: Path) -> None:
    """The server comes back with an older copy of its disk, while alpha goes on speaking."""
    store, copy, port = tmp_path / "store", tmp_path / "copy", free_port()
    with nats_server(store, port) as url:
        await provision(url, ("alpha", "beta"))
        async with toys.relay(url), toys.worker(url):
            await toys.say("acme", *((f"C{n}", n) for n in range(30)))
            assert await toys.all_heard()
    shutil.copytree(store, copy)
    with nats_server(store, port) as url:
        async with toys.relay(url), toys.worker(url):
            await toys.say("acme", *((f"C{n}", n) for n in range(20)))
            assert await toys.all_heard()
    # said while the server is away: takes places in the stream that the lost events had
    await toys.say("acme", *((f"D{n}", n) for n in range(40)))
    with nats_server(copy, port) as url:
        async with toys.relay(url), toys.worker(url):
            await toys.say("acme", *((f"C{n}", n) for n in range(10)))
            assert await toys.all_heard(20)
            assert await toys.chains() == await toys.chains_expected()
        assert len(await messages(url)) == 100
        assert len(await messages(url, partition_filter("alpha", 0))) < 100


async def test_a_server_killed_and_started_again_is_found_by_relay_and_worker(toys: Toys, tmp_path: Path) -> None:
    store, port = tmp_path / "store", free_port()
    with ExitStack() as first:
        url = first.enter_context(nats_server(store, port))
        await provision(url, ("alpha", "beta"))
        async with toys.relay(url) as relay, toys.worker(url) as worker:
            await toys.say("acme", *((f"C{n}", n) for n in range(30)))
            assert await toys.all_heard()
            first.close()
            await toys.say("acme", *((f"C{n}", n) for n in range(30)))
            await eventually(relay.problems)
            assert not await toys.all_heard(0.5)
            # what waits is measured again and again, else nobody is woken
            age = measures.UNPUBLISHED_AGE.labels("alpha")
            await eventually(lambda: age._value.get() > 2)
            with nats_server(store, port):
                await toys.say("acme", *((f"C{n}", n) for n in range(30)))
                assert await toys.all_heard(30)
                assert await toys.chains() == await toys.chains_expected()
                await eventually(lambda: relay.problems() + worker.problems() == [])


async def test_a_stream_that_was_removed_and_made_again_is_filled_from_the_log(toys: Toys) -> None:
    async with toys.relay(), toys.worker():
        await toys.say("acme", *((f"C{n}", n) for n in range(30)))
        assert await toys.all_heard()
        admin = await nats.connect(toys.nats_admin)
        await admin.jetstream().delete_stream(stream("alpha"))
        await admin.close()
        await provision(toys.nats_admin, ("alpha",))
        await toys.say("acme", *((f"C{n}", n) for n in range(30)))
        assert await toys.all_heard(20)
        assert await toys.chains() == await toys.chains_expected()
    assert len(await messages(toys.nats_admin)) == 60
