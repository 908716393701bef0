"""The other services, asked over HTTP in the name of the person at the screen."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import IO, Any

import httpx
from joserfc.jwk import OKPKey

from chassis.auth import Role, mint
from chassis.zips import PART_BYTES
from services.console.settings import ConsoleSettings

AS_OF_HEADER = "Relance-As-Of"
AT_LEAST_HEADER = "Relance-At-Least"
UPDATING_HEADER = "Relance-Updating"
COMPANY_SECONDS = 60.0
PEOPLE_AT_ONCE = 500
NOT_FOUND = 404
NEVER_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
HEARS = {
    "sync": {"ledger"},
    "ledger": {"sync"},
    "dunning": {"sync", "ledger", "notify"},
    "notify": {"sync", "ledger", "dunning"},
    "reporting": {"sync", "ledger", "dunning", "notify"},
}
"""Whom each service listens to: it would wait in vain for what another says."""

Json = dict[str, Any]


class ServiceSilent(Exception):
    """A service does not answer, or answers that it cannot. ``unheard``: it was not even reached, so that nothing
    of what was asked is done."""

    def __init__(self, service: str, reason: str, *, unheard: bool = False) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service
        self.unheard = unheard


class Refused(Exception):
    """A service refused what was asked (4xx). ``facts`` is its problem document."""

    def __init__(self, service: str, status: int, facts: Json) -> None:
        super().__init__(f"{service} refused: {facts.get('title', status)}")
        self.service = service
        self.status = status
        self.facts = facts

    @property
    def code(self) -> str:
        return str(self.facts.get("type", "refused"))


class NotYet(ServiceSilent):
    """What is asked for was made, and a service has not heard of it yet: in a moment it has. A page that does
    without a silent service does without this one."""

    def __init__(self, service: str) -> None:
        super().__init__(service, "has not heard of it yet")


@dataclass
class Gateway:
    """Shared by all requests: connections, the signing key, what is known of companies."""

    settings: ConsoleSettings
    http: httpx.AsyncClient
    key: OKPKey
    companies: dict[str, tuple[float, Json]] = field(default_factory=dict)

    @property
    def urls(self) -> Mapping[str, str]:
        return {
            "sync": self.settings.sync_url,
            "ledger": self.settings.ledger_url,
            "dunning": self.settings.dunning_url,
            "notify": self.settings.notify_url,
            "reporting": self.settings.reporting_url,
        }

    async def ask(self, service: str, method: str, path: str, **options: Any) -> httpx.Response:
        """One call. Raises ``ServiceSilent`` and ``Refused``."""
        try:
            answer = await self._sent(service, method, path, **options)
        except httpx.HTTPError as failure:
            unheard = isinstance(failure, NEVER_REACHED)
            raise ServiceSilent(service, type(failure).__name__, unheard=unheard) from failure
        return _served(service, answer)

    async def download(self, service: str, path: str, to: IO[bytes], **options: Any) -> None:
        """What a service answers, written as it comes. Raises ``ServiceSilent`` and ``Refused``."""
        try:
            async with self.http.stream("GET", self.urls[service] + path, **options) as answer:
                if answer.is_error:
                    await answer.aread()
                async for part in _served(service, answer).aiter_bytes(PART_BYTES):
                    await asyncio.to_thread(to.write, part)
        except httpx.HTTPError as failure:
            raise ServiceSilent(service, type(failure).__name__) from failure

    async def _sent(self, service: str, method: str, path: str, **options: Any) -> httpx.Response:
        """A question is asked once more on a new connection where the kept one was closed while it left: a page
        must not fail for that. A command is not, since nobody knows whether it was heard."""
        try:
            return await self.http.request(method, self.urls[service] + path, **options)
        except httpx.RemoteProtocolError:
            if method != "GET":
                raise
            return await self.http.request(method, self.urls[service] + path, **options)

    def neighbours(
        self, subject: str, company: str, role: Role, portfolio: tuple[str, ...] | None
    ) -> "Neighbours":
        return Neighbours(self, subject, company, role, portfolio)


@dataclass
class Neighbours:
    """The services as one person sees them for one company."""

    gateway: Gateway
    subject: str
    company: str
    role: Role
    portfolio: tuple[str, ...] | None = None
    """The sales people whose clients are seen; ``None`` for every client."""
    as_of: date | None = None
    at_least: str = ""
    updating: bool = False
    """A reader had not yet heard what ``at_least`` names: the page says that it is being brought up to date."""

    def _headers(self, service: str) -> dict[str, str]:
        settings = self.gateway.settings
        token = mint(
            self.gateway.key, self.subject, [self.company], self.role, settings.token_minutes, self.portfolio
        )
        headers = {"Authorization": f"Bearer {token}"}
        if self.as_of is not None and settings.allow_as_of:
            headers[AS_OF_HEADER] = self.as_of.isoformat()
        heard = [position for position in self.at_least.split(",") if position.split("/")[0] in HEARS[service]]
        if heard:
            headers[AT_LEAST_HEADER] = ",".join(heard)
        return headers

    async def request(self, service: str, method: str, path: str, **options: Any) -> httpx.Response:
        """One call. Raises ``ServiceSilent``, ``Refused``, and ``NotYet`` of a company just registered."""
        headers = {**self._headers(service), **options.pop("headers", {})}
        path = f"/companies/{self.company}{path}"
        try:
            answer = await self.gateway.ask(service, method, path, headers=headers, **options)
        except Refused as refused:
            # whoever comes here belongs to the company, and ledger has registered it
            if refused.status == NOT_FOUND and refused.code == "company-unknown" and service != "ledger":
                raise NotYet(service) from refused
            raise
        if answer.headers.get(UPDATING_HEADER) == "1":
            self.updating = True
        return answer

    async def download(self, service: str, path: str, to: IO[bytes], **options: Any) -> None:
        """A file of this company that may be large. Raises ``ServiceSilent`` and ``Refused``."""
        path = f"/companies/{self.company}{path}"
        await self.gateway.download(service, path, to, headers=self._headers(service), **options)

    async def get(self, service: str, path: str, **parameters: Any) -> Any:
        """The JSON of a query; parameters that are ``None`` or empty are left out."""
        asked = {name: value for name, value in parameters.items() if value not in (None, "", [])}
        return (await self.request(service, "GET", path, params=asked)).json()

    async def post(self, service: str, path: str, body: Json) -> Json:
        """The JSON answer to a command; the positions it names are waited for by the reads that follow."""
        return await self.command(service, "POST", path, body)

    async def command(self, service: str, method: str, path: str, body: Json) -> Json:
        """As ``post``, whatever the method."""
        answer: Json = (await self.request(service, method, path, json=body)).json()
        self.follow(answer)
        return answer

    def follow(self, answer: Json) -> None:
        """Wait, in later reads, for the positions that a command answered with."""
        named = answer.get("positions")
        if isinstance(named, list) and all(isinstance(position, str) for position in named):
            self.at_least = ",".join(named)
        elif isinstance(answer.get("position"), str):
            self.at_least = answer["position"]

    async def this_company(self) -> Json:
        """Name, time zone, currency, country of the company; asked again after a minute."""
        kept = self.gateway.companies.get(self.company)
        if kept and time.monotonic() - kept[0] < COMPANY_SECONDS:
            return kept[1]
        found: Json = await self.get("ledger", "")
        self.gateway.companies[self.company] = (time.monotonic(), found)
        return found

    async def names(self, client_ids: list[str]) -> dict[str, str]:
        """The names of clients by their codes; the code where a name is not known."""
        found = dict(zip(client_ids, client_ids, strict=True))
        for start in range(0, len(client_ids), PEOPLE_AT_ONCE):
            part = client_ids[start : start + PEOPLE_AT_ONCE]
            answer = await self.post_query(
                "ledger", "/people/query", {"client_ids": part, "limit": PEOPLE_AT_ONCE}
            )
            found.update(
                {person["client_id"]: person["name"] or person["client_id"] for person in answer["people"]}
            )
        return found

    async def post_query(self, service: str, path: str, body: Json) -> Json:
        """A question too long for an address."""
        answer: Json = (await self.request(service, "POST", path, json=body)).json()
        return answer


def _served(service: str, answer: httpx.Response) -> httpx.Response:
    """The answer, unless it is an error."""
    if answer.is_server_error:
        raise ServiceSilent(service, f"status {answer.status_code}")
    if answer.is_error:
        raise Refused(service, answer.status_code, problem_of(answer))
    return answer


def problem_of(answer: httpx.Response) -> Json:
    """The problem document of a refusal."""
    try:
        facts = answer.json()
    except ValueError:
        return {"title": answer.reason_phrase}
    return facts if isinstance(facts, dict) else {"title": answer.reason_phrase}
