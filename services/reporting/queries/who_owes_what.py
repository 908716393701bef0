"""What each client owes on a day, sliced by age: the list "who owes what", and the lines of its top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.terms import AGEING_SLICES
from services.reporting.queries.standings import LATE, edges, owing, summed
from services.reporting.queries.view import LEAVES_BY_ITSELF, ZERO, Page, View
from services.reporting.shapes import ClientField, Debtor, Salesperson, Slice, Totals, WhoOwesWhat

BOUNDS = AGEING_SLICES[1:]
"""Days late that close the younger overdue slices; what is older is the last slice (rule 16.1)."""

SORTS = {
    "name": "coalesce(n.sort_key, lower(f.client_id))",
    "profile": "coalesce(c.profile, :default_profile)",
    "level": "v.level",
    "last_reminder": "r.last_reminder_on",
    "overdue": "f.overdue",
    "upcoming": "f.upcoming",
    "total": "f.total",
    "salesperson": "coalesce(w.sort_key, lower(c.salesperson))",
}
FIELDS = tuple(f"tag{n}" for n in range(1, 11))
"""Free fields of clients (rule 22.6)."""
LISTED = text("""
    select field, title from free_field where company = :company and about = 'client' and listed
    order by place, field
""")


@dataclass(frozen=True)
class Wanted:
    """Which clients, in which order. ``None`` and empty mean any.

    ``balance`` is ``debtor`` (owes something), ``creditor`` (is owed) or ``all`` (also those with nothing open).
    ``levels`` may hold ``none``. ``sort`` is a key of ``SORTS`` or ``slice1`` (oldest) and so on.
    """

    stopped: bool | None = None
    late: bool | None = None
    automatic: bool | None = None
    """With an open debit whose reminders may leave by themselves (rule 22.13), or without any."""
    levels: Sequence[str] = ()
    profiles: Sequence[str] = ()
    payment_modes: Sequence[str] = ()
    categories: Sequence[str] = ()
    salespeople: Sequence[str] = ()
    """Codes; ``none`` for clients that nobody looks after."""
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By free field the folded forms (``people.key_of``) of what it may hold."""
    words: Sequence[str] = ()
    """Folded as ``people.fold`` does; each must occur in the name or the code."""
    balance: str = "debtor"
    bounds: tuple[int, ...] = BOUNDS
    sort: str = "overdue"
    descending: bool = True
    page: Page = field(default_factory=Page)
    with_totals: bool = True
    """Without, counts and totals are left at zero."""

    @property
    def sorts(self) -> dict[str, str]:
        """The orders on offer, and the column of each."""
        return (
            SORTS
            | dict.fromkeys(FIELDS, "g.key")
            | {f"slice{n}": f"f.slice{n}" for n in range(1, len(self.bounds) + 2)}
        )


def slices(bounds: Sequence[int]) -> list[Slice]:
    """The overdue slices that these bounds close, oldest first."""
    edges = [0, *bounds]
    oldest = Slice(key=f"over_{edges[-1]}", from_days=edges[-1] + 1, to_days=None)
    closed = [
        Slice(key=f"from_{lower + 1}_to_{upper}", from_days=lower + 1, to_days=upper)
        for lower, upper in pairwise(edges)
    ]
    return [oldest, *reversed(closed)]


def _fits(wanted: Wanted) -> bool:
    """Whether the rows kept for the day can answer."""
    return set(wanted.bounds) <= set(LATE) and not wanted.payment_modes


def _standing(wanted: Wanted, rows: str) -> str:
    """The relation ``standing``: one row per client, its slices oldest first, out of what ``rows`` selects."""
    older = [f"late{days}" for days in (*reversed(wanted.bounds), 0)]
    columns = [f"{older[0]} as slice1"]
    columns += [f"{younger} - {old} as slice{n}" for n, (old, younger) in enumerate(pairwise(older), start=2)]
    which = {"debtor": "where total > 0", "creditor": "where total < 0", "all": ""}[wanted.balance]
    return f"""
        standing as (
            select client_id, {", ".join(columns)}, late0 as overdue, total - late0 as upcoming, total
            from ({rows}) one {which}
        )"""  # noqa: S608 - every fragment is written in this service


def _added_up(wanted: Wanted) -> str:
    """Added up from entries, for other slices or one payment mode."""
    modes = "and coalesce(e.payment_mode, m.payment_mode) = any(cast(:payment_modes as text[]))"
    return f"""
        select e.client_id, {summed((0, *wanted.bounds), ())}
        from entry e left join client m on m.company = e.company and m.client_id = e.client_id
        where e.company = :company and e.is_open {modes if wanted.payment_modes else ""} group by e.client_id
    """  # noqa: S608 - every fragment is written in this service


LEVEL_OF_EVERY = """
    level_of as materialized (
        select e.client_id, max(l.level) as level
        from entry e join entry_level l using (company, client_id, entry_id)
        where e.company = :company and e.is_open and l.level like 'R%'
        group by e.client_id
    )"""
