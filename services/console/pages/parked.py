"""Configurer, Événements en attente: what a service could not apply, to be tried again or skipped for a reason."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from chassis.database import transaction
from contracts.event import WhyHeard
from services.console.accounts import names_of_members
from services.console.gateway import Json, Neighbours, Refused, ServiceSilent
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/parked")

Service = Literal["sync", "ledger", "dunning", "notify", "reporting"]
SERVICES: dict[Service, str] = {
    "sync": N_("Synchronisation"),
    "ledger": N_("Clients et promesses"),
    "dunning": N_("Décision des relances"),
    "notify": N_("Envois et courriers"),
    "reporting": N_("Tableaux et listes"),
}
"""What people know each service by."""
ERRORS = {
    "IntegrityError": N_("La base de données refuse ce que dit l’événement : une règle y est contredite."),
    "DataError": N_("L’événement porte une valeur que la base de données ne peut pas prendre."),
    "ProgrammingError": N_("Une table ou une colonne manque : la mise à jour de la base n’est pas finie."),
    "ValidationError": N_("L’événement n’a pas la forme attendue."),
    "KeyError": N_("L’événement parle de quelque chose que ce service ne connaît pas."),
}
"""By the class of the error; its own words may name people, and stay in the log."""
UNFORESEEN = N_("Le programme s’est arrêté sur un cas imprévu.")
NEVER: dict[WhyHeard, str] = {
    "erasure": N_("Un effacement ne s’écarte pas : les données de la personne resteraient dans ce service."),
    "hold": N_("Une mesure de conservation ne s’écarte pas : ce qui doit rester comme preuve serait effacé."),
    "periods": N_("Des durées de conservation ne s’écartent pas : des contenus seraient effacés trop tôt."),
    "contested": N_("Un litige ne s’écarte pas : les preuves de ce qui est contesté seraient effacées."),
    "stop": N_("Un arrêt des relances ne s’écarte pas : le client serait relancé malgré lui."),
    "merged": N_(
        "Une fusion de codes ne s’écarte pas : effacements, arrêts et mesures de conservation n’atteindraient plus"
        " le client."
    ),
}
"""Why nobody may skip an event, by the code that it carries."""
NEVER_AT_ALL = N_("Cet événement ne s’écarte pas.")
DONE = {
    "retried": N_("Tout ce qui attendait pour ce client est appliqué."),
    "skipped": N_("L’événement est écarté ; ceux qui le suivent attendent que vous réessayiez."),
}
Speaker = Annotated[str, Form(max_length=32)]
ClientCode = Annotated[str, Form(max_length=64)]


@router.get("")
async def parked(
    request: Request, visit: VisitDep, done: str = "", refused: str = "", error: str = ""
) -> Response:
    visit.only_for("admin")
    neighbours = visit.neighbours()
    answers = dict(zip(SERVICES, await asyncio.gather(*(_of(neighbours, one) for one in SERVICES)), strict=True))
    told = [(service, answer) for service, answer in answers.items() if answer is not None]
    waiting = [one | {"service": service} for service, answer in told for one in answer["waiting"]]
    skipped = [one | {"service": service} for service, answer in told for one in answer["skipped"]]
    async with transaction(visit.console.engine) as tx:
        people = await names_of_members(tx, visit.company)
    notice = visit.notice(DONE, done, refused)
    if notice and refused and error:
        notice["text"] += f" {visit.words.gettext(ERRORS.get(error, UNFORESEEN))}"
    return page(
        request,
        visit,
        "parked.html",
        waiting=sorted(waiting, key=lambda one: one["since"]),
        skipped=sorted(skipped, key=lambda one: one["at"], reverse=True),
        silent=[service for service, answer in answers.items() if answer is None],
        in_update=[service for service, answer in told if answer["updating"]],
        names=await _names(neighbours, waiting + skipped),
        people=people,
        services=SERVICES,
        errors=ERRORS,
        unforeseen=UNFORESEEN,
        never=NEVER,
        never_at_all=NEVER_AT_ALL,
        notice=notice,
    )


async def _of(neighbours: Neighbours, service: Service) -> Json | None:
    """``None`` when the service does not say: the others are shown all the same, and it is named."""
    try:
        found: Json = await neighbours.get(service, "/parked")
    except (ServiceSilent, Refused):
        return None
    return found


async def _names(neighbours: Neighbours, slices: list[Json]) -> dict[str, str]:
    """Of the clients that are named; their codes where ledger is what does not answer."""
    codes = sorted({one["client_id"] for one in slices if one["client_id"]})
    try:
        return await neighbours.names(codes)
    except (ServiceSilent, Refused):
        return {code: code for code in codes}


@router.post("/retry")
async def retry(
    visit: ActingDep, service: Annotated[Service, Form()], speaker: Speaker, client_id: ClientCode = ""
) -> Response:
    """Apply in order what waits for one client."""
    body = {"speaker": speaker, "client_id": client_id or None}
    return await _command(visit, service, "retry", body, "retried")


@router.post("/skip")
async def skip(
    visit: ActingDep,
    service: Annotated[Service, Form()],
    speaker: Speaker,
    position: Annotated[str, Form(max_length=64)],
    client_id: ClientCode = "",
    reason: Annotated[str, Form(max_length=1000)] = "",
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Never apply the event that was looked at; only with the box ticked and a reason."""
    if not sure or not reason.strip():
        return _back(visit, refused="reason-missing")
    body = {"speaker": speaker, "client_id": client_id or None, "position": position, "reason": reason.strip()}
    return await _command(visit, service, "skip", body, "skipped")


async def _command(visit: Visit, service: Service, command: str, body: Json, done: str) -> Response:
    visit.only_for("admin")
    try:
        await visit.neighbours().post(service, f"/parked/{command}", body)
    except Refused as refusal:
        return _back(visit, refused=refusal.code, error=refusal.facts.get("error"))
    except ServiceSilent:
        return _back(visit, refused="service-silent")
    return _back(visit, done=done)


def _back(visit: Visit, **outcome: Any) -> Response:
    return RedirectResponse(visit.url("parked", **outcome), status_code=303)
