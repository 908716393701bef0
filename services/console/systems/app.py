"""The application under ``/api``: its routes, and refusals as problem documents.

A form for a token is judged by its length before it is read: nobody knows yet who sends it.
"""

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis import problems
from chassis.scopes import TOKEN_PATH
from services.console.gateway import Gateway
from services.console.pace import Pace
from services.console.settings import ConsoleSettings
from services.console.systems import exchanging, relaying
from services.console.systems.crowding import Crowd
from services.console.systems.sharing import Systems

TOKEN_FORM_BYTES = 8 << 10


class ShortForms:
    """Refuses a form for a token without a length, or larger than any key and its scopes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].endswith(TOKEN_PATH):
            length = Headers(scope=scope).get("content-length", "")
            if not length.isdigit():
                return await exchanging.refused("invalid_request", "Content-Length is needed", 411)(
                    scope, receive, send
                )
            if int(length) > TOKEN_FORM_BYTES:
                told = f"the form is larger than {TOKEN_FORM_BYTES} bytes"
                return await exchanging.refused("invalid_request", told, 413)(scope, receive, send)
        await self.app(scope, receive, send)


def systems(settings: ConsoleSettings, engine: AsyncEngine, gateway: Gateway) -> ASGIApp:
    """The application that answers other systems, to be mounted under ``/api``."""
    app = FastAPI(title="Relance for other systems", docs_url=None, redoc_url=None, openapi_url=None)
    crowd = Crowd(settings.api_requests_at_once, settings.api_requests_at_once_in_all)
    app.state.systems = Systems(settings, engine, gateway, Pace(settings.api_requests_per_key), crowd)
    problems.install(app, {})
    app.include_router(exchanging.router)
    app.include_router(relaying.router)
    app.add_middleware(ShortForms)
    return app
