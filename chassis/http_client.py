"""Calls to neighbours: their public HTTP API, a signed token, patience while they start, problems raised."""

import asyncio
import ssl
import time
from datetime import date
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx
from joserfc.jwk import OKPKey

from chassis.auth import EVERY_COMPANY, Caller, mint

TOKEN_MINUTES = 5.0
TOKEN_RENEWED_SECONDS = 60.0
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 2.0


@cache
def trusted() -> ssl.SSLContext:
    """Who may sign for a service, read once: that takes longer than most calls."""
    return httpx.create_ssl_context()


class NeighbourUnreachable(Exception):
    """The neighbour could not be reached within the patience given; the request may be sent again later."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__(f"{name} does not answer at {url}")
        self.name = name
        self.url = url


class NeighbourRefused(Exception):
    """The neighbour answered with a problem. ``body`` holds its members."""

    def __init__(self, name: str, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{name} answered {status} {body.get('type', '')}".rstrip())
        self.name = name
        self.status = status
        self.body = body

    @property
    def type(self) -> str:
        return str(self.body.get("type", "about:blank"))


class Signer:
    """Mints tokens with a private key, and keeps each until shortly before it expires. ``name``: of the service
    whose key it is; empty for the one that signs for people."""

    def __init__(self, key: OKPKey, name: str = "") -> None:
        self._key = key
        self._name = name
        self._kept: dict[Caller, tuple[float, str]] = {}

    def token(self, who: Caller) -> str:
        """A token that is good for a minute at least."""
        good_until, token = self._kept.get(who, (0.0, ""))
        if good_until - time.monotonic() < TOKEN_RENEWED_SECONDS:
            token = mint(
                self._key,
                who.subject,
                who.companies,
                who.role,
                TOKEN_MINUTES,
                who.portfolio,
                who.client_id,
                self._name,
            )
            if len(self._kept) > 1000:
                self._kept.clear()
            self._kept[who] = (time.monotonic() + TOKEN_MINUTES * 60, token)
        return token


class Neighbour:
    """Another service. Without ``caller`` a call is made in the name of the calling service, role ``system``; with
    one, by the token that the caller showed."""

    def __init__(  # noqa: PLR0913 - knobs with defaults
        self,
        name: str,
        url: str,
        signer: Signer,
        *,
        calling: str,
        patience: float = 10.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self.patience = patience
        self._signer = signer
        self._self = Caller(f"service:{calling}", (EVERY_COMPANY,), "system")
        self.http = http or httpx.AsyncClient(
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=20),
            trust_env=False,
        )

    async def request(  # noqa: PLR0913 - what a call may carry
        self,
        method: str,
        path: str,
        *,
        company: str | None = None,
        caller: Caller | None = None,
        at_least: str | None = None,
        as_of: date | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """One call; ``path`` is put behind ``/companies/{company}`` when a company is given.

        ``options`` go to httpx (``json``, ``params``, ``content``, ``timeout``). A connection that cannot be made
        is tried again for ``patience`` seconds; a request that may have been received is never sent twice.
        Raises ``NeighbourUnreachable`` and ``NeighbourRefused``.
        """
        token = (caller.token if caller else "") or self._signer.token(caller or self._self)
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        if at_least:
            sent["Relance-At-Least"] = at_least
        if as_of:
            sent["Relance-As-Of"] = as_of.isoformat()
        url = self.url + (f"/companies/{company}" if company else "") + path
        answer = await self._patiently(method, url, sent, options)
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise NeighbourRefused(self.name, answer.status_code, _problem(answer))
        return answer

    async def _patiently(
        self, method: str, url: str, headers: dict[str, str], options: dict[str, Any]
    ) -> httpx.Response:
        deadline = time.monotonic() + self.patience
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self.http.request(method, url, headers=headers, **options)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as failure:
                if time.monotonic() + pause > deadline:
                    raise NeighbourUnreachable(self.name, self.url) from failure
            except httpx.TransportError as failure:
                raise NeighbourUnreachable(self.name, self.url) from failure
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_PAUSE_SECONDS)

    async def get(self, path: str, **options: Any) -> Any:
        """The JSON answer of a GET."""
        return (await self.request("GET", path, **options)).json()

    async def post(self, path: str, **options: Any) -> Any:
        """The JSON answer of a POST."""
        return (await self.request("POST", path, **options)).json()

    async def put(self, path: str, **options: Any) -> Any:
        """The JSON answer of a PUT."""
        return (await self.request("PUT", path, **options)).json()

    async def close(self) -> None:
        await self.http.aclose()


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {"title": answer.reason_phrase, "status": answer.status_code}
    return body if isinstance(body, dict) else {"title": answer.reason_phrase, "status": answer.status_code}
