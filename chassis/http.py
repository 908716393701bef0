"""The HTTP side of a service: the application, and what its commands and queries may ask for.

An endpoint declares what it needs::

    @router.post("/companies/{company}/stop-client")
    async def stop_client(body: ClientBody, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep):
        positions = await say(company, [Said(ClientStopped(...), body.client_id)], as_of=as_of, cause=cause)
        return accepted(positions)

The transaction is committed before the answer leaves, and rolled back when the endpoint raises. Every route needs
a token; a route with ``{company}`` in its path needs one for that company, else it answers 404.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import generate_latest
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock, problems
from chassis.auth import Caller, Role, TokenRefused, verify
from chassis.database import transaction
from chassis.eventlog import Cause, Position, Say, vector
from chassis.listening import wait_for
from chassis.portfolio import visible
from chassis.problems import Problem
from chassis.running import Running
from chassis.scopes import describe_callers, within_scopes
from chassis.telemetry import current_traceparent
from chassis.transport import RequestMetrics, SecurityHeaders
from contracts.subjects import NOBODY

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

AS_OF_HEADER = "Relance-As-Of"
AT_LEAST_HEADER = "Relance-At-Least"
CORRELATION_HEADER = "Relance-Correlation-Id"
UPDATING_HEADER = "Relance-Updating"
"""``1`` on an answer that does not yet know all the positions that were asked for."""
LONGEST_WAIT_SECONDS = 30.0
COMPANY_SLUG = re.compile(r"[a-z0-9_-]{1,32}")
DEFAULT_TIME_ZONE = "Europe/Paris"


def running(request: Request) -> Running:
    """The process that serves this request: its engines, its neighbours, its health."""
    process: Running = request.app.state.running
    return process


RunningDep = Annotated[Running, Depends(running)]


def for_connectors(endpoint: Endpoint) -> Endpoint:
    """Marks what the agent beside an accounting base may call; all else is closed to its token. There it counts as
    a user."""
    endpoint.for_connectors = True  # type: ignore[attr-defined]
    return endpoint


def for_debtors(endpoint: Endpoint) -> Endpoint:
    """Marks what a debtor who followed a link may call; all else is closed to its token, and these to all others.

    The client is the one that the token names (``DebtorDep``), never one that the request names.
    """
    endpoint.for_debtors = True  # type: ignore[attr-defined]
    return endpoint


async def caller(
    request: Request, process: RunningDep, authorization: Annotated[str | None, Header()] = None
) -> Caller:
    """Who calls, from a bearer token. Answers 401, and 403 to a connector, a debtor or a key that calls anything
    else."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("token-missing", "A bearer token is needed", 401)
    try:
        who = verify(token, process.public_key(), process.signing)
    except TokenRefused as refused:
        raise Problem("token-refused", "The token is not accepted", 401, str(refused)) from refused
    if (who.role == "debtor") != getattr(request.scope.get("endpoint"), "for_debtors", False):
        raise Problem("role-insufficient", "Debtors have their own addresses", 403, role=who.role)
    if who.role == "debtor":
        return replace(who, role="user")
    if who.role == "key":
        return within_scopes(request, who)
    if who.role == "system":
        _only_what_it_asks(request, process, who)
    if who.role != "connector":
        return who
    if not getattr(request.scope.get("endpoint"), "for_connectors", False):
        raise Problem("role-insufficient", "A connector may only deliver", 403, role=who.role)
    return replace(who, role="user")


def _only_what_it_asks(request: Request, process: RunningDep, who: Caller) -> None:
    """A service that was taken over reaches no more than the service itself does."""
    asks = process.service.asks.get(who.subject.removeprefix("service:"))
    path = str(getattr(request.scope.get("route"), "path", "")).partition("{company}")[2]
    if asks is not None and path not in asks:
        raise Problem("role-insufficient", "This service never asks for that", 403, role=who.role)


CallerDep = Annotated[Caller, Depends(caller)]


def debtor(who: CallerDep) -> str:
    """The client whose debtor calls. Answers 403 to everybody else."""
    if who.client_id is None:
        raise Problem("role-insufficient", "This is for debtors", 403, role=who.role)
    return who.client_id


DebtorDep = Annotated[str, Depends(debtor)]


