"""The application under ``/api``: its routes, and refusals as problem documents."""

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp

from chassis import problems
from services.console.gateway import Gateway
from services.console.pace import Pace
from services.console.settings import ConsoleSettings
from services.console.systems import exchanging, relaying
from services.console.systems.sharing import Systems


def systems(settings: ConsoleSettings, engine: AsyncEngine, gateway: Gateway) -> ASGIApp:
    """The application that answers other systems, to be mounted under ``/api``."""
    app = FastAPI(title="Relance for other systems", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.systems = Systems(settings, engine, gateway, Pace(settings.api_requests_per_key))
    problems.install(app, {})
    app.include_router(exchanging.router)
    app.include_router(relaying.router)
    return app
