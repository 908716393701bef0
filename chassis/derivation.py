"""By which version of the projection a schema's derived tables are made (``Listening.version``).

One row says so. Code of another version neither applies events to these tables nor says events about them: they
would be half of one kind and half of the other. It stands by until ``relance rebuild switch`` makes the tables its
own (ADR 49).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from types import ModuleType

    from alembic.operations import Operations

VERSION_OPTION = "relance_version"
"""Execution option of a process's engine: the version of its projection."""

LIVE_VERSION = text("select version from derivation")
ADOPT = text("update derivation set version = :version, since = now() where version is null")


class OtherVersion(Exception):
    """The derived tables are made by another version of the projection than this process has."""

    def __init__(self, service: str, live: int, own: int) -> None:
        super().__init__(other_version(service, live, own))
        self.service = service
        self.live = live
        self.own = own


def other_version(service: str, live: int, own: int) -> str:
    """What is wrong, in a sentence that names the remedy."""
    return (
        f"the tables of {service} are made by version {live} of its projection, this process has version {own}:"
        f" relance rebuild status {service}"
    )


async def ensure_version(tx: AsyncConnection, service: str, own: int | None) -> None:
    """Raises ``OtherVersion`` when the rows are not made by this version; without one everybody may."""
    if own is not None:
        judge(service, await tx.scalar(LIVE_VERSION), own)


def judge(service: str, live: int | None, own: int | None) -> None:
    """Raises ``OtherVersion`` when both are known and differ."""
    if live is not None and own is not None and live != own:
        raise OtherVersion(service, live, own)


def add_derivation(op: Operations | ModuleType) -> None:
    """The table and its row, where a schema was made before there was one; before ``chassis.database.grant``."""
    op.execute(
        "create table if not exists derivation (one boolean primary key default true check (one),"
        " version integer, since timestamptz not null default now())"
    )
    op.execute("insert into derivation (one) values (true) on conflict do nothing")
