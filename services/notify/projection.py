"""Events to rows, set-based: live, when notify speaks itself, and in a rebuild.

Every function takes a run of events of one type, of any companies and partitions, each partition in order. Bodies
go to PostgreSQL unread, but for the lines of accounting, which go there as rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.heard_rows import applying
from chassis.items import Items
from chassis.new_rows import NewRows
from chassis.projection import Delivered, Project
from contracts.terms import difference
from services.notify.tables import COLUMN, LINE

SPACES = {ord(COLUMN): " ", ord(LINE): " "}
COLUMNS_BETWEEN = 9

LINES = Items(
    "entries",
    {
        "client_id": "text", "entry_id": "text", "account": "text", "kind": "text", "piece": "text",
        "entry_date": "date", "due_date": "date", "debit": "numeric", "credit": "numeric", "currency": "text",
        "lettering": "text", "removed": "boolean",
    },
)  # fmt: skip


class ClientLines(Struct, gc=False):
    """What one event tells of a client's entries, spelled as ``synced_lines.lines`` holds it."""

    client_id: str
    lines: str


TOLD = NewRows(
    "synced_lines",
    ("client_id", "lines"),
    lambda told: f"{told.client_id}\t{told.lines}",
    {"company": "company", "number": "number", "p": "p"},
)

TOLD_FEW = """
    insert into synced_lines (company, client_id, number, p, lines)
    select * from unnest(%(companies)b::text[], %(clients)b::text[], %(numbers)b::bigint[], %(ps)b::smallint[],
        %(lines)b::text[])
    on conflict (company, client_id, number) do nothing
"""

COMPANY = """
    insert into company (company, p, name, time_zone, currency)
    select distinct on (heard.company) heard.company, heard.p, e.name, e.time_zone, e.currency
    from {heard}, json_to_record(heard.body::json) as e(name text, time_zone text, currency text)
    order by heard.company, heard.number desc
    on conflict (company) do update set
        name = excluded.name, time_zone = excluded.time_zone, currency = excluded.currency
"""

LATE_INTEREST = """
    insert into late_interest_terms (company, p, terms)
    select distinct on (heard.company) heard.company, heard.p, heard.body::jsonb
    from {heard}
    order by heard.company, heard.number desc
    on conflict (company) do update set terms = excluded.terms
"""

RETENTION = """
    insert into retention (company, p, periods)
    select distinct on (heard.company) heard.company, heard.p, heard.body::jsonb
    from {heard}
    order by heard.company, heard.number desc
    on conflict (company) do update set periods = excluded.periods
"""

LEGAL_HOLD_PLACED = """
    insert into legal_hold (company, client_id, p)
    select distinct heard.company, heard.client, heard.p from {heard}
    on conflict do nothing
"""

LEGAL_HOLD_LIFTED = """
    delete from legal_hold using {heard}
    where legal_hold.company = heard.company and legal_hold.client_id = heard.client
"""

CLIENT_CHANGED = """
    insert into client (company, client_id, p, version, removed, salesperson, category)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, e.version,
        coalesce(e.removed, false), e.salesperson, e.category
    from {heard}, json_to_record(heard.body::json) as e(client_id text, version integer, removed boolean,
        salesperson text, category text)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set version = excluded.version, removed = excluded.removed,
        salesperson = excluded.salesperson, category = excluded.category
"""

CLIENTS_CHANGED = CLIENT_CHANGED.replace(
    "json_to_record(heard.body::json)", "json_to_recordset(heard.body::json -> 'clients')"
)

PERSON_ERASED = """
    insert into client (company, client_id, p, version)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, e.version
    from {heard}, json_to_record(heard.body::json) as e(client_id text, version integer)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set version = excluded.version
"""

CLIENT_STOPPED = """
    insert into client (company, client_id, p, stopped, resumes_on)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, %(stopped)s, e.resumes_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, resumes_on date)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set stopped = excluded.stopped, resumes_on = excluded.resumes_on
"""

ENTRY_STOPPED = """
    insert into entry_stop (company, client_id, entry_id, p, resumes_on)
    select distinct on (heard.company, e.client_id, e.entry_id) heard.company, e.client_id, e.entry_id, heard.p,
        e.resumes_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, entry_id text, resumes_on date)
    order by heard.company, e.client_id, e.entry_id, heard.number desc
    on conflict (company, client_id, entry_id) do update set resumes_on = excluded.resumes_on
"""

ENTRY_RESUMED = """
    delete from entry_stop
    using {heard}, json_to_record(heard.body::json) as e(client_id text, entry_id text)
    where entry_stop.company = heard.company and entry_stop.client_id = e.client_id
        and entry_stop.entry_id = e.entry_id
"""

