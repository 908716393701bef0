"""Which mailboxes companies set, and what of them was read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.guard import networks_of
from chassis.sealing import Seal, SealBroken
from services.notify.drop_folder import PlaceUnreadable
from services.notify.imap import Account, ImapMailbox
from services.notify.oauth.endpoint import Unauthorized
from services.notify.oauth.keeping import Keeper
from services.notify.settings import NotifySettings

PLACE = "imap"
MAILBOX_PURPOSE = "mailbox"
"""What its password is sealed for."""
DAYS_BACK = 30
"""How far back a mailbox is looked through every time; what lies there longer was read before."""
DAYS_OF_OVERLAP = 2
"""Servers keep days of their own time zone."""

SET = text(
    """
    select a.*, known.read_at from mailbox_account a
    left join mailbox known on known.company = a.company and known.place = 'imap'
    where (cast(:company as text) is null or a.company = :company)
        and not exists (select from company_hold held where held.company = a.company)
    """
)
READ_BEFORE = text("select uid, away from mailbox_mail where company = :company and validity = :validity")
GONE = text(
    "delete from mailbox_mail where company = :company"
    " and (validity <> :validity or uid <> all(cast(:uids as bigint[])))"
)
PUT_AWAY = text(
    "update mailbox_mail set away = false"
    " where company = :company and validity = :validity and uid = any(cast(:uids as bigint[]))"
)


async def accounts(
    tx: AsyncConnection, settings: NotifySettings, company: str | None = None
) -> dict[str, Account | None]:
    """Of one company or of all that set one; ``None`` where the password cannot be opened."""
    seal = Seal(settings.sealing_key)
    found: dict[str, Account | None] = {}
    for row in await tx.execute(SET, {"company": company}):
        try:
            whose = {"company": row.company, "purpose": MAILBOX_PURPOSE}
            none = row.password is None or row.sign_in == "oauth"
            password = "" if none else seal.open(bytes(row.password), **whose)
        except SealBroken:
            found[row.company] = None
            continue
        found[row.company] = account_of(row._mapping, password, settings, row.since)
    return found


def account_of(row: Any, password: str, settings: NotifySettings, since: date) -> Account:
    """As it is kept, or typed for a trial."""
    return Account(
        host=row["host"],
        port=row["port"],
        encryption=row["encryption"],
        user=row["username"],
        password=password,
        folder=row["folder"],
        after=row["after"],
        away=row["away"],
        since=since,
        timeout_seconds=settings.imap_timeout_seconds,
        ca_file=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
        networks=networks_of(settings.mail_networks),
        sign_in=row["sign_in"],
    )


async def signed_in(
    box: ImapMailbox,
    keeper: Keeper,
    company: str,
    blocking: Callable[[Callable[[], int]], Awaitable[int]],
    *,
    anew: bool = False,
) -> int:
    """Open a mailbox; a token that the server does not take is changed for another one, once; ``anew`` as
    ``Keeper.token``. Answers what ``ImapMailbox.open`` does. Raises ``PlaceUnreadable``."""
    account = box.account
    if account.sign_in != "oauth":
        return await blocking(box.open)
    try:
        token = await keeper.token(company, account.host, anew=anew)
        try:
            return await blocking(lambda: box.open(token))
        except PlaceUnreadable as refused:
            if refused.code != "mailbox_login_refused":
                raise
            another = await keeper.token(company, account.host, token)
            if another == token:
                raise PlaceUnreadable("mailbox_token_refused", refused.words) from refused
        box.abort()
        try:
            return await blocking(lambda: box.open(another))
        except PlaceUnreadable as refused:
            if refused.code == "mailbox_login_refused":
                raise PlaceUnreadable("mailbox_token_refused", refused.words) from refused
            raise
    except Unauthorized as none:
        raise PlaceUnreadable(none.code, none.words) from none


def look_from(since: date, last_read_on: date | None, today: date) -> date:
    """The day from which mails are listed: a month back, and further when it could not be read for longer."""
    if last_read_on is None:
        return since
    return max(since, min(today - timedelta(DAYS_BACK), last_read_on - timedelta(DAYS_OF_OVERLAP)))


async def read_before(tx: AsyncConnection, company: str, validity: int) -> dict[int, bool]:
    """The mails that were read, by UID; true: one that is still to be put away."""
    rows = await tx.execute(READ_BEFORE, {"company": company, "validity": validity})
    return {row.uid: row.away for row in rows}


async def forget_gone(tx: AsyncConnection, company: str, validity: int, lying: Collection[int]) -> None:
    """Of mails that lie there no more nothing is kept; nor of UIDs that the server made invalid."""
    await tx.execute(GONE, {"company": company, "validity": validity, "uids": list(lying)})


async def put_away(tx: AsyncConnection, company: str, validity: int, uids: Collection[int]) -> None:
    await tx.execute(PUT_AWAY, {"company": company, "validity": validity, "uids": list(uids)})
