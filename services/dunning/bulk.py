"""What a round decided, said and written for very many clients at once.

Bodies are made without their models, and new rows go in by COPY from here, so that PostgreSQL need not read again
what this process has just spelled. The rows are those that ``projection`` gives for the same events, which is also
the way taken where rows are few or known already; a test holds the two against each other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import msgspec
import psycopg
from msgspec.structs import astuple

from chassis.database import driver
from chassis.delivered import Cause, Delivered, Said
from chassis.eventlog import Say, append
from chassis.items import NOTHING
from chassis.listening import project_all
from chassis.new_rows import NewRows
from contracts.dunning import ActionDue, ActionExcluded, ActionProposed, ActionWithdrawn, LevelSet
from contracts.event import Event
from contracts.subjects import partition_of
from services.dunning import bodies
from services.dunning.domain.sayings import Change
from services.dunning.domain.verdicts import Decision, PlannedAction, SilentMove, Withdrawal
from services.dunning.recording import Record
from services.dunning.states import Known

Connection = psycopg.AsyncConnection[Any]
Row = tuple[str | None, ...]


class Table:
    """Rows that go into a table by COPY, given as tuples of ``columns``; behind company and partition."""

    def __init__(self, name: str, *columns: str) -> None:
        self._row: Callable[..., msgspec.Struct] = msgspec.defstruct(
            "Row", [(column, str | None) for column in columns], gc=False
        )
        self._new = NewRows(name, columns, _joined)

    async def copy(self, connection: Connection, told: Iterable[tuple[Delivered, Iterable[Row]]]) -> bool:
        """False where the rows must go the longer way (``NewRows``)."""
        make = self._row
        together: dict[int, tuple[Delivered, list[msgspec.Struct]]] = {}
        for event, rows in told:  # of one company: what stands before the rows of a partition is spelled once
            together.setdefault(event.partition, (event, []))[1].extend([make(*row) for row in rows])
        return bool(await self._new.copy(connection, list(together.values())))


def _joined(row: msgspec.Struct) -> str:
    return "\t".join([NOTHING if value is None else value for value in astuple(row)])


ACTIONS = Table(
    "action", "action_id", "client_id", "profile", "scenario_version", "kind", "step", "medium", "template",
    "currency", "amount", "net_amount", "book_net_amount", "due_since", "mode", "accepted_reasons", "copies",
    "status", "opened_on", "confirmed_on", "confirmed_by", "by_hand", "counts",
)  # fmt: skip
ACTION_ENTRIES = Table(
    "action_entry", "client_id", "step", "action_id", "entry_id", "occurrence", "amount", "due_date",
    "level_before", "level_after",
)  # fmt: skip
EXCLUSIONS = Table("exclusion", "client_id", "entry_id", "step", "reasons", "until")

WITHDRAW = """
    update action set status = 'withdrawn', ended_on = %(as_of)s, reason = gone.reason
    from unnest(%(actions)b::uuid[], %(reasons)b::text[]) as gone(action_id, reason)
    where action.company = %(company)s and action.action_id = gone.action_id
"""
ADVANCE = """
    insert into entry_level as known (company, client_id, entry_id, p, level, reminded_on)
    select %(company)s, client_id, entry_id, p, level, %(as_of)s
    from unnest(%(ps)b::smallint[], %(clients)b::text[], %(entries)b::text[], %(levels)b::smallint[])
        as moved(p, client_id, entry_id, level)
    on conflict (company, client_id, entry_id) do update set
        level = excluded.level, reminded_on = excluded.reminded_on, next_step = null
"""
"""Such a move goes up, and its client is decided as of now: nothing to mark."""
EXCLUDE = """
    insert into exclusion (company, client_id, entry_id, p, step, reasons, until)
    select %(company)s, client_id, entry_id, p, step, reasons::text[], until::date
    from unnest(%(ps)b::smallint[], %(clients)b::text[], %(entries)b::text[], %(steps)b::text[],
        %(reasons)b::text[], %(untils)b::text[]) as now(p, client_id, entry_id, step, reasons, until)
    on conflict (company, client_id, entry_id) do update set
        step = excluded.step, reasons = excluded.reasons, until = excluded.until
"""
EXCLUDE_NO_MORE = """
    delete from exclusion using unnest(%(clients)b::text[], %(entries)b::text[]) as gone(client_id, entry_id)
    where exclusion.company = %(company)s and exclusion.client_id = gone.client_id
        and exclusion.entry_id = gone.entry_id
