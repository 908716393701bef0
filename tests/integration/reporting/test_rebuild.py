"""Reporting's rows come out the same from the first event, and in any order between the speakers."""

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import select, text

from chassis.database import engine, migrate, transaction
from chassis.embedded import Stack
from chassis.eventlog import Delivered
from chassis.listening import project_all
from chassis.rebuild import Rebuild, Report
from contracts.registry import EVENTS
from services.reporting.projection import PROJECT
from services.reporting.tables import DERIVED, KEPT
from tests.integration.reporting.conftest import SPEAKERS, House, Names, Voices
from tests.integration.reporting.test_pages import Book

LOG = text("select * from event_log where company = :company order by p, pseq")


async def rebuilt(house: House) -> Report:
    service = house.process.service
    assert service.listening is not None
    settings = service.settings
    rebuild = Rebuild(
        service.name,
        "services.reporting",
        service.listening,
        service.events,
        settings.owner_database_url,
        settings.nats_url,
    )
    return await rebuild.run()


async def test_a_rebuild_gives_the_same_rows_and_names_a_corrupted_one(
    house: House, voices: Voices, ledger_names: Names, company: str
) -> None:
    book = Book(company, voices)
    await book.fill()
    await house.get(company, "/home", book.heard)
    report = await rebuilt(house)
    assert report.equal, report.differing
    assert set(report.tables) == {table.name for table in DERIVED}
    async with transaction(house.process.engine) as tx:
        spoilt = text("update entry set book_amount = 1 where company = :company and piece = 'FAC20114'")
        await tx.execute(spoilt, {"company": company})
    report = await rebuilt(house)
    assert report.differing_rows == 1
    assert report.differing[0]["table"] == "entry"
    async with transaction(house.process.engine) as tx:
        mended = text("update entry set book_amount = debit - credit where company = :company")
        await tx.execute(mended, {"company": company})


COLUMNS = text("""
    select column_name, is_nullable = 'YES' as nullable from information_schema.columns
    where table_schema = 'reporting' and table_name = :name order by ordinal_position
""")


async def test_the_migrations_make_the_tables_that_are_described(house: House) -> None:
    async with transaction(house.process.engine) as tx:
        for table in (*DERIVED, *KEPT):
            made = [tuple(row) for row in await tx.execute(COLUMNS, {"name": table.name})]
            assert made == [(column.name, column.nullable) for column in table.columns], table.name


async def heard_from(voices: Voices, company: str, speaker: str) -> list[Delivered]:
    """What a speaker's log holds about a company, as its hearers would get it."""
    async with transaction(voices.processes[speaker].engine) as tx:
        rows = (await tx.execute(LOG, {"company": company})).all()
    return [
        Delivered.of(
            EVENTS[f"relance.{speaker}.{row.type}.v{row.major}"].model_validate(row.body),
            company=company,
            client_id=row.client_id,
            as_of=row.as_of,
            number=row.pseq,
            partition=row.p,
            event_id=row.event_id,
            occurred_at=row.occurred_at,
        )
        for row in rows
    ]


@pytest.mark.parametrize("seed", range(6))
async def test_any_interleaving_of_the_speakers_ends_in_the_same_rows(
    stack: Stack, house: House, voices: Voices, company: str, seed: int
) -> None:
    """Architecture, Correctness 3."""
    book = Book(company, voices)
    await book.fill()
    streams = {speaker: await heard_from(voices, company, speaker) for speaker in SPEAKERS}
    await asyncio.to_thread(
        migrate, "services.reporting", stack.database_url("reporting", "owner"), "reporting_shuffled"
    )
    chance = random.Random(seed)
    orders: list[list[Delivered]] = [[event for heard in streams.values() for event in heard], []]
    waiting = {speaker: list(heard) for speaker, heard in streams.items()}
    while any(waiting.values()):
        queue = waiting[chance.choice([speaker for speaker, heard in waiting.items() if heard])]
        orders[1].append(queue.pop(0))
    shuffling = engine(stack.database_url("reporting", "worker"), "reporting_shuffled")
    try:
        results: list[dict[str, Any]] = []
        for order in orders:
            async with shuffling.connect() as tx:
                while order:
                    size = chance.randint(1, 8)
                    await project_all(tx, PROJECT, order[:size])
                    del order[:size]
                rows = {table.name: (await tx.execute(select(table))).all() for table in DERIVED}
                results.append({name: sorted(map(repr, found)) for name, found in rows.items()})
                await tx.rollback()
    finally:
        await shuffling.dispose()
    assert results[0] == results[1]
    assert results[0]["action"]
