"""Shorter lists: receipts, due items, search, and what the filters offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.terms import days_late
from services.reporting.people import fold
from services.reporting.queries.view import LEAVES_BY_ITSELF, ZERO, Page, View
from services.reporting.queries.who_owes_what import listed_fields
from services.reporting.shapes import (
    DueItem,
    DueItems,
    FieldOptions,
    Found,
    FoundClient,
    FoundPiece,
    Options,
    Receipt,
    Receipts,
    Salesperson,
)

LAST_LETTER = "\U0010ffff"

RECEIPTS = """
    select t.*, p.*, coalesce(n.name, p.client_id) as name, l.level,
        coalesce(p.payment_mode, c.payment_mode) as mode
    from (
        select count(*) as every, -sum(book_amount) as whole from entry
        where company = :company and credit <> 0 and not archived and entry_date between :since and :until {client}
    ) t
    cross join (
        select * from entry
        where company = :company and credit <> 0 and not archived and entry_date between :since and :until {client}
        order by entry_date desc, client_id, entry_id limit :limit offset :offset
    ) p
    left join client c on c.company = :company and c.client_id = p.client_id
    left join person n on n.company = :company and n.client_id = p.client_id
    left join entry_level l on l.company = :company and l.client_id = p.client_id and l.entry_id = p.entry_id
    order by p.entry_date desc, p.client_id, p.entry_id
"""
RECEIPTS_OF_COMPANY = text(RECEIPTS.format(client=""))
RECEIPTS_OF_CLIENT = text(RECEIPTS.format(client="and client_id = :client_id"))

DUE_ITEMS = f"""
    with chosen as materialized (
        select a.client_id, a.action_id, a.step, a.medium, a.due_since, x.entry_id,
            {LEAVES_BY_ITSELF} as automatic
        from action a cross join lateral unnest(a.entry_ids) x(entry_id)
        left join entry e on e.company = a.company and e.client_id = a.client_id and e.entry_id = x.entry_id
        left join automatic_choice h
            on h.company = a.company and h.client_id = a.client_id and h.entry_id = x.entry_id
        where a.company = :company and a.status in ('proposed', 'due')
            and (cast(:client_id as text) is null or a.client_id = :client_id)
            and (cast(:medium as text) is null or a.medium = :medium)
            and (cast(:step as text) is null or a.step = :step)
            and (cast(:automatic as boolean) is null or {LEAVES_BY_ITSELF} = :automatic)
            {{narrowed}}
    )
    select (select count(*) from chosen) as every, p.*, coalesce(n.name, p.client_id) as name, e.piece, e.due_date,
        e.debit - e.credit as amount, e.currency, l.level
    from (select * from chosen order by due_since, client_id, action_id, entry_id limit :limit offset :offset) p
    left join entry e on e.company = :company and e.client_id = p.client_id and e.entry_id = p.entry_id
    left join person n on n.company = :company and n.client_id = p.client_id
    left join entry_level l on l.company = :company and l.client_id = p.client_id and l.entry_id = p.entry_id
    where e.entry_id is not null
    order by p.due_since, p.client_id, p.action_id, p.entry_id
"""  # noqa: S608 - a fragment of this package

OF_CLIENTS = """
    and exists (
        select from client c where c.company = :company and c.client_id = a.client_id and {conditions}
    )
"""
PROFILE = "coalesce(c.profile, :default_profile) = any(cast(:profiles as text[]))"
SALESPERSON = "coalesce(c.salesperson, 'none') = any(cast(:salespeople as text[]))"
PAYMENT_MODE = "coalesce(e.payment_mode, c.payment_mode) = any(cast(:payment_modes as text[]))"
DISPUTED = """
    and {no} exists (
        select from dispute d where d.company = :company and d.client_id = a.client_id and d.closed_on is null
            and (d.entry_id is null or d.entry_id = x.entry_id)
    )
"""

FOUND_CLIENTS = """
    with hit as materialized (
        select client_id, name, sort_key from person where company = :company {words}
        union
        select client_id, null, null from client
        where company = :company and client_id = any(array[:q, upper(:q), lower(:q)])
            and not exists (select 1 from person where company = :company and person.client_id = client.client_id)
    )
    select h.client_id, coalesce(h.name, h.client_id) as name, coalesce(c.profile, :default_profile) as profile,
        c.stopped_on is not null as stopped
    from hit h join client c on c.company = :company and c.client_id = h.client_id and not c.removed
    order by lower(h.client_id) <> :code, not starts_with(coalesce(h.sort_key, ''), :folded), h.sort_key,
        h.client_id
    limit :limit
