"""What is kept of a subscriber: which events, and the hash of its secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from services.reporting.subscribers.choosing import filters

SECRET_BYTES = 32

COLUMNS = "company, name, events, secret_hash, previous_hash, previous_until, since, caught_up_at, created_at,"
COLUMNS += " created_by, rotated_at"
ONE = text(f"select {COLUMNS} from subscriber where company = :company and name = :name")  # noqa: S608
LOCKED = text(f"{ONE.text} for update")
ALL = text(f"select {COLUMNS} from subscriber where company = :company order by name")  # noqa: S608
EVERYWHERE = text(f"select {COLUMNS} from subscriber order by company, name")  # noqa: S608
ADD = text(
    "insert into subscriber (company, name, events, secret_hash, since, created_by)"
    " values (:company, :name, :events, :secret_hash, :since, :created_by)"
    " on conflict do nothing returning name"
)
ROTATE = text(
    "update subscriber set previous_hash = secret_hash, previous_until = :until, secret_hash = :secret_hash,"
    " rotated_at = now() where company = :company and name = :name"
)
SHOWN_OUT = text(
    "update subscriber set previous_hash = null"
    " where company = :company and name = :name and previous_until = :until"
)
"""The secret before means nothing any more, and nobody is connected by it."""
SINCE = text("update subscriber set since = :since, caught_up_at = '{}' where company = :company and name = :name")
CAUGHT_UP = text(
    "update subscriber set"
    " caught_up_at = caught_up_at || jsonb_build_object(cast(:speaker as text), cast(:at as text))"
    " where company = :company and name = :name and since = :since"
)
DEFAULT_TIME_ZONE = "Europe/Paris"
TIME_ZONE = text("select time_zone from followed_company where company = :company")
REMOVE = text("delete from subscriber where company = :company and name = :name")


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Another system. ``user`` is its name in NATS and that of its durable consumers."""

    company: str
    name: str
    events: tuple[str, ...]
    secret_hash: str
    previous_hash: str | None
    previous_until: datetime | None
    since: datetime
    """It hears what was put into the streams from this instant on."""
    caught_up_at: dict[str, str]
    """Speaker: when it was last seen to have acknowledged everything."""
    created_at: datetime
    created_by: str
    rotated_at: datetime | None

    @property
    def user(self) -> str:
        return user_of(self.company, self.name)

    @property
    def subjects(self) -> dict[str, list[str]]:
        """Speaker: what it hears of its stream."""
        return filters(self.company, self.events)

    def knows(self, secret: str) -> bool:
        """The secret is this subscriber's, or the one before while that is still good."""
        told = hashed(secret)
        return hmac.compare_digest(told, self.secret_hash) or self._is_still_good(told)

    def leaves_at(self, secret: str) -> datetime | None:
        """When a connection by this secret is over: that of the one before ends with it."""
        return None if hmac.compare_digest(hashed(secret), self.secret_hash) else self.previous_until

    def _is_still_good(self, told: str) -> bool:
        until = self.previous_until
        still = self.previous_hash is not None and until is not None and clock.now() < until
        return still and hmac.compare_digest(told, self.previous_hash or "")

    @property
    def has_outlived_a_secret(self) -> bool:
        """The secret before is over, and those who came in by it before it was changed are not shown out yet."""
        return (
            self.previous_hash is not None
            and self.previous_until is not None
            and self.previous_until <= clock.now()
        )


def user_of(company: str, name: str) -> str:
    return f"{name}@{company}"


def new_secret() -> str:
    """A word that nobody guesses, so that a plain hash of it tells nothing."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _read(row: Any) -> Subscriber:
    return Subscriber(**{**row._mapping, "events": tuple(row.events)})


async def find(tx: AsyncConnection, company: str, name: str, *, locked: bool = False) -> Subscriber | None:
    row = (await tx.execute(LOCKED if locked else ONE, {"company": company, "name": name})).one_or_none()
    return None if row is None else _read(row)


async def of_company(tx: AsyncConnection, company: str) -> list[Subscriber]:
    return [_read(row) for row in await tx.execute(ALL, {"company": company})]


async def everywhere(tx: AsyncConnection) -> list[Subscriber]:
    return [_read(row) for row in await tx.execute(EVERYWHERE)]


async def add(  # noqa: PLR0913, PLR0917 - one parameter per property
    tx: AsyncConnection, company: str, name: str, events: Sequence[str], since: datetime, by: str
) -> str | None:
    """The secret of a new subscriber; ``None`` when the company has one of this name."""
    secret = new_secret()
    values = {"company": company, "name": name, "events": list(events), "since": since, "created_by": by}
    added = await tx.scalar(ADD, values | {"secret_hash": hashed(secret)})
    return secret if added else None


async def rotate(tx: AsyncConnection, company: str, name: str, overlap: timedelta) -> str:
    """A new secret; the one before is good for ``overlap`` longer."""
    secret = new_secret()
    values = {"company": company, "name": name, "secret_hash": hashed(secret), "until": clock.now() + overlap}
    await tx.execute(ROTATE, values)
    return secret


async def time_zone(tx: AsyncConnection, company: str) -> str:
    """The company's own; of one not heard of yet, that of Paris."""
    return await tx.scalar(TIME_ZONE, {"company": company}) or DEFAULT_TIME_ZONE
