"""Lettering groups judged once a run is heard whole (rule 2.8).

Of most groups there is little to judge: nobody promised anything of their client, nothing is in error, no payment
of theirs was told before. A first import brings hundreds of thousands of these; PostgreSQL finds them and says of
them what ``domain.lettering.judge`` would say (``tests/integration/ledger/test_settling.py`` compares). All others
are judged there.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from pydantic_core import from_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver, transaction
from chassis.eventlog import Cause, Said
from chassis.running import Running
from contracts.ledger import PaymentLettered, PaymentsLettered
from contracts.terms import LETTERING_TOLERANCE
from services.ledger import queries
from services.ledger.domain import ClientState, Group, GroupLine, GroupSeen, decide, evolve
from services.ledger.handlers import ACTOR, promised_entries
from services.ledger.together import MOST_AT_ONCE, together

MILESTONES_AT_ONCE = 8
"""Partitions of one run that are judged in one transaction."""

TAKE_MILESTONES = text(
    """
    with next as materialized (
        select m.company, m.run_id
        from milestone m join checkpoint heard on heard.speaker = 'sync' and heard.p = m.p
        where heard.pseq >= m.number
        order by m.number
        limit 1
        for update of m skip locked
    )
    delete from milestone
    where (company, run_id, p) in (
        select m.company, m.run_id, m.p
        from next join milestone m using (company, run_id)
            join checkpoint heard on heard.speaker = 'sync' and heard.p = m.p
        where heard.pseq >= m.number
        order by m.p
        limit :most
        for update of m skip locked)
    returning company, p, number, as_of, correlation_id, causation_id, traceparent
    """
)

# texts come before the lines they belong to: only now is it known whose they are
FORGET_TEXTS = text(
    """
    with of_erased as materialized (
        select e.entry_id from erased_person erased
        cross join lateral (
            select entry_id from entry
            where company = erased.company and client_id = erased.client_id and p = any(:ps) offset 0
        ) e
        where erased.company = :company
    ),
    forgotten as (
        delete from entry_field where company = :company and entry_id = any(array(select entry_id from of_erased))
    )
    delete from entry_label where company = :company and entry_id = any(array(select entry_id from of_erased))
    """
)

JUDGE_ALL_AGAIN = (
    "insert into touched_client (company, p, client_id, number)"
    " select distinct company, p, client_id, 0 from entry where lettering is not null on conflict do nothing",
)
"""After a rebuild has put other rows in place: the next run judges the groups of every client."""

# one statement, so one snapshot: a later run that touches a client again is seen in both tables or in neither;
# the clients, then all their lettered lines, which the primary key finds client by client: a join would read the
# whole company for the clients of one partition, and so would asking for what is known of them at once.
# Which of their groups the run touched is not asked: of one whose payments were told, that balances and was not in
# error, there is nothing to say, whoever touched it. A client with promises is judged whole: they may be open
# again with no group left.
TAKE_GROUPS = """
    with due as materialized (
        delete from touched_client
        where company = %(company)s and p = any(%(ps)b::smallint[])
            and number <= (%(numbers)b::bigint[])[array_position(%(ps)b::smallint[], p)]
        returning p, client_id
    ),
    touched as materialized (
        select due.p, client_id, stated.by_people, wrong.already as is_wrong, told.already as is_told
        from due
        cross join lateral (
            select count(*) > 0 as by_people from (select from promise
                where company = %(company)s and client_id = due.client_id limit 1) any_promise
        ) stated
        cross join lateral (
            select count(*) > 0 as already from (select from lettering_error
                where company = %(company)s and client_id = due.client_id limit 1) any_error
        ) wrong
        cross join lateral (
            select count(*) > 0 as already from (select from lettered_payment
                where company = %(company)s and client_id = due.client_id limit 1) any_payment
        ) told
    ),
    line as materialized (
        select e.client_id, e.account, e.lettering, e.entry_id, e.kind, e.entry_date, e.book_amount
        from touched
        cross join lateral (
            select * from entry where company = %(company)s and client_id = touched.client_id
                and lettering is not null and not removed
            offset 0
        ) e
    ),
    total as (
        select client_id, account, lettering, sum(book_amount) as difference,
            string_agg(entry_id, '","' order by entry_id collate "C") filter (where is_payment) as payments,
            string_agg(entry_id, '","' order by entry_id collate "C")
                filter (where kind <> 'payment' and book_amount > 0) as settled,
            max(entry_date) filter (where is_payment) as paid_on
        from (select *, kind = 'payment' and book_amount < 0 as is_payment from line) told
        group by client_id, account, lettering
    ),
    seen as materialized (
        select touched.p, client_id, account, lettering, total.payments, settled, paid_on,
            by_people or is_wrong or abs(difference) > %(tolerance)s or known.payments is not null as is_particular
        from total join touched using (client_id)
        left join lateral (
            select told.payments from lettered_payment told
            where is_told and (told.company, told.client_id, told.account, told.lettering)
                = (%(company)s, touched.client_id, total.account, total.lettering)
            limit 1
        ) known on true
        left join lateral (
            select true as already from lettering_error wrong
            where is_wrong and (wrong.company, wrong.client_id, wrong.account, wrong.lettering)
                = (%(company)s, touched.client_id, total.account, total.lettering)
            limit 1
        ) in_error on true
        where by_people or abs(difference) > %(tolerance)s or in_error.already is not null
            or (total.payments is not null and settled is not null and (known.payments is null
                or not string_to_array(total.payments, '","') <@ known.payments))
    )
    select p, string_agg('{"client_id":' || to_json(client_id) || ',"account":' || to_json(account)
            || ',"lettering":' || to_json(lettering) || ',"payments":["' || payments || '"],"settled":["'
            || settled || '"],"paid_on":"' || paid_on || '"}', ',' order by n) as groups,
        count(*), null as client_id, null as account, null as lettering, null as entry_id, null as kind,
        null::date as entry_date, null::numeric as book_amount
    from (
        select *, row_number() over (partition by p order by client_id collate "C", account, lettering) as n
        from seen where not is_particular
    ) numbered
    group by p, (n - 1) / %(most)s
    union all
    select null, null, null, client_id, null, null, null, null, null, null from seen
    where not is_particular group by client_id
    union all
    select null, null, null, client_id, account, lettering, null, null, null, null from seen where is_particular
    union all
    select null, null, null, client_id, wrong.account, wrong.lettering, null, null, null, null
    from touched cross join lateral (
        select account, lettering from lettering_error
        where is_wrong and company = %(company)s and client_id = touched.client_id offset 0
    ) wrong
    where not exists (select from seen where (seen.client_id, seen.account, seen.lettering)
        = (touched.client_id, wrong.account, wrong.lettering))
    union all
    select null, null, null, client_id, '', '', null, null, null, null from touched where by_people
    union all
    select null, null, null, line.client_id, line.account, line.lettering, line.entry_id, line.kind,
        line.entry_date, line.book_amount
    from line join seen using (client_id, account, lettering) where is_particular