REMINDED = """
    reminded as materialized (
        select client_id, max(done_on) as last_reminder_on from action
        where company = :company and status = 'done' and kind = 'reminder' and done_on <= :as_of
        group by client_id
    )"""
LEVEL_OF_ONE = """
    left join lateral (
        select max(l.level) as level from entry e join entry_level l using (company, client_id, entry_id)
        where e.company = :company and e.client_id = f.client_id and e.is_open and l.level like 'R%'
    ) v on true"""
REMINDED_ONE = """
    left join lateral (
        select max(done_on) as last_reminder_on from action a
        where a.company = :company and a.client_id = f.client_id and a.status = 'done' and a.kind = 'reminder'
            and a.done_on <= :as_of
    ) r on true"""
CLIENT = "left join client c on c.company = :company and c.client_id = f.client_id"
SALESPERSON = "left join salesperson w on w.company = :company and w.code = c.salesperson"
SORT_FIELD = """
    left join client_field g on g.company = :company and g.client_id = f.client_id and g.field = :sort"""
WITH_AUTOMATIC = f"""
    select e.client_id from entry e left join automatic_choice h using (company, client_id, entry_id)
    where e.company = :company and e.is_open and e.book_amount > 0 and {LEAVES_BY_ITSELF}"""  # noqa: S608
PERSON = "left join person n on n.company = :company and n.client_id = f.client_id"


def _conditions(wanted: Wanted) -> list[str]:
    conditions = []
    if wanted.balance == "all":
        conditions.append("(c.removed is not true or f.total <> 0)")
    if wanted.late is not None:
        conditions.append("f.overdue > 0" if wanted.late else "f.overdue <= 0")
    if wanted.stopped is not None:
        conditions.append(f"c.stopped_on is {'not ' if wanted.stopped else ''}null")
    if wanted.automatic is not None:
        # hashed once, like the fields below
        conditions.append(f"(f.client_id in ({WITH_AUTOMATIC})) is {'true' if wanted.automatic else 'false'}")
    if wanted.profiles:
        conditions.append("coalesce(c.profile, :default_profile) = any(cast(:profiles as text[]))")
    if wanted.categories:
        conditions.append("c.category = any(cast(:categories as text[]))")
    if wanted.salespeople:
        conditions.append("coalesce(c.salesperson, 'none') = any(cast(:salespeople as text[]))")
    conditions += [
        # not as a join: of a day just added up no statistics are known, and the clients found would be gone
        # through once per debtor; like this they are hashed once
        "(f.client_id in (select client_id from client_field"  # noqa: S608 - fields of ``FIELDS``
        f" where company = :company and field = '{name}' and key = any(cast(:{name} as text[])))) is true"
        for name in FIELDS
        if wanted.fields.get(name)
    ]
    if wanted.levels:
        conditions.append("coalesce(v.level, 'none') = any(cast(:levels as text[]))")
    conditions += [
        f"position(:word{n} in coalesce(n.search_key, lower(f.client_id))) > 0" for n in range(len(wanted.words))
    ]
    return conditions


def _statement(wanted: Wanted, rows: str) -> str:
    relations = [_standing(wanted, rows)]
    joins = []
    conditions = _conditions(wanted)
    order = wanted.sorts[wanted.sort]
    needed = " ".join([order, *conditions])
    amounts = [f"slice{n}" for n in range(1, len(wanted.bounds) + 2)] + ["overdue", "upcoming", "total"]
    source = "standing f"
    if wanted.balance == "all":
        amounts_or_zero = ", ".join(f"coalesce(s.{name}, 0) as {name}" for name in amounts)
        owed = f"select coalesce(c.client_id, s.client_id) as client_id, {amounts_or_zero}"
        source = (
            "(select * from client where company = :company) c"  # noqa: S608
            f" full join standing s on s.client_id = c.client_id cross join lateral ({owed}) f"
        )
    elif "c." in needed:
        joins.append(CLIENT)
    if "w." in needed:
        joins.append(SALESPERSON)
    if "g." in needed:
        joins.append(SORT_FIELD)
    if "n." in needed:
        joins.append(PERSON)
    if "v." in needed:
        relations.append(LEVEL_OF_EVERY)
        joins.append("left join level_of v on v.client_id = f.client_id")
    if "r." in needed:
        relations.append(REMINDED)
        joins.append("left join reminded r on r.client_id = f.client_id")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    sums = ", ".join(f"coalesce(sum({name}), 0) as sum_{name}" for name in amounts)
    counts = """
        count(*) as clients, count(*) filter (where overdue > 0) as overdue_clients,
        count(*) filter (where client_id in
            (select client_id from client where company = :company and stopped_on is not null)) as stopped_clients
    """
    summed_up = f"select {counts}, {sums} from chosen"  # noqa: S608 - every fragment is written in this file
    if not wanted.with_totals:
        names = ["clients", "overdue_clients", "stopped_clients", *(f"sum_{name}" for name in amounts)]
        summed_up = "select " + ", ".join(f"0 as {name}" for name in names)
    direction = "desc nulls last" if wanted.descending else "asc nulls last"
    return f"""
        with {", ".join(relations)},
        chosen as materialized (
            select f.*, {order} as place from {source} {" ".join(joins)} {where}
        ),
        summed as ({summed_up}),
        paged as (
            select * from chosen order by place {direction}, client_id limit :limit offset :offset
        )
        select t.*, f.*, coalesce(n.name, f.client_id) as name, coalesce(c.profile, :default_profile) as profile,
            c.category, c.payment_mode, coalesce(c.has_email, false) as has_email,
            coalesce(c.has_phone, false) as has_phone, c.stopped_on, coalesce(c.flagged, false) as flagged,
            coalesce(c.notes, 0) as notes, v.level, r.last_reminder_on, c.salesperson as salesperson_code,
            coalesce(w.name, c.salesperson) as salesperson_name,
            (select jsonb_object_agg(held.field, held.value) from client_field held
                where held.company = :company and held.client_id = f.client_id
                    and held.field = any(cast(:listed as text[]))) as fields,
            exists (select from dispute d where d.company = :company and d.client_id = f.client_id
                and d.closed_on is null) as disputed
        from summed t left join paged f on true {CLIENT} {SALESPERSON} {PERSON} {LEVEL_OF_ONE}
            {REMINDED_ONE}
        order by f.place {direction}, f.client_id
    """  # noqa: S608 - every fragment is written in this file


