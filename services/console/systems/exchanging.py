"""An API key exchanged for a token of a few minutes: OAuth 2, client credentials (RFC 6749, 4.4)."""

import base64
import binascii
import logging
import math
from typing import Annotated, Any
from urllib.parse import unquote_plus
from uuid import UUID

from fastapi import APIRouter, Form, Header, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.auth import mint
from chassis.database import transaction
from services.console.accounts import must_wait, remember_failure
from services.console.api_keys import Key, KeyRefused, key_by_secret
from services.console.pace import WINDOW_SECONDS, host_of
from services.console.settings import ConsoleSettings
from services.console.systems.sharing import SystemsDep

router = APIRouter()
log = logging.getLogger(__name__)

GRANT = "client_credentials"
NEVER_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
TOLD = {
    "unknown": "no key has this id and this secret",
    "revoked": "this key was revoked: ask an administrator of the company for another",
    "ended": "this key came to its end: ask an administrator of the company for another",
    "company-held": "this company is at rest",
}

Field = Annotated[str, Form(max_length=500)]


@router.post("/token")
async def exchange(  # noqa: PLR0913, PLR0917 - what RFC 6749 lets a client say
    request: Request,
    shared: SystemsDep,
    grant_type: Field = "",
    client_id: Field = "",
    client_secret: Field = "",
    scope: Field = "",
    authorization: Annotated[str | None, Header()] = None,
) -> Response:
    """A token for a key, by its id and secret as HTTP Basic or in the form. ``scope`` asks for some of its scopes.

    Wrong secrets have the brake of signing in, by key and by host, counted apart from people's. The right one
    never waits: nobody guesses it, and whoever knows a key's id, or comes by the same proxy, must not lock its
    system out.
    """
    if authorization:
        client_id, client_secret = _basic(authorization)
    if grant_type != GRANT or not client_id or not client_secret:
        return _incomplete(grant_type)
    async with transaction(shared.engine) as tx:
        try:
            key = await key_by_secret(tx, _uuid(client_id), client_secret)
        except KeyRefused as refusal:
            if refusal.code == "unknown" and await _guesses(tx, request, client_id, shared.settings):
                wait = {"Retry-After": str(shared.settings.sign_in_wait_minutes * 60)}
                return refused("slow_down", "too many wrong secrets: wait before asking again", 429, wait)
            log.info("an API key was refused", extra={"reason": refusal.code})
            basic = {"WWW-Authenticate": 'Basic realm="relance"'} if authorization else {}
            return refused("invalid_client", TOLD[refusal.code], 401, basic)
    if not shared.pace.allows(str(key.key_id)):
        wait = {"Retry-After": str(math.ceil(WINDOW_SECONDS))}
        return refused("slow_down", "this key asks too often: a token is good for minutes", 429, wait)
    asked = set(scope.split()) or set(key.scopes)
    if beyond := asked - set(key.scopes):
        return refused("invalid_scope", f"this key lacks {', '.join(sorted(beyond))}")
    return JSONResponse(_token(shared, key, asked), headers=NEVER_KEPT)


def _incomplete(grant_type: str) -> Response:
    if grant_type != GRANT:
        return refused("unsupported_grant_type", f"grant_type must be {GRANT}")
    return refused("invalid_request", "client_id and client_secret are needed")


async def _guesses(tx: AsyncConnection, request: Request, client_id: str, settings: ConsoleSettings) -> bool:
    """Whether there were too many wrong secrets before this one; else it is counted."""
    host = f"{GRANT} {host_of(request)}"
    try:
        name = f"key:{_uuid(client_id)}"
    except KeyRefused:
        name = f"key:{client_id[:60]!a}"
    if await must_wait(tx, name, host, settings):
        return True
    await remember_failure(tx, name, host, settings)
    return False


def _token(shared: SystemsDep, key: Key, scopes: set[str]) -> dict[str, Any]:
    minutes = key.token_minutes(shared.settings.token_minutes, clock.now())
    token = mint(
        shared.gateway.key,
        key.subject,
        [key.company],
        "key",
        minutes,
        scopes=scopes,
        key_id=str(key.key_id),
    )
    told = {"token_type": "Bearer", "expires_in": int(minutes * 60), "scope": " ".join(sorted(scopes))}
    return {"access_token": token, "company": key.company, **told}


def _basic(authorization: str) -> tuple[str, str]:
    """Id and secret of a header; empty where it holds none (RFC 6749, 2.3.1: both are form-encoded in it)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        told = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    key_id, _, secret = told.partition(":")
    return unquote_plus(key_id), unquote_plus(secret)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as unreadable:
        raise KeyRefused("unknown") from unreadable


def refused(error: str, told: str, status: int = 400, headers: dict[str, str] | None = None) -> Response:
    """As RFC 6749, 5.2 has it."""
    body = {"error": error, "error_description": told}
    return JSONResponse(body, status, headers={**NEVER_KEPT, **(headers or {})})