PROMISE_RECORDED = """
    insert into promise (company, promise_id, p, client_id, entry_id, promised_on, open, recorded_at)
    select heard.company, e.promise_id, heard.p, e.client_id, e.entry_id, e.promised_on, true, heard.at
    from {heard}, json_to_record(heard.body::json) as e(promise_id uuid, client_id text, entry_id text,
        promised_on date)
    on conflict (company, promise_id) do update set open = true
"""

PROMISE_ENDED = """
    update promise set open = false
    from {heard}, json_to_record(heard.body::json) as e(promise_id uuid)
    where promise.company = heard.company and promise.promise_id = e.promise_id
"""

DISPUTE_OPENED = """
    insert into dispute (company, dispute_id, p, client_id, entry_id, opened_at)
    select heard.company, e.dispute_id, heard.p, e.client_id, e.entry_id, heard.at
    from {heard}, json_to_record(heard.body::json) as e(dispute_id uuid, client_id text, entry_id text)
    on conflict do nothing
"""

DISPUTE_CLOSED = """
    delete from dispute
    using {heard}, json_to_record(heard.body::json) as e(dispute_id uuid)
    where dispute.company = heard.company and dispute.dispute_id = e.dispute_id
"""

ERROR_FOUND = """
    insert into lettering_error (company, client_id, account, lettering, p)
    select heard.company, e.client_id, e.account, e.lettering, heard.p
    from {heard}, json_to_record(heard.body::json) as e(client_id text, account text, lettering text)
    on conflict do nothing
"""

ERROR_CLEARED = """
    delete from lettering_error
    using {heard}, json_to_record(heard.body::json) as e(client_id text, account text, lettering text)
    where lettering_error.company = heard.company and lettering_error.client_id = e.client_id
        and lettering_error.account = e.account and lettering_error.lettering = e.lettering
"""

POLICY = """
    insert into policy (company, p, promises_exclude, disputes_exclude)
    select distinct on (heard.company) heard.company, heard.p, coalesce(e.promises_exclude, false),
        coalesce(e.disputes_exclude, false)
    from {heard}, json_to_record(heard.body::json) as e(promises_exclude boolean, disputes_exclude boolean)
    order by heard.company, heard.number desc
    on conflict (company) do update set
        promises_exclude = excluded.promises_exclude, disputes_exclude = excluded.disputes_exclude
"""

ACTION_PROPOSED = """
    insert into action as known (company, action_id, p, client_id, step, medium, state, body)
    select distinct on (heard.company, a.action_id) heard.company, a.action_id, heard.p, a.client_id, a.step,
        a.medium, 'proposed', said.action
    from {heard}, lateral (select heard.body::jsonb -> 'action' as action) said,
        jsonb_to_record(said.action) as a(action_id uuid, client_id text, step text, medium text)
    order by heard.company, a.action_id, heard.number desc
    on conflict (company, action_id) do update set
        step = excluded.step, medium = excluded.medium, state = excluded.state, body = excluded.body
"""

ACTION_DUE = """
    insert into action as known (company, action_id, p, client_id, step, medium, state, due_on, due_at, draft_id,
        body)
    select distinct on (heard.company, a.action_id) heard.company, a.action_id, heard.p, a.client_id, a.step,
        a.medium, 'due', heard.as_of, heard.at, (said.body ->> 'draft_id')::uuid, said.body -> 'action'
    from {heard}, lateral (select heard.body::jsonb as body) said,
        jsonb_to_record(said.body -> 'action') as a(action_id uuid, client_id text, step text, medium text)
    order by heard.company, a.action_id, heard.number desc
    on conflict (company, action_id) do update set
        step = excluded.step, medium = excluded.medium, state = excluded.state, due_on = excluded.due_on,
        due_at = excluded.due_at, draft_id = excluded.draft_id, body = excluded.body
"""

ACTION_ENDED = """
    update action set state = %(state)s
    from {heard}, json_to_record(heard.body::json) as e(action_id uuid)
    where action.company = heard.company and action.action_id = e.action_id
"""

OUTCOME = """
    insert into outcome (company, action_id, p, client_id, kind, reason, message_id, at, as_of, actor)
    select distinct on (heard.company, e.action_id) heard.company, e.action_id, heard.p, e.client_id, %(kind)s,
        coalesce(e.reason, e.outcome), e.message_id, heard.at, coalesce(e.done_on, heard.as_of),
        heard.actor
    from {heard}, json_to_record(heard.body::json) as e(action_id uuid, client_id text, reason text, outcome text,
        message_id text, done_on date)
    order by heard.company, e.action_id, heard.number desc
    on conflict (company, action_id) do update set
        kind = excluded.kind, reason = excluded.reason, message_id = excluded.message_id, at = excluded.at,
        as_of = excluded.as_of, actor = excluded.actor, opened_at = null, fetched_at = null, bounced = null
"""

