"""A company's authorization for its mailbox, and the tokens it brings: kept in memory, renewed before their end.

One process at a time renews a company's token: providers that give a new refresh token with every token take the
old one for stolen when it is shown again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.database import is_transient, transaction
from chassis.running import Running
from chassis.sealing import Seal, SealBroken
from services.notify.oauth.endpoint import Application, Granted, TokenEndpoint, Unauthorized
from services.notify.oauth.providers import provider_of
from services.notify.settings import NotifySettings

log = logging.getLogger(__name__)

SECRET_PURPOSE, REFRESH_PURPOSE = "oauth-application", "oauth-refresh"
"""What a secret and a refresh token are sealed for."""

RENEWED_SECONDS = 300.0
"""So long before its end a token is renewed."""
RENEWED_SHARE = 0.5
"""… or after this part of its life, where that is longer."""
AGAIN_SECONDS: Mapping[str, float] = {"authorization_silent": 5.0}
REFUSED_AGAIN_SECONDS = 300.0
"""What was refused is refused again, until somebody changes it; asking seldom shows what was mended elsewhere."""
NOT_TAKEN_SECONDS = 60.0
"""A mail server that takes no token at all has not a new one made for every try."""
RENEWALS_AT_A_TIME = 4
"""Each holds a connection to PostgreSQL for as long as the provider takes."""
LOOKED_AFTER_SECONDS = 3600.0

KNOWN = text("select version, trouble, provider, way, tenant, hosts, authorize_url, token_url, revoke_url, scope"
             " from mail_authorization where company = :company")  # fmt: skip
LOCKED = text("select * from mail_authorization where company = :company for update")
RENEWED = text(
    """
    update mail_authorization set trouble = null, trouble_since = null,
        refresh_token = coalesce(:refresh_token, refresh_token)
    where company = :company
    """
)
TROUBLED = text(
    """
    update mail_authorization set trouble = :trouble,
        trouble_since = case when trouble = :trouble then trouble_since else now() end
    where company = :company
    """
)
USED = text(
    """
    select company from mail_authorization known where (exists (
        select from mail_server own where own.company = known.company and own.sign_in = 'oauth')
        or exists (select from mailbox_account box where box.company = known.company and box.sign_in = 'oauth'))
        and not exists (select from company_hold held where held.company = known.company)
    """
)


@dataclass(slots=True)
class _Kept:
    version: int
    token: str = field(default="", repr=False)
    good_until: float = 0.0
    trouble: Unauthorized | None = None
    again_at: float = 0.0


class Keeper:
    """Of one process. ``monotonic`` is the clock of tokens' lives, in seconds."""

    def __init__(
        self, engine: AsyncEngine, settings: NotifySettings, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.engine = engine
        self.endpoint = TokenEndpoint(settings)
        self._seal = Seal(settings.sealing_key)
        self._monotonic = monotonic
        self._kept: dict[str, _Kept] = {}
        self._not_taken_at: dict[str, float] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._renewals = asyncio.Semaphore(RENEWALS_AT_A_TIME)

    async def token(self, company: str, host: str, not_taken: str = "", *, anew: bool = False) -> str:
        """A token to show to a mail server. ``not_taken``: one that it refused. ``anew``: the provider is asked,
        whatever it answered before, as a trial wants it. Raises ``Unauthorized``."""
        async with self._turns[company]:
            async with transaction(self.engine, company) as tx:
                row = (await tx.execute(KNOWN, {"company": company})).mappings().one_or_none()
            if row is None:
                self._kept.pop(company, None)
                raise Unauthorized("authorization_missing")
            if host.lower() not in provider_of(row).hosts:
                raise Unauthorized("host_not_authorized", host)
            self._forget_ended(company, row["trouble"])
            return await self._good(company, row["version"], not_taken, anew=anew)

    async def look_after(self) -> None:
        """Have a good token of every authorization that is used, so that one that ended is told before there is
        anything to send, and none ends for not being used. One company's trouble stops no other."""
        async with transaction(self.engine) as tx:
            companies = list(await tx.scalars(USED))
        for company in companies:
            try:
                await self._look_after(company)
            except Unauthorized as trouble:
                log.warning(
                    "a mailbox's token cannot be renewed", extra={"company": company, "code": trouble.code}
                )
            except Exception as failure:
                if is_transient(failure):
                    raise
                log.exception("a mailbox's token failed for an unforeseen reason", extra={"company": company})

    async def _look_after(self, company: str) -> None:
        async with self._turns[company]:
            async with transaction(self.engine, company) as tx:
                row = (await tx.execute(KNOWN, {"company": company})).mappings().one_or_none()
            if row is not None:
                self._forget_ended(company, row["trouble"])
                await self._good(company, row["version"], "")

    def _forget_ended(self, company: str, trouble: str | None) -> None:
        """Whichever process found that a consent was taken back: the token that it brought is shown no more, as
        long as a mail server might take it."""
        if trouble == "authorization_ended" and company in self._kept:
            self._kept[company].token = ""

    async def _good(self, company: str, version: int, not_taken: str, *, anew: bool = False) -> str:
        now = self._monotonic()
        kept = self._kept.get(company)
        if kept is None or kept.version != version:
            kept = self._kept[company] = _Kept(version)
        is_good = kept.token != "" and now < kept.good_until
        if not anew:
            if is_good and not (kept.token == not_taken and self._may_renew(company, now)):
                return kept.token
            if kept.trouble is not None and now < kept.again_at:
                raise kept.trouble
        try:
            async with self._renewals:
                found, granted = await self._to_its_end(company)
        except Unauthorized as trouble:
            if anew and is_good and trouble.code == "authorization_silent":
                raise  # messages go on leaving by the token there is: a trial must not stop them
            kept.trouble, kept.token = trouble, ""
            kept.again_at = self._monotonic() + AGAIN_SECONDS.get(trouble.code, REFUSED_AGAIN_SECONDS)
            raise
        life = max(granted.seconds - RENEWED_SECONDS, granted.seconds * RENEWED_SHARE)
        self._kept[company] = _Kept(found, granted.access_token, self._monotonic() + life)
        return granted.access_token

    def _may_renew(self, company: str, now: float) -> bool:
        if now - self._not_taken_at.get(company, -NOT_TAKEN_SECONDS) < NOT_TAKEN_SECONDS:
            return False
        self._not_taken_at[company] = now
        return True

    async def _to_its_end(self, company: str) -> tuple[int, Granted]:
        """As ``_renewed``, which goes on for whoever is cancelled meanwhile: the refresh token that is under way
        may be the only one that is still good."""
        renewing = asyncio.create_task(self._renewed(company), name=f"token of {company}")
        try:
            return await asyncio.shield(renewing)
        except asyncio.CancelledError:
            await asyncio.wait({renewing})
            if not renewing.cancelled() and (failure := renewing.exception()) is not None:
                log.warning("a token was not renewed", extra={"company": company, "error": type(failure).__name__})
            raise

    async def _renewed(self, company: str) -> tuple[int, Granted]:
        """Ask the provider, alone of all processes; what it answers is kept, good or bad."""
        async with transaction(self.engine, company) as tx:
            row = (await tx.execute(LOCKED, {"company": company})).mappings().one_or_none()
            if row is None:
                raise Unauthorized("authorization_missing")
            try:
                granted = await self._asked(company, row)
            except Unauthorized as failed:
                trouble = failed
            else:
                await self._remember(tx, company, row["refresh_token"] is not None, granted)
                return row["version"], granted
            # a provider that is silent for a moment is no trouble that a person could end
            if trouble.code != "authorization_silent":
                await tx.execute(TROUBLED, {"company": company, "trouble": trouble.code})
        raise trouble

    async def _asked(self, company: str, row: Any) -> Granted:
        who = application(self._seal, company, row)
        if row["way"] == "application":
            return await self.endpoint.for_itself(who)
        if row["refresh_token"] is None:
            raise Unauthorized("authorization_missing")
        return await self.endpoint.again(who, opened(self._seal, company, row["refresh_token"], REFRESH_PURPOSE))

    async def _remember(self, tx: AsyncConnection, company: str, by_consent: bool, granted: Granted) -> None:
        refresh = granted.refresh_token if by_consent else None
        sealed = None if refresh is None else self._seal.seal(refresh, company=company, purpose=REFRESH_PURPOSE)
        await tx.execute(RENEWED, {"company": company, "refresh_token": sealed})


_OF_PROCESSES: WeakKeyDictionary[Running, Keeper] = WeakKeyDictionary()


def keeper_of(running: Running) -> Keeper:
    """The one of this process: requests, lanes and mailboxes show the same token, and renew it once."""
    keeper = _OF_PROCESSES.get(running)
    if keeper is None:
        settings = running.settings
        assert isinstance(settings, NotifySettings)
        keeper = _OF_PROCESSES[running] = Keeper(running.engine, settings)
    return keeper


def application(seal: Seal, company: str, row: Any) -> Application:
    """Raises ``Unauthorized`` when its secret cannot be opened, or stayed where the company came from."""
    if row["secret"] is None and row["secret_kind"] != "none":  # noqa: S105 - its kind
        raise Unauthorized("authorization_missing")
    secret = "" if row["secret"] is None else opened(seal, company, row["secret"], SECRET_PURPOSE)
    return Application(provider_of(row), row["client_id"], secret, row["secret_kind"])


def opened(seal: Seal, company: str, sealed: bytes, purpose: str) -> str:
    """Raises ``Unauthorized``."""
    try:
        return seal.open(bytes(sealed), company=company, purpose=purpose)
    except SealBroken as broken:
        raise Unauthorized("secret_unreadable") from broken
