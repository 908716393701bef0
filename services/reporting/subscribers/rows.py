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

COLUMNS = "company, name, events, secret_hash, previous_hash, previous_until, earlier, since, caught_up_at,"
COLUMNS += " created_at, created_by, rotated_at"
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
    """
    update subscriber set
        earlier = case when :at_once then '[]'::jsonb when previous_hash is null then earlier
            else earlier || jsonb_build_object(
                'hash', previous_hash, 'until', previous_until, 'changed_at', rotated_at) end,
        previous_hash = secret_hash, previous_until = :until, secret_hash = :secret_hash, rotated_at = now()
    where company = :company and name = :name
    """
)
SHOWN_OUT = text(
    """
    update subscriber set
        previous_hash = case when previous_until <= :seen then null else previous_hash end,
        earlier = coalesce((select jsonb_agg(one) from jsonb_array_elements(earlier) one
            where (one ->> 'until')::timestamptz > :seen), '[]'::jsonb)
    where company = :company and name = :name
    """
)
"""Secrets that were over when connections were looked at mean nothing any more: nobody is connected by them."""
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
class Former:
    """A secret that was changed: good until an instant. Who came in before it was changed did so by it, or by
    one before it."""

    hash: str
    until: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Another system. ``user`` is its name in NATS and that of its durable consumers."""

    company: str
    name: str
    events: tuple[str, ...]
    secret_hash: str
    previous_hash: str | None
    previous_until: datetime | None
    earlier: tuple[Former, ...]
    """Secrets before the one before, whose time was not over when it was changed as well."""
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
        """The secret is this subscriber's, or a former one that is still good."""
        told = hashed(secret)
        return hmac.compare_digest(told, self.secret_hash) or self._still_good(told) is not None

    def leaves_at(self, secret: str) -> datetime | None:
        """When a connection by this secret is over: that by a former one ends with it."""
        told = hashed(secret)
        former = None if hmac.compare_digest(told, self.secret_hash) else self._still_good(told)
        return former.until if former else None

    def _still_good(self, told: str) -> Former | None:
        now = clock.now()
        return next((one for one in self.former if now < one.until and hmac.compare_digest(told, one.hash)), None)

    @property
    def former(self) -> tuple[Former, ...]:
        """Secrets that were changed and are good still, or whose connections are not shown out yet."""
        if self.previous_hash is None or self.previous_until is None or self.rotated_at is None:
            return self.earlier
        return (Former(self.previous_hash, self.previous_until, self.rotated_at), *self.earlier)

    def outlived(self, now: datetime) -> datetime | None:
        """Who came in before this instant did so by a secret that is over, and is to be shown out."""
        return max((one.changed_at for one in self.former if one.until <= now), default=None)


def user_of(company: str, name: str) -> str:
    return f"{name}@{company}"


def new_secret() -> str:
    """A word that nobody guesses, so that a plain hash of it tells nothing."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _read(row: Any) -> Subscriber:
    earlier = tuple(
        Former(one["hash"], datetime.fromisoformat(one["until"]), datetime.fromisoformat(one["changed_at"]))
        for one in row.earlier
    )
    return Subscriber(**{**row._mapping, "events": tuple(row.events), "earlier": earlier})


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
    """A new secret; the one before is good for ``overlap`` longer, and those before it as long as was said when
    they were changed. Without an overlap all of them are over."""
    secret = new_secret()
    values = {"company": company, "name": name, "secret_hash": hashed(secret), "until": clock.now() + overlap}
    values["at_once"] = not overlap
    await tx.execute(ROTATE, values)
    return secret


async def time_zone(tx: AsyncConnection, company: str) -> str:
    """The company's own; of one not heard of yet, that of Paris."""
    return await tx.scalar(TIME_ZONE, {"company": company}) or DEFAULT_TIME_ZONE
