"""The round of a company and day: every client whose day has come or who changed, decided once, recorded in bulk.

A round is a row; its partitions are rows with how far they came. So it can be killed and go on, and several
processes may work on it at once: a partition is held by a row lock for one transaction, a client too.
"""

import asyncio
import gc
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from time import monotonic

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.database import driver, is_transient, transaction
from chassis.derivation import VERSION_OPTION, OtherVersion, ensure_version
from chassis.eventlog import Cause, Said, Say
from chassis.jobs import IDLE_GROWTH, IDLE_PAUSES
from chassis.telemetry import taken_up
from chassis.waking import COMMITTED_SECONDS, Rest, filling_the_cores
from contracts.dunning import RoundCompleted
from services.dunning.asking import ASKED
from services.dunning.awake import load_awake
from services.dunning.bulk import BulkRecord
from services.dunning.domain import narrow
from services.dunning.domain.calendar import uncovered_since
from services.dunning.domain.decision import decide
from services.dunning.domain.narrow import decide_narrowly
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import STEP_NAMES, Scenario
from services.dunning.domain.state import ClientState
from services.dunning.domain.verdicts import Decision
from services.dunning.rulebook import Rulebook, rulebook
from services.dunning.states import Known, Needs, load

log = logging.getLogger(__name__)

DecideOn = Callable[[ClientState, Policy, Scenario | None, date, date | None], Decision | None]

MOST_CLIENTS = 1000
"""With few lines each, more would only make the others wait for whoever has the last of them."""
FEWEST_CLIENTS = 20
MOST_PARTITIONS = 16
RETRY_SECONDS = 0.2

RUNNING = text(
    "select company, as_of from round where status = 'running'"
    " and not exists (select from company_hold held where held.company = round.company)"
    " and coalesce((select version from derivation) = cast(:version as integer), true) order by started_at"
)
ROUND = text(
    "select whole, settings, actor, correlation_id, traceparent from round"
    " where company = :company and as_of = :as_of and status = 'running'"
)
SKIP_EMPTY = text(
    "update round_partition r set done = true where company = :company and as_of = :as_of and not done"
    " and not exists (select from schedule s where s.company = r.company and s.p = r.p"
    "   and s.client_id > r.reached and (:whole or s.next_on <= r.as_of))"
)
TAKE_PARTITIONS = text(
    "select p, reached from round_partition where company = :company and as_of = :as_of and not done"
    " order by p limit :most for update skip locked"
)
ROUNDS_BEFORE = text(
    "select as_of from round where company = :company and as_of < :as_of order by as_of desc limit 14"
)
LEFT = text("select count(*) from round_partition where company = :company and as_of = :as_of and not done")
CANDIDATES = """
    select s.p, s.client_id, case when s.next_on > '-infinity' then s.touched end
    from unnest(%(ps)b::smallint[], %(reached)b::text[]) as taken(p, reached)
    join schedule s on s.company = %(company)s and s.p = taken.p and s.client_id > taken.reached
        and (%(whole)s or s.next_on <= %(as_of)s)
    order by s.p, s.client_id limit %(most)s for update of s
"""
MOVE_ON = text(
    "update round_partition r set reached = coalesce(n.reached, r.reached), done = n.done,"
    " clients = r.clients + n.clients,"
    # what was counted goes to the first of them
    " entries = r.entries + case when r.p = :first then :entries else 0 end,"
    " proposed = r.proposed + case when r.p = :first then :proposed else 0 end,"
    " due = r.due + case when r.p = :first then :due else 0 end,"
    " steps = case when r.p = :first then array(select coalesce(before, 0) + now"
    "   from unnest(r.steps, cast(:steps as integer[])) as step(before, now)) else r.steps end"
    " from unnest(cast(:ps as smallint[]), cast(:reached as text[]), cast(:done as boolean[]),"
    "   cast(:clients as integer[])) as n(p, reached, done, clients)"
    " where r.company = :company and r.as_of = :as_of and r.p = n.p"
)
FAILED = text(
    "insert into round_failure (company, as_of, client_id, reason) values (:company, :as_of, :client_id, :reason)"
    " on conflict (company, as_of, client_id) do update set reason = excluded.reason"
)
LOCK_ROUND = text(
    "select from round where company = :company and as_of = :as_of and status = 'running' for update"
)
COUNTED = text(
    "select coalesce(sum(clients), 0), coalesce(sum(entries), 0), coalesce(sum(proposed), 0),"
    " coalesce(sum(due), 0) from round_partition where company = :company and as_of = :as_of"
)
EXCLUDED = text(
    "with alike as materialized ("
    "   select reasons, count(*) as n from exclusion where company = :company group by reasons)"
    " select coalesce(sum(n), 0)::bigint, coalesce((select jsonb_object_agg(reason, entries) from ("
    "   select reason, sum(n) as entries from alike, unnest(reasons) as reason group by reason) by_reason), '{}')"
    " from alike"
)
STEPS = text(
    "select step, sum(n) from round_partition, unnest(steps) with ordinality as counted(n, step)"
    " where company = :company and as_of = :as_of group by step having sum(n) > 0 order by step"
)
COMPLETE = text(
    "update round set status = 'completed', completed_at = clock_timestamp(), clients = :clients,"
    " entries = :entries, proposed = :proposed, due = :due, excluded_entries = :excluded,"
    " excluded = cast(:reasons as jsonb), steps = cast(:steps as jsonb)"
    " where company = :company and as_of = :as_of"
)


