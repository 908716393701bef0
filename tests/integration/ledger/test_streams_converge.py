"""Any interleaving of sync's events and ledger's own ends in the same rows (architecture, Correctness 3)."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import engine, migrate
from chassis.delivered import Delivered
from chassis.embedded import Stack
from chassis.projection import project_all
from contracts import ledger
from contracts.event import Event
from contracts.subjects import partition_of
from contracts.sync import ClientsSynced, EntriesSynced, SyncedClient
from services.ledger.projection import PROJECT
from services.ledger.tables import DERIVED
from tests.integration.ledger.conftest import entry_id, synced

COMPANY, SCHEMA = "shuffled", "ledger_shuffled"
CLIENTS = ("C1", "C2", "C3")
NAMES = ("I1", "I2", "P1")
RUN = uuid4()

STATED = ["changed", "stop", "profile", "promise", "end", "note", "error", "paid"]
REMARKED = ["entry", "dispute", "close", "expected", "flag", "merge", "erase"]

letterings = st.sampled_from([None, None, "AA", "AB"])
flags = st.booleans()


@st.composite
def from_sync(draw: st.DrawFn, client_id: str) -> Event:
    if draw(flags):
        seen = SyncedClient(
            client_id=client_id,
            account="411000",
            profile=draw(st.sampled_from([None, "Export"])),
            removed=draw(flags),
        )
        return ClientsSynced(run_id=RUN, source="book", clients=(seen,))
    lines = [
        synced(f"{client_id}{name}", client_id, "100" if name[0] == "I" else "-100", draw(letterings)).model_copy(
            update={"removed": draw(flags)}
        )
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4))
    ]
    return EntriesSynced(run_id=RUN, source="book", entries=tuple(lines))


@st.composite
def own_history(draw: st.DrawFn, client_id: str) -> list[Event]:
    """What ledger may say of one client, in an order it could be said."""
    said: list[Event] = []
    version, stopped, promises = 0, False, list[UUID]()
    entry = entry_id(f"{client_id}I1")
    for _ in range(draw(st.integers(0, 8))):
        match draw(st.sampled_from(STATED)):
            case "changed":
                version += 1
                said.append(ledger.ClientChanged(client_id=client_id, version=version, has_email=draw(flags)))
            case "stop":
                stopped = not stopped
                resumes_on = draw(st.sampled_from([None, date(2026, 4, 1)]))
                said.append(
                    ledger.ClientStopped(client_id=client_id, resumes_on=resumes_on)
                    if stopped
                    else ledger.ClientResumed(client_id=client_id)
                )
            case "profile":
                profile = draw(st.sampled_from([None, "Internal"]))
                said.append(ledger.ProfileAssigned(client_id=client_id, profile=profile))
            case "promise":
                promises.append(uuid4())
                said.append(
                    ledger.PromiseRecorded(
                        promise_id=promises[-1],
                        client_id=client_id,
                        entry_id=entry,
                        amount=Decimal(5),
                        currency="EUR",
                        promised_on=date(2026, 3, 1),
                    )
                )
            case "end" if promises:
                ends = [ledger.PromiseCancelled, ledger.PromiseKept, ledger.PromiseBroken]
                end = draw(st.sampled_from(ends))
                said.append(end(promise_id=promises[-1], client_id=client_id, entry_id=entry))
                if end is ledger.PromiseKept and draw(flags):
                    said.append(
                        ledger.PromiseReopened(
                            promise_id=promises[-1],
                            client_id=client_id,
                            entry_id=entry,
                            amount=Decimal(5),
                            currency="EUR",
                            promised_on=date(2026, 3, 1),
                        )
                    )
            case "note":
                said.append(ledger.NoteAdded(note_id=uuid4(), client_id=client_id))
            case "error":
                group: dict[str, Any] = {"client_id": client_id, "account": "411000", "lettering": "AA"}
                said.append(ledger.LetteringErrorFound(**group, difference=draw(st.integers(1, 9))))
                if draw(flags):
                    said.append(ledger.LetteringErrorCleared(**group))
            case "paid":
                said.append(
                    ledger.PaymentLettered(
                        client_id=client_id,
                        account="411000",
                        lettering="AA",
                        payments=(entry_id(draw(st.sampled_from(["P1", "P2", "P3"]))),),
                        settled=(entry_id(draw(st.sampled_from(["I1", "I2"]))),),
                        paid_on=date(2026, 3, draw(st.integers(1, 9))),
                    )
                )
    return said


@st.composite
def remarks(draw: st.DrawFn, client_id: str) -> list[Event]:
    """More of what ledger may say of one client, of other rows than the rest."""
    said: list[Event] = []
    disputes = list[UUID]()
    entry = entry_id(f"{client_id}I1")
    for _ in range(draw(st.integers(0, 6))):
        match draw(st.sampled_from(REMARKED)):
            case "entry":
                resumes_on = draw(st.sampled_from([None, date(2026, 4, 1), date(2026, 5, 1)]))
                said.append(ledger.EntryStopped(client_id=client_id, entry_id=entry, resumes_on=resumes_on))
                if draw(flags):
                    said.append(ledger.EntryResumed(client_id=client_id, entry_id=entry))
            case "dispute":
                disputes.append(uuid4())
                of = draw(st.sampled_from([None, entry]))
                said.append(
                    ledger.DisputeOpened(dispute_id=disputes[-1], client_id=client_id, entry_id=of, reason="price")
                )
            case "close" if disputes:
                said.append(ledger.DisputeClosed(dispute_id=disputes.pop(), client_id=client_id))
            case "expected":
                expected_on = draw(st.sampled_from([None, date(2026, 4, 1), date(2026, 5, 1)]))
                said.append(ledger.EntryRepositioned(client_id=client_id, entry_id=entry, expected_on=expected_on))
            case "merge":
                into = draw(st.sampled_from([one for one in CLIENTS if one != client_id]))
                said.append(ledger.ClientMerged(client_id=client_id, into=into))
            case "erase":
                said.append(ledger.PersonErased(client_id=client_id, version=draw(st.integers(1, 20))))
            case "flag":
                said.append(ledger.ClientFlagged(client_id=client_id, flagged=draw(flags)))
    return said


def numbered(events: list[tuple[str, Event]]) -> list[Delivered]:
    numbers: dict[int, int] = {}
    heard = []
    for client_id, event in events:
        p = partition_of(COMPANY, client_id)
        numbers[p] = numbers.get(p, 0) + 1
        heard.append(
            Delivered.of(
                event,
                company=COMPANY,
                client_id=client_id,
                as_of=date(2026, 3, 10),
                number=numbers[p],
                partition=p,
            )
        )
    return heard


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Delivered], list[Delivered]]:
    """What sync says, and what ledger says, each in its order."""
    foreign = [
        (client_id, draw(from_sync(client_id)))
        for client_id in draw(st.lists(st.sampled_from(CLIENTS), min_size=1, max_size=10))
    ]
    own = [
        (client_id, event)
        for client_id in CLIENTS
        for history in (own_history(client_id), remarks(client_id))
        for event in draw(history)
    ]
    return numbered(foreign), numbered(own)


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[list[Delivered], list[Delivered], list[list[Delivered]]]:
    """Two streams, and batches of both in which each keeps its order."""
    foreign, own = draw(streams())
    waiting = [list(foreign), list(own)]
    batches = []
    while any(waiting):
        stream = draw(st.sampled_from([queue for queue in waiting if queue]))
        size = draw(st.integers(1, len(stream)))
        batches.append(stream[:size])
        del stream[:size]
    return foreign, own, batches


@pytest.fixture(scope="module")
def shuffled(stack: Stack) -> str:
    """The worker's URL of a schema that nothing else writes."""
    migrate("services.ledger", stack.database_url("ledger", "owner"), SCHEMA)
    return stack.database_url("ledger", "worker")


async def rows(tx: AsyncConnection) -> dict[str, list[Any]]:
    return {table.name: sorted(map(repr, (await tx.execute(select(table))).all())) for table in DERIVED}


async def rows_after(url: str, batches: list[list[Delivered]]) -> dict[str, list[Any]]:
    shuffling = engine(url, SCHEMA)
    try:
        async with shuffling.connect() as tx:
            for batch in batches:
                await project_all(tx, PROJECT, batch)
            found = await rows(tx)
            await tx.rollback()
            return found
    finally:
        await shuffling.dispose()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=interleavings())
def test_any_interleaving_ends_in_the_same_rows(
    shuffled: str, drawn: tuple[list[Delivered], list[Delivered], list[list[Delivered]]]
) -> None:
    foreign, own, batches = drawn
    asyncio.run(both(shuffled, foreign, own, batches))


async def both(url: str, foreign: list[Delivered], own: list[Delivered], batches: list[list[Delivered]]) -> None:
    one_by_one = [[event] for event in (*foreign, *own)]
    assert await rows_after(url, batches) == await rows_after(url, one_by_one)