BOUNCED = """
    update outcome set bounced = e.kind
    from (
        select distinct on (heard.company, e.action_id) heard.company, e.action_id,
            coalesce(e.kind, case when e.permanent then 'hard' else 'soft' end) as kind
        from {heard}, json_to_record(heard.body::json) as e(action_id uuid, kind text, permanent boolean)
        order by heard.company, e.action_id, e.permanent desc, heard.number desc
    ) e
    where outcome.company = e.company and outcome.action_id = e.action_id
        and outcome.bounced is distinct from 'hard'
"""

POSTED = """
    insert into posting (company, action_id, p, client_id, posted_on, registered, at, actor)
    select distinct on (heard.company, e.action_id) heard.company, e.action_id, heard.p, e.client_id,
        coalesce(e.done_on, heard.as_of), coalesce(e.registered, false), heard.at, heard.actor
    from {heard}, json_to_record(heard.body::json) as e(action_id uuid, client_id text, done_on date,
        registered boolean)
    order by heard.company, e.action_id, heard.number desc
    on conflict (company, action_id) do update set posted_on = excluded.posted_on,
        registered = excluded.registered, at = excluded.at, actor = excluded.actor
"""

OPENED = """
    update outcome set opened_at = coalesce(outcome.opened_at, e.opened_at),
        fetched_at = coalesce(outcome.fetched_at, e.fetched_at)
    from (
        select heard.company, e.action_id,
            (array_agg(e.opened_at order by heard.number) filter (where e.by_machine is not true))[1] as opened_at,
            (array_agg(e.opened_at order by heard.number) filter (where e.by_machine))[1] as fetched_at
        from {heard}, json_to_record(heard.body::json) as e(action_id uuid, opened_at timestamptz,
            by_machine boolean)
        group by heard.company, e.action_id
    ) e
    where outcome.company = e.company and outcome.action_id = e.action_id
"""

REPLIED = """
    insert into reply (company, client_id, action_id, p, received_at)
    select distinct on (heard.company, e.client_id, e.action_id) heard.company, e.client_id, e.action_id, heard.p,
        e.received_at
    from {heard}, json_to_record(heard.body::json) as e(client_id text, action_id uuid, received_at timestamptz)
    order by heard.company, e.client_id, e.action_id, heard.number desc
    on conflict (company, client_id, action_id) do update set received_at = excluded.received_at, handled_at = null
"""

REPLY_HANDLED = """
    update reply set handled_at = heard.at
    from {heard}, json_to_record(heard.body::json) as e(client_id text, action_id uuid)
    where reply.company = heard.company and reply.client_id = e.client_id and reply.action_id = e.action_id
"""

CLIENT_MERGED = """
    insert into client_merge (company, client_id, p, into_client_id)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, e."into"
    from {heard}, json_to_record(heard.body::json) as e(client_id text, "into" text)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set into_client_id = excluded.into_client_id
"""


