"""What ledger says: companies, clients, and what people state about them."""

from collections.abc import Mapping

from chassis.heard_rows import adding, applying, keeping, keeping_last, removing
from chassis.projection import Project

COMPANY = keeping("company", {}, name="name text", time_zone="time_zone text", currency="currency text")

LATE_INTEREST = keeping_last("late_interest_terms", "terms")

RETENTION = keeping_last("retention", "periods")

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

PERSON_ERASED = keeping("client", {"client_id": "text"}, version="version integer")

CLIENT_MERGED = keeping("client_merge", {"client_id": "text"}, into_client_id='"into" text')

CLIENT_STOPPED = """
    insert into client (company, client_id, p, stopped, resumes_on)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, %(stopped)s, e.resumes_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, resumes_on date)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set stopped = excluded.stopped, resumes_on = excluded.resumes_on
"""

ENTRY_STOPPED = keeping("entry_stop", {"client_id": "text", "entry_id": "text"}, resumes_on="resumes_on date")

ENTRY_RESUMED = removing("entry_stop", client_id="text", entry_id="text")

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

DISPUTE_CLOSED = removing("dispute", dispute_id="uuid")

ERROR_FOUND = adding("lettering_error", client_id="text", account="text", lettering="text")

ERROR_CLEARED = removing("lettering_error", client_id="text", account="text", lettering="text")

STATED: Mapping[str, Project] = {
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
}
