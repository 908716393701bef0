"""What notify reads of its own rows before it writes to somebody."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg.rows import namedtuple_row
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from contracts.dunning import Action
from services.notify.attachments import files_of
from services.notify.delivered import Draft, Key, Text
from services.notify.domain import EntryNow, Sender, SituationNow

KNOWN = "select * from action where company = %(company)s and action_id = any(%(action_ids)b)"
PLANNED = """
    select cast(%(company)s as text) as company, cast(body ->> 'action_id' as uuid) as action_id,
        body ->> 'client_id' as client_id, 'planned' as state, cast(null as date) as due_on,
        cast(null as timestamptz) as due_at, cast(null as uuid) as draft_id, body
    from unnest(cast(%(bodies)s as jsonb[])) as given(body)
"""
"""Actions that were not said yet: a person looks at what would leave."""

ACTIONS = """
    with a as ({a})
    select a.action_id, a.state, a.due_on, a.draft_id, a.body::text as body, outcome.kind as outcome,
        coalesce(client.stopped, false) as stopped, coalesce(client.removed, false) as removed,
        coalesce(policy.promises_exclude, false) as promises_exclude, client.resumes_on,
        coalesce(client.version, 0) as person_version,
        coalesce(policy.disputes_exclude, false) as disputes_exclude,
        exists (select from dispute where dispute.company = a.company and dispute.client_id = a.client_id
            and dispute.entry_id is null) as disputed,
        exists (select from dispute where dispute.company = a.company and dispute.client_id = a.client_id
            and dispute.entry_id is null and dispute.opened_at > a.due_at) as disputed_since,
        exists (select from reply where reply.company = a.company and reply.received_at > a.due_at
            and reply.client_id in (
                with recursive code (client_id) as (
                    select a.client_id
                    union
                    select known.client_id from code
                    join client_merge known on known.company = a.company and known.into_client_id = code.client_id)
                select client_id from code)) as replied_since
    from a
    left join client using (company, client_id)
    left join policy using (company)
    left join outcome using (company, action_id)
"""

# until the transaction ends nothing new is heard of these clients, least of all that a person was erased
HOLD_CLIENTS = (
    "select client_id from client where company = %(company)s and client_id = any(%(client_ids)s)"
    " order by client_id for share"
)

# a row that changes gets another xmin, one that comes or goes another count: the mark stays as long as nothing did
MARKS = """
    select a.action_id, concat(a.xmin, '/', client.xmin, '/', policy.xmin, '/', outcome.xmin,
        array(select xmin from synced_lines told where told.company = a.company and told.client_id = a.client_id),
        array(select xmin from entry_stop stop where stop.company = a.company and stop.client_id = a.client_id),
        array(select xmin from dispute where dispute.company = a.company and dispute.client_id = a.client_id),
        array(select xmin from promise
            where promise.company = a.company and promise.client_id = a.client_id and promise.open),
        array(select xmin from online_payment paid
            where paid.company = a.company and paid.client_id = a.client_id),
        array(select xmin from reply where reply.company = a.company
            and reply.client_id in (
                with recursive code (client_id) as (
                    select a.client_id
                    union
                    select known.client_id from code
                    join client_merge known on known.company = a.company and known.into_client_id = code.client_id)
                select client_id from code))) as mark
    from action a
    left join client using (company, client_id)
    left join policy using (company)
    left join outcome using (company, action_id)
    where a.company = %(company)s and a.action_id = any(%(action_ids)b)
"""
"""Of every row that ``ACTIONS`` and ``ENTRIES`` read of an action: what was judged once need not be read again
while its mark is the same. A table that they read besides belongs here too."""

ENTRIES = """
    with a as ({a}),
    e as materialized (
        select told.* from (select distinct company, client_id from a) asked
        cross join lateral (
            select * from entry where company = asked.company and client_id = asked.client_id offset 0
        ) told
    )
    select a.action_id, e.entry_id, e.piece, e.kind, e.entry_date, e.due_date, e.amount, e.currency,
        e.lettering is not null as lettered, e.removed, stop.entry_id is not null as stopped, stop.resumes_on,
        exists (select from dispute where dispute.company = e.company and dispute.client_id = e.client_id
            and dispute.entry_id = e.entry_id) as disputed,
        exists (select from online_payment paid where paid.company = e.company and paid.client_id = e.client_id
            and paid.entry_id = e.entry_id and paid.paid_on >= coalesce(a.due_on, '-infinity')) as paid_online,
        array(select promised_on from promise where promise.company = e.company
            and promise.client_id = e.client_id and promise.entry_id = e.entry_id and promise.open) as promised_on,
        exists (select from dispute where dispute.company = e.company and dispute.client_id = e.client_id
            and dispute.entry_id = e.entry_id and dispute.opened_at > a.due_at) as disputed_since,
        array(select promised_on from promise where promise.company = e.company
            and promise.client_id = e.client_id and promise.entry_id = e.entry_id and promise.open
            and promise.recorded_at > a.due_at) as promised_since
    from a
    cross join lateral jsonb_array_elements(a.body -> 'entries') line
    join e on e.company = a.company and e.client_id = a.client_id and e.entry_id = line ->> 'entry_id'
    left join entry_stop stop on stop.company = e.company and stop.client_id = e.client_id
        and stop.entry_id = e.entry_id
