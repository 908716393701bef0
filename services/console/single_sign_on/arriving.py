"""Whoever the provider vouches for, among our accounts: found, bound, made, given what their groups give, or
refused.

A person is bound to an account the first time they come, by the provider's own name of them. Afterwards only that
name counts: an address that goes to somebody else there opens nobody's account here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.console.accounts import BY_GROUPS, no_password
from services.console.single_sign_on.arrived import Arrived
from services.console.single_sign_on.attempt import GOOD_SECONDS, Attempt
from services.console.single_sign_on.refusals import SignOnRefused
from services.console.single_sign_on.rights import Given, Rights, given
from services.console.tables import account, membership, provider_identity, spent_attempt


async def spend(tx: AsyncConnection, attempt: Attempt) -> None:
    """Raises ``SignOnRefused`` (``attempt_spent``) when it came back before."""
    forgotten = func.now() - timedelta(seconds=2 * GOOD_SECONDS)
    await tx.execute(delete(spent_attempt).where(spent_attempt.c.spent_at < forgotten))
    spent = await tx.execute(
        upsert(spent_attempt)
        .values(digest=attempt.digest)
        .on_conflict_do_nothing()
        .returning(spent_attempt.c.digest)
    )
    if spent.one_or_none() is None:
        raise SignOnRefused("attempt_spent")


async def known(tx: AsyncConnection, issuer: str, subject: str) -> UUID | None:
    """The account that this person of the provider is bound to, open or closed."""
    found: UUID | None = await tx.scalar(
        select(provider_identity.c.account_id).where(
            provider_identity.c.issuer == issuer, provider_identity.c.subject == subject
        )
    )
    return found


async def admitted(
    tx: AsyncConnection, who: Arrived, issuer: str, rights: Rights, language: str
) -> tuple[UUID | None, str]:
    """The account that opens, or ``None`` and why not: ``person_unknown``, ``person_closed``, ``person_other``
    (the address is that of somebody else at the provider) or ``person_without_rights``.

    Answered and not raised: what groups do not give any more is taken away even of whoever is not let in.
    """
    await _one_at_a_time(tx, issuer, who)
    gained = given(rights, who.groups)
    account_id = await known(tx, issuer, who.subject)
    if account_id is None:
        account_id, refusal = await _bound(tx, who, issuer)
        if refusal:
            return None, refusal
    if account_id is None:
        if not (rights.make_people and gained):
            return None, "person_unknown"
        account_id = await _made(tx, who, issuer, language)
    await _give(tx, account_id, rights, gained)
    if await tx.scalar(select(account.c.closed_at).where(account.c.account_id == account_id)) is not None:
        return None, "person_closed"
    if await tx.scalar(select(membership.c.company).where(membership.c.account_id == account_id).limit(1)) is None:
        return None, "person_without_rights"
    return account_id, ""


async def _one_at_a_time(tx: AsyncConnection, issuer: str, who: Arrived) -> None:
    """Two first visits at once make one account."""
    for name in sorted((f"{issuer} {who.subject}", who.address)):
        await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"sign-on:{name}", 0))))


async def _bound(tx: AsyncConnection, who: Arrived, issuer: str) -> tuple[UUID | None, str]:
    """The account of this address, bound to the person from now on; none, or why it is not theirs."""
    found = (
        await tx.execute(select(account.c.account_id, account.c.closed_at).where(account.c.email == who.address))
    ).one_or_none()
    if found is None:
        return None, ""
    if found.closed_at is not None:
        return None, "person_closed"
    bound = await tx.execute(
        upsert(provider_identity)
        .values(issuer=issuer, subject=who.subject, account_id=found.account_id)
        .on_conflict_do_nothing()
        .returning(provider_identity.c.account_id)
    )
    return (None, "person_other") if bound.one_or_none() is None else (found.account_id, "")


async def _made(tx: AsyncConnection, who: Arrived, issuer: str, language: str) -> UUID:
    account_id: UUID = (
        await tx.execute(
            insert(account)
            .values(email=who.address, name=who.name, language=language, password_hash=no_password())
            .returning(account.c.account_id)
        )
    ).scalar_one()
    await tx.execute(insert(provider_identity).values(issuer=issuer, subject=who.subject, account_id=account_id))
    return account_id


async def _give(tx: AsyncConnection, account_id: UUID, rights: Rights, gained: Mapping[str, Given]) -> None:
    """What groups give, no more and no less: in the companies of the file, and in those that were in it."""
    decided = membership.c.company.in_(rights.companies) | (membership.c.given_by == BY_GROUPS)
    await tx.execute(
        delete(membership).where(
            membership.c.account_id == account_id, decided, membership.c.company.not_in(gained.keys())
        )
    )
    for company, one in gained.items():
        values: dict[str, Any] = {"role": one.role, "given_by": BY_GROUPS}
        if one.portfolio is not None:
            values["portfolio"] = list(one.portfolio)
        await tx.execute(
            upsert(membership)
            .values(account_id=account_id, company=company, **values)
            .on_conflict_do_update(index_elements=["account_id", "company"], set_=values)
        )


async def unbind(tx: AsyncConnection, address: str) -> bool:
    """Forget who this account is at the provider: whoever has the address there next is bound to it."""
    mine = select(account.c.account_id).where(account.c.email == address.strip().lower())
    done = await tx.execute(
        delete(provider_identity)
        .where(provider_identity.c.account_id.in_(mine))
        .returning(provider_identity.c.subject)
    )
    return bool(done.all())
