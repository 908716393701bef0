"""What is kept of a webhook, and of what is delivered to it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.sealing import Seal, SealBroken

SIGNING = "webhook"
"""What its secrets are sealed for."""
MOST_FORMER = 10
"""Every one makes the header of each delivery longer."""
FORMER = (
    "array(select w.previous_secret where w.previous_until > now() union all (select f.secret"
    " from webhook_former_secret f where (f.company, f.webhook_id) = (w.company, w.webhook_id) and f.until > now()"
    " order by f.until desc)) as former"
)
"""Of ``webhook w``: the secrets that sign still beside its own, sealed."""
FORMER_UNTIL = (
    "greatest(w.previous_until, (select max(f.until) from webhook_former_secret f"
    " where (f.company, f.webhook_id) = (w.company, w.webhook_id))) as previous_until"
)
COLUMNS = f"company, webhook_id, url, events, active, secret, {FORMER}, {FORMER_UNTIL}, failures, resting_until,"
COLUMNS += " told, created_at, created_by, forgotten, forgotten_at"
ONE = text(f"select {COLUMNS} from webhook w where company = :company and webhook_id = :webhook_id for update")  # noqa: S608
ALL = text(f"select {COLUMNS} from webhook w where company = :company order by created_at, webhook_id")  # noqa: S608
ADD = text(
    "insert into webhook (company, webhook_id, url, events, secret, created_by)"
    " values (:company, :webhook_id, :url, :events, :secret, :created_by)"
)
CHANGE = text(
    "update webhook set url = :url, events = :events, active = :active, failures = 0, resting_until = null,"
    " told = null where company = :company and webhook_id = :webhook_id"
)
ROTATE = text(
    "update webhook set previous_secret = secret, previous_until = :until, secret = :secret"
    " where company = :company and webhook_id = :webhook_id"
)
KEEP_FORMER = text(
    "insert into webhook_former_secret (company, webhook_id, secret, until)"
    " select company, webhook_id, previous_secret, previous_until from webhook"
    " where company = :company and webhook_id = :webhook_id and previous_secret is not null"
    "  and previous_until > now()"
)
END_FORMER = text(
    "delete from webhook_former_secret where company = :company and webhook_id = :webhook_id"
    " and (:at_once or until <= now())"
)
FORGET_FORMER = (
    text("delete from webhook_former_secret where until <= now()"),
    text(
        "update webhook set previous_secret = null where previous_secret is not null and previous_until <= now()"
    ),
)
"""One that signs nothing any more could only be stolen, or be told as a fault where secrets are sealed anew."""
REMOVE = text("delete from webhook where company = :company and webhook_id = :webhook_id")
PLACES = text(
    "insert into webhook_position (company, webhook_id, speaker, since)"
    " select :company, :webhook_id, unnest(cast(:speakers as text[])), :since on conflict do nothing"
)
NO_PLACES = text(
    "delete from webhook_position where company = :company and webhook_id = :webhook_id"
    " and speaker <> all(cast(:speakers as text[]))"
)
FROM_THE_START = text(
    "update webhook_position set since = :since, pos = 0, anchor = null,"
    " numbers = array_fill(0::bigint, array[64])"
    " where company = :company and webhook_id = :webhook_id"
)
RETRY = text(
    "update webhook_delivery set status = 'waiting', attempts = 0, run_at = now(), changed_at = now()"
    " where company = :company and webhook_id = :webhook_id and status = 'dead'"
    " and (cast(:event_ids as uuid[]) is null or event_id = any(cast(:event_ids as uuid[])))"
)
COUNTS = text(
    "select webhook_id, status, count(*) as many, max(changed_at) as latest from webhook_delivery"
    " where company = :company group by 1, 2"
)
LISTED = text(
    "select event_id, type, client_id, status, attempts, run_at, told, created_at, changed_at"
    " from webhook_delivery where company = :company and webhook_id = :webhook_id"
    " and (cast(:status as text) is null or status = :status)"
    " order by changed_at desc, speaker, p, number desc limit :limit"
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a company's events go by HTTP. Secrets are sealed."""

    company: str
    webhook_id: UUID
    url: str
    events: tuple[str, ...]
    active: bool
    secret: bytes
    former: tuple[bytes, ...]
    """Those before it whose time is not over."""
    previous_until: datetime | None
    """When the last of all before it is over, or was."""
    failures: int
    resting_until: datetime | None
    told: str | None
    created_at: datetime
    created_by: str
    forgotten: int
    """Events that were put aside, and that nobody tried again in time."""
    forgotten_at: datetime | None

    def keys(self, seal: Seal) -> list[str]:
        """The secrets to sign with, its own first. Raises ``SealBroken``."""
        return keys_of(seal, self.company, self.secret, self.former)


def keys_of(seal: Seal, company: str, secret: bytes, former: Sequence[bytes]) -> list[str]:
    """A webhook's own secret and former ones, opened. Raises ``SealBroken`` where its own cannot be; a former one
    that cannot be is passed over, or changing the secret would help nobody."""
    keys = [seal.open(bytes(secret), company=company, purpose=SIGNING)]
    for one in former:
        with suppress(SealBroken):
            keys.append(seal.open(bytes(one), company=company, purpose=SIGNING))
    return keys


async def rotate(
    tx: AsyncConnection, company: str, webhook_id: UUID, secret: bytes, overlap: timedelta
) -> datetime:
    """Sign with ``secret``, sealed, from now on; with the one before until the instant answered, and with those
    before it as long as was said when they were changed. Without an overlap all of them are over."""
    key = {"company": company, "webhook_id": webhook_id}
    until = clock.now() + overlap
    await tx.execute(KEEP_FORMER, key)
    await tx.execute(END_FORMER, key | {"at_once": not overlap})
    await tx.execute(ROTATE, key | {"secret": secret, "until": until})
    return until


def _read(row: Any) -> Webhook:
    return Webhook(**{**row._mapping, "events": tuple(row.events), "former": tuple(row.former)})


async def find(tx: AsyncConnection, company: str, webhook_id: UUID) -> Webhook | None:
    """Locked until the end of the transaction."""
    row = (await tx.execute(ONE, {"company": company, "webhook_id": webhook_id})).one_or_none()
    return None if row is None else _read(row)


async def of_company(tx: AsyncConnection, company: str) -> list[Webhook]:
    return [_read(row) for row in await tx.execute(ALL, {"company": company})]


async def counts(tx: AsyncConnection, company: str) -> dict[UUID, dict[str, tuple[int, datetime]]]:
    """Webhook: status of deliveries: how many, and when the latest of them came to it."""
    found: dict[UUID, dict[str, tuple[int, datetime]]] = {}
    for row in await tx.execute(COUNTS, {"company": company}):
        found.setdefault(row.webhook_id, {})[row.status] = (row.many, row.latest)
    return found


async def hear(
    tx: AsyncConnection, company: str, webhook_id: UUID, speakers: Sequence[str], since: datetime
) -> None:
    """Its places in the streams: new ones begin at ``since``, those it has stay where they are."""
    key = {"company": company, "webhook_id": webhook_id, "speakers": list(speakers)}
    await tx.execute(NO_PLACES, key)
    await tx.execute(PLACES, key | {"since": since})
