"""The other services, asked over HTTP in the name of the person at the screen."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
from joserfc.jwk import OKPKey

from chassis.auth import Role, mint
from services.console.settings import ConsoleSettings

AS_OF_HEADER = "Relance-As-Of"
AT_LEAST_HEADER = "Relance-At-Least"
UPDATING_HEADER = "Relance-Updating"
COMPANY_SECONDS = 60.0
PEOPLE_AT_ONCE = 500
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
    """A service does not answer, or answers that it cannot."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service


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
            answer = await self.http.request(method, self.urls[service] + path, **options)
        except httpx.HTTPError as failure:
            raise ServiceSilent(service, type(failure).__name__) from failure
        if answer.is_server_error:
            raise ServiceSilent(service, f"status {answer.status_code}")
        if answer.is_error:
            raise Refused(service, answer.status_code, problem_of(answer))
        return answer

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
        """One call. Raises ``ServiceSilent`` and ``Refused``."""
        headers = {**self._headers(service), **options.pop("headers", {})}
        path = f"/companies/{self.company}{path}"
        answer = await self.gateway.ask(service, method, path, headers=headers, **options)
        if answer.headers.get(UPDATING_HEADER) == "1":
            self.updating = True
        return answer

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


def problem_of(answer: httpx.Response) -> Json:
    """The problem document of a refusal."""
    try:
        facts = answer.json()
    except ValueError:
        return {"title": answer.reason_phrase}
    return facts if isinstance(facts, dict) else {"title": answer.reason_phrase}
