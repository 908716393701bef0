"""What was decided, durably: events said, verdicts and next days written, in bulk and only where they changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.eventlog import Said
from contracts.dunning import (
    ActionDue,
    ActionExcluded,
    ActionProposed,
    ActionWithdrawn,
    DunningExhausted,
    LevelSet,
)
from contracts.event import Event
from contracts.subjects import partition_of
from services.dunning.domain import sayings
from services.dunning.domain.scenario import STEP_NAMES, Plan
from services.dunning.domain.verdicts import Decision, Due, Excluded, NoStep, NotDue, Verdict
from services.dunning.states import Known, VerdictRow

WRITE_VERDICTS = """
    insert into verdict (company, client_id, entry_id, p, status, step, medium, next_on, reasons, action_id,
        decided_on)
    select %(company)s, (%(clients)b::text[])[v.client], v.entry_id, (%(ps)b::smallint[])[v.client], v.status,
        v.step, v.medium, v.next_on, string_to_array(v.reasons, '+'), v.action_id, %(as_of)s
    from unnest(%(client)s::int[], %(entry_id)s::text[], %(status)s::text[], %(step)s::text[],
        %(medium)s::text[], %(next_on)s::date[], %(reasons)s::text[], %(action_id)s::uuid[])
        as v(client, entry_id, status, step, medium, next_on, reasons, action_id)
    on conflict (company, client_id, entry_id) do update set
        status = excluded.status, step = excluded.step, medium = excluded.medium, next_on = excluded.next_on,
        reasons = excluded.reasons, action_id = excluded.action_id, decided_on = excluded.decided_on
"""
FORGET_VERDICTS = """
    delete from verdict where ctid = any(array(
        select v.ctid from unnest(%(clients)b::text[], %(entries)b::text[]) as gone(client_id, entry_id)
        cross join lateral (select ctid from verdict where company = %(company)s
            and client_id = gone.client_id and entry_id = gone.entry_id limit 1) v))
"""
SCHEDULE = """
    insert into schedule (company, p, client_id, next_on)
    select %(company)s, p, client_id, next_on::date
    from unnest(%(ps)b::smallint[], %(clients)b::text[], %(days)b::text[]) as n(p, client_id, next_on)
    on conflict (company, p, client_id) do update set next_on = excluded.next_on