"""
KINDS: tuple[type[Event], ...] = (ActionProposed, ActionDue, ActionExcluded, ActionWithdrawn)
"""What is spelled and written here; of the rest, all but levels goes through the projection."""
WRITTEN = frozenset([*(kind.__name__ for kind in KINDS), LevelSet.__name__])

_OF_KIND = {kind: kind.model_construct() for kind in KINDS}
"""Says of which type a body is."""


@dataclass
class Exclusions:
    """What is new, what has other reasons than before, what is excluded no more."""

    new: list[list[Row]] = field(default_factory=list)
    """Of each event."""
    other: list[Row] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class BulkRecord(Record):
    """The record of a round's transaction; ``say`` takes the place of the projection."""

    opened: dict[type[Event], list[bodies.Action]] = field(
        default_factory=lambda: {ActionProposed: [], ActionDue: []}
    )
    exclusions: Exclusions = field(default_factory=Exclusions)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    advances: list[tuple[str, SilentMove]] = field(default_factory=list)
    """Each with its client."""

    def _withdraw(self, client: str, withdrawal: Withdrawal) -> None:
        self.withdrawals.append(withdrawal)
        self._spell(ActionWithdrawn, client, bodies.withdrawn(client, withdrawal))

    def _advance(self, client: str, moves: Sequence[SilentMove]) -> None:
        self.advances += [(client, move) for move in moves]
        super()._advance(client, moves)

    def _open(self, client: str, decision: Decision, planned: PlannedAction) -> None:
        action = bodies.action_of(client, decision, planned)
        if planned.automatic:
            kind: type[Event] = ActionDue
            body = bodies.due(action, planned.not_before)
        else:
            kind, body = ActionProposed, bodies.proposed(action)
        self.opened[kind].append(action)
        self._spell(kind, client, body)

    def _exclude(self, client: str, changed: Sequence[Change], known: Known) -> None:
        new: list[Row] = []
        for entry_id, step, reasons, until in changed:
            if not reasons:
                self.exclusions.gone.append((client, entry_id))
                continue
            row = (client, entry_id, step, f"{{{','.join(reasons)}}}", None if until is None else f"{until}")
            (self.exclusions.other if entry_id in known.exclusions else new).append(row)
        self.exclusions.new.append(new)
        self._spell(ActionExcluded, client, bodies.excluded(client, changed))

    def _spell(self, kind: type[Event], client: str, body: bytes) -> None:
        self.spoken[kind].append(Said(_OF_KIND[kind], client, body=body))

    async def say(self, say: Say, cause: Cause) -> None:
        """Append everything to the log, and write what follows from it."""
        if not (said := self.said):
            return
        delivered = await append(
            say.tx, say.service, self.company, said, as_of=self.as_of, cause=cause, version=say.version
        )
        of: dict[str, list[Delivered]] = {}
        for one in delivered:
            of.setdefault(one.type, []).append(one)
        await project_all(say.tx, say.project, [one for one in delivered if one.type not in WRITTEN])
        connection = await driver(say.tx)
        if self.withdrawals:
            await self._write_withdrawals(connection)
        if self.advances:
            await self._write_levels(connection)
        for kind, opened in self.opened.items():
            heard = of.get(kind.__name__, [])
            if heard and not await self._write_actions(connection, heard, opened, kind is ActionDue):
                await say.project[kind.__name__](say.tx, heard)
        if excluded := of.get(ActionExcluded.__name__):
            await self._write_exclusions(connection, excluded)

    async def _write_withdrawals(self, connection: Connection) -> None:
        gone = {
            "actions": [one.action_id for one in self.withdrawals],
            "reasons": [one.reason for one in self.withdrawals],
        }
        await connection.execute(
            WITHDRAW.encode(), {"company": self.company, "as_of": self.as_of, **gone}, prepare=False
        )

    async def _write_levels(self, connection: Connection) -> None:
        moved = {
            "ps": [partition_of(self.company, client) for client, _ in self.advances],
            "clients": [client for client, _ in self.advances],
            "entries": [move.entry_id for _, move in self.advances],
            "levels": [move.level_after for _, move in self.advances],
        }
        await connection.execute(
            ADVANCE.encode(), {"company": self.company, "as_of": self.as_of, **moved}, prepare=False
        )

    async def _write_actions(
        self,
        connection: Connection,
        heard: Sequence[Delivered],
        opened: Sequence[bodies.Action],
        is_due: bool,
    ) -> bool:
        """False where they must go the longer way, which passes over what is there already."""
        told = [
            (event, (self._row(action, event.actor, is_due),)) for event, action in zip(heard, opened, strict=True)
        ]
        if not await ACTIONS.copy(connection, told):
            return False
        lines = [(event, _lines(action)) for event, action in zip(heard, opened, strict=True)]
        return await ACTION_ENTRIES.copy(connection, lines)

    def _row(self, action: bodies.Action, actor: str, is_due: bool) -> Row:
        day = self.as_of.isoformat()
        return (
            f"{action.action_id}",
            action.client_id,
            action.profile,
            f"{action.scenario_version}",
            action.kind,
            action.step,
            action.medium,
            action.template,
            action.currency,
            action.amount,
            action.net_amount,
            action.book_net_amount,
            action.due_since.isoformat(),
            action.mode,
            f"{{{','.join(action.accepted_reasons)}}}",
            f"{{{','.join(map(str, action.copies))}}}",
            "due" if is_due else "proposed",
            day,
            day if is_due else None,
            actor if is_due else None,
            "f",
            "t",
        )

    async def _write_exclusions(self, connection: Connection, heard: Sequence[Delivered]) -> None:
        found = self.exclusions
        other = found.other
        if not await EXCLUSIONS.copy(connection, zip(heard, found.new, strict=True)):
            other = [*chain.from_iterable(found.new), *other]
        if other:
            names = ("clients", "entries", "steps", "reasons", "untils")
            columns = {name: list(column) for name, column in zip(names, zip(*other, strict=True), strict=True)}
            ps = [partition_of(self.company, client) for client in columns["clients"]]
            await connection.execute(
                EXCLUDE.encode(), {"company": self.company, "ps": ps, **columns}, prepare=False
            )
        if found.gone:
            gone = {"clients": [one[0] for one in found.gone], "entries": [one[1] for one in found.gone]}
            await connection.execute(EXCLUDE_NO_MORE.encode(), {"company": self.company, **gone}, prepare=False)


def _lines(action: bodies.Action) -> list[Row]:
    client, step, action_id = action.client_id, action.step, f"{action.action_id}"
    return [
        (
            client,
            step,
            action_id,
            line.entry_id,
            f"{line.occurrence}",
            line.amount,
            line.due_date.isoformat(),
            line.level_before,
            line.level_after,
        )
        for line in action.entries
    ]
