"""Roles, schemas and streams on servers that somebody else runs. Every step may be done again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import nats
import nats.errors
import psycopg
from sqlalchemy import make_url

from chassis.database import ensure_database, migrate
from chassis.provision import provision
from chassis.trust import trusting
from cli.credentials import Credentials

PAUSE_SECONDS = 0.5


class ServerSilent(Exception):
    """PostgreSQL or NATS gave no answer in time."""

    def __init__(self, server: str, address: str, seconds: float, failure: BaseException) -> None:
        super().__init__(
            f"{server} at {address} gives no answer within {seconds:.0f} seconds ({type(failure).__name__}):"
            " see that it runs, and that the address is the one by which this machine reaches it"
        )


def prepare_servers(  # noqa: PLR0913 - how the servers are reached
    folder: Path, *, postgres: str, nats: str, replicas: int, wait: float, tls: bool = False
) -> Iterator[str]:
    """Do it step by step; tells each step that was done. Raises ``CredentialsMissing``, ``ServerSilent``."""
    found = Credentials(folder, postgres=postgres, nats=nats, tls=tls)
    found.check()
    _wait_for_postgres(found.superuser_url(), postgres, wait)
    ensure_database(found.superuser_url(), found.services, passwords=found.database_passwords())
    yield "roles and schemas are there"
    for service in found.services:
        migrate(f"services.{service}", found.owner_url(service), service)
        yield f"{service} is at its newest version"
    _wait_for_nats(found.nats_admin_url(), nats, wait)
    for stream, outcome in asyncio.run(provision(found.nats_admin_url(), replicas=replicas)).items():
        yield f"stream {stream}: {outcome}"


def _wait_for_postgres(url: str, address: str, seconds: float) -> None:
    parts = make_url(url).set(drivername="postgresql", database="postgres")
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(parts.render_as_string(hide_password=False), connect_timeout=5).close()
        except psycopg.OperationalError as failure:
            if time.monotonic() > deadline:
                raise ServerSilent("PostgreSQL", address, seconds, failure) from failure
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _wait_for_nats(url: str, address: str, seconds: float) -> None:
    async def reach() -> None:
        connection = await nats.connect(url, allow_reconnect=False, connect_timeout=5, **trusting(url))
        await connection.jetstream().account_info()
        await connection.close()

    deadline = time.monotonic() + seconds
    while True:
        try:
            asyncio.run(reach())
        except (OSError, nats.errors.Error, TimeoutError) as failure:
            if time.monotonic() > deadline:
                raise ServerSilent("NATS", address, seconds, failure) from failure
            time.sleep(PAUSE_SECONDS)
        else:
            return
