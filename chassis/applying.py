"""One batch of events, one transaction: fence, skip, refuse gaps, project, react, move the checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.database import driver, is_transient
from chassis.delivered import Delivered
from chassis.envelope import Heard
from chassis.eventlog import Say
from chassis.listening import Listening, project_all, react_all
from chassis.parking import Key, key_of, park, parked_keys, slices, without
from chassis.telemetry import taken_up

log = logging.getLogger(__name__)

FENCE = """
    select l.p, l.epoch, coalesce(c.pseq, 0),
        exists (select from parked where speaker = %(speaker)s and skipped_at is null),
        (select version from derivation), set_config('synchronous_commit', %(commit)s, true)
    from partition_lease l left join checkpoint c on c.p = l.p and c.speaker = %(speaker)s
    where l.p = any(%(held)b) order by l.p for key share of l
"""

AT_LEISURE = "off"
"""How rows that come from events alone are committed: a crash of PostgreSQL may take the last of them back with
the position beside them, and they are heard again. Nobody waits for the disk, batch after batch."""
DURABLY = "on"
"""How reactions are committed: what is said or done on hearing may leave before the next crash."""

REACHED = text("select speaker, p, pseq from checkpoint where p = any(cast(:own as smallint[]))")

MOVE = """
    insert into checkpoint as c (speaker, p, pos, pseq, at, anchor)
    select %(speaker)s, h.p, %(pos)s, coalesce(m.pseq, 0), coalesce(m.at, 0), m.anchor
    from unnest(%(held)b::smallint[]) h(p)
    left join unnest(%(ps)b::smallint[], %(numbers)b::bigint[], %(ats)b::bigint[], %(anchors)b::uuid[])
        as m(p, pseq, at, anchor) using (p)
    on conflict (speaker, p) do update set pos = excluded.pos,
        pseq = greatest(c.pseq, excluded.pseq),
        at = case when excluded.anchor is null then c.at else excluded.at end,
        anchor = coalesce(excluded.anchor, c.anchor)
