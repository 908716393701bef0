"""What every stage stands on: the two schemas, who may bring them on, and to where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from time import monotonic

from chassis import database
from chassis.beside.agreeing import leave_out
from chassis.beside.exactly import Exactly, taken_over
from chassis.beside.place import (
    Role,
    beside_vector,
    missing,
    revision_of,
    role_found,
    schema_of,
)
from chassis.derived import Connection, Derived, Vector, live_vector
from chassis.listening import Listening

CLOSE_EVENTS = 500
MOST_APPROACHES = 50
LIVE_SECONDS = 30.0
"""For so long the live tables may be behind the others: their workers hear the same streams."""

PAUSE_SECONDS = 0.3


class Refused(Exception):
    """A stage cannot be done now; the sentence says why, and what to do."""


@dataclass
class Standing(Derived):
    """The derived tables of one service, and those beside."""

    @property
    def derived(self) -> list[str]:
        return [table.name for table in self.listening.tables]

    @property
    def quiet(self) -> Listening:
        """What is heard for the tables beside: everything, and nothing is done about it."""
        return replace(self.listening, streams=self.speakers, react={})

    async def standing(self, *roles: Role) -> Role:
        """Which schema there is. Raises ``Refused`` unless it is one of these."""
        async with self.connection() as connection:
            found = await role_found(connection, self.service)
        if found in roles:
            return found
        if found == "before":
            raise Refused(
                f"the tables that were live before the last switch are kept: relance rebuild back {self.service},"
                f" or relance rebuild drop {self.service}"
            )
        if found == "next":
            raise Refused(f"no tables are kept from before: {self.service}_next is not switched to yet")
        raise Refused(f"nothing stands beside: relance rebuild start {self.service}")

    async def ensure_same_revision(self, connection: Connection, schema: str) -> None:
        ours = await revision_of(connection, self.service)
        theirs = await revision_of(connection, schema)
        if ours != theirs:
            behind = self.service if (ours or "") < (theirs or "") else schema
            mend = "migrate" if behind == self.service else "rebuild drop"
            remedy = f"relance {mend} {self.service}"
            raise Refused(f"{self.service} is at migration {ours}, {schema} at {theirs}: {remedy}")

    @asynccontextmanager
    async def bringing(self, role: Role) -> AsyncIterator[tuple[Exactly, dict[int, int], Connection]]:
        """The tables beside, fenced for this command alone, and what it takes to bring them on."""
        engine = database.engine(self.owner_url, schema_of(self.service, role), size=4)
        bus = await self.bus(role)
        try:
            async with self.connection() as live, taken_over(engine) as own:
                exactly = Exactly(
                    self.service, engine, live, self.listening, self.registry, bus, generation=self.generation
                )
                await leave_out(live, self.service, schema_of(self.service, role), exactly.applying)
                try:
                    yield exactly, own, live
                finally:
                    await exactly.close()
        finally:
            await bus.close()
            await engine.dispose()

    async def approach(self, exactly: Exactly, own: dict[int, int], live: Connection) -> int:
        """Come near to the live tables while these go on; answers how many events were applied."""
        applied = 0
        for _ in range(MOST_APPROACHES):
            new = await exactly.bring(own, await live_vector(live, self.service, self.speakers))
            applied += new
            if new <= CLOSE_EVENTS:
                break
        return applied

    async def live_is_behind(self, connection: Connection, role: Role, heard: Vector) -> int:
        beside = await beside_vector(connection, schema_of(self.service, role), self.speakers)
        return missing(beside, heard)

    async def wait_for_live(self, until: float) -> None:
        if monotonic() > until:
            raise Refused(f"the live tables do not hear on: see the workers of {self.service} (relance doctor)")
        await asyncio.sleep(PAUSE_SECONDS)
