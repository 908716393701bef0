"""What is kept of a webhook, and of what is delivered to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.sealing import Seal

SIGNING = "webhook"
"""What its secrets are sealed for."""
COLUMNS = "company, webhook_id, url, events, active, secret, previous_secret, previous_until, failures,"
COLUMNS += " resting_until, told, created_at, created_by, forgotten, forgotten_at"
ONE = text(f"select {COLUMNS} from webhook where company = :company and webhook_id = :webhook_id for update")  # noqa: S608
ALL = text(f"select {COLUMNS} from webhook where company = :company order by created_at, webhook_id")  # noqa: S608
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
    previous_secret: bytes | None
    previous_until: datetime | None
    failures: int
    resting_until: datetime | None
    told: str | None
    created_at: datetime
    created_by: str
    forgotten: int
    """Events that were put aside, and that nobody tried again in time."""
    forgotten_at: datetime | None

    def keys(self, seal: Seal) -> list[str]:
        """The secrets to sign with: its own, and the one before while that is still good. Raises
        ``SealBroken``."""
        return keys_of(seal, self.company, self.secret, self.previous_secret, self.previous_until)


def keys_of(seal: Seal, company: str, secret: bytes, before: bytes | None, until: datetime | None) -> list[str]:
    still = [before] if before is not None and until is not None and clock.now() < until else []
    return [seal.open(bytes(one), company=company, purpose=SIGNING) for one in (secret, *still)]


def _read(row: Any) -> Webhook:
    return Webhook(**{**row._mapping, "events": tuple(row.events)})


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
