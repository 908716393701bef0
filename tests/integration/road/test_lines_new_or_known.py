"""Lines that are all new take a shorter way into the tables; either way ends in the same rows."""

from collections.abc import Iterator
from datetime import date
from importlib import import_module
from json import dumps
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.database import engine, migrate, transaction
from chassis.delivered import Delivered
from chassis.embedded import Stack
from chassis.items import FEW_ROWS
from contracts.ledger import PaymentsLettered
from contracts.subjects import partition_of
from contracts.sync import EntriesSynced

COMPANY = "lines"
CLIENTS = 40
LINES = 20
DAY = date(2026, 3, 10)
Item = dict[str, Any]
NOTIFY_READS = (
    "company", "client_id", "entry_id", "p", "account", "kind", "piece", "entry_date", "due_date", "amount",
    "currency", "lettering", "removed",
)  # fmt: skip
MODEL = EntriesSynced(run_id="0198a5b4-c3d2-7e1f-8000-000000000001", source="", entries=())  # type: ignore[arg-type]


def item(client: int, number: int, *, odd: bool = True) -> Item:
    """Every second line is paid by the one before it; one group in seven does not balance. With ``odd``
    letters some texts need care on their way."""
    paying = number % 2 == 1
    amount = f"{number // 2 + 1}.50"
    wrong = paying and (client + number // 2) % 7 == 0
    line: Item = {
        "entry_id": f"{client:016x}{number:016x}",
        "client_id": "C\\0\t é" if odd and client == 0 else f"C{client}",
        "account": "411000",
        "kind": "payment" if paying else "invoice",
        "journal": "BQ" if paying else "VE",
        "piece": 'F"\\N"\r\n' if odd and client == 1 else "É1" if odd and number == 4 else f"F{number}",
        "entry_date": "2026-01-10",
        "due_date": "2026-02-10",
        "debit": "0.00" if paying else amount,
        "credit": "0.01" if wrong else amount if paying else "0.00",
        "currency": "EUR",
        "book_amount": ("-0.01" if wrong else f"-{amount}") if paying else amount,
        "lettering": f"L{number // 2}" if number < 14 else None,
    }
    if number % 3 == 0:
        line |= {"invoice_date": "2026-01-09", "payment_mode": "transfer", "lettered_on": None, "removed": False}
    return line


def first_import(*, odd: bool) -> list[Item]:
    lines = [item(client, number, odd=odd) for client in range(CLIENTS) for number in range(LINES)]
    lines[45]["removed"] = True  # new, and gone already
    return lines


def later(*, odd: bool) -> list[Item]:
    """Lines lettered, unlettered, gone, back, of another amount; and new ones among them."""
    lines = [item(client, number, odd=odd) for client in range(CLIENTS) for number in range(10, LINES + 2)]
    for place, line in enumerate(lines):
        match place % 5:
            case 0:
                line["lettering"] = None
            case 1:
                line["lettering"] = "Z"
            case 2:
                line["removed"] = True
            case 3:
                line["book_amount"] = line["debit"] = "7.25"
    return lines


def told(lines: list[Item], at_once: int, numbers: dict[int, int]) -> Iterator[Delivered]:
    """Events of at most so many lines, partition by partition."""
    by_partition: dict[int, list[Item]] = {}
    for line in lines:
        by_partition.setdefault(partition_of(COMPANY, line["client_id"]), []).append(line)
    for p, mine in sorted(by_partition.items()):
        for start in range(0, len(mine), at_once):
            numbers[p] = numbers.get(p, 0) + 1
            body = dumps({"entries": mine[start : start + at_once]}).encode()
            yield Delivered.of(
                MODEL, company=COMPANY, client_id=None, as_of=DAY, partition=p, number=numbers[p], body=body
            )


@pytest.fixture(params=["ledger", "dunning", "notify", "reporting"])
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def emptied(stack: Stack, service: str, schema: str) -> AsyncEngine:
    url = stack.database_url(service, "owner")
    migrate(f"services.{service}", url, schema)
    return engine(url, schema)


async def rows(made: AsyncEngine, table: Table) -> list[Any]:
    # notify keeps lines by the event that told them: alike is what it reads of them
    if table.name == "synced_lines":
        table = Table("entry", MetaData(), *map(Column, NOTIFY_READS))
    # the numbers of events differ where the same lines come in more or fewer of them
    columns = [column for column in table.columns if column.name != "number"]
    async with transaction(made) as tx:
        return sorted(map(str, await tx.execute(select(*columns))))


@pytest.mark.parametrize("odd", [True, False], ids=["odd letters", "plain"])
async def test_lines_heard_at_once_or_little_by_little_end_alike(stack: Stack, service: str, odd: bool) -> None:
    project = import_module(f"services.{service}.projection").PROJECT["EntriesSynced"]
    tables = import_module(f"services.{service}.tables")
    at_once = await emptied(stack, service, f"{service}_at_once_{odd}".lower())
    by_and_by = await emptied(stack, service, f"{service}_by_and_by_{odd}".lower())
    try:
        numbers: dict[int, int] = {}
        others: dict[int, int] = {}
        for lines in (first_import(odd=odd), later(odd=odd)):
            async with transaction(at_once) as tx:
                await project(tx, list(told(lines, 500, numbers)))
            for event in told(lines, FEW_ROWS // 8, others):
                async with transaction(by_and_by) as tx:
                    await project(tx, [event])
            work = [import_module("services.ledger.tables.kept").touched_client] if service == "ledger" else []
            for table in (*tables.DERIVED, *work):
                assert await rows(at_once, table) == await rows(by_and_by, table), table.name
    finally:
        await at_once.dispose()
        await by_and_by.dispose()


@pytest.mark.parametrize("service", ["ledger", "dunning", "reporting"])
async def test_a_role_that_may_not_copy_takes_the_longer_way(
    stack: Stack, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row-level security is applied to the api role, as to a worker's that was made without BYPASSRLS."""
    found = import_module(f"services.{service}.projection")
    projection = found if hasattr(found, "ENTRY") else import_module(f"services.{service}.projection.synced")
    monkeypatch.setattr(projection.ENTRY, "_allowed", True)
    tables = import_module(f"services.{service}.tables")
    free = await emptied(stack, service, f"{service}_free")
    held = await emptied(stack, service, f"{service}_held")
    restricted = engine(stack.database_url(service, "api"), f"{service}_held")
    try:
        events = list(told(first_import(odd=False), 500, {}))
        async with transaction(free) as tx:
            await found.PROJECT["EntriesSynced"](tx, events)
        assert projection.ENTRY._allowed
        async with transaction(restricted, COMPANY) as tx:
            await found.PROJECT["EntriesSynced"](tx, events)
        assert not projection.ENTRY._allowed
        for table in tables.DERIVED:
            assert await rows(free, table) == await rows(held, table), table.name
    finally:
        for made in (free, held, restricted):
            await made.dispose()


PAYMENTS = {
    "ledger": ("projection.settled", "PAYMENT"),
    "reporting": ("projection.stated", "PAYMENT"),
    "dunning": ("thanking", "GROUP"),
}
"""Who puts payments straight into a table, and what does it."""


def lettered(number: int, groups: int) -> Delivered:
    """So many lettered groups of a few clients, told together; every fourth was paid long ago."""
    told_of = [
        {
            "client_id": "C\\0\t é" if place % 12 == 0 else f"C{place % 12}",
            "account": "411000",
            "lettering": "L\\N" if place % 5 == 0 else f"L{number}{place}",
            "payments": [f"{number:016x}{place:016x}"],
            "settled": [f"{number + 100:016x}{place:016x}", f"{number + 200:016x}{place:016x}"],
            "paid_on": "2025-01-05" if place % 4 == 0 else "2026-03-09",
        }
        for place in range(groups)
    ]
    made = PaymentsLettered(groups=())
    body = dumps({"groups": told_of}).encode()
    return Delivered.of(made, company=COMPANY, client_id=None, as_of=DAY, partition=3, number=number, body=body)


@pytest.mark.parametrize("service", PAYMENTS)
async def test_payments_go_straight_in_or_the_longer_way_and_end_alike(
    stack: Stack, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given many payments told at once, when some are told again with new ones, then each stands once."""
    module, name = PAYMENTS[service]
    straight = getattr(import_module(f"services.{service}.{module}"), name)
    project = import_module(f"services.{service}.projection").PROJECT["PaymentsLettered"]
    tables = import_module(f"services.{service}.tables")
    quick = await emptied(stack, service, f"{service}_payments_quick")
    slow = await emptied(stack, service, f"{service}_payments_slow")
    try:
        for events in ([lettered(1, 400)], [lettered(1, 400), lettered(2, 300)], [lettered(3, 5)]):
            for made, allowed in ((quick, True), (slow, False)):
                monkeypatch.setattr(straight, "_allowed", allowed)
                async with transaction(made) as tx:
                    await project(tx, events)
        for table in tables.DERIVED:
            assert await rows(quick, table) == await rows(slow, table), table.name
        (kept,) = (table for table in tables.DERIVED if table.name == straight.table)
        assert len(await rows(quick, kept)) == {"ledger": 576, "reporting": 705, "dunning": 528}[service]
    finally:
        await quick.dispose()
        await slow.dispose()