"""
# of what a common table expression will hold little is known before, and a nested loop over two of them would look
# through all groups for each group
BY_HASH, AS_USUAL = "set local enable_nestloop = off", "set local enable_nestloop to default"

STATED_MEANWHILE = text(
    """
    select exists (select from promise where company = :company and client_id = any(:client_ids))
        or exists (select from lettering_error where company = :company and client_id = any(:client_ids))
    """
)


class StatedMeanwhile(Exception):
    """Something was stated of a client between the look at its groups and its lock: look again."""


class SeenGroup(NamedTuple):
    client_id: str
    seen: GroupSeen


@dataclass(frozen=True)
class Taken:
    """The touched groups of a run: what is to be said of plain ones, and those to be judged."""

    said: list[Said]
    of_clients: list[str]
    """Of whom it is said."""
    groups: list[SeenGroup]


async def settle(running: Running) -> bool:
    """Judge the touched lettering groups of some partitions of one completed run; False when none is whole.

    A group is split over batches while a run is being heard, so errors are looked for only when the run's last
    number of the partition is applied (rule 2.8).
    """
    try:
        async with transaction(running.engine) as tx:
            return await _settle(running, tx)
    except StatedMeanwhile:
        return True


async def _settle(running: Running, tx: AsyncConnection) -> bool:
    milestones = (await tx.execute(TAKE_MILESTONES, {"most": MILESTONES_AT_ONCE})).all()
    if not milestones:
        return False
    milestone = milestones[0]
    heard = {one.p: one.number for one in milestones}
    await tx.execute(FORGET_TEXTS, {"company": milestone.company, "ps": list(heard)})
    said = await judge_groups(tx, milestone.company, heard, milestone.as_of)
    cause = Cause(ACTOR, milestone.correlation_id, milestone.causation_id, milestone.traceparent)
    await running.say(tx)(milestone.company, said, as_of=milestone.as_of, cause=cause)
    return True


async def judge_groups(tx: AsyncConnection, company: str, heard: Mapping[int, int], as_of: date) -> list[Said]:
    """Take the touched groups of some partitions up to the number heard of each; what is to be said of them.

    Raises ``StatedMeanwhile``: the transaction is to be begun anew.
    """
    taken = await _take_groups(tx, company, heard)
    await queries.hold_clients(tx, company, taken.of_clients)
    if await tx.scalar(STATED_MEANWHILE, {"company": company, "client_ids": taken.of_clients}):
        raise StatedMeanwhile
    return [*taken.said, *await _judged(tx, company, taken.groups, as_of)]


async def _take_groups(tx: AsyncConnection, company: str, heard: Mapping[int, int]) -> Taken:
    """Beneath SQLAlchemy: of a first import these are most lines of a book."""
    values = {
        "company": company,
        "ps": list(heard),
        "numbers": list(heard.values()),
        "tolerance": LETTERING_TOLERANCE,
        "most": MOST_AT_ONCE,
    }
    connection = await driver(tx)
    await connection.execute(BY_HASH)
    cursor = await connection.execute(TAKE_GROUPS.encode(), values, prepare=False)
    await connection.execute(AS_USUAL)
    taken = Taken([], [], [])
    due: list[tuple[str, Group]] = []
    lines: dict[tuple[str, Group], list[GroupLine]] = defaultdict(list)
    for p, groups, count, client_id, account, lettering, *line in await cursor.fetchall():
        if groups is not None:
            taken.said.append(_paid(p, groups, count))
        elif lettering is None:
            taken.of_clients.append(client_id)
        elif line[0] is None:
            due.append((client_id, Group(account, lettering)))
        else:
            lines[client_id, Group(account, lettering)].append(GroupLine._make(line))
    taken.of_clients.sort()
    taken.groups.extend(SeenGroup(key[0], GroupSeen(key[1], tuple(lines[key]))) for key in due)
    return taken


def _paid(p: int, groups: str, count: int) -> Said:
    """Payments of plain groups, their JSON with commas between; one alone is said alone."""
    if count > 1:
        return Said(PaymentsLettered(groups=()), partition=p, body=f'{{"groups":[{groups}]}}'.encode())
    alone = PaymentLettered.model_validate(from_json(groups))
    return Said(alone, alone.client_id)


async def _judged(tx: AsyncConnection, company: str, groups: Sequence[SeenGroup], as_of: date) -> list[Said]:
    """What is to be said of groups of which something was known already, or that are in error."""
    if not groups:
        return []
    states = await _states_for(tx, company, groups)
    said = []
    for client_id, seen in groups:
        for event in decide(states[client_id], seen, as_of):
            said.append(Said(event, client_id))
            # each group is judged once, so that its payments are told changes nothing for the others
            if not isinstance(event, PaymentLettered):
                states[client_id] = evolve(states[client_id], event)
    return together(company, said)


async def _states_for(tx: AsyncConnection, company: str, groups: Sequence[SeenGroup]) -> dict[str, ClientState]:
    client_ids = sorted({group.client_id for group in groups})
    locked = await queries.lock_clients(tx, company, client_ids)
    promises = await queries.promises(tx, company, client_ids)
    errors = await queries.lettering_errors(tx, company, client_ids)
    payments = await queries.lettered_payments(
        tx, company, [(group.client_id, group.seen.group) for group in groups]
    )
    entries = await promised_entries(tx, company, promises)
    return {
        client_id: replace(
            locked.get(client_id, ClientState(client_id)),
            promises=promises.get(client_id, {}),
            entries=entries.get(client_id, {}),
            lettering_errors=errors.get(client_id, {}),
            lettered_payments=payments.get(client_id, {}),
        )
        for client_id in client_ids
    }
