"""The services' own addresses, for whoever shows a token of an API key: ``/api/ledger/companies/acme/statement``.

Only what carries meaning is handed on, both ways; the service judges the token and its scopes again.
"""

import re
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import httpx
from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response, StreamingResponse

from chassis.auth import Caller, TokenRefused, verify
from chassis.database import transaction
from chassis.problems import Problem
from services.console.api_keys import standing_now
from services.console.systems.sharing import SystemsDep

router = APIRouter()

ASKED_WITH = (
    "authorization", "accept", "accept-language", "content-type", "content-length", "idempotency-key",
    "if-none-match", "relance-as-of", "relance-at-least", "relance-correlation-id",
)  # fmt: skip
ANSWERED_WITH = (
    "content-type", "content-length", "content-disposition", "etag", "retry-after", "www-authenticate",
    "relance-updating",
)  # fmt: skip
METHODS = ["GET", "POST", "PUT", "DELETE"]
DESCRIPTION = "openapi.json"
PLAIN = re.compile(r"(?!\.+$)[\w.%:@~-]+")
"""A part of an address that leads nowhere else."""


async def system(shared: SystemsDep, authorization: Annotated[str | None, Header()] = None) -> Caller:
    """The system whose token this is, while its key is live. Answers 401 and 429."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("token-missing", "A bearer token is needed", 401, "Exchange an API key at /api/token.")
    try:
        who = verify(token, shared.gateway.key)
    except TokenRefused as refused:
        raise Problem("token-refused", "The token is not accepted", 401, str(refused)) from refused
    if who.key_id is None:
        raise Problem("token-refused", "Only tokens of API keys are accepted here", 401)
    if not shared.pace.allows(who.key_id):
        raise Problem("too-often", "This key asks too often", 429, "Wait a minute; push rows in larger batches.")
    async with transaction(shared.engine) as tx:
        standing = await standing_now(tx, UUID(who.key_id))
    if standing != "live":
        raise Problem("key-refused", "The API key opens nothing any more", 401, reason=standing or "unknown")
    return who


async def in_turn(shared: SystemsDep, who: Annotated[Caller, Depends(system)]) -> AsyncIterator[Caller]:
    """The system, as long as its answer is under way: what waits at a service, or arrives slowly, holds one of the
    connections by which everybody's pages ask. Answers 429 where its company holds enough."""
    (company,) = who.companies
    if not shared.crowd.enters(company):
        detail = "Wait for answers that are under way."
        raise Problem("too-many-at-once", "The systems of this company ask too much at once", 429, detail)
    try:
        yield who
    finally:
        shared.crowd.leaves(company)


@router.api_route("/{service}/{path:path}", methods=METHODS)
async def relay(
    request: Request, service: str, path: str, shared: SystemsDep, who: Annotated[Caller, Depends(in_turn)]
) -> Response:
    """The answer of the service, as it comes. Answers 404 for another company, 411 and 413 for a body without a
    length or too large, 503 when the service is silent."""
    address = shared.gateway.urls.get(service)
    if address is None or not is_open(path, who.companies[0]):
        raise Problem("address-unknown", "There is no such address for this key", 404)
    asked = shared.gateway.http.build_request(
        request.method,
        httpx.URL(f"{address}/{quote(path)}").copy_with(query=request.scope["query_string"]),
        headers={name: value for name in ASKED_WITH if (value := request.headers.get(name)) is not None}
        | {"accept-encoding": "identity"},
        content=_body(request, shared.settings.api_request_bytes),
    )
    try:
        answer = await shared.gateway.http.send(asked, stream=True)
    except httpx.HTTPError as failure:
        raise Problem("service-silent", f"{service} does not answer", 503, type(failure).__name__) from failure
    headers = {name: value for name in ANSWERED_WITH if (value := answer.headers.get(name)) is not None}
    return StreamingResponse(
        _told(answer), answer.status_code, headers={**headers, "Cache-Control": "private, no-store"}
    )


def is_open(path: str, company: str) -> bool:
    """Below the key's own company, by plain words; or the description of the service."""
    if path == DESCRIPTION:
        return True
    segments = path.split("/")
    return segments[:2] == ["companies", company] and all(map(PLAIN.fullmatch, segments))


def _body(request: Request, most: int) -> AsyncIterator[bytes] | None:
    length = request.headers.get("content-length", "")
    if not length and "transfer-encoding" not in request.headers:
        return None
    if not length.isdigit():
        raise Problem("length-missing", "A body needs its length", 411, "Send the header Content-Length.")
    if int(length) > most:
        raise Problem("body-too-large", "The body is too large", 413, "Send it in parts.", most_bytes=most)
    return request.stream()


async def _told(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in answer.aiter_bytes():
            yield part
    finally:
        await answer.aclose()
