"""Configurer, Utilisateurs: who signs in for this company, and whose clients each of them sees (rule 15.2)."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from chassis.database import transaction
from services.console.accounts import AdministratorSeesAll, MemberUnknown, PortfolioEmpty, members, set_portfolio
from services.console.gateway import Json
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit

router = APIRouter(prefix="/c/{company}/users")

DONE = {
    "portfolio": N_("Le portefeuille est enregistré ; il compte dès la prochaine page de cette personne."),
}


def _must_configure(visit: Visit) -> None:
    visit.only_for("admin")


@router.get("")
async def users(request: Request, visit: ActingDep, done: str = "", refused: str = "") -> Response:
    _must_configure(visit)
    options: Json = await visit.neighbours().get("reporting", "/options")
    async with transaction(visit.console.engine) as tx:
        found = await members(tx, visit.company)
    names = {one["code"]: one["name"] for one in options["salespeople"]}
    known = {**names, **{code: code for one in found for code in one.portfolio or () if code not in names}}
    return page(
        request,
        visit,
        "users.html",
        people=found,
        sellers=sorted(known.items(), key=lambda seller: (seller[1].casefold(), seller[0])),
        names=known,
        notice=visit.notice(DONE, done, refused),
    )


@router.post("/portfolio")
async def portfolio(
    visit: ActingDep,
    account_id: Annotated[UUID, Form()],
    salesperson: Annotated[list[str], Form(default_factory=list, max_length=1000)],
    sees: Annotated[Literal["all", "some"], Form()] = "all",
) -> Response:
    """Show a person every client, or those of the ticked sales people."""
    _must_configure(visit)
    outcome: dict[str, Any] = {"done": "portfolio"}
    try:
        async with transaction(visit.console.engine) as tx:
            await set_portfolio(tx, visit.company, account_id, None if sees == "all" else salesperson)
    except PortfolioEmpty:
        outcome = {"refused": "portfolio-empty"}
    except AdministratorSeesAll:
        outcome = {"refused": "administrator-sees-all"}
    except MemberUnknown as unknown:
        raise PageUnknown from unknown
    return RedirectResponse(visit.url("users", **outcome), status_code=303)