@dataclass
class Rounds:
    """Works on rounds. ``say`` makes the voice of a transaction: ``Running.say``."""

    engine: AsyncEngine
    say: Callable[[AsyncConnection], Say]
    chunk_entries: int = 10_000
    lanes: int = 2

    async def work(self, pause_seconds: float) -> None:
        """Every round that was asked for, for ever."""
        pause, rest = pause_seconds, Rest(ASKED)
        while True:
            async with transaction(self.engine) as tx:
                version = self.engine.get_execution_options().get(VERSION_OPTION)
                waiting = [(row.company, row.as_of) for row in await tx.execute(RUNNING, {"version": version})]
            for company, as_of in waiting:
                await self.run(company, as_of)
            # asking again and again costs most where nothing is wanted for long
            pause = pause_seconds if waiting else min(pause * IDLE_GROWTH, pause_seconds * IDLE_PAUSES)
            if await rest.wait(pause):
                pause = pause_seconds
                await asyncio.sleep(COMMITTED_SECONDS)

    async def run(self, company: str, as_of: date) -> None:
        """Work on one open round until nothing is left of it. A round that is complete is left alone."""
        since = monotonic()
        async with transaction(self.engine) as tx:
            found = (await tx.execute(ROUND, {"company": company, "as_of": as_of})).one_or_none()
            if found is None:
                return
            rules = await rulebook(tx, company)
            before = (await tx.scalars(ROUNDS_BEFORE, {"company": company, "as_of": as_of})).all()
            await tx.execute(SKIP_EMPTY, {"company": company, "as_of": as_of, "whole": found.whole})
        uncovered = uncovered_since(as_of, before, rules.days)
        with taken_up("round", [found.traceparent]) as traces, _at_work():
            cause = Cause(
                found.actor,
                found.correlation_id,
                traceparent=traces.get(found.traceparent or "", found.traceparent),
            )
            one = OneRound(self, company, as_of, found.whole, rules, cause, uncovered)
            try:
                async with asyncio.TaskGroup() as lanes:
                    for _ in range(self.lanes):
                        lanes.create_task(one.lane())
                await one.complete()
            except* OtherVersion:
                # a switch came meanwhile: those of the version that is live go on with it
                log.warning("round left to another version", extra={"company": company, "as_of": str(as_of)})
        log.info(
            "round worked on",
            extra={"company": company, "as_of": str(as_of), "seconds": round(monotonic() - since, 3)},
        )


@contextmanager
def _at_work() -> Iterator[None]:
    """A round is recorded first and told afterwards. It makes many tuples and no cycles; looking for cycles at the
    usual pace takes a fifth of its time."""
    usual = gc.get_threshold()
    gc.set_threshold(1_000_000, 50, 100)
    try:
        with filling_the_cores():
            yield
    finally:
        gc.set_threshold(*usual)


