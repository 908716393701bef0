"""One process of a service while it runs: its engines, its broker, its neighbours, its health."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from faststream.nats import NatsBroker
from faststream.nats.opentelemetry import NatsTelemetryMiddleware
from faststream.nats.prometheus import NatsPrometheusMiddleware
from nats.aio.client import Client
from nats.errors import Error as NatsError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import database
from chassis.auth import Signing, read_key, same_pair
from chassis.derivation import VERSION_OPTION
from chassis.eventlog import Say
from chassis.health import Health
from chassis.holding import Holds
from chassis.http_client import Neighbour, Signer
from chassis.service import Service
from chassis.telemetry import Telemetry
from chassis.trust import security_of

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey

NATS_PING_SECONDS = 10
NATS_RECONNECT_SECONDS = 1
BUS_SECONDS = 3
log = logging.getLogger(__name__)


class Worker(Protocol):
    """What the chassis keeps running: a projection, a relay, a queue of jobs."""

    async def run(self) -> None:
        """Works until cancelled."""

    def problems(self) -> list[str]:
        """What is wrong now, in sentences."""


class KeyMissing(Exception):
    """No key file is configured for what was asked."""

    def __init__(self, setting: str) -> None:
        super().__init__(f"the setting {setting} names no key file")
        self.setting = setting


class Running:
    """Built before anything is reachable: engines and broker connect when they are first used."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.name = service.name
        self.settings = service.settings
        self.health = Health()
        self.telemetry = Telemetry(service.name, self.settings.otlp_endpoint)
        self._engines: dict[str, AsyncEngine] = {}
        self._neighbours: dict[str, Neighbour] = {}
        self._public_key: OKPKey | None = None
        self._service_keys: dict[str, OKPKey] = {}
        self._signer: Signer | None = None
        self._broker: NatsBroker | None = None
        self._connected = False
        self.newest_migration: str | None = None
        """Of this release; unknown where nobody watches the schema."""
        self._connecting = asyncio.Lock()
        self.holds = Holds(lambda: self.engine)

    def _engine(self, url: str) -> AsyncEngine:
        if url not in self._engines:
            engine = database.engine(url, schema=self.name, size=self.settings.pool_size)
            self.telemetry.trace_engine(engine)
            listening = self.service.listening
            if listening is not None:
                engine = engine.execution_options(**{VERSION_OPTION: listening.version})
            self._engines[url] = engine
        return self._engines[url]

    @property
    def engine(self) -> AsyncEngine:
        """For workers: every company, all data of this service."""
        return self._engine(self.settings.database_url)

    @property
    def api_engine(self) -> AsyncEngine:
        """For requests: only the company that the transaction was opened for."""
        return self._engine(self.settings.api_database_url or self.settings.database_url)

    @property
    def broker(self) -> NatsBroker:
        """The connection to NATS, which reconnects for ever once it was made."""
        if self._broker is None:
            self._broker = NatsBroker(
                self.settings.nats_url,
                max_reconnect_attempts=-1,
                reconnect_time_wait=NATS_RECONNECT_SECONDS,
                ping_interval=NATS_PING_SECONDS,
                connect_timeout=2,
                logger=None,
                security=security_of(self.settings.nats_url),
                middlewares=self._broker_middlewares(),
            )
        return self._broker

    def _broker_middlewares(self) -> list[Any]:
        measured = NatsPrometheusMiddleware(registry=self.telemetry.registry, app_name=self.name)
        if not self.telemetry.exports:
            # reading a trace context per message costs as much as applying it, and nobody would see the span
            return [measured]
        return [NatsTelemetryMiddleware(tracer_provider=self.telemetry.tracer_provider), measured]

    async def connect(self) -> None:
        """Waits until NATS is there; afterwards the connection mends itself. Whoever asks, it is made once."""
        async with self._connecting:
            if not self.broker.running:
                await self.broker.start()
            self._connected = True

    async def bus(self) -> Client:
        """The connection to NATS, for requests: made now where no worker of this process has made it. Raises
        ``TimeoutError`` when NATS is not there.
        """
        if not self.broker.running:
            await asyncio.wait_for(self.connect(), BUS_SECONDS)
        connection: Client = self.broker.config.connection_state.connection
        return connection

    def is_connected(self) -> bool:
        """NATS answers now."""
        connection = self._broker.config.connection_state.connection if self._broker and self._connected else None
        return connection is not None and connection.is_connected

    async def work(self, part: str, worker: Worker) -> None:
        """Runs a worker, and lets the health tell its problems."""

        async def problems() -> str | None:
            return "; ".join(worker.problems()) or None

        self.health.check(part, problems)
        await worker.run()

    def projection_worker(self) -> Worker:
        """Listens to the streams that the service is wired to."""
        from chassis.projection import ProjectionWorker  # noqa: PLC0415 - only processes that listen

        assert self.service.listening is not None
        return ProjectionWorker(self.name, self.engine, self.broker, self.service.listening, self.service.events)

    def relay(self) -> Worker:
        """Publishes this service's log to its stream."""
        from chassis.relay import Relay  # noqa: PLC0415 - only processes that relay

        return Relay(self.name, self.engine, self.settings.nats_url)

    def public_key(self) -> OKPKey:
        """The key that verifies callers. Raises ``KeyMissing``."""
        if self._public_key is None:
            if self.settings.token_public_key_file is None:
                raise KeyMissing("token_public_key_file")
            self._public_key = read_key(self.settings.token_public_key_file)
        return self._public_key

    def signer(self) -> Signer:
        """Mints the tokens of this service. Raises ``KeyMissing``."""
        if self._signer is None:
            if self.settings.token_private_key_file is None:
                raise KeyMissing("token_private_key_file")
            key = read_key(self.settings.token_private_key_file)
            # with the key that signs for people it needs no name: so it is before each service has its own
            for_people = self.settings.token_public_key_file is None or same_pair(key, self.public_key())
            self._signer = Signer(key, "" if for_people else self.name)
        return self._signer

    def signing(self, name: str) -> Signing | None:
        """What another service may ask here by a key of its own, whose public half lies beside that of people."""
        roles = self.service.asked_by.get(name)
        people = self.settings.token_public_key_file
        if not roles or people is None:
            return None
        if name not in self._service_keys:
            try:
                self._service_keys[name] = read_key(people.with_name(f"{name}.pem"))
            except OSError:
                return None
        return Signing(self._service_keys[name], roles)

    def neighbour(self, name: str) -> Neighbour:
        """Another service, at the URL that the settings give it. Raises ``KeyMissing``."""
        if name not in self._neighbours:
            url: str = getattr(self.settings, f"{name}_url")
            neighbour = Neighbour(name, url, self.signer(), calling=self.name)
            self.telemetry.trace_http(neighbour.http)
            self._neighbours[name] = neighbour
        return self._neighbours[name]

    def say(self, tx: AsyncConnection) -> Say:
        """Says events in this transaction and applies them to this service's own rows."""
        listening = self.service.listening
        if listening is None:
            return Say(self.name, tx)
        return Say(self.name, tx, listening.project, version=listening.version)

    async def stop(self) -> None:
        """Closes every connection."""
        for neighbour in self._neighbours.values():
            await neighbour.close()
        if self._broker is not None:
            with suppress(NatsError):  # a connection that is away just then cannot be drained
                await self._broker.stop()
        for engine in self._engines.values():
            await engine.dispose()
        await asyncio.to_thread(self.telemetry.stop)
