"""A service as one wiring object, and the process that runs it.

``services/<name>/main.py`` builds a ``Service``; ``services/<name>/__main__.py`` is::

    from chassis.service import main
    from services.ledger.main import build
    from services.ledger.settings import LedgerSettings

    if __name__ == "__main__":
        main("ledger", build, LedgerSettings)

which gives ``python -m services.ledger run | api | worker | relay | migrate | rebuild [--check] | reseal |
judge``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from chassis.settings import Settings

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI
    from sqlalchemy.ext.asyncio import AsyncConnection

    from chassis.auth import Role
    from chassis.judging import Judge
    from chassis.listening import Listening
    from chassis.resealing import Sealed
    from chassis.running import Running
    from contracts.event import Event

Today = Callable[["AsyncConnection", str], Awaitable[date]]
Background = Callable[["Running"], Coroutine[Any, Any, None]]
Mount = Callable[["FastAPI", "Running"], None]
Knobs = TypeVar("Knobs", bound=Settings)


@dataclass(frozen=True, kw_only=True)
class Service:
    """Everything the chassis needs to know of a service."""

    name: str
    settings: Settings
    events: Mapping[str, type[Event]] = field(default_factory=dict)
    """Every event type by its CloudEvents type: ``contracts.registry.EVENTS``."""
    listening: Listening | None = None
    router: APIRouter | None = None
    """Commands and queries; company-scoped paths begin with ``/companies/{company}``."""
    background: Mapping[str, Background] = field(default_factory=dict)
    """Long-running work by name (job workers, schedules): started again when it fails."""
    today: Today | None = None
    """The company's own day, from its time zone; without it the day in Paris."""
    refusals: Mapping[type[Exception], int] = field(default_factory=dict)
    """Domain facts that refuse a command, and the HTTP status that tells so."""
    mount: Mount | None = None
    """Last touch on the HTTP application: static files, pages, error pages."""
    knows_clients: bool = False
    """Its tables are confined to portfolios (``chassis.portfolio.confine``). A service whose are not has no answer
    for callers who see a part of the clients."""
    asked_by: Mapping[str, Collection[Role]] = field(default_factory=dict)
    """Services that ask something here by keys of their own, and the roles of the tokens that each may sign."""
    asks: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Of services that ask as themselves: the only paths below ``/companies/{company}`` that each may ask for. One
    that is not here may ask for all that its roles may."""
    sealed: Sequence[Sealed] = ()
    """Where companies' secrets are kept, for ``reseal``."""
    judged: Mapping[str, Judge] = field(default_factory=dict)
    """Tables whose rows are judged when a company comes from elsewhere, by name (``chassis.judging``)."""
    speaks: bool = True
    """Has something to say: its process relays the event log to the stream."""


def main(name: str, build: Callable[[Knobs], Service], settings: type[Knobs]) -> None:
    """``python -m services.<name>``: ``run``, ``api``, ``worker``, ``relay``, ``migrate``, ``rebuild``."""
    from chassis.process import command_line  # noqa: PLC0415 - keeps the wiring light for those who only import it

    command_line(name, build, settings)
