"""Amounts on every page equal a plain computation over the lines of a small book, however these came in."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import md5
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.ledger import ClientChanged, CompanyRegistered
from contracts.sync import EntriesSynced, SyncedEntry
from services.reporting.queries.client import client_page
from services.reporting.queries.home import home
from services.reporting.queries.view import Page, view
from services.reporting.queries.wanted import Wanted
from services.reporting.queries.who_owes_what import who_owes_what
from tests.integration.reporting.conftest import DAY, project

CENT = Decimal("0.01")
CLIENTS = ("411ALBA", "411BREST", "411CERISE")
MODES = ("transfer", "cheque", None)


@dataclass(frozen=True)
class Line:
    place: int
    client: str
    amount: Decimal
    entry_date: date
    due_date: date
    code: str | None
    mode: str | None
    removed: bool

    def synced(self) -> SyncedEntry:
        return SyncedEntry(
            entry_id=md5(str(self.place).encode()).hexdigest(),
            client_id=self.client,
            account="411000",
            kind="invoice" if self.amount > 0 else "payment",
            journal="VT",
            piece=f"P{self.place}",
            entry_date=self.entry_date,
            due_date=self.due_date,
            debit=max(self.amount, Decimal(0)),
            credit=max(-self.amount, Decimal(0)),
            currency="EUR",
            book_amount=self.amount,
            payment_mode=self.mode,
            lettering=self.code,
            removed=self.removed,
        )


amounts = st.integers(-300_000, 300_000).filter(bool).map(lambda cents: cents * CENT)
days = st.integers(-130, 130).map(lambda n: DAY + timedelta(days=n))


@st.composite
def books(draw: st.DrawFn) -> list[Line]:
    """Lines of three clients; a few appear twice, the later state counting."""
    lines = []
    for _ in range(draw(st.integers(0, 25))):
        lines.append(
            Line(
                place=draw(st.integers(0, 18)),
                client=draw(st.sampled_from(CLIENTS)),
                amount=draw(amounts),
                entry_date=draw(days),
                due_date=draw(days),
                code=draw(st.sampled_from((None, None, "A", "B"))),
                mode=draw(st.sampled_from(MODES)),
                removed=draw(st.sampled_from((False, False, False, True))),
            )
        )
    # a lettering that balances
    for client in CLIENTS:
        coded = [line for line in lines if line.client == client and line.code == "A" and not line.removed]
        if coded and draw(st.booleans()):
            latest = {line.place: line for line in lines if line.client == client}
            whole = sum(
                (line.amount for line in latest.values() if line.code == "A" and not line.removed), Decimal(0)
            )
            if whole:
                place = 100 + CLIENTS.index(client)
                lines.append(Line(place, client, -whole, DAY, DAY, "A", None, False))
    return lines


class Expected:
    """The rules read as plainly as possible."""

    def __init__(self, lines: list[Line]) -> None:
        latest = {(line.client, line.place): line for line in lines}
        self.kept = [line for line in latest.values() if not line.removed]
        groups: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
        for line in self.kept:
            groups[line.client, line.code] += line.amount
        self.open = [
            line
            for line in self.kept
            if line.code is None or abs(groups[line.client, line.code]) > Decimal("0.005")
        ]
        self.by_client: dict[str, list[Line]] = defaultdict(list)
        for line in self.open:
            self.by_client[line.client].append(line)
        self.debtors = {client for client, of in self.by_client.items() if sum(line.amount for line in of) > 0}

    def between(self, client: str, least: int, most: int) -> Decimal:
        """Open amounts of a client that are so many days late, net of credits (rule 1.4)."""
        of = self.by_client[client]
        return sum((line.amount for line in of if least <= (DAY - line.due_date).days <= most), Decimal(0))

    def overdue(self, client: str) -> Decimal:
        return self.between(client, 1, 10_000)

    def total(self, client: str) -> Decimal:
        return self.between(client, -10_000, 10_000)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=books(), cut=st.integers(0, 25))
async def test_pages_add_up_like_a_plain_computation(tx: AsyncConnection, lines: list[Line], cut: int) -> None:
    """Rules 1.2, 1.3, 1.4, 1.5, 1.6, 2.8, 16.1, 16.7."""
    company = f"h{uuid4().hex[:12]}"
    run = uuid4()
    parts = [part for part in (lines[:cut], lines[cut:]) if part]
    await project(tx, company, CompanyRegistered(name="Book", fiscal_year_start="10-01"))
    for client in CLIENTS[:2]:
        await project(
            tx, company, ClientChanged(client_id=client, version=1, payment_mode="draft", profile=client[3:])
        )
    for part in parts:
        entries = tuple(line.synced() for line in part)
        await project(tx, company, *(EntriesSynced(run_id=run, source="b", entries=(one,)) for one in entries))
        await home(tx, await view(tx, company, DAY))  # what is kept for the day must follow what comes later
    expected = Expected(lines)
    seen = await view(tx, company, DAY)

    shown = await home(tx, seen)
    debtors = expected.debtors
    assert shown.owed.total == sum(map(expected.total, debtors))
    assert shown.owed.overdue == sum(map(expected.overdue, debtors))
    assert shown.owed.upcoming == shown.owed.total - shown.owed.overdue
    assert shown.owed.clients == len(debtors)
    assert shown.owed.overdue_clients == sum(expected.overdue(client) > 0 for client in debtors)
    edges = [(91, 10_000), (61, 90), (31, 60), (1, 30), (-30, 0), (-60, -31), (-10_000, -61)]
    assert [bucket.amount for bucket in shown.ageing] == [
        sum(expected.between(client, least, most) for client in debtors) for least, most in edges
    ]
    since = date(2026, 10, 1)
    assert shown.paid.amount == sum(
        (-line.amount for line in expected.kept if line.amount < 0 and since <= line.entry_date <= DAY), Decimal(0)
    )
    assert sum(week.amount for week in shown.paid.weeks) == shown.paid.amount
    modes: dict[str | None, Decimal] = defaultdict(Decimal)
    for client in debtors:
        for line in expected.by_client[client]:
            modes[line.mode or ("draft" if client in CLIENTS[:2] else None)] += line.amount
    assert {share.key: share.overdue + share.upcoming for share in shown.by_payment_mode} == modes
    profiles = {
        (client[3:] if client in CLIENTS[:2] else "Standard"): expected.total(client) for client in debtors
    }
    assert {share.key: share.overdue + share.upcoming for share in shown.by_profile} == profiles

    table = await who_owes_what(tx, seen, Wanted(page=Page(1, 10)))
    assert {row.client_id for row in table.rows} == debtors
    for row in table.rows:
        slices = [(61, 10_000), (31, 60), (1, 30)]
        assert row.slices == [expected.between(row.client_id, *edge) for edge in slices]
        assert (row.overdue, row.total) == (expected.overdue(row.client_id), expected.total(row.client_id))
    assert [row.overdue for row in table.rows] == sorted((row.overdue for row in table.rows), reverse=True)
    assert table.totals.total == shown.owed.total

    for client in CLIENTS:
        page = await client_page(tx, seen, client)
        if page is not None:
            assert (page.overdue, page.amount_due) == (expected.overdue(client), expected.total(client))
            assert page.statement.balance == page.amount_due
