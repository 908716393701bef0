"""Who may sign in and for which companies: accounts, sessions and the brake on guessing."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, cast
from uuid import UUID

from pwdlib import PasswordHash
from sqlalchemy import and_, delete, false, func, insert, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.auth import Role
from services.console.settings import ConsoleSettings
from services.console.tables import account, failed_sign_in, membership, session

SHORTEST_PASSWORD = 10
SHOWN_COUNTS = timedelta(minutes=5)
"""For how long it counts that somebody has shown once more who they are."""
PEOPLE_ROLES: tuple[Role, ...] = ("reader", "user", "admin")
BY_HAND, BY_GROUPS = "hand", "groups"
"""Who gave a role: an operator, or groups of the provider of identities."""

hasher = PasswordHash.recommended()
"""Slow on purpose: whoever holds the table guesses a few passwords a second, not millions."""
_nobody = hasher.hash(secrets.token_urlsafe(16))


class PasswordTooShort(Exception):
    def __init__(self) -> None:
        super().__init__(f"a password has {SHORTEST_PASSWORD} characters or more")


class RoleUnknown(Exception):
    def __init__(self, role: str) -> None:
        super().__init__(f"{role} is not one of {', '.join(PEOPLE_ROLES)}")
        self.role = role


class MemberUnknown(Exception):
    """Nobody of this company has this address or account."""

    def __init__(self, who: str) -> None:
        super().__init__(f"{who} is no user of this company")
        self.who = who


class PortfolioEmpty(Exception):
    """Who does not see every client sees those of somebody."""

    def __init__(self) -> None:
        super().__init__("name at least one sales person")


class AdministratorSeesAll(Exception):
    """The clients of an administrator cannot be limited (rule 15.2)."""

    def __init__(self) -> None:
        super().__init__("an administrator sees every client; give the role user or reader first")


def _initials(name: str) -> str:
    """Of the first and the last word, ``?`` for a person without a name."""
    parts = name.split()
    return (parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")).upper() if parts else "?"


OpenedBy = Literal["password", "provider", "operator"]


@dataclass(frozen=True)
class Closed:
    """A session that was ended, and the provider's token that it was opened by, sealed."""

    opened_by: OpenedBy
    id_token: bytes | None


@dataclass(frozen=True)
class SignedIn:
    """The person behind a request."""

    account_id: UUID
    email: str
    name: str
    language: str
    theme: str
    csrf_token: str
    roles: Mapping[str, Role]
    """Role per company."""
    portfolios: Mapping[str, tuple[str, ...]]
    """Per company where the person sees the clients of some sales people only: their codes (rule 15.2)."""
    opened_by: OpenedBy = "password"
    has_shown: bool = False
    """Within the last minutes the person has shown once more who they are, at the provider or to an operator."""

    @property
    def subject(self) -> str:
        return f"user:{self.account_id}"

    @property
    def initials(self) -> str:
        return _initials(self.name)


def no_password() -> str:
    """The hash of one that nobody knows."""
    return hasher.hash(secrets.token_urlsafe(32))


async def create_user(  # noqa: PLR0913, PLR0917 - what makes an account
    tx: AsyncConnection,
    email: str,
    password: str | None,
    name: str,
    roles: Mapping[str, str],
    language: str = "fr",
) -> UUID:
    """Create the account of a person, or give an existing one this name, password and these roles. ``None`` gives
    none: who has it comes by the provider of identities, or is let in.

    Roles of companies that are not named stay as they are. Raises ``PasswordTooShort`` and ``RoleUnknown``.
    """
    if password is not None and len(password) < SHORTEST_PASSWORD:
        raise PasswordTooShort
    for role in roles.values():
        if role not in PEOPLE_ROLES:
            raise RoleUnknown(role)
    hashed = no_password() if password is None else hasher.hash(password)
    values = {"name": name, "password_hash": hashed, "language": language, "closed_at": None}
    account_id: UUID = (
        await tx.execute(
            upsert(account)
            .values(email=email.strip().lower(), **values)
            .on_conflict_do_update(index_elements=["email"], set_=values)
            .returning(account.c.account_id)
        )
    ).scalar_one()
    for company, role in roles.items():
        await tx.execute(
            upsert(membership)
            .values(account_id=account_id, company=company, role=role)
            # else what a group gave first would be taken away again where the file names the company no more
            .on_conflict_do_update(
                index_elements=["account_id", "company"], set_={"role": role, "given_by": BY_HAND}
            )
        )
    return account_id