"""

FOUND_PIECES = text("""
    select e.entry_id, e.client_id, coalesce(n.name, e.client_id) as name, e.piece, e.due_date, e.book_amount,
        e.is_open
    from (
        select * from entry where company = :company and piece_key >= :first and piece_key < :last and not archived
        order by piece_key, client_id, entry_id limit :limit
    ) e
    left join person n on n.company = :company and n.client_id = e.client_id
    order by e.piece_key, e.client_id, e.entry_id
""")

OPTIONS = text("""
    with recursive starter (name) as (
        (select started_by from action where company = :company and started_by is not null
            order by started_by limit 1)
        union all
        select (select started_by from action where company = :company and started_by > starter.name
            order by started_by limit 1)
        from starter where starter.name is not null
    ),
    kind as materialized (
        select distinct profile, category, payment_mode, salesperson from client
        where company = :company and not removed
    )
    select array(select profile from scenario where company = :company
            union select coalesce(profile, :default_profile) from kind) as profiles,
        array(select distinct category from kind where category is not null) as categories,
        array(select payment_mode from kind where payment_mode is not null
            union select payment_mode from entry
            where company = :company and is_open and payment_mode is not null) as payment_modes,
        array(select s.step ->> 'step' from scenario, jsonb_array_elements(with_email || without_email) s(step)
            where company = :company and s.step ->> 'step' like 'R%' group by 1) as levels,
        array(select distinct salesperson from kind where salesperson is not null) as salespeople,
        array(select name from starter where name is not null
            union select actor from author where company = :company) as actors
""")
"""Starters are few among many actions: each is found in the index behind the one before."""

SALESPEOPLE = text("""
    select code, coalesce(name, code) as name from unnest(cast(:codes as text[])) asked(code)
    left join (select * from salesperson where company = :company) named using (code)
    order by coalesce(sort_key, lower(code)), code
""")

MOST_VALUES = 100
VALUES = text("""
    with recursive walk (field, key, value, n) as (
        select named.field, one.key, one.value, 1
        from free_field named cross join lateral (
            select key, value from client_field
            where company = :company and field = named.field order by key, client_id limit 1
        ) one
        where named.company = :company and named.about = 'client' and named.listed
        union all
        select walk.field, one.key, one.value, walk.n + 1
        from walk cross join lateral (
            select key, value from client_field
            where company = :company and field = walk.field and key > walk.key order by key, client_id limit 1
        ) one
        where walk.n <= :most
    )
    select field, array_agg(value order by key) as values from walk group by field