"""
"""``entry`` is read client by client, each once: it is a view over what was told of them."""

TOTALS = text(
    """
    select e.client_id, e.currency, coalesce(sum(e.amount) filter (where e.due_date < :as_of), 0) as overdue,
        coalesce(sum(e.amount) filter (where e.due_date >= :as_of), 0) as upcoming
    from entry e
    left join lettering_error error using (company, client_id, account, lettering)
    where e.company = :company and e.client_id = any(:client_ids) and not e.removed
        and (e.lettering is null or error.company is not null)
    group by e.client_id, e.currency
    """
)

TEMPLATES = text(
    "select name, medium, language, subject, body, form, version from template where company = :company"
)
DRAFTS = text("select * from draft where company = :company and draft_id = any(:draft_ids)")
SENDER = text(
    "select (select name from company where company.company = :company) as name,"
    " (select body from sender where sender.company = :company) as body,"
    " (select terms ->> 'debtors' from late_interest_terms t where t.company = :company) as debtors,"
    " coalesce((select tagged from mailbox_account box where box.company = :company), false) as tagged"
)


COPIES = text("select copy_id, email from copy_address where company = :company and copy_id = any(:copy_ids)")
CONSENTS = text(
    "select client_id, array_agg(email) as emails from opens_consent"
    " where company = :company and client_id = any(:client_ids) group by client_id"
)
ZONE = text("select time_zone from company where company = :company")


@dataclass(frozen=True, slots=True)
class Looked:
    """An action and everything that speaks for or against its message now. ``state`` is dunning's last word."""

    action: Action
    state: str
    due_on: date | None
    draft_id: UUID | None
    sent: bool
    now: SituationNow
    person_version: int = 0
    """Of the client's person, as last heard; 0: nothing was."""
    mark: str | None = None
    """Of the rows it was read from; ``None`` where nobody asks again."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a client owes in one currency, late and not yet, net of credits (rules 1.3, 1.4)."""

    overdue: Decimal = Decimal(0)
    upcoming: Decimal = Decimal(0)


@dataclass(frozen=True)
class _Asked:
    """The questions about actions of one kind."""

    actions: bytes
    entries: bytes

    @staticmethod
    def about(a: str) -> "_Asked":
        return _Asked(ACTIONS.format(a=a).encode(), ENTRIES.format(a=a).encode())


_OF_KNOWN, _OF_PLANNED = _Asked.about(KNOWN), _Asked.about(PLANNED)


async def hold_clients(tx: AsyncConnection, company: str, client_ids: Collection[str]) -> None:
    """Let nobody change these clients until the transaction ends; to be called before they are looked at."""
    connection = await driver(tx)
    await connection.execute(HOLD_CLIENTS, {"company": company, "client_ids": list(client_ids)})


async def marks(tx: AsyncConnection, company: str, action_ids: Collection[UUID]) -> dict[UUID, str]:
    """The marks of actions, to be compared with those of what was looked at earlier."""
    connection = await driver(tx)
    found = await connection.execute(MARKS, {"company": company, "action_ids": list(action_ids)})
    return dict(await found.fetchall())


async def look(tx: AsyncConnection, company: str, action_ids: Collection[UUID]) -> dict[UUID, Looked]:
    """The situation of actions; those that notify never heard of are left out."""
    return await _look(tx, _OF_KNOWN, {"company": company, "action_ids": list(action_ids)})


async def look_marked(tx: AsyncConnection, company: str, action_ids: Collection[UUID]) -> dict[UUID, Looked]:
    """The same with marks. They are read first: what changes between the two shows when they are compared."""
    found = await marks(tx, company, action_ids)
    looked = await look(tx, company, action_ids)
    return {action_id: replace(one, mark=found.get(action_id)) for action_id, one in looked.items()}


async def look_ahead(tx: AsyncConnection, company: str, actions: Sequence[Action]) -> dict[UUID, Looked]:
    """The situation of actions as they would be said."""
    bodies = [action.model_dump_json() for action in actions]
    return await _look(tx, _OF_PLANNED, {"company": company, "bodies": bodies})


@lru_cache(maxsize=2048)
def _action(body: str) -> Action:
    """What was said once: a message is looked at when it is written and again at the door."""
    return Action.model_validate_json(body)


