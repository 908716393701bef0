"""Events to rows, set-based: live, when dunning speaks itself, and in a rebuild.

Every function takes a run of events of one type, of any companies and partitions, each partition in order. Bodies
go to PostgreSQL unread, but for the lines of accounting, which go there as rows. Whatever may change a decision
marks its client in ``schedule`` (``marking``): the round looks there.
"""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.heard_rows import applying
from chassis.items import NOTHING, Items, insert_new
from chassis.new_rows import NewRows
from chassis.projection import Delivered, Project
from contracts.terms import difference
from services.dunning.marking import LOOK_AT_ALL, MARK, MARK_WHOLE, TOUCH_LEVELS, mark, mark_entries, mark_lines
from services.dunning.policy_rows import (
    AUTOMATIC,
    CLIENT_POLICY,
    CONTACT,
    CONTACT_BEFORE,
    EXHAUSTED,
    LOWERED,
    POLICY,
    SCENARIO,
    SCENARIO_VERSION,
    SYNCED,
    THANKED_BEFORE,
)
from services.dunning.thanking import GROUP, MARK_PAID, OLDEST_PAYMENT_DAYS, PAYMENT, PAYMENTS, lately_paid

LINES = Items(
    "entries",
    {
        "client_id": "text", "entry_id": "text", "account": "text", "kind": "text", "piece": "text",
        "entry_date": "date", "invoice_date": "date", "due_date": "date", "debit": "numeric",
        "credit": "numeric", "currency": "text", "book_amount": "numeric", "payment_mode": "text",
        "lettering": "text", "removed": "boolean",
    },
)  # fmt: skip

ENTRY = NewRows(
    "entry",
    (
        "client_id", "entry_id", "account", "kind", "piece", "currency", "amount", "book_amount", "due_date",
        "counted_on", "payment_mode", "lettering", "removed",
    ),
    lambda line: (
        f"{line.client_id}\t{line.entry_id}\t{line.account}\t{line.kind}\t{line.piece}\t{line.currency}"
        f"\t{difference(line.debit, line.credit)}\t{line.book_amount}\t{line.due_date}"
        f"\t{line.invoice_date or line.entry_date}\t{NOTHING if line.payment_mode is None else line.payment_mode}"
        f"\t{NOTHING if line.lettering is None else line.lettering}\t{'t' if line.removed else 'f'}"
    ),
)  # fmt: skip

NEW_ENTRIES = f"""
    insert into entry (company, client_id, entry_id, p, account, kind, piece, currency, amount, book_amount,
        due_date, counted_on, payment_mode, lettering, removed)
    select company, client_id, entry_id, p, account, kind, piece, currency, debit - credit, book_amount, due_date,
        coalesce(invoice_date, entry_date), payment_mode, lettering, removed
    from {LINES.table}
"""  # noqa: S608 constants of this module

MARK_LINES, TOUCH_LINES = mark_lines(LINES.table)

ENTRIES = f"""
    with told as (
        select line.*,
            line.lettering is null and not line.removed
            and coalesce(
                lag(line.lettering is not null and not line.removed) over each,
                known.lettering is not null and not known.removed, false) as reopened
        from {LINES.table} line left join lateral (
            select lettering, removed from entry
            where (company, client_id, entry_id) = (line.company, line.client_id, line.entry_id) limit 1
        ) known on true
        window each as (partition by company, client_id, entry_id order by number, n)
    ),
    last as (
        select distinct on (company, client_id, entry_id) told.*,
            max(as_of) filter (where reopened) over (partition by company, client_id, entry_id) as reopened_on
        from told
        order by company, client_id, entry_id, number desc, n desc
    )
    insert into entry as known (company, client_id, entry_id, p, account, kind, piece, currency, amount,
        book_amount, due_date, counted_on, payment_mode, lettering, removed, reopened_on)
    select company, client_id, entry_id, p, account, kind, piece, currency, debit - credit, book_amount, due_date,
        coalesce(invoice_date, entry_date), payment_mode, lettering, removed, reopened_on
    from last
    on conflict (company, client_id, entry_id) do update set
        account = excluded.account, kind = excluded.kind, piece = excluded.piece, currency = excluded.currency,
        amount = excluded.amount, book_amount = excluded.book_amount, due_date = excluded.due_date,
        counted_on = excluded.counted_on, payment_mode = excluded.payment_mode, lettering = excluded.lettering,
        removed = excluded.removed, reopened_on = greatest(known.reopened_on, excluded.reopened_on)
"""  # noqa: S608

