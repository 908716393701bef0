"""Configurer, Export et départ: everything of a company as one file, and where its leaving stands (ADR 51, 60).

A page asks, hands over and shows. Bringing to rest and deleting need an operator, with the superuser's address.
"""

import logging
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

from chassis import clock
from chassis.database import transaction
from services.console import handed_out
from services.console.gateway import Refused, ServiceSilent
from services.console.handed_out import AlreadyAsked
from services.console.language import N_
from services.console.proving import proof_of, provider_of, refusal_of
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit

router = APIRouter(prefix="/c/{company}/leaving")
log = logging.getLogger(__name__)

DONE = {
    "asked": N_("L’export est demandé. Il se fait dès que l’exploitant le lance ; cette page le dira."),
    "withdrawn": N_("Cet export n’est plus là."),
}
TOLD = {
    "busy": N_("Quelque chose de la société est en cours : une nouvelle tentative suivra."),
    "broken": N_("L’export relu n’était pas entier ; l’exploitant sait pourquoi. Demandez-en un autre."),
    "too-large": N_("Le fichier est trop grand pour passer par ici : l’exploitant le remet lui-même."),
}
Password = Annotated[str, Form(max_length=1000)]
ExportId = Annotated[UUID, Form()]


@router.get("")
async def shown(request: Request, visit: ActingDep, done: str = "", refused: str = "") -> Response:
    return await _page(request, visit, visit.notice(DONE, done, refused))


@router.post("")
async def ask(request: Request, visit: ActingDep, password: Password = "") -> Response:
    """Ask for an export; the password, or a visit to the provider, once more, since the file is all that is known
    of everybody."""
    _only_who_decides(visit)
    async with transaction(visit.console.engine) as tx:
        if await handed_out.rest_of(tx, visit.company) is not None:
            return RedirectResponse(visit.url("leaving"), status_code=303)
        refusal = await refusal_of(request, visit, tx, password)
        if not refusal:
            try:
                await handed_out.ask(tx, visit.company, visit.me.account_id)
            except AlreadyAsked:
                refusal = visit.words.gettext("Un export est déjà demandé.")
    if refusal:
        return await _page(request, visit, {"tone": "stop", "text": refusal}, status=422)
    log.info("a whole export was asked for", extra={"company": visit.company, "by": visit.me.subject})
    return RedirectResponse(visit.url("leaving", done="asked"), status_code=303)


@router.post("/withdraw")
async def withdraw(visit: ActingDep, export_id: ExportId) -> Response:
    _only_who_decides(visit)
    async with transaction(visit.console.engine) as tx:
        await handed_out.withdraw(tx, visit.company, export_id)
    log.info("a whole export was withdrawn", extra={"company": visit.company, "by": visit.me.subject})
    return RedirectResponse(visit.url("leaving", done="withdrawn"), status_code=303)


@router.post("/fetch")
async def fetch(visit: ActingDep, export_id: ExportId) -> Response:
    """The file. A form and no link, so that no other site and no prefetching browser can have it."""
    _only_who_decides(visit)
    async with transaction(visit.console.engine) as tx:
        found = await handed_out.take(tx, visit.company, export_id, visit.me.account_id)
    if found is None:
        raise PageUnknown
    log.warning("a whole export was fetched", extra={"company": visit.company, "by": visit.me.subject})
    name = f"{visit.company}-{found.asked_at:%Y-%m-%d}.zip"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(found.bytes),
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(
        handed_out.parts(visit.console.engine, visit.company, export_id),
        media_type="application/zip",
        headers=headers,
    )


@router.get("/certificate")
async def certificate(visit: ActingDep, certificate_id: UUID) -> Response:
    """A certificate of deletion, for whoever administered the company that is no more."""
    _only_who_decides(visit)
    async with transaction(visit.console.engine) as tx:
        found = await handed_out.certificate_of(tx, visit.me.account_id, certificate_id)
    if found is None:
        raise PageUnknown
    about, words = found
    headers = {
        "Content-Disposition": f'attachment; filename="{about}-deleted.txt"',
        "Cache-Control": "private, no-store",
    }
    return PlainTextResponse(words, headers=headers)


def _only_who_decides(visit: Visit) -> None:
    """Administrators who see every client."""
    visit.only_for("admin")
    if not visit.sees_all:
        raise PageUnknown


async def _held_clients(visit: Visit) -> int | None:
    """How many clients are kept from erasing; ``None`` when ledger does not say."""
    try:
        found: dict[str, Any] = await visit.neighbours().get("ledger", "/retention")
    except (Refused, ServiceSilent):
        return None
    return len(found["holds"])


async def _page(
    request: Request, visit: Visit, notice: Mapping[str, str] | None, *, status: int = 200
) -> Response:
    _only_who_decides(visit)
    async with transaction(visit.console.engine) as tx:
        rest = await handed_out.rest_of(tx, visit.company)
        exports = await handed_out.exports_of(tx, visit.company)
        certificates = await handed_out.certificates_of(tx, visit.me.account_id)
    return page(
        request,
        visit,
        "leaving.html",
        status=status,
        rest=rest,
        may_be_deleted=rest is not None and rest.until <= clock.now().date(),
        exports=exports,
        is_asked=any(one.status == "asked" for one in exports),
        told=TOLD,
        kept_days=handed_out.KEPT_DAYS,
        certificates=certificates,
        held_clients=await _held_clients(visit),
        notice=notice,
        proof=proof_of(visit),
        provider=provider_of(visit),
    )
