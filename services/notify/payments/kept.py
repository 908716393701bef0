"""What is known of online payments: told to debtors, to users, and to whoever gives money back."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

CENTS = Decimal("0.0001")
PAID = text(
    "select distinct on (entry_id) entry_id, paid_on from online_payment"
    " where company = :company and client_id = :client_id order by entry_id, paid_on desc"
)
TWICE = """
    select payment_id, payment.client_id, payment.currency, payment.ended_at,
        sum(line.amount) filter (where is_twice)
            - greatest(max(returned) - coalesce(sum(line.amount) filter (where is_free), 0), 0) as surplus
    from payment
    cross join lateral (
        select line.amount, mine.entry_id is null as is_free, mine.entry_id is not null and exists (
            select from online_payment other
            join payment before using (company, payment_id)
            where other.company = payment.company and other.client_id = payment.client_id
                and other.entry_id = line.entry_id and before.ended_at < payment.ended_at) as is_twice
        from jsonb_to_recordset(payment.entries) as line(entry_id text, amount numeric)
        left join online_payment mine on mine.company = payment.company and mine.client_id = payment.client_id
            and mine.entry_id = line.entry_id and mine.payment_id = payment.payment_id
    ) line(amount, is_free, is_twice)
    where payment.company = :company and payment.state = 'paid'
        and (cast(:client_id as text) is null or payment.client_id = :client_id)
    group by payment.company, payment_id
    having bool_or(is_twice)
"""
"""Payments of lines that an earlier one has paid, and how much of each is to be given back: what went back already
is taken off, but for what freed lines that are owed again."""
TO_REFUND = text(f"select * from ({TWICE}) twice where surplus > 0 order by ended_at, payment_id limit 200")  # noqa: S608
LIST = text(
    """
    select payment_id, amount, currency, entries, state, as_of, created_at, ended_at, returned, contested,
        returned_at
    from payment
    where company = :company and client_id = :client_id order by created_at desc limit 100
    """
)


async def paid_on(tx: AsyncConnection, company: str, client_id: str) -> dict[str, date]:
    """The lines that were paid online, and when last."""
    rows = await tx.execute(PAID, {"company": company, "client_id": client_id})
    return {row.entry_id: row.paid_on for row in rows}


async def to_refund(tx: AsyncConnection, company: str, client_id: str | None = None) -> list[dict[str, Any]]:
    """Payments that came although their lines were paid online before: whose, and how much is to be given back."""
    rows = await tx.execute(TO_REFUND, {"company": company, "client_id": client_id})
    return [{**row._mapping, "surplus": format(row.surplus.quantize(CENTS), "f")} for row in rows]


async def payments_of(tx: AsyncConnection, company: str, client_id: str) -> list[dict[str, Any]]:
    """The newest first; their states are open, pending, closed, expired, failed and paid. ``surplus`` of one is to
    be given back."""
    surplus = {row["payment_id"]: row["surplus"] for row in await to_refund(tx, company, client_id)}
    rows = await tx.execute(LIST, {"company": company, "client_id": client_id})
    sums = ("amount", "returned", "contested")
    return [
        {
            **row._mapping,
            **{name: format(getattr(row, name), "f") for name in sums},
            "surplus": surplus.get(row.payment_id, "0.0000"),
        }
        for row in rows
    ]