async def company(request: Request, who: CallerDep) -> str:
    """The company named in the path, which the caller may see. Answers 404 for any other."""
    slug = str(request.path_params.get("company", ""))
    if not COMPANY_SLUG.fullmatch(slug) or slug == NOBODY or not who.may_see(slug):
        raise Problem("company-unknown", "There is no such company for this caller", 404, company=slug[:32])
    return slug


CompanyDep = Annotated[str, Depends(company)]


async def _guard(request: Request, who: CallerDep) -> None:
    if "company" in request.path_params:
        await company(request, who)


def whole_company(who: CallerDep) -> None:
    """Refuses callers who see a part of the clients: what they ask for is about all of them."""
    if who.portfolio is not None:
        raise Problem("portfolio-insufficient", "This is for those who see every client", 403)


WholeCompany = Depends(whole_company)
"""``dependencies=[WholeCompany]`` for what is about all clients at once."""


async def _portfolio(request: Request, process: RunningDep, who: CallerDep) -> None:
    """Whoever sees a part of the clients is told of every other that there is none (rule 15.2).

    Row-level security says the same of every row; here the answer is the one that an unknown client gets, and
    what is read elsewhere than from rows is refused as well.
    """
    if who.portfolio is None or "company" not in request.path_params:
        return
    if not process.service.knows_clients:
        whole_company(who)
    slug = await company(request, who)
    named = set(request.query_params.getlist("client_id"))
    if "json" in request.headers.get("content-type", ""):
        named |= set(_clients_named(await _json(request)))
    if not named:
        return
    async with transaction(process.api_engine, slug, who.portfolio) as connection:
        foreign = named - await visible(connection, slug, named)
    if foreign:
        raise Problem("client-unknown", "There is no such client", 404, client_id=min(foreign))


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        return None  # the endpoint answers what is wrong with it


def _clients_named(body: Any) -> Iterator[str]:
    """Every ``client_id`` (``into_client_id`` and so on) that a body names, however deep."""
    if isinstance(body, list):
        for one in body:
            yield from _clients_named(one)
    if isinstance(body, dict):
        for name, value in body.items():
            if name.endswith("client_id") and isinstance(value, str):
                yield value
            else:
                yield from _clients_named(value)


READING = frozenset({"GET", "HEAD", "OPTIONS"})


async def _held(request: Request, process: RunningDep, who: CallerDep) -> None:
    """Nobody changes anything of a company at rest, and its debtors see nothing more; what is kept can be read."""
    if "company" not in request.path_params or (request.method in READING and who.client_id is None):
        return
    slug = str(request.path_params["company"])
    if await process.holds.has(slug):
        detail = "It is being offboarded: `relance company keep` lets it go on."
        raise Problem("company-held", "This company is at rest", 409, detail, company=slug[:32])


def requires(role: Role) -> Any:
    """``dependencies=[requires("admin")]``: refuses callers of a lesser role with 403."""

    async def check(who: CallerDep) -> None:
        if not who.is_at_least(role):
            raise Problem("role-insufficient", f"This needs the role {role}", 403, role=who.role)

    return Depends(check)


def positions_asked(header: str | None) -> list[Position]:
    """Positions out of ``sync/7/42,ledger/3/9``. Answers 422 when they cannot be read."""
    if not header:
        return []
    try:
        return [Position.parse(text.strip()) for text in header.split(",") if text.strip()]
    except ValueError as unreadable:
        raise Problem(
            "position-unreadable", "A position is written speaker/partition/number", 422, header[:200]
        ) from unreadable


async def at_least(
    process: RunningDep,
    response: Response,
    asked: Annotated[str | None, Header(alias=AT_LEAST_HEADER)] = None,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT_SECONDS)] = 1.0,
) -> None:
    """Waits until this service has heard the positions asked for, at most ``wait`` seconds; then answers anyway.

    An answer that may lack them carries ``Relance-Updating: 1``.
    """
    positions = positions_asked(asked)
    if positions and not await wait_for(process.engine, vector(positions), wait):
        response.headers[UPDATING_HEADER] = "1"


async def tx(request: Request, process: RunningDep, who: CallerDep) -> AsyncIterator[AsyncConnection]:
    """One transaction per request, seeing the company of the path and of it the caller's portfolio only (row-level
    security)."""
    slug = await company(request, who) if "company" in request.path_params else None
    async with transaction(process.api_engine, slug, who.portfolio) as connection:
        yield connection


