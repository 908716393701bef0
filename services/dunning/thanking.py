"""Payments that may be thanked for (rule 12): kept as ledger announces them, read as a decision needs them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from chassis.delivered import Delivered
from chassis.items import Items, Told, array
from chassis.new_rows import NewRows
from services.dunning.domain.scenario import THANKS
from services.dunning.domain.scenario_words import LONGEST_THANKS_DELAY_DAYS
from services.dunning.domain.state import NEVER_ENTERED, PaidGroup, PaidLine
from services.dunning.domain.thanks import NOT_OLDER_THAN
from services.dunning.marking import LOOK

OLDEST_PAYMENT_DAYS = NOT_OLDER_THAN.days + LONGEST_THANKS_DELAY_DAYS
"""Payments older than this, when they are announced, are thanked by no scenario, and are not kept."""

PAYMENT = """
    insert into paid_group (company, client_id, payment_id, p, payments, settled, paid_on)
    select heard.company, g.client_id, g.payments[1], heard.p, g.payments, g.settled, g.paid_on
    from {heard}, json_to_record(heard.body::json) as g(client_id text, payments text[], settled text[],
        paid_on date)
    where g.paid_on >= heard.as_of - %(oldest)s::integer
    on conflict do nothing
"""

PAYMENTS = PAYMENT.replace("json_to_record(heard.body::json)", "json_to_recordset(heard.body::json -> 'groups')")

MARK_PAID = f"""
    insert into schedule as known (company, p, client_id, next_on)
    select distinct heard.company, heard.p, g.client_id, '-infinity'::date
    from {{heard}}, json_to_recordset(heard.body::json -> 'groups') as g(client_id text, paid_on date)
    where g.paid_on >= heard.as_of - %(oldest)s::integer
    order by heard.company, heard.p, g.client_id
    on conflict (company, p, client_id) do update set {LOOK}
"""  # noqa: S608 a constant of marking

GROUPS = Items("groups", {"client_id": "text", "paid_on": "date", "payments": "text[]", "settled": "text[]"})
GROUP = NewRows(
    "paid_group",
    ("client_id", "payment_id", "payments", "settled", "paid_on"),
    lambda group: (
        f"{group.client_id}\t{group.payments[0]}\t{array(group.payments)}\t{array(group.settled)}\t{group.paid_on}"
    ),
)


def lately_paid(heard: Sequence[Delivered]) -> Told:
    """The groups of these events that are young enough to be kept."""
    young: list[tuple[Delivered, list[Any]]] = []
    for event, groups in GROUPS.told(heard):
        oldest = (event.as_of - timedelta(days=OLDEST_PAYMENT_DAYS)).isoformat()
        young.append((event, [group for group in groups if group.paid_on >= oldest]))
    return young


THANKED = """(
    exists (
        select from action_entry h join action a using (company, client_id, action_id)
        where h.company = g.company and h.client_id = g.client_id and h.step = 'thanks' and a.status = 'done'
            and a.counts and case
                when a.by_hand then a.ended_on >= g.paid_on and h.entry_id = any(g.payments || g.settled)
                else h.entry_id = g.payment_id
            end
    )
    or exists (
        select from thanked_before b
        where b.company = g.company and b.client_id = g.client_id and b.entry_id = any(g.payments)
    ))"""
"""Of a ``paid_group`` ``g``: each payment is thanked once, by a scenario, by hand of what it settled, or under a
code that was merged (rules 12.2, 22.24)."""

PAID = f"""
    select asked.client_id, g.payment_id, g.paid_on, e.entry_id, e.currency, (e.amount * 10000)::bigint,
        (e.book_amount * 10000)::bigint, e.due_date, coalesce(l.level, 0),
        coalesce(e.lettering is not null and not e.removed, false)
    from unnest(%(clients)s::text[]) asked(client_id)
    cross join lateral (
        select * from paid_group g where company = %(company)s and client_id = asked.client_id
            and paid_on > (
                select min((body ->> 'thanks_since')::date) from scenario where company = %(company)s
            )
            and not {THANKED}
        offset 0
    ) g
    cross join lateral unnest(g.payments || g.settled) with ordinality as line(entry_id, n)
    left join lateral (
        select * from entry where company = %(company)s and client_id = asked.client_id
            and entry_id = line.entry_id offset 0
    ) e on true
    left join entry_level l on l.company = e.company and l.client_id = e.client_id and l.entry_id = e.entry_id
    order by asked.client_id, g.paid_on, g.payment_id, line.n
"""  # noqa: S608 - a fragment of this file


THANKED_PAYMENTS = text(f"""
    select distinct payment from paid_group g, unnest(g.payments) payment
    where g.company = :company and g.client_id = :client_id and {THANKED}
    union
    select entry_id from thanked_before where company = :company and client_id = :client_id
""")  # noqa: S608 - a fragment of this file


def paid_groups(
    rows: Iterable[tuple[Any, ...]], entered: Mapping[tuple[str, str], Mapping[str, int]]
) -> dict[str, list[PaidGroup]]:
    """Payments that may still be thanked (rule 12). A line that accounting has not told of yet, or took back,
    makes its group unsettled."""
    groups: dict[tuple[str, str, date], list[tuple[Any, ...]]] = {}
    for client, payment, paid_on, *line in rows:
        groups.setdefault((client, payment, paid_on), []).append(tuple(line))
    paid: dict[str, list[PaidGroup]] = {}
    for (client, _, paid_on), lines in groups.items():
        currency = next((line[1] for line in lines if line[0] is not None), None)
        held = tuple(
            PaidLine._make((*line[:6], entered.get((client, line[0]), NEVER_ENTERED).get(THANKS, 0)))
            for line in lines
            if line[0] is not None and line[1] == currency
        )
        paid.setdefault(client, []).append(PaidGroup(paid_on, all(line[6] for line in lines), held))
    return paid
