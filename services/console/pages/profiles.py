"""Configurer, Profils: the classes of clients, and one given to many clients at once (rules 3.1 to 3.6)."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Neighbours, Refused
from services.console.language import N_
from services.console.pages.clients import FILTERS
from services.console.rendering import page
from services.console.visits import ActingDep, Visit, VisitDep

router = APIRouter(prefix="/c/{company}")

ROWS_AT_ONCE = 500
DONE = {
    "add-profile": N_("Le profil est ajouté. Il n’a pas encore de scénario : ses clients ne sont pas relancés."),
    "rename-profile": N_("Le profil est renommé ; ses clients et son scénario restent."),
    "choose-default-profile": N_("Le profil par défaut est changé."),
    "delete-profile": N_("Le profil est supprimé."),
}

Profile = Annotated[str, Form(min_length=1, max_length=100)]
Name = Annotated[str, Form(min_length=1, max_length=60)]


@router.get("/profiles")
async def profiles(
    request: Request, visit: VisitDep, after: str = "", done: str = "", refused: str = "", clients: int = 0
) -> Response:
    neighbours = visit.neighbours(at_least=after)
    found, scenarios = await asyncio.gather(
        neighbours.get("ledger", "/profiles"), neighbours.get("dunning", "/scenarios")
    )
    return page(
        request,
        visit,
        "profiles.html",
        profiles=found["profiles"],
        unlisted=found["unlisted"],
        with_scenario={one["profile"] for one in scenarios["scenarios"]},
        notice=_notice(visit, done, refused, clients),
        updating=neighbours.updating,
    )


def _notice(visit: Visit, done: str, refused: str, clients: int) -> dict[str, str] | None:
    if refused == "profile-in-use":
        text = visit.words.ngettext(
            "%(n)s client a ce profil : choisissez celui qui le reprend.",
            "%(n)s clients ont ce profil : choisissez celui qui les reprend.",
            clients,
        )
        return {"tone": "stop", "text": text % {"n": clients}}
    return visit.notice(DONE, done, refused)


async def _command(visit: Visit, command: str, body: Json) -> Response:
    _must_configure(visit)
    neighbours = visit.neighbours()
    try:
        await neighbours.post("ledger", f"/{command}", body)
        outcome: dict[str, Any] = {"done": command, "after": neighbours.at_least}
    except Refused as refusal:
        outcome = {"refused": refusal.code, "clients": refusal.facts.get("clients", "")}
    visit.forget_company()
    return RedirectResponse(visit.url("profiles", **outcome), status_code=303)


def _must_configure(visit: Visit) -> None:
    visit.only_for("admin")


@router.post("/profiles/add")
async def add(visit: ActingDep, name: Name) -> Response:
    return await _command(visit, "add-profile", {"name": name})


@router.post("/profiles/rename")
async def rename(visit: ActingDep, profile: Profile, name: Name) -> Response:
    return await _command(visit, "rename-profile", {"profile": profile, "name": name})


@router.post("/profiles/default")
async def choose_default(visit: ActingDep, profile: Profile) -> Response:
    return await _command(visit, "choose-default-profile", {"profile": profile})


@router.post("/profiles/delete")
async def delete(
    visit: ActingDep, profile: Profile, taken_over_by: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """A profile that is used needs one that takes over its clients (rule 3.3)."""
    return await _command(visit, "delete-profile", {"profile": profile, "taken_over_by": taken_over_by or None})


@router.post("/clients/assign-profile")
async def assign_to_list(
    request: Request,
    visit: ActingDep,
    expected: Annotated[int, Form(ge=0)],
    profile: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Give one profile to every client of a list, as its filters stand in the form (rule 3.4).

    A list that holds another number of clients than the person saw is not touched.
    """
    _must_configure(visit)
    form = await request.form()
    fields = {name: "filter_profile" if name == "profile" else name for name in FILTERS}
    filters = {
        name: values for name, field in fields.items() if (values := [one for one in form.getlist(field) if one])
    }
    back = "clients" if form.get("list") == "clients" else "who-owes-what"
    neighbours = visit.neighbours()
    client_ids = await listed(neighbours, f"/{back}", {**filters, "as_of": visit.as_of.isoformat()})
    outcome: dict[str, Any] = {"refused": "list-changed"}
    if len(client_ids) == expected and client_ids:
        body = {"client_ids": client_ids, "profile": profile or None}
        try:
            answer = await neighbours.post("ledger", "/assign-profiles", body)
            outcome = {"assigned": answer["assigned"], "after": neighbours.at_least}
        except Refused as refusal:
            outcome = {"refused": refusal.code}
    kept = {name: values[0] for name, values in filters.items() if name != "profile"}
    return RedirectResponse(visit.url(back, **kept, **outcome), status_code=303)


async def listed(neighbours: Neighbours, path: str, asked: Json) -> list[str]:
    """The codes of all clients of a list of reporting's."""
    found: list[str] = []
    number = 1
    while True:
        part = await neighbours.get("reporting", path, **asked, sort="name", size=ROWS_AT_ONCE, page=number)
        found += [row["client_id"] for row in part["rows"]]
        if number >= part["pages"]:
            return found
        number += 1
