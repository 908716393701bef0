"""Links by which an operator lets somebody in: once, within a quarter of an hour, when nothing else does."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.console.accounts import digest_of
from services.console.tables import account, let_in

GOOD_MINUTES = 15
PATH = "/let-in"


class AccountUnknown(Exception):
    """Nobody has an open account with this address."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} has no open account: make one first, with create-user --without-password")
        self.address = address


@dataclass(frozen=True, slots=True)
class Link:
    """``token`` ends its address."""

    token: str = field(repr=False)
    account_id: UUID


async def link_for(tx: AsyncConnection, address: str) -> Link:
    """A new link for the account of this address. Raises ``AccountUnknown``."""
    account_id = await tx.scalar(
        select(account.c.account_id).where(
            account.c.email == address.strip().lower(), account.c.closed_at.is_(None)
        )
    )
    if account_id is None:
        raise AccountUnknown(address)
    await tx.execute(delete(let_in).where(let_in.c.until < func.now()))
    token = secrets.token_urlsafe(32)
    until = func.now() + timedelta(minutes=GOOD_MINUTES)
    await tx.execute(insert(let_in).values(key=digest_of(token), account_id=account_id, until=until))
    return Link(token, account_id)


async def whose(tx: AsyncConnection, token: str) -> str | None:
    """The name of the person whom this link lets in, while it is good."""
    found: str | None = await tx.scalar(
        select(account.c.name)
        .join(let_in, let_in.c.account_id == account.c.account_id)
        .where(let_in.c.key == digest_of(token), let_in.c.until > func.now(), account.c.closed_at.is_(None))
    )
    return found


async def used(tx: AsyncConnection, token: str) -> UUID | None:
    """The account that this link opens; it opens nothing more."""
    found: UUID | None = await tx.scalar(
        delete(let_in)
        .where(
            let_in.c.key == digest_of(token),
            let_in.c.until > func.now(),
            let_in.c.account_id.in_(select(account.c.account_id).where(account.c.closed_at.is_(None))),
        )
        .returning(let_in.c.account_id)
    )
    return found
