"""The wiring of the console: its pages over the other services."""

from functools import cache, partial

import httpx
from fastapi import FastAPI

from chassis.auth import read_key
from chassis.running import KeyMissing, Running
from chassis.service import Service
from services.console.cash_reports import keep_sending
from services.console.gateway import Gateway
from services.console.settings import ConsoleSettings
from services.console.single_sign_on.wiring import configured
from services.console.site import site
from services.console.visits import Console

CONNECTIONS = 50
KEPT_SECONDS = 3.0
"""Connections at rest are given up long before the services close theirs: what is sent on a connection that is
being closed gets no answer."""


def build(settings: ConsoleSettings) -> Service:
    @cache
    def shared(running: Running) -> Console:
        return console(settings, running)

    def mount(app: FastAPI, running: Running) -> None:
        """Every address that the chassis does not serve itself is a page."""
        app.mount("/", site(shared(running)))

    async def send_reports(running: Running) -> None:
        """Send the figures of the day to those who asked for them."""
        await keep_sending(shared(running))

    async def look_at_provider(running: Running) -> None:
        """Tell operators while nobody can sign in by the provider, before people do."""
        sign_on = shared(running).sign_on
        assert sign_on is not None
        await sign_on.keep_looking(partial(running.health.hindrance, "single sign-on"))

    return Service(
        name="console",
        settings=settings,
        mount=mount,
        background={"cash-reports": send_reports}
        | ({"single-sign-on": look_at_provider} if settings.oidc_issuer else {}),
        speaks=False,
    )


def console(settings: ConsoleSettings, running: Running) -> Console:
    """What all requests share. Raises ``KeyMissing`` when people's tokens cannot be signed,
    ``SignOnMisconfigured`` when people could not sign in as the settings have it."""
    if settings.token_private_key_file is None:
        raise KeyMissing("token_private_key_file")
    limits = httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=KEPT_SECONDS)
    http = httpx.AsyncClient(timeout=settings.neighbour_seconds, limits=limits)
    running.telemetry.trace_http(http)
    key = read_key(settings.token_private_key_file)
    sign_on = configured(settings, settings.token_private_key_file)
    return Console(settings, running.engine, running.api_engine, Gateway(settings, http, key), sign_on)
