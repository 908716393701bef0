"""The mailbox from which what comes back to a company is read by IMAP, and a trial of it."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, WholeCompany, requires
from chassis.problems import Problem
from services.notify.api.bodies import Body
from services.notify.api.mail_server import Host, authorized, outside, sealed
from services.notify.drop_folder import PlaceUnreadable
from services.notify.imap import Account, After, Encryption, ImapMailbox
from services.notify.mailboxes import MAILBOX_PURPOSE, account_of, accounts, signed_in
from services.notify.oauth.keeping import keeper_of
from services.notify.servers import SignIn
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin"), WholeCompany])

TRIAL_SECONDS = 20.0
FIRST_DAYS = 7
"""Of what arrived before a mailbox was set, so much is read too."""

SAVED = text(
    "select host, port, encryption, username, password is not null as has_password, folder, after, away, tagged,"
    " sign_in, since, changed_by, changed_at from mailbox_account where company = :company"
)
SAME = (
    "known.host = excluded.host and known.port = excluded.port and known.username = excluded.username"
    " and known.folder = excluded.folder"
)
SAVE = text(
    f"""
    insert into mailbox_account as known (company, host, port, encryption, username, password, folder, after, away,
        tagged, sign_in, since, changed_by)
    values (:company, :host, :port, :encryption, :username, :password, :folder, :after, :away, :tagged, :sign_in,
        :since, :changed_by)
    on conflict (company) do update set host = excluded.host, port = excluded.port,
        encryption = excluded.encryption, username = excluded.username,
        password = case when :keep and known.host = excluded.host and known.username = excluded.username
            then known.password else excluded.password end,
        folder = excluded.folder, after = excluded.after, away = excluded.away, tagged = excluded.tagged,
        sign_in = excluded.sign_in,
        since = case when {SAME} then known.since else excluded.since end,
        changed_by = excluded.changed_by, changed_at = now()
    """  # noqa: S608 - written here
)
ANOTHER = text(
    """
    delete from mailbox_mail where company = :company and not exists (
        select from mailbox_account where company = :company and host = :host and port = :port
            and username = :username and folder = :folder)
    """
)
"""The UIDs of one mailbox mean nothing in another."""
FORGET = text("delete from mailbox_account where company = :company")
FORGET_MAILS = text("delete from mailbox_mail where company = :company")
FORGET_PLACE = text("delete from mailbox where company = :company and place = 'imap'")

Line = Annotated[str, Field(min_length=1, max_length=320, pattern=r"^[^\x00-\x1f\x7f]*$")]
FolderName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class MailboxBody(Body):
    """``password``: left out keeps the one there is, as long as host and user stay the same.

    ``after``: what becomes of reports and automatic answers that were read: moved to the folder ``away``, marked
    as read, or left; what people wrote stays where and as it is. ``tagged``: messages name themselves in the
    addresses that answers and reports come to (``name+…@domain``). ``sign_in`` by ``oauth``: a token of the
    company's mail authorization is shown instead of a password.
    """

    host: Host
    port: int = Field(993, ge=1, le=65535)
    encryption: Encryption = "tls"
    username: Line
    password: str | None = Field(None, max_length=1000, repr=False)
    folder: FolderName = "INBOX"
    after: After = "move"
    away: FolderName = "Relance"
    tagged: bool = False
    sign_in: SignIn = "password"


class Trial(Body):
    """``mailbox``: one that is not saved yet; left out: the one that is."""

    mailbox: MailboxBody | None = None


@router.get("/mailbox")
async def get_mailbox(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """``saved`` without its password. How it fares stands in ``GET /mailboxes``."""
    row = (await tx.execute(SAVED, {"company": company})).mappings().one_or_none()
    settings = _settings(process)
    return {
        "saved": None if row is None else dict(row),
        "can_keep_passwords": bool(settings.sealing_key.strip()),
    }


@router.put("/mailbox")
async def put_mailbox(
    body: MailboxBody, company: CompanyDep, tx: TxDep, process: RunningDep, cause: CauseDep
) -> dict[str, Any]:
    """Set the mailbox; it is read from the next look on, mails of the last week too. Answers 422
    ``mailbox-into-itself``, 409 ``secrets-not-kept``, 422 ``host-inside`` and what ``oauth`` is refused for, as
    for mail servers."""
    if body.after == "move" and body.away == body.folder:
        raise Problem("mailbox-into-itself", "Mails cannot move to the folder they are read from", 422)
    await outside(_settings(process), body.host, body.port)
    if body.sign_in == "oauth":
        await authorized(tx, company, body.host, body.username, encrypted=True)
        body.password = ""
    values = body.model_dump(exclude={"password"}) | {
        "company": company,
        "changed_by": cause.actor,
        "keep": body.password is None,
        "password": sealed(_settings(process), body.password, company, MAILBOX_PURPOSE),
        "since": clock.now().date() - timedelta(FIRST_DAYS),
    }
    await tx.execute(ANOTHER, values)
    await tx.execute(SAVE, values)
    return await get_mailbox(company, tx, process)


@router.delete("/mailbox")
async def delete_mailbox(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Read it no more. Answers 404 when there is none."""
    of_company = {"company": company}
    if not (await tx.execute(FORGET, of_company)).rowcount:
        raise Problem("mailbox-unknown", "The company has no mailbox", 404)
    await tx.execute(FORGET_MAILS, of_company)
    await tx.execute(FORGET_PLACE, of_company)
    return {"deleted": True}


@router.post("/mailbox/test")
async def test_mailbox(body: Trial, company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """Connect, sign in and open the folder; nothing is read or changed.

    Answers ``ok`` and how many ``mails`` lie there, or the ``code`` of the trouble and ``words`` of the server.
    """
    settings = _settings(process)
    if body.mailbox is not None and body.mailbox.sign_in == "oauth":
        await authorized(tx, company, body.mailbox.host, body.mailbox.username, encrypted=True)
    box = ImapMailbox(await _meant(tx, company, settings, body.mailbox))
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            await signed_in(box, keeper_of(process), company, asyncio.to_thread, anew=True)
            mails = await asyncio.to_thread(box.count)
            await asyncio.to_thread(box.close)
    except PlaceUnreadable as failed:
        return {"ok": False, "code": failed.code, "words": failed.words, "mails": None}
    except TimeoutError:
        return {"ok": False, "code": "mailbox_silent", "words": f"{TRIAL_SECONDS:.0f} s", "mails": None}
    finally:
        box.abort()
    return {"ok": True, "code": None, "words": "", "mails": mails}


async def _meant(tx: AsyncConnection, company: str, settings: NotifySettings, body: MailboxBody | None) -> Account:
    """The mailbox of a trial; with the saved password where none is typed and it is for the same host and user.
    Raises ``Problem``."""
    found = await accounts(tx, settings, company)
    own = found.get(company)
    if company in found and own is None and (body is None or body.password is None):
        raise Problem("secret-unreadable", "The password cannot be read with this installation's key", 409)
    if body is None:
        if own is None:
            raise Problem("mailbox-unknown", "The company has no mailbox", 404)
        return own
    known = own if own is not None and (own.host, own.user) == (body.host, body.username) else None
    typed = body.password if body.password is not None else (known.password if known else "")
    return account_of(body.model_dump(), typed, settings, clock.now().date())


def _settings(process: RunningDep) -> NotifySettings:
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    return settings
