"""What ledger decides upon: clients locked first, then loaded."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.subjects import partition_of
from contracts.terms import LETTERING_TOLERANCE
from services.ledger.domain import (
    Announced,
    ClientFacts,
    ClientState,
    CompanySettings,
    Dispute,
    EntryFacts,
    Group,
    Profile,
    Profiles,
    Promise,
    PromiseState,
)

COMPANY = text(
    "select name, time_zone, currency, country, fiscal_year_start, dispute_reasons"
    " from company where company = :company"
)

ADD_CLIENTS = text(
    """
    insert into client (company, client_id, p)
    select :company, client_id, p
    from unnest(cast(:client_ids as text[]), cast(:ps as smallint[])) as wanted(client_id, p)
    order by client_id
    on conflict do nothing
    """
)

# the third to the eleventh column are the fields of ClientFacts in their order
LOCK_CLIENTS = text(
    """
    select client_id, version, has_email, has_phone, has_address, language, profile, category, payment_mode,
        removed, salesperson, chosen_profile, stopped, resumes_on, flagged
    from client
    where company = :company and client_id = any(:client_ids)
    order by client_id
    for update
    """
)

HOLD_CLIENTS = text(
    """
    select count(*) from (
        select from client where company = :company and client_id = any(:client_ids) order by client_id for update
    ) held
    """
)

# the client, then the fields of ClientFacts in their order; asked one by one of the primary keys
FACTS = text(
    """
    select asked.client_id,
        exists (select from unnest(person.emails) told(email) where lower(told.email) <> all(dead.emails))
            or exists (select from contact
                where contact.company = :company and contact.client_id = asked.client_id and not gone
                    and not removed and coalesce(edited ->> 'email', email) <> ''
                    and lower(coalesce(edited ->> 'email', email)) <> all(dead.emails)) as has_email,
        coalesce(cardinality(person.phones) > 0, false) or exists (select from contact
            where contact.company = :company and contact.client_id = asked.client_id and not gone and not removed
                and coalesce(edited ->> 'phone', phone) <> '') as has_phone,
        person.address is not null as has_address, coalesce(person.language, 'fr') as language,
        synced.profile, synced.category, synced.payment_mode, coalesce(synced.removed, false) as removed,
        synced.salesperson
    from unnest(cast(:client_ids as text[])) as asked(client_id)
    join lateral (
        select from client where company = :company and client_id = asked.client_id limit 1
    ) client on true
    left join lateral (
        select emails, phones, address, language from person
        where company = :company and client_id = asked.client_id limit 1
    ) person on true
    cross join lateral (
        select array(select email from dead_address
            where company = :company and client_id = asked.client_id) as emails
    ) dead
    left join lateral (
        select profile, category, payment_mode, removed, salesperson from synced_client
        where company = :company and client_id = asked.client_id limit 1
    ) synced on true
    """
)

# those of whom accounting tells what was said of them already are most, and left out unlocked: whoever says
# something else of them beside this has read what accounting tells
TOLD_OTHERWISE = text(
    """
    select told.client_id
    from unnest(cast(:client_ids as text[])) as told(client_id)
    left join lateral (
        select * from client where company = :company and client_id = told.client_id limit 1
    ) said on true
    left join lateral (
        select * from synced_client where company = :company and client_id = told.client_id limit 1
    ) synced on true
    where coalesce(said.version, 0) = 0 or said.chosen_profile is not null or said.profile is not null
        or synced.profile is not null
        or (said.category, said.payment_mode, said.removed, said.salesperson)
            is distinct from (synced.category, synced.payment_mode, coalesce(synced.removed, false),
                synced.salesperson)
    order by told.client_id
    """
)

PROMISES = text(
    """
    select client_id, promise_id, entry_id, amount, currency, promised_on, state
    from promise
    where company = :company and client_id = any(:client_ids)
    order by promised_on, promise_id
    """
)

STOPPED_ENTRIES = text(
    """
    select client_id, entry_id, resumes_on from entry_stop
    where company = :company and client_id = any(:client_ids)
    order by client_id, entry_id
    """
)

DISPUTES = text(
    """
    select dispute_id, entry_id, reason, closed_on is not null as closed from dispute
    where company = :company and client_id = :client_id
    """
)

EXPECTATIONS = text(
    "select entry_id, expected_on from entry_expectation where company = :company and client_id = :client_id"
)

# an entry of a lettering group in error counts as open (rule 2.8)
ENTRIES = text(
    """
    select e.client_id, e.entry_id, e.debit - e.credit as amount, e.currency,
        e.lettering is null or abs(coalesce(whole.difference, 0)) > :tolerance as open
    from entry e
    left join lateral (
        select sum(other.book_amount) as difference
        from entry other
        where other.company = e.company and other.client_id = e.client_id and other.account = e.account
            and other.lettering = e.lettering and not other.removed
    ) whole on e.lettering is not null
    where e.company = :company and e.client_id = any(:client_ids) and e.entry_id = any(:entry_ids)
        and not e.removed
    """
)

LETTERING_ERRORS = text(
    """
    select client_id, account, lettering, difference from lettering_error
    where company = :company and client_id = any(:client_ids)
    """
)

# asked one by one of the primary key, or the company would be read whole for the groups of one partition
LETTERED_PAYMENTS = text(
    """
    select asked.client_id, asked.account, asked.lettering, known.payments, known.settled
    from unnest(cast(:clients as text[]), cast(:accounts as text[]), cast(:letterings as text[]))
        as asked(client_id, account, lettering)
    cross join lateral (
        select payments, settled from lettered_payment
        where (company, client_id, account, lettering)
            = (:company, asked.client_id, asked.account, asked.lettering)
        limit 1
    ) known
    """
)

TOUCHED_BY_THE_DAY = text(
    """
    select client_id from promise where company = :company and state = 'open' and promised_on < :as_of
    union
    select client_id from client where company = :company and resumes_on <= :as_of
    union
    select client_id from entry_stop where company = :company and resumes_on <= :as_of
    order by client_id
    """
)

PROFILES = text("select profiles, default_profile, taken_over from profile_list where company = :company")

# taken before any client is locked; who changes the profiles takes it alone: else a client could keep one that is
# being deleted beside it
KEEP_PROFILES = text("select pg_advisory_xact_lock_shared(hashtextextended('profiles ' || :company, 0))")

PROMISE_CLIENT = text("select client_id from promise where company = :company and promise_id = :promise_id")
DISPUTE_CLIENT = text("select client_id from dispute where company = :company and dispute_id = :dispute_id")


async def company_settings(tx: AsyncConnection, company: str) -> CompanySettings | None:
    row = (await tx.execute(COMPANY, {"company": company})).one_or_none()
    return CompanySettings(**{**row._mapping, "dispute_reasons": tuple(row.dispute_reasons)}) if row else None


async def add_clients(tx: AsyncConnection, company: str, client_ids: Sequence[str]) -> None:
    """Make rows to lock for clients that nobody spoke of yet; what is said of them next fills the rows."""
    partitions = [partition_of(company, client_id) for client_id in client_ids]
    await tx.execute(ADD_CLIENTS, {"company": company, "client_ids": list(client_ids), "ps": partitions})


async def lock_clients(tx: AsyncConnection, company: str, client_ids: Sequence[str]) -> dict[str, ClientState]:
    """Lock the rows of these clients, always in the same order, and answer what stands in them (habit 10).

    Until the transaction ends the profiles of the company stay as they are.
    """
    await tx.execute(KEEP_PROFILES, {"company": company})
    rows = await tx.execute(LOCK_CLIENTS, {"company": company, "client_ids": list(client_ids)})
    return {
        client_id: ClientState(
            client_id=client_id,
            version=version,
            said=ClientFacts(*said),
            stopped=stopped,
            resumes_on=resumes_on,
            flagged=flagged,
            chosen_profile=chosen_profile,
        )
        for client_id, version, *said, chosen_profile, stopped, resumes_on, flagged in rows
    }


async def hold_clients(tx: AsyncConnection, company: str, client_ids: Sequence[str]) -> None:
    """Lock the rows of these clients as ``lock_clients`` does, without looking at them."""
    await tx.execute(KEEP_PROFILES, {"company": company})
    await tx.execute(HOLD_CLIENTS, {"company": company, "client_ids": list(client_ids)})


async def told_otherwise(tx: AsyncConnection, company: str, client_ids: Sequence[str]) -> list[str]:
    """Those of whom accounting tells other than was said of them last, and those of whom more must be known to
    tell: of whom nothing was said yet, and who have a profile. People say themselves what changes of people."""
    return list(await tx.scalars(TOLD_OTHERWISE, {"company": company, "client_ids": list(client_ids)}))


async def facts(tx: AsyncConnection, company: str, client_ids: Sequence[str]) -> dict[str, ClientFacts]:
    """People's and accounting's facts put together; the profile is what accounting's word means (rule 3.4). For
    rows already locked."""
    known = await profiles(tx, company)
    rows = await tx.execute(FACTS, {"company": company, "client_ids": list(client_ids)})
    found = {client_id: ClientFacts(*seen) for client_id, *seen in rows}
    return {
        client_id: replace(seen, profile=known.told(seen.profile)) if seen.profile is not None else seen
        for client_id, seen in found.items()
    }


async def profiles(tx: AsyncConnection, company: str) -> Profiles:
    """The delivered ones where the company never changed them."""
    row = (await tx.execute(PROFILES, {"company": company})).one_or_none()
    if row is None:
        return Profiles()
    named = tuple(Profile(one["profile"], one["name"]) for one in row.profiles)
    return Profiles(named, row.default_profile, row.taken_over)


async def promises(tx: AsyncConnection, company: str, client_ids: Sequence[str]) -> dict[str, dict[UUID, Promise]]:
    found: dict[str, dict[UUID, Promise]] = defaultdict(dict)
    for row in await tx.execute(PROMISES, {"company": company, "client_ids": list(client_ids)}):
        found[row.client_id][row.promise_id] = Promise(
            promise_id=row.promise_id,
            entry_id=row.entry_id,
            amount=row.amount,
            currency=row.currency,
            promised_on=row.promised_on,
            state=PromiseState(row.state),
        )
    return found


async def stopped_entries(
    tx: AsyncConnection, company: str, client_ids: Sequence[str]
) -> dict[str, dict[str, date | None]]:
    """By client and entry, the day on which the stop ends by itself."""
    found: dict[str, dict[str, date | None]] = defaultdict(dict)
    for row in await tx.execute(STOPPED_ENTRIES, {"company": company, "client_ids": list(client_ids)}):
        found[row.client_id][row.entry_id] = row.resumes_on
    return found


async def disputes(tx: AsyncConnection, company: str, client_id: str) -> dict[UUID, Dispute]:
    """Closed ones included."""
    rows = await tx.execute(DISPUTES, {"company": company, "client_id": client_id})
    return {row.dispute_id: Dispute(row.dispute_id, row.entry_id, row.reason, row.closed) for row in rows}


async def expectations(tx: AsyncConnection, company: str, client_id: str) -> dict[str, date]:
    rows = await tx.execute(EXPECTATIONS, {"company": company, "client_id": client_id})
    return {row.entry_id: row.expected_on for row in rows}


async def entries(
    tx: AsyncConnection, company: str, client_ids: Sequence[str], entry_ids: Sequence[str]
) -> dict[str, dict[str, EntryFacts]]:
    """These entries of these clients, archived ones left out."""
    found: dict[str, dict[str, EntryFacts]] = defaultdict(dict)
    parameters = {
        "company": company,
        "client_ids": list(client_ids),
        "entry_ids": list(entry_ids),
        "tolerance": LETTERING_TOLERANCE,
    }
    for row in await tx.execute(ENTRIES, parameters):
        found[row.client_id][row.entry_id] = EntryFacts(
            entry_id=row.entry_id, amount=row.amount, currency=row.currency, open=row.open
        )
    return found


async def lettering_errors(
    tx: AsyncConnection, company: str, client_ids: Sequence[str]
) -> dict[str, dict[Group, Decimal]]:
    """The differences that were said and not cleared."""
    found: dict[str, dict[Group, Decimal]] = defaultdict(dict)
    for row in await tx.execute(LETTERING_ERRORS, {"company": company, "client_ids": list(client_ids)}):
        found[row.client_id][Group(row.account, row.lettering)] = row.difference
    return found


async def lettered_payments(
    tx: AsyncConnection, company: str, groups: Sequence[tuple[str, Group]]
) -> dict[str, dict[Group, Announced]]:
    """What was announced of these groups, each beside its client."""
    found: dict[str, dict[Group, Announced]] = defaultdict(dict)
    parameters = {
        "company": company,
        "clients": [client_id for client_id, _ in groups],
        "accounts": [group.account for _, group in groups],
        "letterings": [group.lettering for _, group in groups],
    }
    for row in await tx.execute(LETTERED_PAYMENTS, parameters):
        found[row.client_id][Group(row.account, row.lettering)] = Announced(
            frozenset(row.payments), frozenset(row.settled)
        )
    return found


async def clients_touched_by_the_day(tx: AsyncConnection, company: str, as_of: date) -> list[str]:
    """Those with a promise whose day has passed, or a stop that ends."""
    return list(await tx.scalars(TOUCHED_BY_THE_DAY, {"company": company, "as_of": as_of}))


async def client_of_promise(tx: AsyncConnection, company: str, promise_id: UUID) -> str | None:
    client_id: str | None = await tx.scalar(PROMISE_CLIENT, {"company": company, "promise_id": promise_id})
    return client_id


async def client_of_dispute(tx: AsyncConnection, company: str, dispute_id: UUID) -> str | None:
    client_id: str | None = await tx.scalar(DISPUTE_CLIENT, {"company": company, "dispute_id": dispute_id})
    return client_id
