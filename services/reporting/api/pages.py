"""What whole pages show: home, one client, search, the filters' values."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from chassis.http import TxDep
from chassis.problems import Problem
from contracts.event import ClientId
from services.reporting import shapes
from services.reporting.api.asking import ViewDep
from services.reporting.queries import client, home, lists

router = APIRouter(prefix="/companies/{company}")


@router.get("/home")
async def get_home(tx: TxDep, view: ViewDep) -> shapes.Home:
    """Owed, paid, to remind, ageing, top ten, shares and checks of one company and day."""
    return await home.home(tx, view)


@router.get("/client")
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


@router.get("/search")
async def get_search(
    tx: TxDep,
    view: ViewDep,
    q: Annotated[str, Query(min_length=2, max_length=100)],
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> shapes.Found:
    """Clients by name or code, pieces by the beginning of their number."""
    return await lists.search(tx, view, q, limit)


@router.get("/options")
async def get_options(tx: TxDep, view: ViewDep) -> shapes.Options:
    """What the filters of the lists offer."""
    return await lists.options(tx, view)