"""
COUNT_PARKED = text(
    "select count(distinct (company, key)) from parked"
    " where speaker = :speaker and p = any(:ps) and skipped_at is null"
)


class Fenced(Exception):
    """Another worker has taken a partition over: nothing of this batch may be applied here."""

    def __init__(self, partitions: Sequence[int]) -> None:
        super().__init__(f"partitions {list(partitions)}")


class Gap(Exception):
    """The stream, as it was delivered, skips a number."""

    def __init__(self, speaker: str, partition: int, expected: int, got: int) -> None:
        super().__init__(f"{speaker}/{partition}: {got} came where {expected} was due")
        self.partition = partition
        self.expected = expected


class TooManyParked(Exception):
    """So many keys fail that the reason must be ours: better to stand still than to park everybody."""

    def __init__(self, speaker: str, keys: int) -> None:
        super().__init__(f"{keys} keys of {speaker}")


@dataclass(frozen=True)
class Applying:
    """How a service applies what it hears."""

    service: str
    engine: AsyncEngine
    listening: Listening
    most_parked: int = 100
    reached: dict[tuple[str, int], int] = field(default_factory=dict)
    """The last number committed from here, by (speaker, partition)."""
    left_out: dict[tuple[str, int, int], set[Key]] = field(default_factory=dict)
    """Keys whose part of an event is passed over, by speaker, partition and number: what a person skipped."""

    async def apply(  # noqa: PLR0913 how to apply it
        self,
        speaker: str,
        batch: Sequence[Heard],
        own: Mapping[int, int],
        *,
        carefully: bool = False,
        everywhere: bool = True,
        pos: int | None = None,
    ) -> int:
        """Apply a batch of one stream; answers how many events were new. ``own``: epoch by partition held.

        ``carefully`` gives every event a savepoint and parks the keys of those that fail. ``everywhere`` moves the
        position of all partitions held, else only of those in the batch: the others are then heard again from
        where they were, which costs a restart a little and every batch less. ``pos`` is the position to note when
        it is not that of the batch's last message. Raises ``Fenced``, ``Gap`` and
        whatever a projection or a reaction raises; nothing is applied then.
        """
        touched = {one.partition for one in batch}
        if not touched <= own.keys():
            raise Fenced(sorted(touched - own.keys()))
        held = sorted(own if everywhere else touched)
        async with self.engine.begin() as tx:
            connection = await driver(tx)
            async with connection.cursor() as cursor:
                reacts = any(one.event is not None and one.event.type in self.listening.react for one in batch)
                fence = {"speaker": speaker, "held": held, "commit": DURABLY if reacts else AT_LEISURE}
                await cursor.execute(FENCE, fence)
                rows = await cursor.fetchall()
                applied = {p: number for p, epoch, number, *_ in rows if own[p] == epoch}
                # after a switch too: whoever waited for the leases meets another epoch, who took them later this
                made_by = rows[0][4] if rows else None
                if len(applied) != len(held) or made_by not in {None, self.listening.version}:
                    raise Fenced(sorted(set(held) - set(applied)))
                new, fresh = self._fresh(speaker, batch, applied)
                if fresh:
                    traces = [event.traceparent for event in fresh]
                    with taken_up(f"{self.service} hears {speaker}", traces, events=len(fresh)) as own_traces:
                        if own_traces:
                            fresh = [_within(event, own_traces) for event in fresh]
                        await self._effects(tx, speaker, fresh, carefully, anything_parked=rows[0][3])
                # the message that carried the last applied number, also when it came again at another place
                latest = {one.partition: one for one in batch if one.number == applied[one.partition]}
                await cursor.execute(
                    MOVE,
                    {
                        "speaker": speaker,
                        "pos": batch[-1].at if pos is None else pos,
                        "held": held,
                        "ps": list(latest),
                        "numbers": [one.number for one in latest.values()],
                        "ats": [one.at for one in latest.values()],
                        "anchors": [UUID(one.event_id) for one in latest.values()],
                    },
                )
        self.reached.update({(speaker, p): applied[p] for p in touched})
        return new

    async def taken_back(self, own: Iterable[int]) -> set[str]:
        """The speakers of whom PostgreSQL lacks, in the partitions held, what was committed ``AT_LEISURE`` before
        it crashed. Nothing else tells of it when nothing more is said. What was reached is forgotten then: it is
        heard again.
        """
        reached = dict(self.reached)  # before the question: what is committed meanwhile is not in its answer
        async with self.engine.connect() as connection:
            known = {
                (row.speaker, row.p): row.pseq for row in await connection.execute(REACHED, {"own": list(own)})
            }
        held = frozenset(own)
        lost = {
            speaker
            for (speaker, p), number in reached.items()
            if p in held and known.get((speaker, p), 0) < number
        }
        for key in [key for key in self.reached if key[0] in lost]:
            del self.reached[key]
        return lost

    def _fresh(self, speaker: str, batch: Sequence[Heard], applied: dict[int, int]) -> tuple[int, list[Delivered]]:
        """How many messages were not applied yet, and the events among them that matter here; moves ``applied``
        along."""
        new = 0
        fresh: list[Delivered] = []
        for one in batch:
            due = applied[one.partition] + 1
            if one.number < due:
                continue
            if one.number > due:
                raise Gap(speaker, one.partition, due, one.number)
            applied[one.partition] = due
            new += 1
            if one.event is not None:
                fresh.append(one.event)
        return new, fresh

    async def _effects(
        self,
        tx: AsyncConnection,
        speaker: str,
        fresh: list[Delivered],
        carefully: bool,
        *,
        anything_parked: bool,
    ) -> None:
        listening = self.listening
        if self.left_out:
            fresh = [kept for event in fresh if (kept := self._kept(event)) is not None]
        touched = sorted({event.partition for event in fresh})
        waiting = await parked_keys(tx, speaker, touched) if anything_parked else set()
        if waiting:
            passing: list[Delivered] = []
            for event in fresh:
                now, later = without(event, waiting, listening.bulk)
                passing += [now] if now else []
                for part in later:
                    await park(tx, part, None)
            fresh = passing
        reacting = {event.partition for event in fresh if event.type in listening.react}
        say = Say(self.service, tx, listening.project, also_lock=reacting, version=listening.version)
        if not carefully:
            await project_all(tx, listening.project, fresh)
            await react_all(say, listening.react, fresh)
            return
        for event in fresh:
            await self._one(tx, say, event, waiting)
        keys = await tx.scalar(COUNT_PARKED, {"speaker": speaker, "ps": touched}) or 0
        if keys > self.most_parked:
            raise TooManyParked(speaker, keys)

    def _kept(self, event: Delivered) -> Delivered | None:
        keys = self.left_out.get((event.speaker, event.partition, event.number))
        return event if keys is None else without(event, keys, self.listening.bulk)[0]

    async def _one(self, tx: AsyncConnection, say: Say, event: Delivered, failed: set[tuple[str, str]]) -> None:
        """Apply one event under a savepoint; a bulk event that fails, client by client. ``failed`` grows."""
        now, later = without(event, failed, self.listening.bulk)
        for part in later:
            await park(tx, part, None)
        if now is None or (error := await self._try(tx, say, now)) is None:
            return
        parts = slices(now, self.listening.bulk)
        for part in parts:
            if len(parts) > 1:
                error = await self._try(tx, say, part)
            if error is not None:
                log.error("event parked", extra={"position": str(event.position), "error": error})
                await park(tx, part, error)
                failed.add(key_of(part))

    async def _try(self, tx: AsyncConnection, say: Say, event: Delivered) -> str | None:
        try:
            async with tx.begin_nested():
                await project_all(tx, self.listening.project, [event])
                await react_all(say, self.listening.react, [event])
        except Exception as error:
            if is_transient(error):
                raise
            return f"{type(error).__name__}: {error}"
        return None


def _within(event: Delivered, traces: Mapping[str, str]) -> Delivered:
    """The event as if said inside this service's span: what follows from it hangs there."""
    known = traces.get(event.traceparent or "")
    return event if known is None else replace(event, traceparent=known)