COMPANY = """
    insert into company (company, p, currency, time_zone, country)
    select distinct on (heard.company) heard.company, heard.p, e.currency, e.time_zone, coalesce(e.country, 'FR')
    from {heard}, json_to_record(heard.body::json) as e(currency text, time_zone text, country text)
    order by heard.company, heard.number desc
    on conflict (company) do update set
        currency = excluded.currency, time_zone = excluded.time_zone, country = excluded.country
"""

CLIENT_CHANGED = """
    insert into client (company, client_id, p, has_email, profile, payment_mode, category, salesperson)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p,
        coalesce(e.has_email, false), e.profile, e.payment_mode, e.category, e.salesperson
    from {heard}, json_to_record(heard.body::json) as e(client_id text, has_email boolean, profile text,
        payment_mode text, category text, salesperson text)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set
        has_email = excluded.has_email, profile = excluded.profile, payment_mode = excluded.payment_mode,
        category = excluded.category, salesperson = excluded.salesperson
"""

CLIENTS_CHANGED = f"""
    with told as materialized (
        select distinct on (heard.company, heard.p, e.client_id) heard.company, heard.p, e.client_id,
            coalesce(e.has_email, false) as has_email, e.profile, e.payment_mode
        from {{heard}}, json_to_recordset(heard.body::json -> 'clients') as e(client_id text, has_email boolean,
            profile text, payment_mode text)
        order by heard.company, heard.p, e.client_id, heard.number desc
    ),
    kept as (
        insert into client (company, client_id, p, has_email, profile, payment_mode)
        select company, client_id, p, has_email, profile, payment_mode from told
        on conflict (company, client_id) do update set
            has_email = excluded.has_email, profile = excluded.profile, payment_mode = excluded.payment_mode
    )
    insert into schedule as known (company, p, client_id, next_on)
    select company, p, client_id, '-infinity'::date from told
    on conflict (company, p, client_id) do update set {LOOK_AT_ALL}
"""  # noqa: S608

PROFILE_ASSIGNED = """
    insert into client (company, client_id, p, chosen_profile)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, e.profile
    from {heard}, json_to_record(heard.body::json) as e(client_id text, profile text)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set chosen_profile = excluded.chosen_profile
"""

CLIENT_STOPPED = """
    insert into client (company, client_id, p, stopped, resumes_on)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, true, e.resumes_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, resumes_on date)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set stopped = true, resumes_on = excluded.resumes_on
"""

CLIENT_RESUMED = """
    update client set stopped = false, resumes_on = null
    from {heard}, json_to_record(heard.body::json) as e(client_id text)
    where client.company = heard.company and client.client_id = e.client_id
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
    insert into promise (company, client_id, promise_id, entry_id, p, promised_on)
    select heard.company, e.client_id, e.promise_id, e.entry_id, heard.p, e.promised_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, promise_id uuid, entry_id text,
        promised_on date)
"""

PROMISE_ENDED = """
    delete from promise
    using {heard}, json_to_record(heard.body::json) as e(client_id text, promise_id uuid)
    where promise.company = heard.company and promise.client_id = e.client_id
        and promise.promise_id = e.promise_id
"""

DISPUTE_OPENED = """
    insert into dispute (company, client_id, dispute_id, entry_id, p)
    select heard.company, e.client_id, e.dispute_id, e.entry_id, heard.p
    from {heard}, json_to_record(heard.body::json) as e(client_id text, dispute_id uuid, entry_id text)
"""

DISPUTE_CLOSED = """
    delete from dispute
    using {heard}, json_to_record(heard.body::json) as e(client_id text, dispute_id uuid)
    where dispute.company = heard.company and dispute.client_id = e.client_id
        and dispute.dispute_id = e.dispute_id
"""

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

ERROR_FOUND = """
    insert into lettering_error (company, client_id, account, lettering, p)
    select distinct heard.company, e.client_id, e.account, e.lettering, heard.p
    from {heard}, json_to_record(heard.body::json) as e(client_id text, account text, lettering text)
    on conflict do nothing
"""

ERROR_CLEARED = """
    delete from lettering_error
    using {heard}, json_to_record(heard.body::json) as e(client_id text, account text, lettering text)
    where lettering_error.company = heard.company and lettering_error.client_id = e.client_id
        and lettering_error.account = e.account and lettering_error.lettering = e.lettering
"""

