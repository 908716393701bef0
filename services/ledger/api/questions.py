"""What ledger knows: a client with its people, its statement, the lettering errors."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.http import AsOfDep, CallerDep, CompanyDep, TxDep
from chassis.scopes import for_keys
from contracts.event import ClientId
from contracts.terms import LETTERING_TOLERANCE, days_late
from services.ledger.api.addresses import unreachable
from services.ledger.api.contacts import contacts_of
from services.ledger.api.fields import named_fields
from services.ledger.codes import EARLIER
from services.ledger.documents import keeping
from services.ledger.domain import Promise, PromiseState, status_of
from services.ledger.domain.refusals import UnknownClient

router = APIRouter(prefix="/companies/{company}")

CLIENT = text(
    f"""
    select client_id, version, coalesce(person.name, client_id) as name, contact_name,
        coalesce(emails, '{{}}') as emails, coalesce(phones, '{{}}') as phones, address, client.language,
        synced.account, synced.currency, client.profile, client.chosen_profile, client.category,
        client.payment_mode, client.removed, coalesce(person.fields, '{{}}') as fields_told,
        coalesce(written.fields, '{{}}') as fields_by_hand, client.salesperson, flagged,
        stopped, stopped_on, stopped_by, resumes_on,
        exists (select from erased_person gone where gone.company = :company and gone.client_id = :client_id)
            as erased,
        (select into_client_id from client_merge merged
            where merged.company = :company and merged.client_id = :client_id) as merged_into,
        array(select earlier.client_id from ({EARLIER}) earlier where earlier.client_id <> :client_id
            order by earlier.client_id) as merged_from
    from client
    left join person using (company, client_id)
    left join synced_client synced using (company, client_id)
    left join person_field written using (company, client_id)
    where company = :company and client_id = :client_id
    """  # noqa: S608 - a fragment of ledger's own
)

PROMISES = text(
    """
    select promise_id, entry_id, amount, currency, promised_on, state, recorded_on, recorded_by, ended_on
    from promise
    where company = :company and client_id = :client_id
    order by promised_on, promise_id
    """
)

STOPPED_ENTRIES = text(
    """
    select entry_id, stopped_on, stopped_by, resumes_on
    from entry_stop
    where company = :company and client_id = :client_id
    order by entry_id
    """
)

DISPUTES = text(
    """
    select dispute_id, entry_id, reason, opened_on, opened_by, closed_on, closed_by
    from dispute
    where company = :company and client_id = :client_id
    order by closed_on is not null, opened_on desc, dispute_id
    """
)

DISPUTE_FILES = text(
    """
    select dispute_id, file_id, file_name, media_type, length(content) as bytes
    from dispute_file
    where company = :company and dispute_id in (
        select dispute_id from dispute where company = :company and client_id = :client_id)
    order by kept_at, file_id
    """
)

EXPECTATIONS = text(
    """
    select entry_id, expected_on, set_on, set_by
    from entry_expectation
    where company = :company and client_id = :client_id
    order by expected_on, entry_id
    """
)

NOTES = text(
    f"""
    select note_id, client_id, entry_id, note_text.text, author, written_at, written_on, mentions
    from note left join note_text using (company, note_id)
    where company = :company and client_id = any(array({EARLIER}))
    order by written_at desc, note_id
    """  # noqa: S608 - a fragment of ledger's own
)

SALESPERSON = text("select name from salesperson where company = :company and code = :code")
ENTRY_FIELDS = text(
    """
    select entry_id, fields from entry join entry_field using (company, entry_id)
    where company = :company and client_id = :client_id and not removed
    """
)

LABELS = text(
    """
    select entry_id, label
    from entry join entry_label using (company, entry_id)
    where company = :company and client_id = :client_id and not removed
    """
)

STATEMENT = text(
    """
    with line as (
        select e.*, coalesce(sum(book_amount) over (partition by account, lettering), 0) as difference
        from entry e
        where company = :company and client_id = :client_id and not removed
    ),
    told as (
        select entry_id, account, kind, journal, piece, entry_date, invoice_date, due_date, debit, credit,
            currency, book_amount, payment_mode, lettering, lettered_on,
            lettering is null or abs(difference) > :tolerance as open,
            lettering is not null and abs(difference) > :tolerance as lettering_error
        from line
    )
    select told.*, entry_label.label, stop.entry_id is not null as stopped, expected.expected_on,
        (select reason from dispute where dispute.company = :company and dispute.client_id = :client_id
            and dispute.entry_id = told.entry_id and dispute.closed_on is null limit 1) as dispute
    from told
    left join entry_expectation expected on expected.company = :company and expected.client_id = :client_id
        and expected.entry_id = told.entry_id
    left join entry_label on entry_label.company = :company and entry_label.entry_id = told.entry_id
    left join entry_stop stop on stop.company = :company and stop.client_id = :client_id
        and stop.entry_id = told.entry_id
    where (cast(:lettered as boolean) is null or open <> :lettered)
        and (cast(:after_due as date) is null or (due_date, told.entry_id) > (:after_due, :after_id))
    order by due_date, told.entry_id
    limit :limit
    """
)

LETTERING_ERRORS = text(
    """
    select client_id, coalesce(person.name, client_id) as name, account, lettering, difference,
        company.currency, found_on
    from lettering_error
    left join person using (company, client_id)
    left join company using (company)
    where company = :company
    order by client_id, account, lettering
    """
)

ClientQuery = Annotated[ClientId, Query()]


class StatementQuery(BaseModel):
    """``lettered`` null asks for all; ``after`` is the ``next`` of the page before."""

    client_id: ClientId
    lettered: bool | None = None
    after: str | None = Field(None, pattern=r"^\d{4}-\d\d-\d\d/[0-9a-f]{32}$")
    limit: int = Field(1000, ge=1, le=5000)


def _told(amount: Decimal) -> str:
    return format(amount, "f")


async def _promises(tx: AsyncConnection, company: str, client_id: str, as_of: date) -> list[dict[str, Any]]:
    """With their status and days late on the day (rules 1.10, 10.2)."""
    rows = await tx.execute(PROMISES, {"company": company, "client_id": client_id})
    return [
        {
            **row._mapping,
            "amount": _told(row.amount),
            "status": status_of(
                Promise(
                    row.promise_id,
                    row.entry_id,
                    row.amount,
                    row.currency,
                    row.promised_on,
                    PromiseState(row.state),
                ),
                as_of,
            ),
            "days_late": days_late(row.promised_on, as_of),
        }
        for row in rows
    ]


async def _disputes(tx: AsyncConnection, of_client: dict[str, str]) -> list[dict[str, Any]]:
    """With what debtors sent beside them."""
    files: dict[UUID, list[dict[str, Any]]] = {}
    for row in await tx.execute(DISPUTE_FILES, of_client):
        told = dict(row._mapping)
        files.setdefault(told.pop("dispute_id"), []).append(told)
    found = await tx.execute(DISPUTES, of_client)
    return [{**dispute._mapping, "files": files.get(dispute.dispute_id, [])} for dispute in found]


@router.get("/client")
@for_keys("read:clients", "read:entries", "read:promises", "read:actions")
async def get_client(client_id: ClientQuery, company: CompanyDep, tx: TxDep, as_of: AsOfDep) -> dict[str, Any]:
    """Everything that people said of a client, its people, and the texts of its entries."""
    of_client = {"company": company, "client_id": client_id}
    row = (await tx.execute(CLIENT, of_client)).one_or_none()
    if row is None:
        raise UnknownClient(client_id)
    client = dict(row._mapping)
    stop = {
        "since": client.pop("stopped_on"),
        "by": client.pop("stopped_by"),
        "resumes_on": client.pop("resumes_on"),
    }
    stopped = client.pop("stopped")
    code = client.pop("salesperson")
    name = await tx.scalar(SALESPERSON, {"company": company, "code": code}) if code else None
    return {
        **client,
        "fields": client["fields_told"] | client["fields_by_hand"],
        "salesperson": {"code": code, "name": name or code} if code else None,
        "named_fields": await named_fields(tx, company),
        "entry_fields": {held.entry_id: held.fields for held in await tx.execute(ENTRY_FIELDS, of_client)},
        "as_of": as_of,
        "stop": stop if stopped else None,
        "stopped_entries": [dict(stop._mapping) for stop in await tx.execute(STOPPED_ENTRIES, of_client)],
        "promises": await _promises(tx, company, client_id, as_of),
        "disputes": await _disputes(tx, of_client),
        "expected": [dict(expected._mapping) for expected in await tx.execute(EXPECTATIONS, of_client)],
        "contacts": await contacts_of(tx, company, client_id),
        "unreachable": await unreachable(tx, company, client_id),
        "notes": [dict(note._mapping) for note in await tx.execute(NOTES, of_client)],
        "documents": await keeping.by_entry(tx, company, client_id=client_id),
        "labels": {label.entry_id: label.label for label in await tx.execute(LABELS, of_client)},
    }


@router.get("/statement")
@for_keys("read:entries")
async def get_statement(
    company: CompanyDep,
    tx: TxDep,
    as_of: AsOfDep,
    who: CallerDep,
    asked: Annotated[StatementQuery, Query()],
) -> dict[str, Any]:
    """The entries of a client by due date: ``lettered=false`` those open (a group in error is open, rule 2.8).

    ``{"entries": [...], "next": cursor | null}``; each entry with its text, stop, promises and days late.
    A key without ``read:promises`` is told neither ``promises`` nor ``dispute``.
    """
    client_id, limit = asked.client_id, asked.limit
    of_client = {"company": company, "client_id": client_id}
    if (await tx.execute(CLIENT, of_client)).one_or_none() is None:
        raise UnknownClient(client_id)
    after_due, _, after_id = (asked.after or "").partition("/")
    parameters = of_client | {
        "lettered": asked.lettered,
        "after_due": after_due or None,
        "after_id": after_id,
        "limit": limit + 1,
        "tolerance": LETTERING_TOLERANCE,
    }
    rows = list(await tx.execute(STATEMENT, parameters))
    promises: dict[str, list[dict[str, Any]]] = {}
    for promise in await _promises(tx, company, client_id, as_of):
        promises.setdefault(promise["entry_id"], []).append(promise)
    page = rows[:limit]
    entries = [
        {
            **row._mapping,
            **{name: _told(getattr(row, name)) for name in ("debit", "credit", "book_amount")},
            "days_late": days_late(row.due_date, as_of),
            "promises": promises.get(row.entry_id, []),
        }
        for row in page
    ]
    if not who.is_told("read:promises"):
        for entry in entries:
            del entry["promises"], entry["dispute"]
    following = f"{page[-1].due_date}/{page[-1].entry_id}" if len(rows) > limit else None
    return {"client_id": client_id, "as_of": as_of, "entries": entries, "next": following}


@router.get("/lettering-errors")
@for_keys("read:entries")
async def get_lettering_errors(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Groups whose debits and credits differ (rule 2.8): ``{"errors": [...]}``; mended by a full export (2.1)."""
    rows = await tx.execute(LETTERING_ERRORS, {"company": company})
    return {"errors": [{**row._mapping, "difference": _told(row.difference)} for row in rows]}
