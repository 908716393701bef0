"""The application behind the door: routes, refusals in plain words, headers on every answer."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.door import pages
from services.console.door.debtor import Door, KnocksTooOften, LinkRefused
from services.console.door.shown import HEADERS, preferred, shown
from services.console.gateway import Gateway, Refused, ServiceSilent
from services.console.pace import Pace
from services.console.settings import ConsoleSettings

log = logging.getLogger(__name__)


class Sealed:
    """Sets the headers of the door on every answer: no copies, no index, no scripts, no address handed on.

    A form without a length, or larger than any of ours, is refused before it is read.
    """

    def __init__(self, app: ASGIApp, largest_form: int) -> None:
        self.app = app
        self.largest_form = largest_form

    def _takes(self, scope: Scope) -> bool:
        length = Headers(scope=scope).get("content-length", "")
        return scope["method"] != "POST" or (length.isdigit() and int(length) <= self.largest_form)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self._takes(scope):
            await self.app(scope, receive, send_sealed)
        else:
            await _told(Request(scope), "too-large", 413)(scope, receive, send_sealed)


def door(settings: ConsoleSettings, gateway: Gateway) -> ASGIApp:
    """The application that serves debtors' pages, to be mounted under ``/d``."""
    app = FastAPI(title="Relance debtors", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.door = Door(
        settings,
        gateway,
        links=Pace(settings.space_requests_per_link),
        hosts=Pace(settings.space_requests_per_host),
    )
    app.include_router(pages.router)
    _answer_errors(app)
    return Sealed(app, settings.space_form_bytes)


def _told(request: Request, code: str, status: int) -> Response:
    return shown(request, "space_refused.html", preferred(request), status=status, code=code)


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(LinkRefused)
    async def on_link(request: Request, refused: LinkRefused) -> Response:
        log.info("a link was refused", extra={"reason": refused.code})
        return _told(request, refused.code, refused.status)

    @app.exception_handler(KnocksTooOften)
    async def on_haste(request: Request, hasty: KnocksTooOften) -> Response:
        return _told(request, "too-often", 429)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, invalid: RequestValidationError) -> Response:
        return _told(request, "unreadable", 422)

    @app.exception_handler(Refused)
    async def on_refusal(request: Request, refused: Refused) -> Response:
        log.warning("a service refused a debtor", extra={"service": refused.service, "status": refused.status})
        return _told(request, "unknown" if refused.status == 404 else "unreadable", refused.status)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        return _told(request, "unknown", error.status_code)

    @app.exception_handler(ServiceSilent)
    async def on_silence(request: Request, silent: ServiceSilent) -> Response:
        log.warning("a service does not answer", extra={"service": silent.service, "reason": str(silent)})
        return _told(request, "silent", 503)

    @app.exception_handler(Exception)
    async def on_surprise(request: Request, surprise: Exception) -> Response:
        return _told(request, "silent", 500)
