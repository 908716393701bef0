"""One request of a debtor: the link exchanged for a token, and the services asked with it."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

import httpx
from fastapi import Depends, Request

from services.console.gateway import AS_OF_HEADER, Gateway, Json, Refused
from services.console.pace import Pace, host_of
from services.console.settings import ConsoleSettings

LINK_REFUSALS = {"link-forged": 404, "link-expired": 410, "link-revoked": 410, "invalid-request": 404}


class LinkRefused(Exception):
    """The link opens nothing; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.status = LINK_REFUSALS[code]


class KnocksTooOften(Exception):
    """This link or this host asked too often within a minute."""


@dataclass
class Door:
    """What all requests of debtors share."""

    settings: ConsoleSettings
    gateway: Gateway
    links: Pace
    hosts: Pace

    @property
    def as_of(self) -> date | None:
        """The day that every page is of, where the deployment chooses it."""
        return self.settings.as_of if self.settings.allow_as_of else None

    async def ask(
        self, service: str, method: str, path: str, token: str | None = None, **options: Any
    ) -> httpx.Response:
        """One call. Raises ``ServiceSilent`` and ``Refused``."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if self.as_of is not None:
            headers[AS_OF_HEADER] = self.as_of.isoformat()
        return await self.gateway.ask(service, method, path, headers=headers, **options)


@dataclass
class Debtor:
    """Somebody with a good link: what it opens, and nothing else."""

    door: Door
    link: str
    company: str
    token: str = field(repr=False)
    expires_on: str = ""
    asked_language: str | None = None

    async def request(self, service: str, method: str, path: str, **options: Any) -> httpx.Response:
        """One call for this client. Raises ``ServiceSilent`` and ``Refused``."""
        where = f"/companies/{self.company}/debtor{path}"
        return await self.door.ask(service, method, where, self.token, **options)

    async def statement(self) -> Json:
        found: Json = (await self.request("ledger", "GET", "/statement")).json()
        return found

    async def payments(self) -> Json:
        """Whether this company takes payments online, and what was paid so."""
        found: Json = (await self.request("notify", "GET", "/payments")).json()
        return found

    def address(self, page: str = "") -> str:
        """Of one of this debtor's pages."""
        return f"/d/{self.link}" + (f"/{page}" if page else "")


def door_of(request: Request) -> Door:
    shared: Door = request.app.state.door
    return shared


DoorDep = Annotated[Door, Depends(door_of)]


def in_pace(request: Request, link: str, door: DoorDep) -> None:
    """Raises ``KnocksTooOften``."""
    named = hashlib.sha256(link.encode()).hexdigest()
    if not door.hosts.allows(host_of(request)) or not door.links.allows(named):
        raise KnocksTooOften


async def debtor(request: Request, link: str, door: DoorDep, lang: str = "") -> Debtor:
    """Raises ``LinkRefused``."""
    in_pace(request, link, door)
    try:
        opened = (await door.ask("notify", "POST", "/debtor-links/open", json={"link": link})).json()
    except Refused as refused:
        if refused.code in LINK_REFUSALS:
            raise LinkRefused(refused.code) from refused
        raise
    return Debtor(
        door,
        link,
        opened["company"],
        opened["token"],
        opened["expires_on"],
        lang if lang in ("fr", "en") else None,
    )


DebtorDep = Annotated[Debtor, Depends(debtor)]
