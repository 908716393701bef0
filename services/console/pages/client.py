"""A client: what is owed, who to talk to, what was done, what comes next, and the commands on it."""

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from chassis.database import transaction
from services.console.accounts import names_of_members
from services.console.formatting import day_written
from services.console.gateway import Json, Neighbours, NotYet, Refused, ServiceSilent
from services.console.language import N_
from services.console.pages.client_past import happened_to, past_page
from services.console.pages.own_policy import has_own, in_words, own_policy
from services.console.rendering import page
from services.console.visits import PageUnknown, Visit, VisitDep

router = APIRouter()
TABS = ("statement", "history", "why")
DONE = {
    "stop-client": N_("Les relances de ce client sont stoppées."),
    "resume-client": N_("Ce client peut de nouveau être relancé."),
    "stop-entry": N_("Les relances de cette pièce sont stoppées."),
    "resume-entry": N_("Cette pièce peut de nouveau être relancée."),
    "record-promise": N_("La promesse est notée."),
    "record-promises": N_("Les promesses sont notées."),
    "cancel-promise": N_("La promesse est annulée."),
    "open-dispute": N_("Le litige est ouvert."),
    "close-dispute": N_("Le litige est clos."),
    "flag-client": N_("Ce client est suivi : ses événements figurent à l’accueil."),
    "unflag-client": N_("Ce client n’est plus suivi."),
    "reposition-entry": N_("La date d’encaissement attendue est changée."),
    "contact": N_("Le contact est enregistré."),
    "client-fields": N_("Les champs libres sont enregistrés."),
    "remove-contact": N_("Le contact est supprimé."),
    "clear-address": N_("Cette adresse recevra de nouveau les e-mails."),
    "opens-consent": N_("L’accord au suivi des ouvertures est noté."),
    "add-note": N_("La note est ajoutée."),
    "merge-clients": N_("Les deux codes sont fusionnés : promesses, litiges et niveaux sont repris."),
    "attach-document": N_("Le document est joint à la pièce."),
    "remove-document": N_("Le document est supprimé."),
    "by-hand-email": N_("L’e-mail part : suivez-le dans l’historique."),
    "by-hand-call": N_("Le contact est noté."),
    "levels": N_("La prochaine étape est choisie : la proposition du jour la suit."),
    "automatic": N_("Les relances automatiques de ces pièces sont réglées."),
    "assign-profile": N_("Le profil du client est changé."),
}


@dataclass(frozen=True)
class Asked:
    """What the address of a client page says."""

    client_id: str
    tab: str = "statement"
    entry: str = ""
    lettered: bool = True
    statement_on: date | None = None
    contact: str = ""
    """The contact whose form is open; ``new`` for one to be written, ``fields`` for the free fields."""


@router.get("/c/{company}/client")
async def client(
    request: Request,
    visit: VisitDep,
    client_id: Annotated[str, Query(min_length=1, max_length=64)],
    tab: str = "statement",
    entry: str = "",
    lettered: bool = True,
    statement_on: str = "",
    as_of: str = "",
    contact: str = "",
    after: str = "",
    done: str = "",
    refused: str = "",
) -> Response:
    neighbours = visit.neighbours(at_least=after)
    past_day = day_written(as_of) if as_of else None
    if past_day is not None and past_day < visit.as_of:
        return await past_page(request, visit, neighbours, client_id, past_day, tab)
    asked = Asked(
        client_id,
        tab if tab in TABS else "statement",
        entry,
        lettered,
        day_written(statement_on) if statement_on else None,
        contact,
    )
    try:
        found, person, why, own, consents = await asyncio.gather(
            neighbours.get(
                "reporting",
                "/client",
                client_id=client_id,
                as_of=visit.as_of.isoformat(),
                statement_on=asked.statement_on.isoformat() if asked.statement_on else None,
            ),
            _person(neighbours, client_id),
            _why(neighbours, visit, asked),
            own_policy(neighbours, client_id),
            _consents(neighbours, client_id),
        )
    except Refused as refusal:
        if refusal.status == 404:
            if refusal.service == "reporting" and await _is_known(neighbours, client_id):
                raise NotYet("reporting") from refusal
            raise PageUnknown from refusal
        raise
    async with transaction(visit.console.engine) as tx:
        actors = await names_of_members(tx, visit.company)
    return page(
        request,
        visit,
        "client.html",
        client=found,
        person=person,
        asked=asked,
        profiles=visit.about_company.get("profiles") or {},
        dispute_reasons=visit.about_company.get("dispute_reasons", []),
        actors=actors,
        why=why,
        own=own,
        consents=consents,
        own_words=in_words(visit, own) if has_own(own) else [],
        happened_to=happened_to(why or {}),
        pieces={line["entry_id"]: line for line in found["statement"]["entries"]},
        notice=visit.notice(DONE, done, refused),
        tomorrow=visit.as_of + timedelta(days=1),
        updating=neighbours.updating,
    )


async def _is_known(neighbours: Neighbours, client_id: str) -> bool:
    """Ledger has the client, so that reporting is about to hear of it."""
    try:
        await neighbours.get("ledger", "/client", client_id=client_id)
    except Refused:
        return False
    return True


async def _consents(neighbours: Neighbours, client_id: str) -> Json:
    """Who agreed that openings are told; a page that lacks it is better than none."""
    try:
        found: Json = await neighbours.get("notify", "/opens-consents", client_id=client_id)
    except (Refused, ServiceSilent):
        return {"tracked": False, "emails": []}
    return found


async def _person(neighbours: Neighbours, client_id: str) -> Json:
    """Contact, notes and labels; empty where ledger has not been told of this client."""
    try:
        found: Json = await neighbours.get("ledger", "/client", client_id=client_id)
    except Refused as refusal:
        if refusal.status != 404:
            raise
        found = {}
    return {
        "emails": [],
        "phones": [],
        "address": None,
        "contact_name": None,
        "notes": [],
        "labels": {},
        "promises": [],
        "contacts": [],
        "unreachable": [],
        "fields": {},
        "fields_told": {},
        "fields_by_hand": {},
        "named_fields": {"client": [], "entry": []},
        "entry_fields": {},
        "salesperson": None,
        "documents": {},
        **found,
    }


async def _why(neighbours: Neighbours, visit: Visit, asked: Asked) -> Json | None:
    """Dunning's explanation of every open entry; only for its own tab."""
    if asked.tab != "why":
        return None
    found: Json = await neighbours.get(
        "dunning", "/explain", client_id=asked.client_id, language=visit.language, history="true"
    )
    return found
