"""What whole pages show: home, one client, search, the filters' values."""

from dataclasses import dataclass
from datetime import date
from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import text

from chassis.http import CallerDep, TxDep
from chassis.problems import Problem
from chassis.scopes import for_keys
from contracts.event import ClientId
from services.reporting import shapes
from services.reporting.api.asking import ViewDep
from services.reporting.people import QUEUE
from services.reporting.queries import alerts, client, forecast, home, lists, timeline

router = APIRouter(prefix="/companies/{company}")


HOMES_KEPT = 256
KEPT_SECONDS = 60
STATE = text("""
    select (select coalesce(sum(pseq), 0) from checkpoint) as heard,
        (select count(*) from parked where company = :company and skipped_at is null) as parked,
        exists (
            select from job where company = :company and queue = :names and status in ('ready', 'running')
        ) as naming
""")


@dataclass(frozen=True)
class KnownHome:
    """An answer, with the state of the events it knew and when it was made."""

    heard: tuple[int, int]
    made: float
    answer: shapes.Home


_homes: dict[tuple[str, date, tuple[str, ...] | None], KnownHome] = {}


@router.get("/home")
async def get_home(tx: TxDep, view: ViewDep, who: CallerDep) -> shapes.Home:
    """Owed, paid, to remind, ageing, top ten, shares and checks of one company, day and portfolio.

    Nothing but events and names changes the answer, so it stands until either comes, a minute at most.
    """
    place = (view.company, view.as_of, who.portfolio)
    state = (await tx.execute(STATE, {"company": view.company, "names": QUEUE})).one()
    heard = (state.heard, state.parked)
    known = _homes.get(place)
    now = monotonic()
    if known and known.heard == heard and now - known.made < KEPT_SECONDS and not state.naming:
        return known.answer
    answer = await home.home(tx, view)
    _homes.pop(place, None)
    if not state.naming:
        _homes[place] = KnownHome(heard, now, answer)
        while len(_homes) > HOMES_KEPT:
            _homes.pop(next(iter(_homes)))
    return answer


@router.get("/alerts")
async def get_alerts(
    tx: TxDep,
    view: ViewDep,
    kind: shapes.AlertKind | None = None,
    late_after: Annotated[int, Query(ge=0, le=3650)] = 7,
) -> shapes.Alerts:
    """Mails in error or in doubt, actions due for more than ``late_after`` days, contacts that lack for the medium
    of a pending action, stopped clients that are late (rule 15.5).
    """
    return await alerts.alerts(tx, view, kind, late_after)


@router.get("/client")
@for_keys("read:clients", "read:entries", "read:promises", "read:actions")
async def get_client(
    tx: TxDep,
    view: ViewDep,
    client_id: Annotated[ClientId, Query()],
    statement_on: Annotated[date | None, Query()] = None,
) -> shapes.ClientPage:
    """Everything about one client. Answers 404 for one never heard of."""
    page = await client.client_page(tx, view, client_id, statement_on)
    if page is None:
        raise Problem("client-unknown", "There is no such client", 404, client_id=client_id)
    return page


@router.get("/forecast")
@for_keys("read:entries")
async def get_forecast(
    tx: TxDep,
    view: ViewDep,
    weeks: Annotated[int, Query(ge=1, le=26)] = 8,
    cards: Annotated[int, Query(ge=0, le=50)] = 12,
) -> shapes.Forecast:
    """When money is expected, by week and by month beside what came (rules 16.8, 16.9)."""
    return await forecast.forecast(tx, view, weeks, cards)


@router.get("/timeline")
async def get_timeline(tx: TxDep, view: ViewDep) -> shapes.Timeline:
    """What comes and what came around flagged clients (rule 16.6)."""
    return await timeline.timeline(tx, view)


@router.get("/mentions")
async def get_mentions(
    tx: TxDep, view: ViewDep, user: Annotated[str, Query(pattern=r"^user:[^\s]{1,100}$")]
) -> shapes.Mentions:
    """Notes that call on a user (rule 15.7)."""
    return await timeline.mentions(tx, view, user)


@router.get("/search")
@for_keys("read:clients")
async def get_search(
    tx: TxDep,
    view: ViewDep,
    who: CallerDep,
    q: Annotated[str, Query(min_length=2, max_length=100)],
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> shapes.Found:
    """Clients by name or code, pieces by the beginning of their number; no piece for a key without
    ``read:entries``."""
    found = await lists.search(tx, view, q, limit)
    return found if who.is_told("read:entries") else found.model_copy(update={"pieces": []})


@router.get("/options")
async def get_options(tx: TxDep, view: ViewDep) -> shapes.Options:
    """What the filters of the lists offer."""
    return await lists.options(tx, view)
