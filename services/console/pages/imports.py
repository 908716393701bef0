"""Configurer, Synchronisation: bring a file of the accounting in, follow it, and see what came of it."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from services.console.gateway import Json, Refused, ServiceSilent
from services.console.language import N_
from services.console.pages.planning import WEEKDAYS, spoken_slot
from services.console.rendering import environment, page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep, WholeCompany

router = APIRouter(dependencies=[WholeCompany])
CHUNK_BYTES = 1 << 20
LOOK_SECONDS = 0.5
LONGEST_SECONDS = 3600
NEW = "new"
"""Read as: the columns of this file are yet to be chosen."""
FEC = "fec"
STAGES = {
    "queued": (N_("En attente de son tour"), 2),
    "reading": (N_("Lecture du fichier"), 20),
    "comparing": (N_("Comparaison avec le dernier import"), 55),
    "waiting for ledger": (N_("En attente du service des clients"), 65),
    "handing people to ledger": (N_("Reprise des clients et des libellés"), 65),
    "recording": (N_("Enregistrement des changements"), 85),
    "ended": (N_("Terminé"), 100),
}
"""What a run is doing, and how far that is, in hundredths."""


@router.get("/c/{company}/imports")
async def imports(
    request: Request, visit: VisitDep, run: UUID | None = None, refused: str = "", done: str = ""
) -> Response:
    neighbours = visit.neighbours()
    try:
        found, saved, planning, live, result = await asyncio.gather(
            neighbours.get("sync", "/imports", language=visit.language, limit=50),
            neighbours.get("sync", "/mappings"),
            neighbours.get("sync", "/inlets"),
            neighbours.get("sync", "/connectors"),
            neighbours.get("sync", f"/imports/{run}", language=visit.language) if run else asyncio.sleep(0, None),
        )
    except Refused as refusal:
        if refusal.status == 404:
            raise PageUnknown from refusal
        raise
    _ = visit.words.gettext
    notice = {"tone": "stop", "text": why_refused(visit, refused)} if refused else None
    if done == "planned":
        notice = {"tone": "ok", "text": _("C’est noté.")}
    if done == "deleted":
        notice = {"tone": "ok", "text": _("La correspondance est supprimée ; ce qu’elle a importé reste.")}
    return page(
        request,
        visit,
        "imports.html",
        runs=found["runs"],
        mappings=saved["mappings"],
        planning=planning,
        connectors=live["connectors"],
        weekdays=[(day, _(word)) for day, word in WEEKDAYS],
        spoken_slot=partial(spoken_slot, visit),
        result=result,
        stage=stage_of(visit, result) if result else None,
        notice=notice,
    )


def stage_of(visit: Visit, run: Json) -> tuple[str, int]:
    """What a run is doing in words, and how far that is."""
    word, done = STAGES.get(run.get("stage") or "ended", STAGES["queued"])
    return visit.words.gettext(word), done


def why_refused(visit: Visit, code: str) -> str:
    _ = visit.words.gettext
    words = {
        "empty": _("Choisissez un fichier à importer."),
        "file-unreadable": _("Ce fichier n’est ni un tableau CSV ni un classeur XLSX lisible."),
        "file-too-large": _("Ce fichier est trop volumineux."),
        "sample-unknown": _("Ce fichier n’est plus conservé : envoyez-le de nouveau."),
        "connector-silent": _("Ce connecteur est muet : ouvrez-le et relancez-le, puis synchronisez."),
        "cron-unreadable": _("Cette heure n’est pas lisible."),
        "invalid-request": _("Une valeur du formulaire n’est pas acceptée."),
        "inlet-unknown": _("Cette source n’existe plus."),
        "mapping-unknown": _("Cette correspondance n’existe plus."),
    }
    return words.get(code) or _("Le fichier n’a pas pu être pris en charge. Réessayez dans un instant.")


async def chunks(file: UploadFile) -> AsyncIterator[bytes]:
    """The content of an upload, piece by piece: it may be larger than memory."""
    while chunk := await file.read(CHUNK_BYTES):
        yield chunk


@router.post("/c/{company}/imports")
async def bring_in(visit: ActingDep, file: UploadFile, reading: Annotated[str, Form()] = FEC) -> Response:
    """``reading`` is ``fec``, the name of a saved mapping, or ``new``: its columns are to be chosen first."""
    if not file.size:
        return RedirectResponse(visit.url("imports", refused="empty"), status_code=303)
    name = (file.filename or "fichier")[:200]
    path = "/samples" if reading == NEW else "/imports"
    parameters = {"filename": name} | ({} if reading in (NEW, FEC) else {"mapping": reading})
    try:
        answer = await visit.neighbours().request("sync", "POST", path, params=parameters, content=chunks(file))
    except Refused as refusal:
        return RedirectResponse(visit.url("imports", refused=refusal.code), status_code=303)
    if reading == NEW:
        return RedirectResponse(visit.url(f"imports/files/{answer.json()['sample_id']}"), status_code=303)
    return RedirectResponse(visit.url("imports", run=answer.json()["run_id"]), status_code=303)


@router.get("/c/{company}/imports/{run_id}/events")
async def events(request: Request, visit: VisitDep, run_id: UUID) -> Response:
    """The progress of a run as server-sent events, until it has ended."""
    await _run(visit, run_id)
    return StreamingResponse(
        _events(request, visit, run_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _run(visit: Visit, run_id: UUID) -> Json:
    try:
        found: Json = await visit.neighbours().get("sync", f"/imports/{run_id}", language=visit.language)
    except Refused as refusal:
        if refusal.status == 404:
            raise PageUnknown from refusal
        raise
    return found


async def _events(request: Request, visit: Visit, run_id: UUID) -> AsyncIterator[str]:
    said = ""
    template = environment(visit.language).get_template("import_run.html")
    for _ in range(int(LONGEST_SECONDS / LOOK_SECONDS)):
        if await request.is_disconnected():
            return
        try:
            run = await _run(visit, run_id)
        except ServiceSilent:
            yield ": sync does not answer; asking again\n\n"
            await asyncio.sleep(LOOK_SECONDS)
            continue
        text = template.render(visit=visit, request=request, result=run, stage=stage_of(visit, run))
        if text != said:
            said = text
            yield _event("progress", text)
        if run["status"] != "running":
            yield _event("finished", "")
            return
        await asyncio.sleep(LOOK_SECONDS)


def _event(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n"


@router.post("/c/{company}/imports/mappings/delete")
async def delete_mapping(visit: ActingDep, name: Annotated[str, Form()]) -> Response:
    try:
        await visit.neighbours().request("sync", "DELETE", f"/mappings/{name}")
    except Refused as refusal:
        return RedirectResponse(visit.url("imports", refused=refusal.code), status_code=303)
    return RedirectResponse(visit.url("imports", done="deleted"), status_code=303)
