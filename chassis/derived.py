"""A service's derived tables as those see them who make them again: where they are, what makes them, how far they
have heard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import nats
import psycopg
from nats.aio.client import Client
from psycopg import sql
from sqlalchemy import make_url

from chassis.envelope import Registry
from chassis.listening import Listening
from chassis.trust import trusting

Connection = psycopg.AsyncConnection[Any]
Vector = Mapping[str, Mapping[int, int]]
"""The last number applied, by speaker and partition."""

HEARD = """
    select speaker, p, pseq from {live}.checkpoint where pseq > 0
    union all select {service}, p, seq from {live}.partition_head where seq > 0
"""
CONNECT_ATTEMPTS = 3


async def connected(url: str, schema: str) -> Connection:
    """A connection outside the pools, for statements that name their schemas. ``url`` is SQLAlchemy's."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return await psycopg.AsyncConnection.connect(
        plain,
        autocommit=True,
        application_name=f"{schema} rebuild",
        options=f"-c search_path={schema} -c timezone=UTC -c work_mem=64MB",
    )


def heard_by_live(service: str) -> sql.Composed:
    """The query for how far the live tables are: others' streams by checkpoint, the own one by the log."""
    return sql.SQL(HEARD).format(live=sql.Identifier(service), service=sql.Literal(service))


async def live_vector(connection: Connection, service: str, speakers: Sequence[str]) -> dict[str, dict[int, int]]:
    """How far the live tables are, of these speakers alone."""
    found: dict[str, dict[int, int]] = {speaker: {} for speaker in speakers}
    for speaker, p, number in await (await connection.execute(heard_by_live(service))).fetchall():
        if speaker in found:
            found[speaker][p] = number
    return found


@dataclass
class Derived:
    """The derived tables of one service. ``module`` is the package that holds its migrations, ``owner_url`` the
    address of PostgreSQL for who owns its schema."""

    service: str
    module: str
    listening: Listening
    registry: Registry
    owner_url: str
    nats_url: str
    generation: int = 1

    @property
    def speakers(self) -> tuple[str, ...]:
        """Whose events make the tables: others, and the service itself."""
        return (*self.listening.streams, self.service)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """To the schema of the live tables."""
        connection = await connected(self.owner_url, self.service)
        async with connection:
            yield connection

    async def bus(self, purpose: str) -> Client:
        """A connection to NATS that gives up soon: a person waits."""
        return await nats.connect(
            self.nats_url,
            name=f"{self.service}-{purpose}",
            max_reconnect_attempts=CONNECT_ATTEMPTS,
            **trusting(self.nats_url),
        )
