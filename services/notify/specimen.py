"""A message that nobody decided, about what a real client owes: for whoever writes a template to look at."""

from collections import Counter
from datetime import date
from uuid import uuid4

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.dunning import Action, ActionEntry
from services.notify.delivered import Kind

MOST_LINES = 200

SOME = """
    (select distinct client_id from synced_lines where company = :company limit 200) sample
    cross join lateral (
        select * from entry where company = :company and client_id = sample.client_id and not removed offset 0
    ) e
"""
SOMEBODY = text(
    f"""
    select client_id from (
        select e.client_id from {SOME} where lettering is null and amount > 0 and due_date < :as_of limit 2000
    ) late group by client_id order by count(*) desc, client_id limit 1
    """  # noqa: S608 - a fragment of this file
)
ANYBODY = text(f"select e.client_id from {SOME} limit 1")  # noqa: S608 - a fragment of this file
ENTRIES = text(
    """
    select entry_id, due_date, amount, currency, lettering is not null as lettered from entry
    where company = :company and client_id = :client_id and not removed
    order by due_date desc, entry_id limit 2000
    """
)


class NothingToShow(LookupError):
    """The client has no entry that a message could speak of, or the company no client."""


async def somebody(tx: AsyncConnection, company: str, as_of: date) -> str:
    """A client with much that is late; any other when nobody is. Raises ``NothingToShow``."""
    asked = {"company": company, "as_of": as_of}
    found: str | None = await tx.scalar(SOMEBODY, asked) or await tx.scalar(ANYBODY, {"company": company})
    if found is None:
        raise NothingToShow(company)
    return found


async def specimen(  # noqa: PLR0913, PLR0917 - what the message is
    tx: AsyncConnection, company: str, client_id: str, kind: Kind, level: int | None, medium: str, as_of: date
) -> tuple[Action, bool]:
    """An action for this client, and whether its entries are of the kind that such a message speaks of: late for a
    reminder, not yet due for a notice, settled for a thank-you. Raises ``NothingToShow``.
    """
    rows = (await tx.execute(ENTRIES, {"company": company, "client_id": client_id})).all()
    fitting = [row for row in rows if _fits(row, kind, as_of)]
    shown = fitting or [row for row in rows if not row.lettered] or list(rows)
    if not shown:
        raise NothingToShow(client_id)
    currency = Counter(row.currency for row in shown).most_common(1)[0][0]
    lines = [row for row in shown if row.currency == currency][:MOST_LINES]
    step = kind if kind != "reminder" else f"R{level or 1}"
    net = sum(row.amount for row in lines)
    action = Action(
        action_id=uuid4(),
        client_id=client_id,
        profile="",
        scenario_version=0,
        kind=kind,
        step=step,
        medium=medium,
        currency=currency,
        amount=sum(row.amount for row in lines if row.amount > 0),
        net_amount=net,
        book_net_amount=net,
        due_since=as_of,
        entries=tuple(_line(row, level) for row in lines),
    )
    return action, bool(fitting)


def _fits(row: Row[tuple[object, ...]], kind: Kind, as_of: date) -> bool:
    if kind == "thanks":
        return bool(row.lettered) and row.amount > 0
    if row.lettered:
        return False
    return bool(row.due_date >= as_of and row.amount > 0) if kind == "notice" else bool(row.due_date < as_of)


def _line(row: Row[tuple[object, ...]], level: int | None) -> ActionEntry:
    before = f"R{level - 1}" if level and level > 1 else None
    return ActionEntry(
        entry_id=row.entry_id, occurrence=1, amount=row.amount, due_date=row.due_date, level_before=before
    )
