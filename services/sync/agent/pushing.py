"""The agent's calls to sync: heartbeats, and deliveries in parts that may be sent twice."""

import asyncio
import gzip
from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx

from services.sync.agent.configuration import BaseConfiguration, Configuration

PAUSES_SECONDS = (1, 2, 4, 8, 15, 30, 60)
"""Between attempts at one call; after the last the delivery is given up."""


class SyncRefused(Exception):
    """Sync answered with a problem that trying again does not mend."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"sync answered {status}: {problem.get('title', '')}")
        self.status = status
        self.problem = problem


class SyncUnreachable(Exception):
    """Sync did not answer, or answered with errors of its own, for about two minutes."""


class Pusher:
    """Speaks to sync about one base."""

    def __init__(self, configuration: Configuration, base: BaseConfiguration, http: httpx.AsyncClient) -> None:
        self._configuration = configuration
        self._http = http
        root = configuration.sync_url.rstrip("/")
        self._url = f"{root}/companies/{base.company}/connectors/{base.connector}"

    async def heartbeat(self, *, is_busy: bool) -> dict[str, Any]:
        """A sign of life, tried once. Answers ``{"asked": {...} | None, "every_seconds": …}``."""
        return await self._call("POST", "/heartbeat", (), json={"is_busy": is_busy})

    async def begin(self, run_id: UUID | None) -> dict[str, Any]:
        return await self._call("POST", "/deliveries", json={"run_id": str(run_id) if run_id else None})

    async def part(self, run_id: UUID, delivery: str, number: int, content: bytes) -> None:
        packed = await asyncio.to_thread(gzip.compress, content, 6)
        await self._call(
            "PUT",
            f"/deliveries/{run_id}/parts/{number}",
            content=packed,
            params={"delivery": delivery},
            headers={"Content-Encoding": "gzip", "Content-Type": "application/x-ndjson"},
        )

    async def end(self, run_id: UUID, delivery: str, parts: int) -> None:
        await self._call("POST", f"/deliveries/{run_id}/end", json={"parts": parts, "delivery": delivery})

    async def abandon(self, run_id: UUID, delivery: str, code: str, details: dict[str, str]) -> None:
        told = {"code": code, "details": details, "delivery": delivery}
        await self._call("POST", f"/deliveries/{run_id}/abandon", json=told)

    async def _call(
        self, method: str, path: str, pauses: tuple[int, ...] = PAUSES_SECONDS, **request: Any
    ) -> dict[str, Any]:
        """Every call may be made again and does its work once. Raises ``SyncRefused`` or ``SyncUnreachable``."""
        headers = {"Authorization": f"Bearer {self._configuration.token()}", **request.pop("headers", {})}
        last = "nothing"
        for pause in (*pauses, None):
            try:
                answer = await self._http.request(method, self._url + path, headers=headers, **request)
            except httpx.TransportError as failure:
                last = type(failure).__name__
            else:
                if answer.status_code < HTTPStatus.BAD_REQUEST:
                    body: dict[str, Any] = answer.json()
                    return body
                if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise SyncRefused(answer.status_code, _problem(answer))
                last = f"{answer.status_code}"
            if pause is not None:
                await asyncio.sleep(pause)
        raise SyncUnreachable(f"{self._url} answered {last}")


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {"title": answer.reason_phrase}
    return body if isinstance(body, dict) else {"title": answer.reason_phrase}
