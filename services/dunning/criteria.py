"""The clients that criteria find (rule 9.8): by rows, so that only those of a page are looked at whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.dunning.domain.by_criteria import Candidate, candidates
from services.dunning.rulebook import Rulebook, rulebook
from services.dunning.states import load

NONE = "none"
"""Without a level, a category, a sales person, a payment mode: as a word among the codes."""

FOUND = """
    with late as (
        select e.client_id, sum(e.book_amount) as owed,
            max(cast(:as_of as date) - e.due_date) filter (where e.amount > 0) as days_late,
            max(coalesce(l.level, 0)) as level, max(l.reminded_on) as reminded_on
            {modes_of_entries}
        from entry e
        left join entry_level l using (company, client_id, entry_id)
        where e.company = :company and e.lettering is null and not e.removed and e.due_date < :as_of
            {named}
        group by e.client_id
    ),
    found as (
        select late.client_id, late.owed from late
        left join client c on c.company = :company and c.client_id = late.client_id
        left join client_policy o on o.company = :company and o.client_id = late.client_id
        where late.days_late is not null {conditions}
    )
    select client_id, owed, count(*) over () as clients, sum(owed) over () as owed_by_all
    from found order by owed desc, client_id limit :limit offset :offset
"""


@dataclass(frozen=True)
class Criteria:
    """What clients must be; empty is anything. ``levels`` are ``R1`` to ``R7``, or ``none``; days are least and
    most, and a client never reminded was so longer ago than any. ``client_ids`` narrows to those named.
    """

    profiles: Sequence[str] = ()
    categories: Sequence[str] = ()
    salespeople: Sequence[str] = ()
    payment_modes: Sequence[str] = ()
    levels: Sequence[str] = ()
    has_email: bool | None = None
    days_late: tuple[int | None, int | None] = (None, None)
    days_since_reminder: tuple[int | None, int | None] = (None, None)
    client_ids: Sequence[str] | None = None


@dataclass
class Found:
    """``clients`` is how many fit in all and ``owed`` what is late of them in the company's currency;
    ``candidates`` are those of the part asked for, who owes most first.
    """

    clients: int = 0
    owed: Any = 0
    candidates: list[Candidate] = field(default_factory=list)


async def find(  # noqa: PLR0913, PLR0917 - which, on which day, how many
    tx: AsyncConnection, company: str, as_of: date, criteria: Criteria, medium: str, limit: int, offset: int
) -> Found:
    """Raises ``CompanyUnknown``."""
    rules = await rulebook(tx, company)
    query, asked = _query(company, as_of, criteria, rules)
    rows = (await tx.execute(text(query), asked | {"limit": limit, "offset": offset})).all()
    if not rows:
        return Found()
    known = await load(tx, company, [row.client_id for row in rows])
    found = Found(rows[0].clients, rows[0].owed_by_all)
    for row in rows:
        state = known[row.client_id].state
        found.candidates += candidates(state, rules.policy, rules.scenario_of(state), as_of, medium)
    return found


def _query(company: str, as_of: date, criteria: Criteria, rules: Rulebook) -> tuple[str, dict[str, Any]]:
    asked: dict[str, Any] = {"company": company, "as_of": as_of, "default_profile": rules.policy.default_profile}
    conditions = []

    def among(column: str, name: str, wanted: Sequence[str]) -> None:
        if wanted:
            conditions.append(f"coalesce({column}, '{NONE}') = any(cast(:{name} as text[]))")
            asked[name] = list(wanted)

    among("o.profile, c.chosen_profile, c.profile, :default_profile", "profiles", criteria.profiles)
    among("c.category", "categories", criteria.categories)
    among("c.salesperson", "salespeople", criteria.salespeople)
    modes = ""
    if criteria.payment_modes:
        # the entry's, else the client's (rule 14.3): one late entry that is paid so is enough
        modes = ", array_agg(distinct e.payment_mode) as modes"
        conditions.append(
            "exists (select from unnest(late.modes) as one(mode)"
            f" where coalesce(one.mode, c.payment_mode, '{NONE}') = any(cast(:payment_modes as text[])))"
        )
        asked["payment_modes"] = list(criteria.payment_modes)
    if criteria.levels:
        conditions.append("late.level = any(cast(:levels as int[]))")
        asked["levels"] = [0 if level == NONE else int(level.removeprefix("R")) for level in criteria.levels]
    if criteria.has_email is not None:
        conditions.append("coalesce(c.has_email, false) = :has_email")
        asked["has_email"] = criteria.has_email
    least, most = criteria.days_late
    for name, bound, sign in (("late_least", least, ">="), ("late_most", most, "<=")):
        if bound is not None:
            conditions.append(f"late.days_late {sign} :{name}")
            asked[name] = bound
    least, most = criteria.days_since_reminder
    if least is not None:
        conditions.append("(late.reminded_on is null or cast(:as_of as date) - late.reminded_on >= :since_least)")
        asked["since_least"] = least
    if most is not None:
        conditions.append("cast(:as_of as date) - late.reminded_on <= :since_most")
        asked["since_most"] = most
    named = ""
    if criteria.client_ids is not None:
        named = "and e.client_id = any(cast(:client_ids as text[]))"
        asked["client_ids"] = list(criteria.client_ids)
    where = "".join(f" and {condition}" for condition in conditions)
    return FOUND.format(modes_of_entries=modes, named=named, conditions=where), asked
