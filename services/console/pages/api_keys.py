"""Configurer, Clés d’API: other systems that ask and tell over HTTP, each by a key of its own (docs/adr/0067)."""

import json
import logging
import math
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from chassis import clock
from chassis.database import transaction
from chassis.scopes import TOKEN_PATH
from contracts.systems import SCOPES
from services.console import api_keys
from services.console.api_keys import KeyNotMade, MadeKey, wanted
from services.console.formatting import day_written
from services.console.language import N_
from services.console.proving import proof_of, provider_of, refusal_of
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit

router = APIRouter(prefix="/c/{company}/api-keys")
log = logging.getLogger(__name__)

DONE = {"revoked": N_("La clé est révoquée : elle n’ouvre plus rien.")}
REFUSALS = {
    "key-name-refused": N_(
        "Ce nom ne convient pas : minuscules, chiffres, - et _, 32 au plus, et pas celui d’une partie de Relance."
    ),
    "key-scopes-missing": N_("Cochez au moins un droit."),
    "key-end-past": N_("Le dernier jour est passé : choisissez-en un à venir."),
    "key-end-unreadable": N_("Cette date ne se lit pas : écrivez-la 31/12/2027."),
}
READS = (
    ("read:clients", N_("Clients"), N_("fiches, contacts, adresses, champs libres")),
    ("read:entries", N_("Comptes"), N_("écritures, qui doit quoi, encaissements, factures en PDF")),
    ("read:promises", N_("Promesses et litiges"), N_("et qui les a enregistrés")),
    ("read:actions", N_("Actions"), N_("à faire et faites, et pourquoi")),
)
WRITES = (
    ("write:promises", N_("Promesses"), N_("enregistrer, annuler")),
    ("write:disputes", N_("Litiges"), N_("ouvrir, clore")),
    ("write:stops", N_("STOP et reprises"), N_("arrêter et reprendre les relances d’un client, d’une pièce")),
    ("write:documents", N_("Factures en PDF"), N_("les joindre aux écritures")),
    ("push:rows", N_("Livrer des lignes"), N_("clients, écritures, contacts : ce que la comptabilité livre")),
)
GROUPS = ((N_("Peut lire"), READS), (N_("Peut dire et livrer"), WRITES))

Scopes = Annotated[list[str], Form(default_factory=list, max_length=len(SCOPES))]


@router.get("")
async def shown(request: Request, visit: ActingDep, done: str = "") -> Response:
    return await _page(request, visit, visit.notice(DONE, done, ""))


@router.post("")
async def make(
    request: Request,
    visit: ActingDep,
    scope: Scopes,
    name: Annotated[str, Form(max_length=100)] = "",
    last_day: Annotated[str, Form(max_length=20)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """The secret is on this page, once. Who one is, once more: a key outlives the session in which it is made."""
    _only_who_decides(visit)
    typed = {"name": name, "scopes": scope, "last_day": last_day}
    try:
        day = _day(last_day)
        wish = wanted(name, scope, day, clock.today(visit.time_zone), visit.time_zone)
    except KeyNotMade as refused:
        return await _refused(request, visit, visit.words.gettext(REFUSALS[refused.code]), typed)
    async with transaction(visit.console.engine) as tx:
        refusal = await refusal_of(request, visit, tx, password)
        made = None if refusal else await api_keys.make(tx, visit.company, *wish, visit.me.account_id)
    if made is None:
        return await _refused(request, visit, refusal, typed)
    log.warning("an API key was made", extra=_by(visit, made.key_id))
    answer = await _page(request, visit, None, made=made)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@router.post("/revoke")
async def revoke(visit: ActingDep, key_id: Annotated[UUID, Form()]) -> Response:
    _only_who_decides(visit)
    async with transaction(visit.console.engine) as tx:
        if not await api_keys.revoke(tx, visit.company, key_id, visit.me.account_id):
            raise PageUnknown
    log.warning("an API key was revoked", extra=_by(visit, key_id))
    return RedirectResponse(visit.url("api-keys", done="revoked"), status_code=303)


def _day(written: str) -> date | None:
    """Raises ``KeyNotMade`` for what is no day."""
    if not written.strip():
        return None
    day = day_written(written)
    if day is None:
        raise KeyNotMade("key-end-unreadable")
    return day


def _by(visit: Visit, key_id: UUID) -> dict[str, str]:
    return {"company": visit.company, "key": str(key_id), "by": visit.me.subject}


def _only_who_decides(visit: Visit) -> None:
    """Administrators who see every client: a key sees them all."""
    visit.only_for("admin")
    if not visit.sees_all:
        raise PageUnknown


async def _refused(request: Request, visit: Visit, refusal: str, typed: Mapping[str, Any]) -> Response:
    return await _page(request, visit, {"tone": "stop", "text": refusal}, status=422, typed=typed)


async def _page(
    request: Request,
    visit: Visit,
    notice: Mapping[str, str] | None,
    *,
    status: int = 200,
    typed: Mapping[str, Any] | None = None,
    made: MadeKey | None = None,
) -> Response:
    _only_who_decides(visit)
    async with transaction(visit.console.engine) as tx:
        keys = await api_keys.keys_of(tx, visit.company)
    return page(
        request,
        visit,
        "api_keys.html",
        status=status,
        notice=notice,
        keys=keys,
        groups=GROUPS,
        typed=typed or {},
        made=made,
        connect=made and _connect(visit, made),
        token_minutes=math.ceil(visit.console.settings.token_minutes),
        proof=proof_of(visit),
        provider=provider_of(visit),
    )


def _connect(visit: Visit, made: MadeKey) -> str:
    told = {
        "token_url": TOKEN_PATH,
        "client_id": str(made.key_id),
        "client_secret": made.secret,
        "company": visit.company,
    }
    return json.dumps(told, indent=2)