def _parameters(view: View, wanted: Wanted, listed: Sequence[ClientField]) -> dict[str, Any]:
    return {
        "company": view.company,
        "as_of": view.as_of,
        "default_profile": view.default_profile,
        "levels": list(wanted.levels),
        "profiles": list(wanted.profiles),
        "payment_modes": list(wanted.payment_modes),
        "categories": list(wanted.categories),
        "salespeople": list(wanted.salespeople),
        "automatic_from": view.automatic_from,
        "sort": wanted.sort,
        "listed": [one.field for one in listed],
        **{name: list(keys) for name, keys in wanted.fields.items()},
        **{f"word{n}": word for n, word in enumerate(wanted.words)},
        **edges(view, (*LATE, *wanted.bounds)),
        **wanted.page.bounds,
    }


def debtor(row: Any, count: int) -> Debtor:
    """One line of the list out of a row with ``count`` slices."""
    return Debtor(
        client_id=row.client_id,
        name=row.name,
        profile=row.profile,
        category=row.category,
        payment_mode=row.payment_mode,
        has_email=row.has_email,
        has_phone=row.has_phone,
        stopped_on=row.stopped_on,
        flagged=row.flagged,
        disputed=row.disputed,
        level=row.level,
        last_reminder_on=row.last_reminder_on,
        slices=[row._mapping[f"slice{n}"] for n in range(1, count + 1)],
        overdue=row.overdue,
        upcoming=row.upcoming,
        total=row.total,
        notes=row.notes,
        salesperson=Salesperson(code=row.salesperson_code, name=row.salesperson_name)
        if row.salesperson_code
        else None,
        fields=row.fields or {},
    )


async def listed_fields(tx: AsyncConnection, company: str) -> list[ClientField]:
    """The free fields of clients that stand in lists, in their order."""
    rows = await tx.execute(LISTED, {"company": company})
    return [ClientField(field=row.field, title=row.title) for row in rows]


async def who_owes_what(tx: AsyncConnection, view: View, wanted: Wanted) -> WhoOwesWhat:
    """The clients wanted with their amounts; totals over all of them, rows of one page."""
    rows = await owing(tx, view) if _fits(wanted) else _added_up(wanted)
    statement = text(_statement(wanted, rows))
    listed = await listed_fields(tx, view.company)
    found = (await tx.execute(statement, _parameters(view, wanted, listed))).all()
    sums = found[0]
    count = len(wanted.bounds) + 1
    return WhoOwesWhat(
        as_of=view.as_of,
        currency=view.currency,
        slices=slices(wanted.bounds),
        fields=listed,
        clients=sums.clients,
        overdue_clients=sums.overdue_clients,
        stopped_clients=sums.stopped_clients,
        totals=Totals(
            slices=[sums._mapping[f"sum_slice{n}"] for n in range(1, count + 1)],
            overdue=sums.sum_overdue,
            upcoming=sums.sum_upcoming,
            total=sums.sum_total,
        ),
        rows=[debtor(row, count) for row in found if row.client_id is not None],
        **wanted.page.shape(sums.clients),
    )


def totals(rows: Sequence[Debtor], count: int) -> Totals:
    """Sums over these lines of ``count`` slices."""
    return Totals(
        slices=[sum((row.slices[n] for row in rows), ZERO) for n in range(count)],
        overdue=sum((row.overdue for row in rows), ZERO),
        upcoming=sum((row.upcoming for row in rows), ZERO),
        total=sum((row.total for row in rows), ZERO),
    )
