"""The private links by which debtors reach their own pages: signed, expiring, revocable (rule 13.8).

A link holds company, client, last day and generation, signed; nothing is kept until links are taken back. The rows
that say so (``link_access``) belong to a client: its links are good again from the next generation on.
"""

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

SIGNATURE_BYTES = 20
EXAMPLE = "exemple"
FIRST_DAY = date(2000, 1, 1)
FACTS = struct.Struct(">HHB")
"""Days since ``FIRST_DAY``, generation, length of the company's slug."""

GENERATIONS = text(
    "select client_id, generation from link_access where company = :company and client_id = any(:client_ids)"
)
REVOKE = text(
    """
    insert into link_access as known (company, client_id, generation, revoked_by)
    values (:company, :client_id, 1, :actor)
    on conflict (company, client_id) do update set generation = known.generation + 1,
        revoked_by = excluded.revoked_by, revoked_at = now()
    """
)
NOW_CALLED = text(
    """
    with recursive code(client_id, steps) as (
        select cast(:client_id as text), 0
        union all
        select known.into_client_id, code.steps + 1 from client_merge known join code using (client_id)
        where known.company = :company and code.steps < 20
    )
    select client_id from code order by steps desc limit 1
    """
)


class LinkForged(ValueError):
    """The link was not made here, or not like this."""


@dataclass(frozen=True, slots=True)
class Link:
    """``expires_on`` is its last good day; ``generation`` counts how often links were taken back."""

    company: str
    client_id: str
    expires_on: date
    generation: int = 0

    def is_over(self, as_of: date) -> bool:
        return as_of > self.expires_on


def new(company: str, client_id: str, as_of: date, days: int, generation: int = 0) -> Link:
    return Link(company, client_id, as_of + timedelta(days=days), generation)


def url(space_url: str, secret: str, link: Link) -> str:
    return f"{space_url.rstrip('/')}/d/{written(secret, link)}"


def example(space_url: str) -> str:
    """What stands in the place of a link where nobody is to be let in."""
    return f"{space_url.rstrip('/')}/d/{EXAMPLE}"


def written(secret: str, link: Link) -> str:
    """The part of the address that is the link."""
    company = link.company.encode()
    facts = FACTS.pack((link.expires_on - FIRST_DAY).days, link.generation, len(company))
    said = facts + company + link.client_id.encode()
    return urlsafe_b64encode(_signature(secret, said) + said).rstrip(b"=").decode()


def read(secret: str, token: str) -> Link:
    """Raises ``LinkForged``. Whether it is over or taken back is not looked at."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError as unreadable:
        raise LinkForged from unreadable
    signature, said = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not secret or len(said) <= FACTS.size or not hmac.compare_digest(signature, _signature(secret, said)):
        raise LinkForged
    days, generation, length = FACTS.unpack(said[: FACTS.size])
    names = said[FACTS.size :]
    link = Link(names[:length].decode(), names[length:].decode(), FIRST_DAY + timedelta(days=days), generation)
    if written(secret, link) != token:  # Base64 can be spelled in several ways; ours is one
        raise LinkForged
    return link


def _signature(secret: str, said: bytes) -> bytes:
    return hmac.new(secret.encode(), b"space:" + said, hashlib.sha256).digest()[:SIGNATURE_BYTES]


async def generations(tx: AsyncConnection, company: str, client_ids: Collection[str]) -> dict[str, int]:
    """Of the links that are good; a client without one never had any taken back."""
    rows = await tx.execute(GENERATIONS, {"company": company, "client_ids": list(client_ids)})
    return {row.client_id: row.generation for row in rows}


async def revoke(tx: AsyncConnection, company: str, client_id: str, actor: str) -> None:
    """No link of this client that was made until now is good any more."""
    await tx.execute(REVOKE, {"company": company, "client_id": client_id, "actor": actor})


async def now_called(tx: AsyncConnection, company: str, client_id: str) -> str:
    """The code that stands for this client today (rule 5.9)."""
    return str(await tx.scalar(NOW_CALLED, {"company": company, "client_id": client_id}))
