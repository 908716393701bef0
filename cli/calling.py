"""Calls to the services' public APIs, with the stack's own key, asked again where that helps."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from chassis.auth import EVERY_COMPANY, mint, read_key
from chassis.http_client import trusted

Json = dict[str, Any]
POLL_SECONDS = 0.1
LONGEST_POLL_SECONDS = 1.0
PATIENCE_WITH_FAULTS = 20
"""A service that answers 500 as often in a row is broken, not busy."""


class RoadBlocked(Exception):
    """A service answered with a problem, or did not finish in time. The text is meant for a person."""

    def __init__(self, detail: str, problem: Json | None = None) -> None:
        super().__init__(detail)
        self.problem = problem or {}

    @property
    def may_pass(self) -> bool:
        """Nothing answered, or what answered is not itself: worth asking again."""
        return self.problem.get("status", 0) in (0, 404, 500, 502, 503)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the services of a running stack answer."""

    sync: str
    ledger: str
    dunning: str
    notify: str
    reporting: str


class Calls:
    """What a company's calls have in common. ``as_of`` is the business date of every command, where the stack
    allows it; ``traceparent`` the trace they belong to."""

    def __init__(
        self,
        addresses: Addresses,
        private_key: Path,
        company: str,
        as_of: date | None = None,
        traceparent: str | None = None,
    ) -> None:
        self.addresses = addresses
        self.company = company
        self._key = read_key(private_key)
        self._as_of = as_of
        headers = {"traceparent": traceparent} if traceparent else None
        self._http = httpx.Client(timeout=httpx.Timeout(60, connect=5), verify=trusted(), headers=headers)

    def close(self) -> None:
        self._http.close()

    def _call(
        self, method: str, base: str, path: str, *, missing_is_none: bool = False, **request: Any
    ) -> Json | None:
        try:
            body: Json = self._answer(method, base, path, **request).json()
        except RoadBlocked as blocked:
            if missing_is_none and blocked.problem.get("status") == httpx.codes.NOT_FOUND:
                return None
            raise
        return body

    def _answer(
        self, method: str, base: str, path: str, *, more: Mapping[str, str] | None = None, **request: Any
    ) -> httpx.Response:
        """A good answer; ``more`` are further headers. Raises ``RoadBlocked``."""
        headers = {**self._headers(), **(more or {})}
        try:
            answer = self._http.request(
                method, f"{base}/companies/{self.company}{path}", headers=headers, **request
            )
        except httpx.HTTPError as unreachable:
            raise RoadBlocked(f"{base} does not answer: {unreachable}") from unreachable
        if answer.is_error:
            problem = _problem(answer)
            raise RoadBlocked(_sentence(problem) or answer.reason_phrase, problem)
        return answer

    def _headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {mint(self._key, 'operator', [EVERY_COMPANY], 'admin')}"}
        return headers if self._as_of is None else {**headers, "Relance-As-Of": f"{self._as_of}"}

    def _poll(self, base: str, path: str, done: Callable[[Json], bool], within: float, what: str) -> Json:
        """Ask until ``done``; an unreachable service is asked again, since it may be starting."""
        began = time.monotonic()
        deadline = began + within
        last = "nothing was answered"
        broken = 0
        while time.monotonic() < deadline:
            try:
                state = self._call("GET", base, path)
            except RoadBlocked as blocked:
                last = str(blocked)
                broken = broken + 1 if blocked.problem.get("status") == httpx.codes.INTERNAL_SERVER_ERROR else 0
                if broken == PATIENCE_WITH_FAULTS or not blocked.may_pass:
                    raise
            else:
                broken = 0
                assert state is not None
                if done(state):
                    return state
                last = f"its state is {state.get('status', state)}"
            # long work is not slowed by being asked after
            time.sleep(min(LONGEST_POLL_SECONDS, max(POLL_SECONDS, (time.monotonic() - began) / 4)))
        raise RoadBlocked(f"{what} did not end within {within:.0f} s: {last}")

    def _retry_while_unknown(self, call: Callable[[], Json | None], within: float) -> Json:
        deadline = time.monotonic() + within
        while True:
            try:
                return call() or {}
            except RoadBlocked as blocked:
                if blocked.problem.get("status") != httpx.codes.NOT_FOUND or time.monotonic() > deadline:
                    raise
            time.sleep(POLL_SECONDS)


def _sentence(problem: Json) -> str:
    """A problem in words: what is wrong with each part of the request, where that is told."""
    parts = [f"{one['where'].removeprefix('body.')}: {one['message']}" for one in problem.get("errors", [])]
    told = (problem.get("title"), problem.get("detail"))
    return "; ".join(parts) or ". ".join(text.rstrip(".") for text in told if text)


def _problem(answer: httpx.Response) -> Json:
    if "json" in answer.headers.get("content-type", ""):
        return {"status": answer.status_code, **answer.json()}
    return {"status": answer.status_code, "detail": f"{answer.url} answered {answer.status_code}"}