async def _look(tx: AsyncConnection, asked: _Asked, wanted: Mapping[str, Any]) -> dict[UUID, Looked]:
    connection = await driver(tx)
    asking_entries: Any = connection.cursor(row_factory=namedtuple_row)
    asking_actions: Any = connection.cursor(row_factory=namedtuple_row)
    await asking_entries.execute(asked.entries, wanted)
    await asking_actions.execute(asked.actions, wanted)
    entries: defaultdict[UUID, dict[str, EntryNow]] = defaultdict(dict)
    for row in await asking_entries.fetchall():
        entries[row.action_id][row.entry_id] = EntryNow(
            entry_id=row.entry_id,
            piece=row.piece,
            kind=row.kind,
            entry_date=row.entry_date,
            due_date=row.due_date,
            amount=row.amount,
            currency=row.currency,
            lettered=row.lettered,
            removed=row.removed,
            stopped=row.stopped,
            resumes_on=row.resumes_on,
            promised_on=tuple(row.promised_on),
            disputed=row.disputed,
            promised_since=tuple(row.promised_since),
            disputed_since=row.disputed_since,
            paid_online=row.paid_online,
        )
    return {
        row.action_id: Looked(
            action=_action(row.body),
            state=row.state,
            due_on=row.due_on,
            draft_id=row.draft_id,
            sent=row.outcome == "sent",
            now=SituationNow(
                withdrawn=row.state == "withdrawn",
                client_stopped=row.stopped,
                client_removed=row.removed,
                promises_exclude=row.promises_exclude,
                entries=entries[row.action_id],
                client_resumes_on=row.resumes_on,
                client_disputed=row.disputed,
                disputes_exclude=row.disputes_exclude,
                client_disputed_since=row.disputed_since,
                replied_since=row.replied_since,
            ),
            person_version=row.person_version,
        )
        for row in await asking_actions.fetchall()
    }


async def totals(
    tx: AsyncConnection, company: str, client_ids: Collection[str], as_of: date
) -> dict[tuple[str, str], Totals]:
    """By client and currency."""
    rows = await tx.execute(TOTALS, {"company": company, "client_ids": list(client_ids), "as_of": as_of})
    return {(row.client_id, row.currency): Totals(row.overdue, row.upcoming) for row in rows}


async def own_templates(tx: AsyncConnection, company: str) -> dict[Key, Text]:
    rows = await tx.execute(TEMPLATES, {"company": company})
    return {
        Key(row.name, row.medium, row.language): Text(
            row.subject, row.body, own=True, form=row.form, name=row.name, version=row.version
        )
        for row in rows
    }


async def drafts(tx: AsyncConnection, company: str, draft_ids: Collection[UUID]) -> dict[UUID, Draft]:
    if not draft_ids:
        return {}
    rows = await tx.execute(DRAFTS, {"company": company, "draft_ids": list(draft_ids)})
    return {
        row.draft_id: Draft(
            text=None if row.body is None else Text(row.subject or "", row.body, own=True, form=row.form),
            to=None if row.recipients is None else tuple(row.recipients),
            copies=None if row.copies is None else tuple(row.copies),
            sender_name=row.sender_name,
            reply_to=row.reply_to,
            address=None if row.address is None else tuple(row.address.splitlines()),
            files=files_of(row.files),
            attach_invoices=row.attach_invoices,
        )
        for row in rows
    }


async def consents(tx: AsyncConnection, company: str, client_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """By client, the addresses whose owners agreed that opening a message is told."""
    rows = await tx.execute(CONSENTS, {"company": company, "client_ids": list(client_ids)})
    return {row.client_id: frozenset(row.emails) for row in rows}


async def copies(tx: AsyncConnection, company: str, copy_ids: Collection[UUID]) -> dict[UUID, str]:
    """Addresses of those that are still in the address book."""
    if not copy_ids:
        return {}
    rows = await tx.execute(COPIES, {"company": company, "copy_ids": list(copy_ids)})
    return {row.copy_id: row.email for row in rows}


async def sender(tx: AsyncConnection, company: str, default_domain: str) -> Sender:
    """Who writes for a company: what it set, else an address at the installation's own domain."""
    row = (await tx.execute(SENDER, {"company": company})).one()
    late_interest = row.debtors not in (None, "unsaid")
    found = sender_of(company, row.name or company, row.body or {}, default_domain, late_interest=late_interest)
    return replace(found, tagged=True) if row.tagged else found


def sender_of(
    company: str, name: str, body: Mapping[str, object], default_domain: str, *, late_interest: bool = False
) -> Sender:
    """A sender from what was saved; what was left empty gets its default."""
    known = {key: value for key, value in body.items() if value not in ("", None)}
    known.pop("penalty_rate", None)  # saved before companies had terms of late interest
    return Sender(
        **{  # type: ignore[arg-type]  # saved by PUT /sender, which checked each member
            "name": "",
            "email": f"{company.replace('_', '-').strip('-') or 'relance'}@{default_domain}",
            "company_name": name,
            **known,
        },
        late_interest=late_interest,
    )


async def time_zone(tx: AsyncConnection, company: str) -> str:
    """The company's own; of one that ledger has not registered yet, that of Paris."""
    zone: str | None = await tx.scalar(ZONE, {"company": company})
    return zone or "Europe/Paris"