""")
"""Values are few among many clients: each is found in the index behind the one before."""


@dataclass(frozen=True)
class Period:
    """Days from and to, both included; ``None`` leaves the default."""

    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class OfActions:
    """Which actions; ``None`` means any."""

    client_id: str | None = None
    medium: str | None = None
    step: str | None = None
    automatic: bool | None = None
    """Only entries whose reminders may leave by themselves, or only the others."""
    disputed: bool | None = None
    """Only entries contested themselves or by their account, or only the others."""
    profiles: Sequence[str] = ()
    payment_modes: Sequence[str] = ()
    """Of the entry, else of its client (rule 14.3)."""
    salespeople: Sequence[str] = ()

    @property
    def narrowed(self) -> str:
        """What the query asks besides."""
        of_clients = [
            condition
            for condition, wanted in (
                (PROFILE, self.profiles),
                (SALESPERSON, self.salespeople),
                (PAYMENT_MODE, self.payment_modes),
            )
            if wanted
        ]
        narrowed = OF_CLIENTS.format(conditions=" and ".join(of_clients)) if of_clients else ""
        if self.disputed is not None:
            narrowed += DISPUTED.format(no="" if self.disputed else "not")
        return narrowed


async def receipts(tx: AsyncConnection, view: View, client_id: str | None, period: Period, page: Page) -> Receipts:
    """Everything credited in the period, by default the fiscal year up to the day of the view (rule 16.2)."""
    days = {"since": period.since or view.fiscal_year, "until": period.until or view.as_of}
    asked: dict[str, Any] = {"company": view.company, **days, **page.bounds}
    if client_id is None:
        rows = (await tx.execute(RECEIPTS_OF_COMPANY, asked)).all()
    else:
        rows = (await tx.execute(RECEIPTS_OF_CLIENT, {**asked, "client_id": client_id})).all()
    count = rows[0].every if rows else 0
    return Receipts(
        as_of=view.as_of,
        currency=view.currency,
        **days,
        count=count,
        amount=rows[0].whole if rows else ZERO,
        rows=[
            Receipt(
                entry_id=row.entry_id.hex,
                on=row.entry_date,
                client_id=row.client_id,
                name=row.name,
                nature=row.kind,
                payment_mode=row.mode,
                piece=row.piece,
                level=row.level,
                amount=-row.book_amount,
            )
            for row in rows
        ],
        **page.shape(count),
    )


async def due_items(tx: AsyncConnection, view: View, of: OfActions, page: Page) -> DueItems:
    """Entries of the actions that wait, the longest due first (rule 16.3)."""
    asked = {
        "company": view.company,
        "client_id": of.client_id,
        "medium": of.medium,
        "step": of.step,
        "automatic": of.automatic,
        "automatic_from": view.automatic_from,
        **({"profiles": list(of.profiles), "default_profile": view.default_profile} if of.profiles else {}),
        **({"payment_modes": list(of.payment_modes)} if of.payment_modes else {}),
        **({"salespeople": list(of.salespeople)} if of.salespeople else {}),
        **page.bounds,
    }
    rows = (await tx.execute(text(DUE_ITEMS.format(narrowed=of.narrowed)), asked)).all()
    count = rows[0].every if rows else 0
    return DueItems(
        as_of=view.as_of,
        count=count,
        rows=[
            DueItem(
                entry_id=row.entry_id.hex,
                client_id=row.client_id,
                name=row.name,
                piece=row.piece,
                due_date=row.due_date,
                days_late=days_late(row.due_date, view.as_of),
                step=row.step,
                medium=row.medium,
                due_since=row.due_since,
                level=row.level,
                amount=row.amount,
                currency=row.currency,
                action_id=row.action_id,
                automatic=row.automatic,
            )
            for row in rows
        ],
        **page.shape(count),
    )


async def search(tx: AsyncConnection, view: View, q: str, limit: int) -> Found:
    """Clients whose name or code holds every word, exact codes first; pieces that begin with the text."""
    folded, code = fold(q), q.strip().lower()
    asked = {"company": view.company, "limit": limit}
    clients: Sequence[Any] = ()
    if folded:
        words = {f"word{n}": word for n, word in enumerate(folded.split())}
        holds = "".join(f" and position(:{name} in search_key) > 0" for name in words)
        keys = {"q": q.strip(), "folded": folded, "code": code, "default_profile": view.default_profile}
        statement = text(FOUND_CLIENTS.format(words=holds))
        clients = (await tx.execute(statement, {**asked, **words, **keys})).all()
    pieces = (await tx.execute(FOUND_PIECES, {**asked, "first": code, "last": code + LAST_LETTER})).all()
    return Found(
        q=q,
        clients=[
            FoundClient(client_id=row.client_id, name=row.name, profile=row.profile, stopped=row.stopped)
            for row in clients
        ],
        pieces=[
            FoundPiece(
                entry_id=row.entry_id.hex,
                client_id=row.client_id,
                name=row.name,
                piece=row.piece,
                due_date=row.due_date,
                amount=row.book_amount,
                open=row.is_open,
            )
            for row in pieces
        ],
    )


async def options(tx: AsyncConnection, view: View) -> Options:
    """What the filters offer, each list sorted."""
    asked = {"company": view.company, "default_profile": view.default_profile}
    row = (await tx.execute(OPTIONS, asked)).one()
    of_company = {"company": view.company}
    salespeople = await tx.execute(SALESPEOPLE, of_company | {"codes": row.salespeople})
    held = {found.field: found.values for found in await tx.execute(VALUES, of_company | {"most": MOST_VALUES})}
    return Options(
        profiles=sorted(row.profiles),
        categories=sorted(row.categories),
        payment_modes=sorted(row.payment_modes),
        levels=sorted(row.levels),
        actors=sorted(row.actors),
        salespeople=[Salesperson(code=one.code, name=one.name) for one in salespeople],
        fields=[
            FieldOptions(field=one.field, title=one.title, values=values if len(values) <= MOST_VALUES else [])
            for one in await listed_fields(tx, view.company)
            for values in [held.get(one.field, [])]
        ],
    )
