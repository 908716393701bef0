"""API keys of other systems: made, listed, revoked by administrators; exchanged for tokens (docs/adr/0067).

A secret is 256 random bits and is kept as its SHA-256: nobody guesses one, so that a slow hash would only let
strangers keep our processors busy.
"""

import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.tables import company_hold
from contracts.systems import ACTOR_OF_SYSTEM, OURS, SCOPES, Scope
from services.console.accounts import digest_of
from services.console.tables import account, api_key

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
SECRET_PREFIX = "relance_"  # noqa: S105 - what every secret begins with, so that scanners of code know one
Unfit = Literal["key-name-refused", "key-scopes-missing", "key-end-past", "key-end-unreadable"]
Standing = Literal["live", "ended", "revoked", "company-held"]


class KeyNotMade(Exception):
    """What was asked for makes no key; ``code`` says why."""

    def __init__(self, code: Unfit) -> None:
        super().__init__(code)
        self.code = code


class KeyRefused(Exception):
    """The key opens nothing: ``unknown`` (no such key, or another secret) or how it stands."""

    def __init__(self, code: Literal["unknown"] | Standing) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Key:
    """``standing`` is that of the moment it was read; ``made_by`` and ``revoked_by`` are people's names."""

    key_id: UUID
    company: str
    name: str
    scopes: tuple[Scope, ...]
    ends_at: datetime | None
    standing: Standing
    made_at: datetime | None = None
    made_by: str | None = None
    last_used_on: date | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    @property
    def last_moment(self) -> datetime | None:
        """In which it still opens something; its day is the last one."""
        return None if self.ends_at is None else self.ends_at - timedelta(seconds=1)

    @property
    def subject(self) -> str:
        """The actor of what it does."""
        return f"{ACTOR_OF_SYSTEM}{self.name}"

    def token_minutes(self, most: float, now: datetime) -> float:
        """How long a token of it is good for: no longer than the key."""
        return most if self.ends_at is None else min(most, (self.ends_at - now).total_seconds() / 60)


@dataclass(frozen=True)
class MadeKey:
    """Told once, to whoever made it."""

    key_id: UUID
    name: str
    secret: str


def standing_of(ends_at: datetime | None, revoked_at: datetime | None, held: bool, now: datetime) -> Standing:
    """Whether a key opens anything now, and why not."""
    if revoked_at is not None:
        return "revoked"
    if ends_at is not None and ends_at <= now:
        return "ended"
    return "company-held" if held else "live"


def wanted(
    name: str, scopes: Collection[str], last_day: date | None, today: date, time_zone: str
) -> tuple[str, list[Scope], datetime | None]:
    """Name, scopes and end of a key that can be made; ``last_day`` is the last one, in the company's time zone.

    Raises ``KeyNotMade``.
    """
    name = name.strip()
    if not NAME.fullmatch(name) or name in OURS:
        raise KeyNotMade("key-name-refused")
    chosen = [scope for scope in SCOPES if scope in scopes]
    if not chosen or len(chosen) != len(set(scopes)):
        raise KeyNotMade("key-scopes-missing")
    if last_day is None:
        return name, chosen, None
    if last_day < today:
        raise KeyNotMade("key-end-past")
    after = last_day + timedelta(days=1)
    return name, chosen, datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(time_zone))


async def make(  # noqa: PLR0913, PLR0917 - what makes a key
    tx: AsyncConnection, company: str, name: str, scopes: Sequence[Scope], ends_at: datetime | None, by: UUID
) -> MadeKey:
    """A new key. Several may have one name: a system changes its key by having two for a while."""
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    key_id = await tx.scalar(
        insert(api_key)
        .values(
            company=company,
            name=name,
            scopes=list(scopes),
            secret_sha256=digest_of(secret),
            ends_at=ends_at,
            made_by=by,
        )
        .returning(api_key.c.key_id)
    )
    return MadeKey(cast(UUID, key_id), name, secret)


async def keys_of(tx: AsyncConnection, company: str) -> list[Key]:
    """Every key of a company, those that open something first, each by name."""
    maker, revoker = account.alias("maker"), account.alias("revoker")
    people = api_key.outerjoin(maker, maker.c.account_id == api_key.c.made_by).outerjoin(
        revoker, revoker.c.account_id == api_key.c.revoked_by
    )
    names = (maker.c.name.label("made_by"), revoker.c.name.label("revoked_by"))
    asked = (
        _asked(api_key.c.made_at, api_key.c.last_used_on, *names, source=people)
        .where(api_key.c.company == company)
        .order_by(api_key.c.name, api_key.c.made_at)
    )
    found = [_key(row) for row in await tx.execute(asked)]
    return sorted(found, key=lambda key: key.standing in ("ended", "revoked"))


async def revoke(tx: AsyncConnection, company: str, key_id: UUID, by: UUID) -> bool:
    """From now on it opens nothing; whether there was one to revoke."""
    done = await tx.execute(
        update(api_key)
        .where(api_key.c.company == company, api_key.c.key_id == key_id, api_key.c.revoked_at.is_(None))
        .values(revoked_at=func.now(), revoked_by=by)
    )
    return bool(done.rowcount)


async def key_by_secret(tx: AsyncConnection, key_id: UUID, secret: str) -> Key:
    """The key that this secret opens, used today. Raises ``KeyRefused``."""
    asked = _asked(api_key.c.secret_sha256).where(api_key.c.key_id == key_id)
    row = (await tx.execute(asked)).one_or_none()
    if row is None or not hmac.compare_digest(row.secret_sha256, digest_of(secret)):
        raise KeyRefused("unknown")
    key = _key(row)
    if key.standing != "live":
        raise KeyRefused(key.standing)
    today = clock.now().date()
    await tx.execute(
        update(api_key)
        .where(
            api_key.c.key_id == key_id,
            or_(api_key.c.last_used_on.is_(None), api_key.c.last_used_on < today),
        )
        .values(last_used_on=today)
    )
    return key


async def standing_now(tx: AsyncConnection, key_id: UUID) -> Standing | None:
    """How a key stands whose token is shown; ``None`` for one that is no more."""
    row = (await tx.execute(_asked().where(api_key.c.key_id == key_id))).one_or_none()
    return None if row is None else _key(row).standing


def _asked(*more: Any, source: Any = api_key) -> Select[Any]:
    held = exists(select(company_hold.c.company).where(company_hold.c.company == api_key.c.company))
    own = (api_key.c[name] for name in ("key_id", "company", "name", "scopes", "ends_at", "revoked_at"))
    return select(*own, held.label("held"), *more).select_from(source)


def _key(row: Any) -> Key:
    told = {name: value for name, value in row._mapping.items() if name not in ("held", "secret_sha256", "scopes")}
    standing = standing_of(row.ends_at, row.revoked_at, row.held, clock.now())
    return Key(**told, scopes=tuple(row.scopes), standing=standing)