async def must_wait(tx: AsyncConnection, email: str, host: str, settings: ConsoleSettings) -> bool:
    """Too many failures for this account or from this host; signing in waits, even with the right password."""
    since = func.now() - timedelta(minutes=settings.sign_in_wait_minutes)
    recent = failed_sign_in.c.failed_at > since
    counted = select(
        func.count().filter(failed_sign_in.c.email == email.strip().lower()),
        func.count().filter(failed_sign_in.c.address == host),
    ).where(and_(recent, (failed_sign_in.c.email == email.strip().lower()) | (failed_sign_in.c.address == host)))
    by_email, by_host = (await tx.execute(counted)).one()
    return bool(by_email >= settings.sign_in_failures or by_host >= settings.sign_in_failures_per_host)


async def account_of(tx: AsyncConnection, email: str, password: str) -> UUID | None:
    """The account with this address and password. Takes as long when there is no such account."""
    found = (
        await tx.execute(
            select(account.c.account_id, account.c.password_hash).where(
                account.c.email == email.strip().lower(), account.c.closed_at.is_(None)
            )
        )
    ).one_or_none()
    correct = hasher.verify(password, found.password_hash if found else _nobody)
    return cast(UUID, found.account_id) if found and correct else None


async def remember_failure(tx: AsyncConnection, email: str, host: str, settings: ConsoleSettings) -> None:
    await tx.execute(insert(failed_sign_in).values(email=email.strip().lower()[:320], address=host))
    forgotten = func.now() - timedelta(minutes=settings.sign_in_wait_minutes)
    await tx.execute(delete(failed_sign_in).where(failed_sign_in.c.failed_at < forgotten))


def digest_of(secret: str) -> bytes:
    """As which a cookie, a link or a key of our own making is kept: who reads the table enters by none."""
    return hashlib.sha256(secret.encode()).digest()


async def open_session(
    tx: AsyncConnection,
    account_id: UUID,
    settings: ConsoleSettings,
    opened_by: OpenedBy = "password",
    id_token: bytes | None = None,
) -> str:
    """A new session; its cookie. Only a digest of the cookie is kept. ``id_token`` is sealed, and the
    provider's."""
    cookie = secrets.token_urlsafe(32)
    await tx.execute(
        insert(session).values(
            key=digest_of(cookie),
            account_id=account_id,
            csrf_token=secrets.token_urlsafe(24),
            opened_by=opened_by,
            id_token=id_token,
            # an operator knows whom they let in
            shown_at=func.now() if opened_by == "operator" else None,
        )
    )
    await tx.execute(
        delete(session).where(session.c.opened_at < func.now() - timedelta(hours=settings.session_hours))
    )
    return cookie


async def close_session(tx: AsyncConnection, cookie: str) -> Closed | None:
    """``None`` where there was none."""
    ended = await tx.execute(
        delete(session)
        .where(session.c.key == digest_of(cookie))
        .returning(session.c.opened_by, session.c.id_token)
    )
    row = ended.one_or_none()
    return None if row is None else Closed(row.opened_by, row.id_token)


async def shown_again(tx: AsyncConnection, cookie: str) -> None:
    """The person behind this session has shown once more who they are."""
    await tx.execute(update(session).where(session.c.key == digest_of(cookie)).values(shown_at=func.now()))


