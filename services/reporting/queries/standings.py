"""What every client owes on a day: added up from open entries, or read from rows kept for that day.

A day's rows are made when the day is first asked for, and brought up to date by the clients that changed since:
``synced_account`` tells the last event that touched a client, ``standing_day`` how far its rows have heard.
"""

import json
from collections.abc import Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.portfolio import is_limited
from services.reporting.queries.view import View

LATE = (0, 30, 60, 90)
AHEAD = (30, 60)
DAYS_KEPT = 3
MADE_ANEW_AFTER = "1 hour"
"""Rows made longer ago are made anew, should the entries have been replaced under them by a rebuild."""


def summed(late: Sequence[int], ahead: Sequence[int]) -> str:
    """Columns over open entries ``e`` of one client: ``total``, ``late0`` (overdue), ``late30`` (more than 30 days
    late), ``ahead30`` (due in more than 30 days) and so on, credits netted slice by slice (rule 1.4)."""
    columns = ["coalesce(sum(e.book_amount), 0) as total"]
    columns += [f"coalesce(sum(e.book_amount) filter (where e.due_date < :late{n}), 0) as late{n}" for n in late]
    columns += [
        f"coalesce(sum(e.book_amount) filter (where e.due_date > :ahead{n}), 0) as ahead{n}" for n in ahead
    ]
    return ", ".join(columns)


def edges(view: View, late: Sequence[int] = LATE, ahead: Sequence[int] = AHEAD) -> dict[str, date]:
    """The days that ``summed`` compares with."""
    return {f"late{n}": view.before(n) for n in late} | {f"ahead{n}": view.before(-n) for n in ahead}


MODES = """min(e.payment_mode) as payment_mode,
            coalesce(min(e.payment_mode) <> max(e.payment_mode), false)
                or count(e.payment_mode) not in (0, count(e.due_date)) as mixed_modes"""
"""The one payment mode of a client's open entries, or that they differ."""

ADDED_UP = f"""
    select e.client_id, {summed(LATE, AHEAD)}, {MODES}
    from entry e where e.company = :company and e.is_open group by e.client_id"""  # noqa: S608 - fragments of this file

KEPT = """
    select client_id, total, late0, late30, late60, late90, ahead30, ahead60, payment_mode, mixed_modes
    from standing where company = :company and as_of = :as_of"""

KNOWN = text("""
    select coalesce(
        (select jsonb_object_agg(p, number) from synced_partition where company = :company), '{}') as heard,
        d.numbers, d.made_at > now() - cast(:made_anew_after as interval) as young
    from (select 1) one left join standing_day d on d.company = :company and d.as_of = :as_of
""")

FORGET_STANDINGS = ("delete from standing", "delete from standing_day")
"""After a rebuild has put other rows in place: they were added up from the old ones."""

LOCK = text("select pg_try_advisory_xact_lock(hashtextextended('standing:' || :company, 0))")

REFRESH = text(f"""
    with heard as materialized (
        select coalesce(jsonb_object_agg(p, number), '{{}}') as numbers
        from synced_partition where company = :company
    ),
    changed as materialized (
        select a.client_id from synced_partition s
        join synced_account a on a.company = s.company and a.p = s.p
            and a.number > coalesce(cast(cast(:numbers as jsonb) ->> cast(s.p as text) as bigint), 0)
        where s.company = :company
    ),
    made as (
        insert into standing (company, as_of, client_id, total, late0, late30, late60, late90, ahead30, ahead60,
            payment_mode, mixed_modes)
        select :company, :as_of, c.client_id, {summed(LATE, AHEAD)}, {MODES}
        from changed c left join entry e on e.company = :company and e.client_id = c.client_id and e.is_open
        group by c.client_id
        on conflict (company, as_of, client_id) do update set (total, late0, late30, late60, late90, ahead30,
            ahead60, payment_mode, mixed_modes) = row(excluded.total, excluded.late0, excluded.late30,
            excluded.late60, excluded.late90, excluded.ahead30, excluded.ahead60, excluded.payment_mode,
            excluded.mixed_modes)
    )
    insert into standing_day (company, as_of, numbers, made_at)
    select :company, :as_of, numbers, now() from heard
    on conflict (company, as_of) do update set numbers = excluded.numbers
""")  # noqa: S608 - fragments of this file
"""One statement, so that the rows and the numbers they have heard are of one snapshot."""

FORGET = text("delete from standing_day where company = :company and as_of = :as_of")
FORGET_OTHERS = text("""
    with kept as (
        select as_of from standing_day where company = :company
        order by as_of = :as_of desc, made_at desc limit :kept
    ),
    days as (delete from standing_day where company = :company and as_of not in (select as_of from kept))
    delete from standing where company = :company and as_of not in (select as_of from kept)
""")


async def owing(tx: AsyncConnection, view: View) -> str:
    """The query of one row per client, ``LATE``, ``AHEAD`` and payment mode: from kept rows brought up to date,
    or from the entries while another request is at that. Its parameters are ``company``, ``as_of``, ``edges``."""
    day = {"company": view.company, "as_of": view.as_of}
    asked = {**day, "made_anew_after": MADE_ANEW_AFTER}
    known = (await tx.execute(KNOWN, asked)).one()
    if known.young and known.numbers == known.heard:
        return KEPT
    if await is_limited(tx):  # rows made of a part of the clients would be taken for those of all
        return ADDED_UP
    if not await tx.scalar(LOCK, {"company": view.company}):
        return ADDED_UP
    known = (await tx.execute(KNOWN, asked)).one()
    if not known.young:
        await tx.execute(FORGET, day)
    numbers = json.dumps(known.numbers if known.young else {})
    await tx.execute(REFRESH, {**day, **edges(view), "numbers": numbers})
    if not known.young:
        await tx.execute(FORGET_OTHERS, {**day, "kept": DAYS_KEPT})
    return KEPT
