"""Configurer, Synchronisation: bring a file of the accounting in, and what came of it."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Refused
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter()


@router.get("/c/{company}/imports")
async def imports(request: Request, visit: VisitDep, run: UUID | None = None, refused: str = "") -> Response:
    neighbours = visit.neighbours()
    try:
        found, result = await asyncio.gather(
            neighbours.get("sync", "/imports", language=visit.language),
            neighbours.get("sync", f"/imports/{run}", language=visit.language) if run else asyncio.sleep(0, None),
        )
    except Refused as refusal:
        if refusal.status == 404:
            raise PageUnknown from refusal
        raise
    return page(
        request,
        visit,
        "imports.html",
        runs=found["runs"],
        result=result,
        run=run,
        notice={"tone": "stop", "text": _why_refused(visit, refused)} if refused else None,
    )


def _why_refused(visit: Visit, code: str) -> str:
    _ = visit.words.gettext
    if code == "empty":
        return _("Choisissez un fichier à importer.")
    return _("Le fichier n’a pas pu être pris en charge. Réessayez dans un instant.")


@router.post("/c/{company}/imports")
async def bring_in(visit: ActingDep, file: UploadFile, connector: Annotated[str, Form()] = "fec") -> Response:
    content = await file.read()
    if not content:
        return RedirectResponse(visit.url("imports", refused="empty"), status_code=303)
    try:
        answer = await visit.neighbours().request(
            "sync",
            "POST",
            "/imports",
            params={"connector": connector, "filename": (file.filename or "fichier")[:200]},
            content=content,
        )
    except Refused as refusal:
        return RedirectResponse(visit.url("imports", refused=refusal.code), status_code=303)
    return RedirectResponse(visit.url("imports", run=answer.json()["run_id"]), status_code=303)
