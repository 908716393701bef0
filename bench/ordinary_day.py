"""An ordinary day of a book that has been followed for long: what was sent the evening before, what accounting
says since, and the steps whose day has come.

Due dates lie over a year, as do the days on which something comes next: a book that was loaded this morning has
months of reminding to catch up, and nothing of it is ordinary. Everything is put into dunning's tables as its
projection would, since only the round is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

import psycopg

DAYS_AHEAD = 60
DAYS_BACK = 305
"""The oldest open entry is due so many days before today, the latest so many after: one as likely as another."""
MOVED = 0.05
"""Of all open entries, what accounting tells of between two rounds."""
PAID = 0.45
NEW = 0.45
"""Of what moves; the rest are amounts that were corrected. What is paid is replaced: the book keeps its size."""
TOGETHER = 2.4
"""Entries of one client that move together, on average: what a real open book of 10,000 invoices shows."""
TERM = timedelta(days=30)

EMPTY = (
    "truncate client, entry, entry_stop, promise, lettering_error, entry_level, schedule, decided, action,"
    " action_entry, exclusion, contact, paid_group, round, round_partition, round_failure"
)
WALKED = """
    insert into entry_level (company, client_id, entry_id, p, level, reminded_on, noticed_on, exhausted)
    select company, client_id, entry_id, p, level, case when level > 0 then due_date + 8 * level end,
        case when has_email and amount > 0 and due_date - 8 <= %(on)s then due_date - 8 end, level = 5
    from (
        select e.*, c.has_email, greatest(0, least(5, (%(on)s - e.due_date) / 8))::smallint as level
        from entry e join client c using (company, client_id)
        where not c.stopped and e.lettering is null and e.payment_mode = 'transfer'
            and e.amount not between 0 and 20
            and not exists (select from entry_stop s where s.company = e.company and s.client_id = e.client_id
                and s.entry_id = e.entry_id)
            and not exists (select from promise r where r.company = e.company and r.client_id = e.client_id
                and r.entry_id = e.entry_id)
    ) walked
    where level > 0 or (has_email and amount > 0 and due_date - 8 <= %(on)s)
"""
"""The delivered scenario, followed to the evening of a day by whatever no rule holds back: a notice by e-mail
eight days before the due date, five reminders eight days apart."""
SENT = """
    with done as (
        update action set status = 'done', confirmed_on = opened_on, ended_on = opened_on
        where status in ('proposed', 'due') returning *
    ),
    reached as (
        insert into entry_level as known (company, client_id, entry_id, p, level, reminded_on, noticed_on,
            exhausted)
        select h.company, h.client_id, h.entry_id, h.p, coalesce(substr(h.level_after, 2)::smallint, 0),
            case when d.kind = 'reminder' then d.ended_on end, case when d.kind = 'notice' then d.ended_on end,
            false
        from done d join action_entry h using (company, client_id, action_id)
        on conflict (company, client_id, entry_id) do update set
            level = case when excluded.reminded_on is null then known.level else excluded.level end,
            reminded_on = coalesce(excluded.reminded_on, known.reminded_on),
            noticed_on = coalesce(excluded.noticed_on, known.noticed_on)
    ),
    contacted as (
        insert into contact (company, client_id, action_id, p, contacted_on)
        select company, client_id, action_id, p, ended_on from done
    ),
    marked as (
        update schedule s set next_on = least(s.next_on, '0001-01-01'), touched = s.touched || d.ids from (
            select company, client_id, p, array_agg(h.entry_id) as ids
            from done join action_entry h using (company, client_id, p, action_id) group by company, client_id, p
        ) d where s.company = d.company and s.p = d.p and s.client_id = d.client_id
    )
    select count(*) from done
"""
PAY = """
    with paid as (
        update entry e set lettering = t.code from unnest(%(clients)s::text[], %(ids)s::text[], %(codes)s::text[])
            as t(client_id, entry_id, code)
        where e.company = %(company)s and e.client_id = t.client_id and e.entry_id = t.entry_id returning e.*
    ),
    payment as (
        insert into entry (company, client_id, entry_id, p, account, kind, piece, currency, amount, book_amount,
            due_date, counted_on, payment_mode, lettering, removed)
        select company, client_id, 'payment ' || lettering, p, account, 'payment', lettering, currency,
            -sum(amount), -sum(book_amount), %(on)s, %(on)s, 'transfer', lettering, false
        from paid group by company, client_id, p, account, currency, lettering
    )
    insert into paid_group (company, client_id, payment_id, p, payments, settled, paid_on)
    select company, client_id, 'payment ' || lettering, p, array['payment ' || lettering], array_agg(entry_id),
        %(on)s from paid group by company, client_id, p, lettering
"""
CORRECT = """
    update entry e set amount = e.amount + sign(e.amount), book_amount = e.book_amount + sign(e.amount)
    from unnest(%(clients)s::text[], %(ids)s::text[]) as t(client_id, entry_id)
    where e.company = %(company)s and e.client_id = t.client_id and e.entry_id = t.entry_id