async def signed_in_by(tx: AsyncConnection, cookie: str, settings: ConsoleSettings) -> SignedIn | None:
    """The person whose live session this cookie opens."""
    found = (
        await tx.execute(
            update(session)
            .where(
                session.c.key == digest_of(cookie),
                session.c.account_id == account.c.account_id,
                account.c.closed_at.is_(None),
                session.c.seen_at > func.now() - timedelta(minutes=settings.session_idle_minutes),
                session.c.opened_at > func.now() - timedelta(hours=settings.session_hours),
                or_(
                    session.c.opened_by != "provider",
                    session.c.opened_at > func.now() - timedelta(hours=settings.oidc_session_hours),
                ),
                # where passwords are off, nobody goes on by one that they gave before
                true() if settings.password_sign_in else session.c.opened_by != "password",
            )
            .values(seen_at=func.now())
            .returning(
                account.c.account_id,
                account.c.email,
                account.c.name,
                account.c.language,
                account.c.theme,
                session.c.csrf_token,
                session.c.opened_by,
                func.coalesce(session.c.shown_at > func.now() - SHOWN_COUNTS, false()).label("has_shown"),
            )
        )
    ).one_or_none()
    if found is None:
        return None
    asked = (
        select(membership.c.company, membership.c.role, membership.c.portfolio)
        .where(membership.c.account_id == found.account_id)
        .order_by(membership.c.company)
    )
    rows = (await tx.execute(asked)).all()
    return SignedIn(
        **found._mapping,
        roles={row.company: cast(Role, row.role) for row in rows},
        portfolios={row.company: codes for row in rows if (codes := seen(row)) is not None},
    )


def seen(membership_row: Any) -> tuple[str, ...] | None:
    """The sales people whose clients this member sees; ``None`` for every client, as administrators do."""
    codes = membership_row.portfolio
    return None if codes is None or membership_row.role == "admin" else tuple(codes)


async def prefer(tx: AsyncConnection, account_id: UUID, *, language: str | None, theme: str | None) -> None:
    """Remember a person's language or theme."""
    chosen = {key: value for key, value in {"language": language, "theme": theme}.items() if value}
    if chosen:
        await tx.execute(update(account).where(account.c.account_id == account_id).values(**chosen))


async def names_of_members(tx: AsyncConnection, company: str) -> dict[str, str]:
    """The names of a company's people by their account id, as they stand in ``user:<id>``."""
    found = await tx.execute(
        select(account.c.account_id, account.c.name)
        .join(membership, membership.c.account_id == account.c.account_id)
        .where(membership.c.company == company)
    )
    return {str(row.account_id): row.name for row in found}


@dataclass(frozen=True)
class Member:
    """One of a company's people, as a message is signed."""

    account_id: str
    name: str
    email: str
    role: Role = "user"
    portfolio: tuple[str, ...] | None = None
    """Codes of sales people; ``None`` for every client."""

    @property
    def initials(self) -> str:
        return _initials(self.name)


async def members(tx: AsyncConnection, company: str) -> list[Member]:
    """Those whose account is open."""
    found = await tx.execute(
        select(account.c.account_id, account.c.name, account.c.email, membership.c.role, membership.c.portfolio)
        .join(membership, membership.c.account_id == account.c.account_id)
        .where(membership.c.company == company, account.c.closed_at.is_(None))
        .order_by(account.c.name)
    )
    return [Member(str(row.account_id), row.name, row.email, cast(Role, row.role), seen(row)) for row in found]


async def set_portfolio(
    tx: AsyncConnection, company: str, member: UUID | str, portfolio: Sequence[str] | None
) -> None:
    """Show this member (an account, or its address) the clients of these sales people only; ``None`` shows all.

    Counts from the member's next page on. Raises ``MemberUnknown``, ``PortfolioEmpty``, ``AdministratorSeesAll``.
    """
    codes = None if portfolio is None else sorted({code.strip() for code in portfolio if code.strip()})
    if codes == []:
        raise PortfolioEmpty
    by = account.c.account_id == member if isinstance(member, UUID) else account.c.email == member.strip().lower()
    found = (
        await tx.execute(
            select(membership.c.account_id, membership.c.role)
            .join(account, membership.c.account_id == account.c.account_id)
            .where(by, membership.c.company == company)
            .with_for_update(of=membership)
        )
    ).one_or_none()
    if found is None:
        raise MemberUnknown(str(member))
    if found.role == "admin" and codes is not None:
        raise AdministratorSeesAll
    await tx.execute(
        update(membership)
        .where(membership.c.account_id == found.account_id, membership.c.company == company)
        .values(portfolio=codes)
    )
