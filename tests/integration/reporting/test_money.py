"""What the measures of money and messages show, on the company's own day."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from contracts.dunning import ActionDone, ActionDue
from contracts.ledger import CompanyRegistered
from contracts.notify import EmailSent
from contracts.sync import EntriesSynced
from services.reporting.money import DUE, MESSAGES, OVERDUE, REMINDED, count
from tests.integration.reporting.conftest import project
from tests.integration.reporting.test_pages import action, line

TODAY = clock.today("Europe/Paris")
EVE, DAY_AFTER = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


def shown(measure: Gauge, company: str) -> Mapping[tuple[str, ...], float]:
    """Its values of a company, by the other labels."""
    return {
        tuple(value for label, value in sorted(sample.labels.items()) if label != "company"): sample.value
        for metric in measure.collect()
        for sample in metric.samples
        if sample.labels["company"] == company
    }


@pytest.mark.parametrize(("due", "overdue"), [(EVE, 130.0), (TODAY, 0.0), (DAY_AFTER, 0.0)])
async def test_a_line_is_overdue_the_day_after_it_is_due(
    tx: AsyncConnection, company: str, due: date, overdue: float
) -> None:
    await project(tx, company, CompanyRegistered(name="Measured", currency="CHF"))
    owes = line("F1", "411A", "150.00", due), line("A1", "411A", "-20.00", due)
    is_owed = line("F2", "411B", "10.00", EVE), line("V2", "411B", "-300.00", EVE)
    for one in (*owes, *is_owed):
        await project(tx, company, EntriesSynced(run_id=uuid4(), source="book", entries=(one,)))
    await count(tx)
    # those who are owed more than they owe are not counted against the others
    assert shown(DUE, company) == {("CHF",): 130.0}
    assert shown(OVERDUE, company) == {("CHF",): overdue}


async def test_messages_are_those_of_today_by_what_became_of_them(tx: AsyncConnection, company: str) -> None:
    await project(tx, company, CompanyRegistered(name="Measured"))
    old, sent, waits, call = (
        action("411A", "R1", medium, "100.50", "F1") for medium in ("email", "email", "email", "phone")
    )
    for one, on in ((old, EVE), (sent, TODAY), (waits, TODAY), (call, TODAY)):
        await project(tx, company, ActionDue(action=one), on=on)
    for one, on in ((old, EVE), (sent, TODAY)):
        left = EmailSent(action_id=one.action_id, client_id="411A", message_id="m", sent_at=clock.now())
        await project(tx, company, left, on=on)
        done = ActionDone(
            action_id=one.action_id, client_id="411A", step="R1", medium="email", done_on=on, levels=()
        )
        await project(tx, company, done, on=on)
    await count(tx)
    assert shown(MESSAGES, company) == {("email", "sent"): 1, ("email", "waiting"): 1}
    assert shown(REMINDED, company) == {("EUR",): float(Decimal("100.50"))}