ACTION = """
    with opened as materialized (
        select heard.company, heard.p, heard.as_of, heard.actor, a.*
        from {heard}, jsonb_to_record(heard.body::jsonb -> 'action') as a(action_id uuid, client_id text,
            profile text, scenario_version integer, kind text, step text, medium text, template text,
            currency text, amount numeric, net_amount numeric, book_net_amount numeric, due_since date, mode text,
            accepted_reasons text[], copies uuid[], entries jsonb, by_hand boolean, counts boolean, next_step text)
    ),
    written as (
        insert into action as known (company, action_id, client_id, p, profile, scenario_version, kind, step,
            medium, template, currency, amount, net_amount, book_net_amount, due_since, mode, accepted_reasons,
            status, opened_on, confirmed_on, confirmed_by, by_hand, counts, next_step, copies)
        select company, action_id, client_id, p, profile, scenario_version, kind, step, medium, template,
            currency, amount, net_amount, book_net_amount, due_since, coalesce(mode, 'item'),
            coalesce(accepted_reasons, '{{}}'), %(status)s, as_of,
            case when %(status)s = 'due' then as_of end, case when %(status)s = 'due' then actor end,
            coalesce(by_hand, false), coalesce(counts, true), next_step, coalesce(copies, '{{}}')
        from opened
        on conflict (company, action_id) do update set
            status = excluded.status, confirmed_on = excluded.confirmed_on, confirmed_by = excluded.confirmed_by
            where known.status = 'proposed'
    )
    insert into action_entry (company, client_id, entry_id, step, occurrence, action_id, p, amount, due_date,
        level_before, level_after)
    select a.company, a.client_id, e.entry_id, a.step, e.occurrence, a.action_id, a.p, e.amount, e.due_date,
        e.level_before, e.level_after
    from opened a, jsonb_to_recordset(a.entries) as e(entry_id text, occurrence integer, amount numeric,
        due_date date, level_before text, level_after text)
    on conflict do nothing
"""

WITHDRAWN = """
    update action set status = 'withdrawn', ended_on = heard.as_of, reason = e.reason
    from {heard}, json_to_record(heard.body::json) as e(action_id uuid, reason text)
    where action.company = heard.company and action.action_id = e.action_id
"""

DONE = """
    update action set status = 'done', ended_on = e.done_on, reason = null
    from {heard}, json_to_record(heard.body::json) as e(action_id uuid, done_on date)
    where action.company = heard.company and action.action_id = e.action_id
"""

MOVES = """
    insert into entry_level as known (company, client_id, entry_id, p, level, reminded_on, noticed_on, next_step)
    select company, client_id, entry_id, max(p),
        coalesce((array_agg(level order by number desc) filter (where not notice))[1], 0),
        (array_agg(moved_on order by number desc) filter (where not notice and moved_on is not null))[1],
        (array_agg(moved_on order by number desc) filter (where notice))[1],
        (array_agg(next_step order by number desc) filter (where not notice))[1]
    from (
        select heard.company, heard.p, heard.number, e.client_id, m.entry_id,
            coalesce(e.step = 'notice', false) as notice,
            coalesce(substr(m.level_after, 2)::smallint, 0::smallint) as level,
            coalesce(e.done_on, m.reminded_on, case when m.next_step is null then e.set_on end) as moved_on,
            m.next_step
        from {heard}, jsonb_to_record(heard.body::jsonb) as e(client_id text, step text, done_on date, set_on date,
            levels jsonb), jsonb_to_recordset(e.levels) as m(entry_id text, level_after text, next_step text,
            reminded_on date)
        where e.step is distinct from 'thanks'
        union all
        select heard.company, heard.p, heard.number, e.client_id, n.entry_id, true, 0::smallint, n.noticed_on,
            null
        from {heard}, jsonb_to_record(heard.body::jsonb) as e(client_id text, noticed jsonb),
            jsonb_to_recordset(e.noticed) as n(entry_id text, noticed_on date)
    ) moves
    group by company, client_id, entry_id
    on conflict (company, client_id, entry_id) do update set
        level = case when excluded.reminded_on is null and excluded.next_step is null then known.level
            else excluded.level end,
        next_step = case when excluded.reminded_on is null and excluded.next_step is null then known.next_step
            else excluded.next_step end,
        reminded_on = coalesce(excluded.reminded_on, known.reminded_on),
        noticed_on = coalesce(excluded.noticed_on, known.noticed_on)
"""

