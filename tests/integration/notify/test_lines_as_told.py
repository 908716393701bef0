"""What accounting tells of a client's entries: the last telling counts, however and with whom it was told."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.database import transaction
from chassis.delivered import Delivered
from contracts.subjects import partition_of
from contracts.sync import EntriesSynced, SyncedEntry
from services.notify import queries
from services.notify.domain import EntryNow
from services.notify.projection.synced import entries_synced
from tests.integration.notify.conftest import DAY, House, action, entry_id, synced


def told(company: str, number: int, *lines: SyncedEntry, body: bytes | None = None) -> Delivered:
    return Delivered.of(
        EntriesSynced(run_id=UUID(int=1), source="book", entries=lines),
        company=company,
        client_id=None,
        as_of=DAY,
        number=number,
        partition=partition_of(company, lines[0].client_id),
        body=body,
    )


async def hear(house: House, *events: Delivered) -> None:
    async with transaction(house.process.engine) as tx:
        await entries_synced(tx, list(events))


async def looked_at(house: House, company: str, entries: Sequence[SyncedEntry]) -> dict[str, EntryNow]:
    planned = action(company, entries[0].client_id, entries)
    async with transaction(house.process.engine) as tx:
        looked = await queries.look_ahead(tx, company, [planned])
    return dict(looked[planned.action_id].now.entries)


async def rows(house: House, company: str) -> list[dict[str, Any]]:
    async with transaction(house.process.engine) as tx:
        found = await tx.execute(
            text("select * from synced_lines where company = :company order by client_id, number"),
            {"company": company},
        )
        return [dict(row._mapping) for row in found]


async def test_an_entry_is_what_was_told_of_it_last(house: House, company: str) -> None:
    first, other = synced("F1", "C1", "100"), synced("F2", "C1", "200")
    changed = synced("F1", "C1", "90.5", due_date=date(2026, 3, 1), lettering="AA")
    await hear(house, told(company, 1, first, other))
    await hear(house, told(company, 2, changed))
    entries = await looked_at(house, company, [first, other])
    assert (entries[entry_id("F1")].amount, entries[entry_id("F1")].due_date) == (
        Decimal("90.5"),
        date(2026, 3, 1),
    )
    assert (entries[entry_id("F1")].lettered, entries[entry_id("F2")].lettered) == (True, False)
    assert (entries[entry_id("F2")].piece, entries[entry_id("F2")].kind) == ("F2", "invoice")
    await hear(house, told(company, 3, synced("F2", "C1", "200", removed=True)))
    assert (await looked_at(house, company, [other]))[entry_id("F2")].removed


async def test_what_was_told_twice_in_one_event_is_what_came_last(house: House, company: str) -> None:
    await hear(house, told(company, 1, synced("F1", "C1", "100"), synced("F1", "C1", "80")))
    assert (await looked_at(house, company, [synced("F1", "C1", "80")]))[entry_id("F1")].amount == 80


async def test_an_entry_that_nobody_told_of_is_not_known(house: House, company: str) -> None:
    await hear(house, told(company, 1, synced("F1", "C1", "100")))
    unheard = synced("F9", "C1", "100")
    assert await looked_at(house, company, [unheard]) == {}


async def test_the_entries_of_another_client_with_the_same_name_are_left_alone(house: House, company: str) -> None:
    mine, moved = synced("F1", "C1", "100", removed=True), synced("F1", "C2", "100")
    await hear(house, told(company, 1, mine), told(company, 1, moved))
    assert (await looked_at(house, company, [mine]))[entry_id("F1")].removed
    assert not (await looked_at(house, company, [moved]))[entry_id("F1")].removed


async def test_many_lines_at_once_are_kept_as_few_are(house: House, company: str) -> None:
    """Many go in by COPY, few by a statement, what was heard already stays: the rows are the same."""
    lines = [synced(f"F{n}", f"C{n // 2}", "100", lettering="AA" if n % 3 else None) for n in range(300)]
    by_client = {
        client: [line for line in lines if line.client_id == client] for client in {x.client_id for x in lines}
    }
    for number, (_, mine) in enumerate(sorted(by_client.items()), 1):
        await hear(house, told(company, number, *mine))
    one_by_one = await rows(house, company)
    async with transaction(house.process.engine) as tx:
        await tx.execute(text("delete from synced_lines where company = :company"), {"company": company})
    together = [told(company, number, *mine) for number, (_, mine) in enumerate(sorted(by_client.items()), 1)]
    await hear(house, *together)
    assert await rows(house, company) == one_by_one
    await hear(house, *together)
    assert await rows(house, company) == one_by_one


async def test_signs_that_separate_lines_and_columns_may_stand_in_a_piece(house: House, company: str) -> None:
    odd = synced("F1", "C1", "100", lettering="A\tB")
    odd = odd.model_copy(update={"piece": "F\x1d1\x1e\\2\t3\r\n4"})
    await hear(house, told(company, 1, odd, synced("F2", "C1", "50")))
    entries = await looked_at(house, company, [odd, synced("F2", "C1", "50")])
    assert entries[entry_id("F1")].piece == "F 1 \\2\t3\r\n4"
    assert entries[entry_id("F2")].amount == 50


async def test_a_number_where_a_text_is_usual_is_read(house: House, company: str) -> None:
    line = synced("F1", "C1", "100")
    written = json.loads(EntriesSynced(run_id=UUID(int=1), source="book", entries=(line,)).model_dump_json())
    written["entries"][0]["debit"] = 100.5
    await hear(house, told(company, 1, line, body=json.dumps(written).encode()))
    assert (await looked_at(house, company, [line]))[entry_id("F1")].amount == Decimal("100.5")


async def test_what_a_client_owes_counts_the_last_telling_and_groups_in_error(house: House, company: str) -> None:
    """Rules 1.3, 1.4, 2.8: late and not yet, without what is lettered or removed, but for groups in error."""
    late, ahead = date(2026, 3, 9), date(2026, 3, 10)
    await hear(
        house,
        told(
            company,
            1,
            synced("F1", "C1", "100", due_date=late),
            synced("F2", "C1", "200", due_date=ahead),
            synced("F3", "C1", "400", due_date=late),
            synced("F4", "C1", "800", due_date=late, lettering="AA"),
            synced("F5", "C1", "1600", due_date=late, lettering="BB"),
        ),
    )
    await hear(house, told(company, 2, synced("F3", "C1", "400", due_date=late, removed=True)))
    async with transaction(house.process.engine) as tx:
        await tx.execute(
            text(
                "insert into lettering_error (company, client_id, account, lettering, p)"
                " values (:company, 'C1', '411000', 'BB', 1)"
            ),
            {"company": company},
        )
        found = await queries.totals(tx, company, ["C1", "C2"], DAY)
    assert found == {("C1", "EUR"): queries.Totals(Decimal(1700), Decimal(200))}
