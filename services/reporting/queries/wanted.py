"""Which clients a list wants, in which order, and the query that finds them with their amounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from contracts.terms import AGEING_SLICES
from services.reporting.queries.standings import LATE, edges, summed
from services.reporting.queries.view import LEAVES_BY_ITSELF, Page, View
from services.reporting.shapes import ClientField

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


def fits_the_day(wanted: Wanted) -> bool:
    """Whether the rows kept for the day can answer."""
    return set(wanted.bounds) <= set(LATE) and not wanted.payment_modes


def added_up(wanted: Wanted) -> str:
    """Added up from entries, for other slices or one payment mode."""
    modes = "and coalesce(e.payment_mode, m.payment_mode) = any(cast(:payment_modes as text[]))"
    return f"""
        select e.client_id, {summed((0, *wanted.bounds), ())}
        from entry e left join client m on m.company = e.company and m.client_id = e.client_id
        where e.company = :company and e.is_open {modes if wanted.payment_modes else ""} group by e.client_id
    """  # noqa: S608 - every fragment is written in this service


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


def _chosen(wanted: Wanted, amounts: Sequence[str]) -> tuple[list[str], str]:
    """Relations, and the query over them for every client wanted with its amounts and its place in the order. Only
    what the order or a condition looks at is joined."""
    conditions, order = _conditions(wanted), wanted.sorts[wanted.sort]
    needed = " ".join([order, *conditions])
    relations, joins, source = [], [], "standing f"
    if wanted.balance == "all":
        or_zero = ", ".join(f"coalesce(s.{name}, 0) as {name}" for name in amounts)
        owed = f"select coalesce(c.client_id, s.client_id) as client_id, {or_zero}"
        source = (
            "(select * from client where company = :company) c"  # noqa: S608
            f" full join standing s on s.client_id = c.client_id cross join lateral ({owed}) f"
        )
    elif "c." in needed:
        joins.append(CLIENT)
    joins += [join for alias, join in (("w.", SALESPERSON), ("g.", SORT_FIELD), ("n.", PERSON)) if alias in needed]
    if "v." in needed:
        relations.append(LEVEL_OF_EVERY)
        joins.append("left join level_of v on v.client_id = f.client_id")
    if "r." in needed:
        relations.append(REMINDED)
        joins.append("left join reminded r on r.client_id = f.client_id")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    return relations, f"select f.*, {order} as place from {source} {' '.join(joins)} {where}"  # noqa: S608


def _summed_up(wanted: Wanted, amounts: Sequence[str]) -> str:
    """The query for the totals over all that are chosen, or for zeros where nobody asked for them."""
    if not wanted.with_totals:
        names = ["clients", "overdue_clients", "stopped_clients", *(f"sum_{name}" for name in amounts)]
        return "select " + ", ".join(f"0 as {name}" for name in names)
    sums = ", ".join(f"coalesce(sum({name}), 0) as sum_{name}" for name in amounts)
    return f"""
        select count(*) as clients, count(*) filter (where overdue > 0) as overdue_clients,
            count(*) filter (where client_id in
                (select client_id from client where company = :company and stopped_on is not null))
                as stopped_clients,
            {sums}
        from chosen
    """  # noqa: S608 - every fragment is written in this file


def statement(wanted: Wanted, rows: str) -> str:
    """The query for the totals beside the rows of one page; ``rows`` selects what each client owes."""
    amounts = [f"slice{n}" for n in range(1, len(wanted.bounds) + 2)] + ["overdue", "upcoming", "total"]
    relations, chosen = _chosen(wanted, amounts)
    direction = "desc nulls last" if wanted.descending else "asc nulls last"
    return f"""
        with {", ".join([_standing(wanted, rows), *relations])},
        chosen as materialized ({chosen}),
        summed as ({_summed_up(wanted, amounts)}),
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


def parameters(view: View, wanted: Wanted, listed: Sequence[ClientField]) -> dict[str, Any]:
    """What ``statement`` asks with; ``listed`` are the free fields that its rows show."""
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
