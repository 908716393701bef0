"""The history: actions that were confirmed or decided, and what people stated, latest first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.view import EARLIER_CODES, ZERO, Page, View, names, pieces
from services.reporting.shapes import Activities, Activity, ActivityPiece

Colour = Literal["grey", "blue", "green", "red"]

COLOURS: dict[str, Colour] = {
    "created": "grey",
    "sent": "blue",
    "done": "blue",
    "posted": "blue",
    "opened": "green",
    "fetched": "blue",
    "failed": "red",
    "bounced": "red",
    "in_doubt": "red",
    "withheld": "red",
    "withdrawn": "red",
    "expected": "blue",
    "late": "red",
    "kept": "green",
    "cancelled": "grey",
    "recorded": "grey",
    "received": "green",
}
"""Grey is created, blue sent, green opened (rule 16.5); red is what did not reach the client."""

ACTION_KINDS = ("notice", "reminder", "thanks")
PAYMENT = "payment"
REPLY = "reply"
DEBTOR = "debtor"

ACTIONS = """
    select a.action_id::text as activity_id, a.started_on as happened_on, a.started_at as happened_at, a.client_id,
        a.kind, a.medium, a.step, a.status, a.closed_at as status_at, a.reason as detail,
        cast(null as date) as promised_on, a.started_by as actor, a.net_amount as amount, a.currency, a.entry_ids,
        a.action_id, cast(null as uuid) as promise_id
    from action a where a.company = :company and a.started_on is not null"""

FACTS = """
    select concat_ws('/', f.p, f.number, case when f.n > 0 then f.client_id end, nullif(f.n, 0)) as activity_id,
        f.happened_on, f.happened_at, f.client_id, f.kind,
        cast(null as text) as medium, cast(null as text) as step,
        case f.kind when 'payment' then 'received' else 'recorded' end as status,
        cast(null as timestamptz) as status_at, f.detail, f.promised_on, f.actor, f.amount, f.currency,
        f.entry_ids, cast(null as uuid) as action_id, f.promise_id
    from fact f where f.company = :company"""

REPLIES = """
    select 'reply/' || r.action_id as activity_id, r.received_on as happened_on, r.received_at as happened_at,
        r.client_id, 'reply' as kind, cast(null as text) as medium, cast(null as text) as step,
        'received' as status, cast(null as timestamptz) as status_at, cast(null as text) as detail,
        cast(null as date) as promised_on, 'debtor' as actor, cast(null as numeric) as amount,
        cast(null as text) as currency, cast('{}' as uuid[]) as entry_ids, r.action_id,
        cast(null as uuid) as promise_id
    from reply r where r.company = :company"""
"""A message that was answered, on the day of the last answer."""

COMPLETED = """
    select l.activity_id, l.happened_on, l.happened_at, l.client_id, l.kind, l.medium, l.step,
        case when d.status is not null then d.status when l.status in ('due', 'proposed') then 'created'
            when m.status <> 'open' then m.status when m.promised_on < :as_of then 'late'
            when m.promised_on is not null then 'expected' else l.status end as status,
        coalesce(d.status_at, l.status_at) as status_at, coalesce(d.reason, l.detail) as detail, l.promised_on,
        l.actor, l.amount, l.currency, l.entry_ids, l.action_id
    from ({lines}) l
    left join delivery d on d.company = :company and d.client_id = l.client_id and d.action_id = l.action_id
        and l.medium is not null
    left join promise m on m.company = :company and m.client_id = l.client_id and m.promise_id = l.promise_id"""
"""The lines with what became of each: how its message fared, whether the promise was kept."""

OF_CLIENT = f"{{alias}}.client_id = any(array({EARLIER_CODES}))"
"""With what was done under codes that became this client (rule 5.9)."""

COUNT_ACTIONS = "select count(*) as n from action a where a.company = :company and a.started_on is not null"
COUNT_FACTS = "select count(*) as n from fact f where f.company = :company"
COUNT_REPLIES = "select count(*) as n from reply r where r.company = :company"
DAY_AND_ACTOR = {
    "a": ("a.started_on", "a.started_by"),
    "f": ("f.happened_on", "f.actor"),
    "r": ("r.received_on", "cast(:debtor as text)"),
}


@dataclass(frozen=True)
class Sought:
    """Which lines of the history. Empty and ``None`` mean any; the days are business dates, both included.

    Payments are part of a client's history; among everybody's activities they only come when asked for.
    """

    client_id: str | None = None
    actors: Sequence[str] = ()
    media: Sequence[str] = ()
    kinds: Sequence[str] = ()
    statuses: Sequence[str] = ()
    since: date | None = None
    until: date | None = None
    latest_first: bool = True
    page: Page = field(default_factory=Page)


def _conditions(sought: Sought, alias: str) -> str:
    day, actor = DAY_AND_ACTOR[alias]
    conditions = [f"{day} <= :until"]
    if sought.since is not None:
        conditions.append(f"{day} >= :since")
    if sought.client_id is not None:
        conditions.append(OF_CLIENT.format(alias=alias))
    if sought.actors:
        conditions.append(f"{actor} = any(cast(:actors as text[]))")
    if sought.kinds and alias != "r":
        conditions.append(f"{alias}.kind = any(cast(:kinds as text[]))")
    if alias == "f" and (PAYMENT not in sought.kinds if sought.kinds else sought.client_id is None):
        # also where the kinds say as much: the index of days holds no payments
        conditions.append("f.kind <> 'payment'")
    if sought.media and alias == "a":
        conditions.append("a.medium = any(cast(:media as text[]))")
    return "".join(f" and {condition}" for condition in conditions)


def _sources(sought: Sought) -> list[tuple[str, str, str]]:
    every = [("a", ACTIONS, COUNT_ACTIONS), ("f", FACTS, COUNT_FACTS), ("r", REPLIES, COUNT_REPLIES)]
    return [source for source in every if _may_hold(sought, source[0])] or every[:1]


def _may_hold(sought: Sought, alias: str) -> bool:
    if alias == "r":
        return (not sought.kinds or REPLY in sought.kinds) and not sought.media
    if alias == "f":
        facts_asked = not sought.kinds or any(kind not in (*ACTION_KINDS, REPLY) for kind in sought.kinds)
        return facts_asked and not sought.media
    return not sought.kinds or any(kind in ACTION_KINDS for kind in sought.kinds)


async def activities(tx: AsyncConnection, view: View, sought: Sought) -> Activities:
    """One page of the history up to the day of the view."""
    until = min(sought.until, view.as_of) if sought.until else view.as_of
    asked: dict[str, Any] = {
        "company": view.company,
        "as_of": view.as_of,
        "until": until,
        "since": sought.since,
        "client_id": sought.client_id,
        "actors": list(sought.actors),
        "media": list(sought.media),
        "kinds": list(sought.kinds),
        "statuses": list(sought.statuses),
        "debtor": DEBTOR,
        **sought.page.bounds,
        "reach": sought.page.number * sought.page.size,
    }
    way = "desc" if sought.latest_first else "asc"
    order = f"order by happened_on {way}, happened_at {way}, activity_id {way}"
    sources = [(body, count, _conditions(sought, alias)) for alias, body, count in _sources(sought)]
    if sought.statuses:
        lines = " union all ".join(body + conditions for body, _, conditions in sources)
        union = f"select * from ({COMPLETED.format(lines=lines)}) c where status = any(cast(:statuses as text[]))"  # noqa: S608
        counting = f"select count(*) from ({union}) one"  # noqa: S608
        paging = f"{union} {order} limit :limit offset :offset"
    else:
        # as many of each source as could be on the page, from its index; then what became of those on it
        reached = " union all ".join(
            f"({body}{conditions} {order} limit :reach)" for body, _, conditions in sources
        )
        page = f"select * from ({reached}) r {order} limit :limit offset :offset"  # noqa: S608
        paging = f"{COMPLETED.format(lines=page)} {order}"
        parts = " union all ".join(count + conditions for _, count, conditions in sources)
        counting = f"select sum(n)::bigint from ({parts}) one"  # noqa: S608
    count = int(await tx.scalar(text(counting), asked) or 0)
    rows = (await tx.execute(text(paging), asked)).all() if count else []
    return Activities(as_of=view.as_of, count=count, rows=await _lines(tx, view, rows), **sought.page.shape(count))


async def _lines(tx: AsyncConnection, view: View, rows: Sequence[Any]) -> list[Activity]:
    known = await names(tx, view.company, (row.client_id for row in rows)) if rows else {}
    entries = await pieces(
        tx, view.company, (row.client_id for row in rows), (entry for row in rows for entry in row.entry_ids)
    )
    lines = []
    for row in rows:
        amount = row.amount
        if row.kind == "payment":
            amount = sum((entries[entry].book_amount for entry in row.entry_ids if entry in entries), ZERO)
        elif amount is None and row.entry_ids and row.entry_ids[0] in entries:
            amount = entries[row.entry_ids[0]].book_amount
        lines.append(
            Activity(
                activity_id=row.activity_id,
                on=row.happened_on,
                at=row.happened_at,
                client_id=row.client_id,
                name=known[row.client_id],
                kind=row.kind,
                medium=row.medium,
                step=row.step,
                status=row.status,
                colour=COLOURS[row.status],
                status_at=row.status_at,
                detail=row.detail,
                promised_on=row.promised_on,
                actor=row.actor,
                amount=amount,
                currency=(row.currency or view.currency) if amount is not None else None,
                pieces=[
                    ActivityPiece(entry_id=entry.hex, piece=entries[entry].piece if entry in entries else None)
                    for entry in row.entry_ids
                ],
                action_id=row.action_id,
            )
        )
    return lines