async def entries_synced(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """Lines that are new, changed or gone: kept as they are told, client by client. Nothing of an import is looked
    up or changed, and of the many entries that nobody will ever write about none is a row."""
    connection = await driver(tx)
    told = [(event, _by_client(lines)) for event, lines in LINES.told_anyhow(heard)]
    if await TOLD.copy(connection, told):
        return
    rows = [(event, client) for event, clients in told for client in clients]
    values = {
        "companies": [event.company for event, _ in rows],
        "clients": [client.client_id for _, client in rows],
        "numbers": [event.number for event, _ in rows],
        "ps": [event.partition for event, _ in rows],
        "lines": [client.lines for _, client in rows],
    }
    await connection.execute(TOLD_FEW.encode(), values, prepare=False)


def _by_client(lines: Sequence[Any]) -> list[ClientLines]:
    """The lines of an event by client, in the order told."""
    clients: dict[str, list[str]] = {}
    for line in lines:
        clients.setdefault(line.client_id, []).append(
            f"{line.entry_id}{COLUMN}{line.account}{COLUMN}{line.kind}{COLUMN}{line.piece}{COLUMN}{line.entry_date}"
            f"{COLUMN}{line.due_date}{COLUMN}{difference(line.debit, line.credit)}{COLUMN}{line.currency}"
            f"{COLUMN}{line.lettering or ''}{COLUMN}{'t' if line.removed else 'f'}"
        )
    told = [ClientLines(client_id, LINE.join(spelled)) for client_id, spelled in clients.items()]
    if sum(client.lines.count(COLUMN) for client in told) != len(lines) * COLUMNS_BETWEEN or any(
        client.lines.count(LINE) != len(clients[client.client_id]) - 1 for client in told
    ):
        return _by_client([_without_separators(line) for line in lines])
    return told


def _without_separators(line: Any) -> Any:
    """The same line, spaces in its texts instead of the signs that stand between lines and columns."""
    return type(line)(*(value.translate(SPACES) if isinstance(value, str) else value for value in astuple(line)))


PAID_ONLINE = """
    insert into online_payment (company, client_id, entry_id, payment_id, p, paid_on)
    select distinct heard.company, e.client_id, line.entry_id, e.payment_id, heard.p, heard.as_of
    from {heard}, json_to_record(heard.body::json) as e(client_id text, payment_id uuid, entries json),
        json_to_recordset(e.entries) as line(entry_id text)
    on conflict do nothing
"""

PAYMENT_RETURNED = """
    with told as (
        select distinct on (heard.company, e.payment_id) heard.company, heard.p, heard.as_of, e.*
        from {heard}, json_to_record(heard.body::json) as e(client_id text, payment_id uuid, freed json, held json)
        order by heard.company, e.payment_id, heard.number desc
    ), gone as (
        delete from online_payment known using told, json_array_elements_text(told.freed) as line(entry_id)
        where known.company = told.company and known.client_id = told.client_id
            and known.payment_id = told.payment_id and known.entry_id = line.entry_id
    )
    insert into online_payment (company, client_id, entry_id, payment_id, p, paid_on)
    select told.company, told.client_id, line.entry_id, told.payment_id, told.p, told.as_of
    from told, json_array_elements_text(told.held) as line(entry_id)
    on conflict do nothing
"""

PROJECT: Mapping[str, Project] = {
    "PaymentLinkPaid": applying(PAID_ONLINE),
    "PaymentReturned": applying(PAYMENT_RETURNED),
    "EntriesSynced": entries_synced,
    "CompanyRegistered": applying(COMPANY),
    "CompanyChanged": applying(COMPANY),
    "LateInterestChosen": applying(LATE_INTEREST),
    "RetentionChosen": applying(RETENTION),
    "LegalHoldPlaced": applying(LEGAL_HOLD_PLACED),
    "LegalHoldLifted": applying(LEGAL_HOLD_LIFTED),
    "ClientChanged": applying(CLIENT_CHANGED),
    "ClientsChanged": applying(CLIENTS_CHANGED),
    "PersonErased": applying(PERSON_ERASED),
    "ClientMerged": applying(CLIENT_MERGED),
    "ClientStopped": applying(CLIENT_STOPPED, stopped=True),
    "ClientResumed": applying(CLIENT_STOPPED, stopped=False),
    "EntryStopped": applying(ENTRY_STOPPED),
    "EntryResumed": applying(ENTRY_RESUMED),
    "PromiseRecorded": applying(PROMISE_RECORDED),
    "PromiseCancelled": applying(PROMISE_ENDED),
    "PromiseKept": applying(PROMISE_ENDED),
    "PromiseReopened": applying(PROMISE_RECORDED),
    "DisputeOpened": applying(DISPUTE_OPENED),
    "DisputeClosed": applying(DISPUTE_CLOSED),
    "LetteringErrorFound": applying(ERROR_FOUND),
    "LetteringErrorCleared": applying(ERROR_CLEARED),
    "PolicyChanged": applying(POLICY),
    "ActionProposed": applying(ACTION_PROPOSED),
    "ActionDue": applying(ACTION_DUE),
    "ActionDone": applying(ACTION_ENDED, state="done"),
    "ActionWithdrawn": applying(ACTION_ENDED, state="withdrawn"),
    "EmailSent": applying(OUTCOME, kind="sent"),
    "EmailFailed": applying(OUTCOME, kind="failed"),
    "EmailInDoubt": applying(OUTCOME, kind="in_doubt"),
    "MessageWithheld": applying(OUTCOME, kind="withheld"),
    "LetterPrepared": applying(OUTCOME, kind="prepared"),
    "LetterPosted": applying(POSTED),
    "CallLogged": applying(OUTCOME, kind="called"),
    "OtherContactLogged": applying(OUTCOME, kind="contacted"),
    "EmailOpened": applying(OPENED),
    "EmailBounced": applying(BOUNCED),
    "ReplyReceived": applying(REPLIED),
    "ReplyHandled": applying(REPLY_HANDLED),
}