TxDep = Annotated[AsyncConnection, Depends(tx, scope="function")]


async def system_tx(process: RunningDep, who: CallerDep) -> AsyncIterator[AsyncConnection]:
    """One transaction over all companies, for another service or the command line. Answers 403 to people."""
    if not who.is_at_least("system"):
        raise Problem("role-insufficient", "This needs the role system", 403, role=who.role)
    async with transaction(process.engine) as connection:
        yield connection


SystemTxDep = Annotated[AsyncConnection, Depends(system_tx, scope="function")]


async def say(process: RunningDep, connection: TxDep, who: CallerDep) -> Say:
    """Says events in the request's transaction. Answers 403 to callers who may only read."""
    if not who.is_at_least("user"):
        raise Problem("role-insufficient", "This needs the role user", 403, role=who.role)
    return process.say(connection)


SayDep = Annotated[Say, Depends(say)]


async def cause(
    who: CallerDep, correlation: Annotated[UUID | None, Header(alias=CORRELATION_HEADER)] = None
) -> Cause:
    """Why what follows happens: the caller, and the correlation it was given or a new one."""
    return Cause(actor=who.subject, correlation_id=correlation or uuid4(), traceparent=current_traceparent())


CauseDep = Annotated[Cause, Depends(cause)]


async def as_of(
    process: RunningDep,
    slug: CompanyDep,
    connection: TxDep,
    asked: Annotated[date | None, Header(alias=AS_OF_HEADER)] = None,
) -> date:
    """The business date: the company's own day, or the one asked for where a setting allows it (else 403)."""
    if asked is not None:
        if not process.settings.allow_as_of:
            raise Problem("as-of-refused", "This installation does not let callers choose the date", 403)
        return asked
    if process.service.today is not None:
        return await process.service.today(connection, slug)
    return clock.today(DEFAULT_TIME_ZONE)


AsOfDep = Annotated[date, Depends(as_of)]


def accepted(positions: Sequence[Position], **members: Any) -> dict[str, Any]:
    """The answer to a command: where its events stand, to ask a reader for at least that."""
    return {
        "position": str(positions[-1]) if positions else None,
        "positions": [str(position) for position in positions],
        **members,
    }


def create_app(process: Running, *, with_routes: bool = True) -> FastAPI:
    """The application of a service, with health, readiness, metrics, problem documents and security headers."""
    service = process.service

    app = FastAPI(title=f"Relance {service.name}", docs_url=None, redoc_url=None)
    app.state.running = process
    problems.install(app, service.refusals)
    app.include_router(_probes())
    if service.router is not None and with_routes:
        asked = [Depends(_guard), Depends(_held), Depends(at_least), Depends(_portfolio)]
        app.include_router(service.router, dependencies=asked)
    if service.listening is not None and with_routes:
        from chassis.beside.shown import router as rebuilds  # noqa: PLC0415 - they ask for what is declared here
        from chassis.parked import router as parked  # noqa: PLC0415

        app.include_router(parked, dependencies=[Depends(_guard)])
        app.include_router(rebuilds, dependencies=[Depends(_guard)])
    describe_callers(app)
    if service.mount is not None and with_routes:
        service.mount(app, process)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestMetrics, registry=process.telemetry.registry)
    app.add_middleware(process.telemetry.trace_app)
    return app


def _probes() -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    async def alive(process: RunningDep) -> Response:
        """200 while the event loop turns."""
        turning = process.health.is_alive()
        return JSONResponse({"status": "alive" if turning else "stuck"}, 200 if turning else 503)

    @router.get("/readyz")
    async def ready(process: RunningDep) -> Response:
        """200 when requests can be served; else 503 and, in words, what the process waits for. ``hindered_by``
        names what works less well meanwhile."""
        waiting = await process.health.waiting_for()
        status = "waiting" if waiting else "ready"
        body = {
            "service": process.name,
            "status": status,
            "waiting_for": waiting,
            "hindered_by": process.health.hindered_by(),
        }
        return JSONResponse(body, 503 if waiting else 200)

    @router.get("/metrics")
    async def metrics(process: RunningDep) -> Response:
        """Prometheus text format."""
        return Response(
            generate_latest(process.telemetry.registry), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return router
