"""What ledger says of lettering: payments that settled invoices, and letterings that do not add up."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.heard_rows import applying, removing
from chassis.items import Items, array
from chassis.new_rows import NewRows
from chassis.projection import Delivered, Project

ERROR_FOUND = """
    insert into lettering_error (company, client_id, account, lettering, p, difference, found_on)
    select distinct on (heard.company, e.client_id, e.account, e.lettering) heard.company, e.client_id, e.account,
        e.lettering, heard.p, e.difference, heard.as_of
    from {heard}, json_to_record(heard.body::json) as e(client_id text, account text, lettering text,
        difference numeric)
    order by heard.company, e.client_id, e.account, e.lettering, heard.number desc
    on conflict (company, client_id, account, lettering) do update set
        difference = excluded.difference, found_on = excluded.found_on
"""

ERROR_CLEARED = removing("lettering_error", client_id="text", account="text", lettering="text")

PAYMENTS = Items(
    "groups",
    {
        "client_id": "text", "account": "text", "lettering": "text", "paid_on": "date", "payments": "text[]",
        "settled": "text[]",
    },
)  # fmt: skip

PAYMENT = NewRows(
    "lettered_payment",
    ("client_id", "account", "lettering", "payments", "settled", "paid_on"),
    lambda group: (
        f"{group.client_id}\t{group.account}\t{group.lettering}\t{array(group.payments)}\t{array(group.settled)}"
        f"\t{group.paid_on}"
    ),
)

PAYMENT_LETTERED = """
    with told as (
        select heard.company, e.client_id, e.account, e.lettering, heard.p, heard.number, e.payments, e.settled,
            e.paid_on
        from {heard}, json_to_record(heard.body::json) as e(client_id text, account text, lettering text,
            payments text[], settled text[], paid_on date)
    ),
    known as (
        select company, client_id, account, lettering, one.p, 0 as number, one.payments, one.settled, one.paid_on
        from (select distinct company, client_id, account, lettering from told) asked
        cross join lateral (
            select p, payments, settled, paid_on from lettered_payment
            where (company, client_id, account, lettering)
                = (asked.company, asked.client_id, asked.account, asked.lettering)
            limit 1
        ) one
    ),
    every as (select * from told union all select * from known)
    insert into lettered_payment (company, client_id, account, lettering, p, payments, settled, paid_on)
    select company, client_id, account, lettering, max(p),
        array_agg(distinct named.entry_id order by named.entry_id) filter (where named.paying),
        array_agg(distinct named.entry_id order by named.entry_id) filter (where not named.paying),
        (array_agg(paid_on order by number desc))[1]
    from every cross join lateral (
        select unnest(payments), true union all select unnest(settled), false
    ) named(entry_id, paying)
    group by company, client_id, account, lettering
    on conflict (company, client_id, account, lettering) do update set
        payments = excluded.payments, settled = excluded.settled, paid_on = excluded.paid_on
"""

PAYMENTS_LETTERED = PAYMENT_LETTERED.replace(
    "json_to_record(heard.body::json)", "json_to_recordset(heard.body::json -> 'groups')"
)

_payments_lettered = applying(PAYMENTS_LETTERED)


async def payments_lettered(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """Many payments at once, most often of groups that held none before."""
    if not await PAYMENT.copy(await driver(tx), PAYMENTS.told(heard)):
        await _payments_lettered(tx, heard)


SETTLED: Mapping[str, Project] = {
    "LetteringErrorFound": applying(ERROR_FOUND),
    "LetteringErrorCleared": applying(ERROR_CLEARED),
    "PaymentLettered": applying(PAYMENT_LETTERED),
    "PaymentsLettered": payments_lettered,
}