"""
NULL = "NULL"


class Columns:
    """Verdict rows as array literals: their values are ids, dates and words of ours, so none needs quoting."""

    def __init__(self) -> None:
        self.clients: list[str] = []
        self.client: list[str] = []
        self.entry_id: list[str] = []
        self.status: list[str] = []
        self.step: list[str] = []
        self.medium: list[str] = []
        self.next_on: list[str] = []
        self.reasons: list[str] = []
        self.action_id: list[str] = []

    def add(self, client: str, entry_id: str, row: VerdictRow, medium: str | None) -> None:
        if not self.clients or self.clients[-1] != client:
            self.clients.append(client)
        status, step, next_on, reasons, action_id = row
        self.client.append(str(len(self.clients)))
        self.entry_id.append(entry_id)
        self.status.append(status)
        self.step.append(step or NULL)
        self.medium.append(medium or NULL)
        self.next_on.append(NULL if next_on is None else next_on.isoformat())
        self.reasons.append("+".join(reasons) or '""')
        self.action_id.append(NULL if action_id is None else str(action_id))

    def literals(self) -> dict[str, str]:
        return {name: "{" + ",".join(values) + "}" for name, values in vars(self).items() if name != "clients"}


SPOKEN_ORDER = (ActionWithdrawn, LevelSet, ActionProposed, ActionDue, ActionExcluded, DunningExhausted)


@dataclass
class Record:
    """What a transaction is about to write about many clients of a company on one day."""

    company: str
    as_of: date
    spoken: dict[type[Event], list[Said]] = field(default_factory=lambda: {kind: [] for kind in SPOKEN_ORDER})
    rows: Columns = field(default_factory=Columns)
    gone: list[tuple[str, str]] = field(default_factory=list)
    next_on: dict[str, date | None] = field(default_factory=dict)
    entries: int = 0
    proposed: int = 0
    due: int = 0
    steps: list[int] = field(default_factory=lambda: [0] * len(STEP_NAMES))

    @property
    def said(self) -> list[Said]:
        """By type, so that each type is one call of its projection; the order is that of each client too."""
        return [one for together in self.spoken.values() for one in together]

    def decided(self, known: Known, decision: Decision, plan: Plan | None) -> None:
        """Note a client's decision; only what differs from what is known leaves a trace."""
        client = known.state.client_id
        self.entries += len(decision.verdicts)
        self._say(known, decision)
        self._write(known, decision.verdicts, plan)
        self.next_on[client] = decision.next_on

    def _say(self, known: Known, decision: Decision) -> None:
        client = known.state.client_id
        events = [sayings.withdrawn(client, withdrawal) for withdrawal in decision.withdrawals]
        if decision.moves:
            events.append(sayings.advanced(client, decision.moves, self.as_of))
        for planned in decision.actions:
            events.append(sayings.opening(client, decision, planned))
            self.due += planned.automatic
            self.proposed += not planned.automatic
            self.steps[STEP_NAMES.index(planned.step)] += 1
        changed = sayings.changed_exclusions(client, decision.verdicts, known.exclusions)
        if changed is not None:
            events.append(changed)
        events += sayings.newly_exhausted(client, decision.verdicts, known.exhausted)
        for event in events:
            self.spoken[type(event)].append(Said(event, client))

    def _write(self, known: Known, verdicts: Mapping[str, Verdict], plan: Plan | None) -> None:
        client = known.state.client_id
        before = known.verdicts
        for entry_id, verdict in verdicts.items():
            row = as_row(verdict)
            old = before.get(entry_id) if before else None
            if old == row:
                continue
            medium = medium_of(plan, row[1]) if row[0] == "excluded" else None
            self.rows.add(client, entry_id, row, medium)
        self.gone.extend((client, entry_id) for entry_id in before if entry_id not in verdicts)

    async def write(self, tx: AsyncConnection) -> None:
        """The cached part: verdicts and next days. Say ``said`` before: what is said marks its client, and this
        takes the mark away.
        """
        connection = await driver(tx)
        async with connection.cursor() as cursor:
            if self.gone:
                await cursor.execute(
                    FORGET_VERDICTS,
                    {
                        "company": self.company,
                        "clients": [client for client, _ in self.gone],
                        "entries": [entry for _, entry in self.gone],
                    },
                    prepare=False,
                )
            if self.rows.client:
                clients = self.rows.clients
                await cursor.execute(
                    WRITE_VERDICTS,
                    {
                        "company": self.company,
                        "as_of": self.as_of,
                        "clients": clients,
                        "ps": [partition_of(self.company, client) for client in clients],
                        **self.rows.literals(),
                    },
                )
            await cursor.execute(SCHEDULE, {"company": self.company, **_days(self.company, self.next_on.items())})


def _days(company: str, next_on: Iterable[tuple[str, date | None]]) -> dict[str, list[Any]]:
    rows = [(partition_of(company, client), client, day) for client, day in next_on]
    return {
        "ps": [p for p, _, _ in rows],
        "clients": [client for _, client, _ in rows],
        "days": ["infinity" if day is None else day.isoformat() for _, _, day in rows],
    }


def as_row(verdict: Verdict) -> VerdictRow:
    match verdict:
        case NotDue():
            return "not_due", verdict.step, verdict.until, (), None
        case Due():
            return "due", verdict.step, None, (), verdict.action_id
        case Excluded():
            return "excluded", verdict.step, None, verdict.reasons, None
        case NoStep():
            return "no_step", None, None, (verdict.reason,), None


def as_verdict(row: VerdictRow) -> Verdict:
    status, step, next_on, reasons, action_id = row
    match status, step, action_id:
        case "not_due", str(), _:
            return NotDue(step, next_on)
        case "excluded", str(), _:
            return Excluded(step, reasons)
        case "due", str(), action_id if action_id is not None:
            return Due(step, action_id)
        case _:
            return NoStep(reasons[0])


def medium_of(plan: Plan | None, step: str | None) -> str | None:
    """How the step would have been carried out."""
    if plan is None:
        return None
    if plan.notice is not None and plan.notice.name == step:
        return plan.notice.medium
    return next((one.medium for one in plan.after[0] if one.name == step), None)