@dataclass
class OneRound:
    """One company and day, while its partitions are worked on."""

    rounds: Rounds
    company: str
    as_of: date
    whole: bool
    rules: Rulebook
    cause: Cause
    since: date
    most_clients: int = 200
    most_partitions: int = 16

    @property
    def key(self) -> dict[str, object]:
        return {"company": self.company, "as_of": self.as_of}

    async def lane(self) -> None:
        """Chunk after chunk, until every partition is done or in another's hands."""
        while True:
            try:
                if not await self.chunk():
                    return
            except OtherVersion:
                raise  # these rows are another version's until a switch: trying again would last as long
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("round chunk tried again", extra={**self.key, "error": type(error).__name__})
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(0)  # leases are renewed between chunks

    async def chunk(self) -> bool:
        """One transaction: some clients of a few partitions, decided and recorded. False when nothing is left."""
        async with transaction(self.rounds.engine) as tx:
            taken = (await tx.execute(TAKE_PARTITIONS, {**self.key, "most": self.most_partitions})).all()
            if not taken:
                return False
            most = self.most_clients
            connection = await driver(tx)
            asked = {"ps": [row.p for row in taken], "reached": [row.reached for row in taken], "most": most}
            found = await connection.execute(CANDIDATES, {**self.key, **asked, "whole": self.whole})
            candidates = await found.fetchall()
            record = BulkRecord(self.company, self.as_of)
            if candidates:
                await self._decide(tx, {client: touched for _, client, touched in candidates}, record)
                candidates = [(p, client) for p, client, _ in candidates]
            counts = {
                "first": taken[0].p,
                "entries": record.entries,
                "proposed": record.proposed,
                "due": record.due,
                "steps": record.steps,
            }
            moves = self._moves([row.p for row in taken], candidates, most)
            await tx.execute(MOVE_ON, {**self.key, **moves, **counts})
        if candidates and record.entries:
            fitting = len(candidates) * self.rounds.chunk_entries // record.entries
            self.most_clients = max(FEWEST_CLIENTS, min(MOST_CLIENTS, fitting))
        return True

    def _moves(self, taken: list[int], candidates: list[tuple[int, str]], most: int) -> dict[str, object]:
        """How far each partition came. When the candidates were cut off, the last one seen has more to come, and
        those after it were not begun."""
        cut = candidates[-1][0] if len(candidates) == most else None
        begun = [p for p in taken if cut is None or p <= cut]
        self.most_partitions = min(MOST_PARTITIONS, len(begun) + 1)
        last = dict(candidates)
        counted = Counter(p for p, _ in candidates)
        return {
            "ps": begun,
            "reached": [last.get(p) for p in begun],
            "done": [p != cut for p in begun],
            "clients": [counted[p] for p in begun],
        }

    async def _decide(
        self, tx: AsyncConnection, clients: Mapping[str, list[str] | None], record: BulkRecord
    ) -> None:
        """``clients`` with the entries heard of since each was decided, ``None`` where all is to be looked at."""
        touched: dict[str, list[str]] = {}
        if not self.whole and narrow.allowed_by(self.rules.policy):
            touched = {client: ids for client, ids in clients.items() if ids is not None}
        decided: set[str] = set()
        if touched:
            awake = await load_awake(tx, self.company, touched, self.as_of, self.needs)
            for client, (one, asleep) in awake.items():
                decision = self._decided(one, decide_narrowly)
                if isinstance(decision, Decision):
                    record.decided(one, decision, rests=self._rests(one), asleep=asleep)
                    decided.add(client)
        whole = [client for client in clients if client not in decided]
        if whole:
            for one in (await load(tx, self.company, whole, self.needs)).values():
                decision = self._decided(one, decide)
                if isinstance(decision, Decision):
                    record.decided(one, decision, rests=self._rests(one))
                else:
                    reason = f"{type(decision).__name__}: {decision}"
                    await tx.execute(FAILED, {**self.key, "client_id": one.state.client_id, "reason": reason})
        say = self.rounds.say(tx)
        await record.say(say, self.cause)
        await record.write(tx)
        # after the rows were read, which keeps a switch waiting; a look that says nothing counts as one as well
        await ensure_version(tx, say.service, say.version)

    @property
    def needs(self) -> Needs:
        return Needs(contacts=self.rules.policy.contact_gap_days > 0, payments=self.rules.thanks)

    def _rests(self, one: Known) -> bool:
        return narrow.may_rest(one.state, self.rules.policy)

    def _decided(self, one: Known, decide_on: DecideOn) -> Decision | Exception | None:
        """``None`` where all lines are needed for a decision; an error is logged and answered."""
        state, rules = one.state, self.rules
        try:
            return decide_on(state, rules.policy, rules.scenario_of(state), self.as_of, self.since)
        except Exception as error:  # one bad client stops nobody (habit 17)
            log.exception("client not decided", extra={**self.key, "client_id": state.client_id})
            return error

    async def complete(self) -> None:
        """Say ``RoundCompleted`` once, when the last partition is done."""
        async with transaction(self.rounds.engine) as tx:
            if (await tx.execute(LOCK_ROUND, self.key)).one_or_none() is None:
                return
            if await tx.scalar(LEFT, self.key):
                return
            clients, entries, proposed, due = (await tx.execute(COUNTED, self.key)).one()
            excluded, reasons = (await tx.execute(EXCLUDED, {"company": self.company})).one()
            steps = {STEP_NAMES[step - 1]: n for step, n in await tx.execute(STEPS, self.key)}
            await tx.execute(
                COMPLETE,
                {
                    **self.key,
                    "clients": clients,
                    "entries": entries,
                    "proposed": proposed,
                    "due": due,
                    "excluded": excluded,
                    "reasons": json.dumps(reasons),
                    "steps": json.dumps(steps),
                },
            )
            completed = RoundCompleted(
                round_on=self.as_of,
                clients=clients,
                entries=entries,
                proposed=proposed,
                due=due,
                excluded=excluded,
            )
            await self.rounds.say(tx)(self.company, [Said(completed)], as_of=self.as_of, cause=self.cause)