EXCLUDED = """
    with last as (
        select distinct on (heard.company, x.client_id, e.entry_id) heard.company, x.client_id, heard.p,
            e.entry_id, e.step, e.reasons, e.until
        from {heard}, json_to_record(heard.body::json) as x(client_id text, entries json),
            json_to_recordset(x.entries) as e(entry_id text, step text, reasons text[], until date)
        order by heard.company, x.client_id, e.entry_id, heard.number desc
    ),
    gone as (
        delete from exclusion using last
        where exclusion.company = last.company and exclusion.client_id = last.client_id
            and exclusion.entry_id = last.entry_id and last.reasons = '{{}}'
    )
    insert into exclusion (company, client_id, entry_id, p, step, reasons, until)
    select company, client_id, entry_id, p, step, reasons, until from last where reasons <> '{{}}'
    on conflict (company, client_id, entry_id) do update set
        step = excluded.step, reasons = excluded.reasons, until = excluded.until
"""


async def entries_synced(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """Lines that are new, changed or gone, and the clients to look at again."""
    connection = await driver(tx)
    told = LINES.told(heard)
    new = await ENTRY.copy(connection, told)
    if new:
        await mark_entries(connection, told)
        return
    rows = await LINES.lay_out(connection, heard)
    if new is False or not await insert_new(connection, NEW_ENTRIES, rows):
        await connection.execute(ENTRIES.encode(), prepare=False)
    await connection.execute(MARK_LINES.encode(), prepare=False)
    await connection.execute(TOUCH_LINES.encode(), prepare=False)


_payments = applying(PAYMENTS, MARK_PAID, oldest=OLDEST_PAYMENT_DAYS)


async def payments_lettered(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """Payments that may be thanked for, and the clients to look at again."""
    connection = await driver(tx)
    told = lately_paid(heard)
    if await GROUP.copy(connection, told):
        await mark(connection, told)
    else:
        await _payments(tx, heard)


PROJECT: Mapping[str, Project] = {
    "EntriesSynced": entries_synced,
    "SyncCompleted": applying(SYNCED),
    "CompanyRegistered": applying(COMPANY),
    "CompanyChanged": applying(COMPANY),
    "ClientChanged": applying(CLIENT_CHANGED, MARK_WHOLE),
    "ClientsChanged": applying(CLIENTS_CHANGED),
    "ProfileAssigned": applying(PROFILE_ASSIGNED, MARK_WHOLE),
    "ClientStopped": applying(CLIENT_STOPPED, MARK_WHOLE),
    "ClientResumed": applying(CLIENT_RESUMED, MARK_WHOLE),
    "EntryStopped": applying(ENTRY_STOPPED, MARK_WHOLE),
    "EntryResumed": applying(ENTRY_RESUMED, MARK_WHOLE),
    "PromiseRecorded": applying(PROMISE_RECORDED, MARK_WHOLE),
    "PromiseCancelled": applying(PROMISE_ENDED, MARK_WHOLE),
    "PromiseKept": applying(PROMISE_ENDED, MARK_WHOLE),
    "PromiseReopened": applying(PROMISE_RECORDED, MARK_WHOLE),
    "DisputeOpened": applying(DISPUTE_OPENED, MARK_WHOLE),
    "DisputeClosed": applying(DISPUTE_CLOSED, MARK_WHOLE),
    "PaymentLettered": applying(PAYMENT, MARK, oldest=OLDEST_PAYMENT_DAYS),
    "PaymentsLettered": payments_lettered,
    "LetteringErrorFound": applying(ERROR_FOUND, MARK_WHOLE),
    "LetteringErrorCleared": applying(ERROR_CLEARED, MARK_WHOLE),
    "PaymentLinkPaid": applying(PAID_ONLINE, MARK_WHOLE),
    "PaymentReturned": applying(PAYMENT_RETURNED, MARK_WHOLE),
    "EmailSent": applying(CONTACT, MARK),
    "LetterPrepared": applying(CONTACT, MARK),
    "CallLogged": applying(CONTACT, MARK),
    "OtherContactLogged": applying(CONTACT, MARK),
    "PolicyChanged": applying(POLICY),
    "ClientPolicyChanged": applying(CLIENT_POLICY, MARK_WHOLE),
    "AutomaticChosen": applying(AUTOMATIC, MARK_WHOLE),
    "HistoryTakenOver": applying(THANKED_BEFORE, CONTACT_BEFORE, MARK_WHOLE),
    "ScenarioPublished": applying(SCENARIO, SCENARIO_VERSION),
    "ActionProposed": applying(ACTION, status="proposed"),
    "ActionDue": applying(ACTION, status="due"),
    "ActionWithdrawn": applying(WITHDRAWN, MARK),
    "ActionDone": applying(DONE, MOVES, MARK, TOUCH_LEVELS),
    "LevelSet": applying(LOWERED, MOVES, MARK, TOUCH_LEVELS),
    "ActionExcluded": applying(EXCLUDED),
    "DunningExhausted": applying(EXHAUSTED),
}