"""
INVOICE = """
    insert into entry (company, client_id, entry_id, p, account, kind, piece, currency, amount, book_amount,
        due_date, counted_on, payment_mode, lettering, removed)
    select s.company, s.client_id, t.piece, s.p, '411', 'invoice', t.piece, 'EUR', t.amount, t.amount,
        %(due)s, %(on)s, 'transfer', null, false
    from unnest(%(clients)s::text[], %(pieces)s::text[], %(amounts)s::numeric[]) as t(client_id, piece, amount)
    join schedule s on s.company = %(company)s and s.client_id = t.client_id
"""
MARK = """
    update schedule s set next_on = least(s.next_on, '0001-01-01'), touched = s.touched || t.ids
    from (
        select client_id, array_agg(entry_id) as ids from unnest(%(clients)s::text[], %(ids)s::text[])
            as one(client_id, entry_id) group by client_id
    ) t
    where s.company = %(company)s and s.client_id = t.client_id
"""


class Move(NamedTuple):
    """What accounting tells of one entry; ``entry_id`` is that of an open one, or the name of a new one."""

    client_id: str
    entry_id: str
    together: int


class Moves(NamedTuple):
    """What accounting tells between two rounds."""

    paid: list[Move]
    new: list[Move]
    corrected: list[Move]

    def told(self) -> dict[str, int]:
        clients = {move.client_id for kind in self for move in kind}
        return {
            "moved": sum(map(len, self)),
            "paid": len(self.paid),
            "new": len(self.new),
            "corrected": len(self.corrected),
            "clients_moved": len(clients),
        }


def due_over_a_year(draw: Random, on: date) -> date:
    return on + timedelta(days=draw.randrange(-DAYS_BACK, DAYS_AHEAD))


def walked_until(dsn: str, on: date) -> None:
    """Every entry stands where the delivered scenario has brought it by the evening of ``on``."""
    with _dunning(dsn) as connection:
        connection.execute(WALKED.encode(), {"on": on})
    _written(dsn)


def empty(dsn: str) -> None:
    """The book goes; company, policy and scenarios stay."""
    with _dunning(dsn) as connection:
        connection.execute(EMPTY.encode())


def sent(dsn: str) -> int:
    """Everything that is proposed was confirmed and sent on the day of its round; how many messages."""
    with _dunning(dsn) as connection:
        found = connection.execute(SENT.encode()).fetchone()
    assert found is not None
    return int(found[0])


def move(dsn: str, company: str, n: int, on: date) -> dict[str, int]:
    """What accounting says on the morning of ``on`` of a book of ``n`` open entries; in figures."""
    draw = Random(12)
    with _dunning(dsn) as connection:
        rows = connection.execute(
            "select client_id, array_agg(entry_id order by entry_id) from entry where company = %s"
            " and lettering is null group by client_id order by client_id",
            (company,),
        ).fetchall()
        moves = _chosen(draw, dict(rows), round(n * MOVED))
        here = {"company": company, "on": on, "due": on + TERM}
        connection.execute(PAY.encode(), {**here, **_columns(moves.paid)})
        connection.execute(CORRECT.encode(), {**here, **_columns(moves.corrected)})
        invoices = {
            "clients": [one.client_id for one in moves.new],
            "pieces": [one.entry_id for one in moves.new],
            "amounts": [draw.randrange(3_000, 400_000) / 100 for _ in moves.new],
        }
        connection.execute(INVOICE.encode(), {**here, **invoices})
        for told in moves:
            connection.execute(MARK.encode(), {**here, **_columns(told)})
    _written(dsn)
    return moves.told()


def _chosen(draw: Random, open_entries: dict[str, list[str]], wanted: int) -> Moves:
    moves = Moves([], [], [])
    names = list(open_entries)
    number = 0
    while sum(map(len, moves)) < wanted:
        client = draw.choice(names)
        number += 1
        size = next(_sizes(draw))
        chance = draw.random()
        if PAID <= chance < PAID + NEW:
            moves.new.extend(Move(client, f"N{number}.{one}", number) for one in range(size))
            continue
        kind = moves.paid if chance < PAID else moves.corrected
        left = open_entries[client]
        for _ in range(min(size, len(left))):
            kind.append(Move(client, left.pop(draw.randrange(len(left))), number))
    return moves


def _sizes(draw: Random) -> Iterator[int]:
    """Of one and more, each as much less likely than the one before."""
    size = 1
    while draw.random() > 1 / TOGETHER:
        size += 1
    yield size


def _columns(moves: list[Move]) -> dict[str, list[str]]:
    return {
        "clients": [one.client_id for one in moves],
        "ids": [one.entry_id for one in moves],
        "codes": [f"P{one.together}" for one in moves],
    }


def _dunning(dsn: str) -> psycopg.Connection[Any]:
    return psycopg.connect(dsn, options="-c search_path=dunning")


def _written(dsn: str) -> None:
    """Ours to end: the checkpoint would come in the middle of the round, the statistics after it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
