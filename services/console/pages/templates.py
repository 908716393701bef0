"""Configurer, Modèles: the texts of messages by name, medium and language, carried as files (rules 13.1, 13.7)."""

import json
from itertools import product
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, Visit, VisitDep

router = APIRouter(prefix="/c/{company}")

MEDIA = ("email", "letter")
LANGUAGES = ("fr", "en")
KINDS = ("notice", "reminder", "thanks")
LARGEST_FILE = 4 << 20
DONE = {
    "taken-back": N_("Le texte livré est de nouveau utilisé."),
    "deleted": N_("Le modèle est supprimé ; les étapes qui le nomment prennent le texte de leur niveau."),
}


@router.get("/templates")
async def templates(
    request: Request,
    visit: VisitDep,
    done: str = "",
    refused: str = "",
    new: int = 0,
    changed: int = 0,
    same: int = 0,
    checked: bool = False,
) -> Response:
    """Every template by name, with its text in each medium and language."""
    return await _page(request, visit, _notice(visit, done, refused, (new, changed, same), checked=checked))


async def _page(
    request: Request, visit: Visit, notice: Json | None, *, status: int = 200, **more: Any
) -> Response:
    found: Json = await visit.neighbours().get("notify", "/templates")
    return page(
        request,
        visit,
        "templates.html",
        rows=_rows(found["templates"]),
        media=MEDIA,
        languages_written=LANGUAGES,
        kinds=KINDS,
        notice=notice,
        status=status,
        **more,
    )


def _rows(found: list[Json]) -> list[Json]:
    """One per name, delivered ones first; ``texts`` by medium and language, none where there is none."""
    names = dict.fromkeys(one["name"] for one in found)
    rows = []
    for name in names:
        texts = {(one["medium"], one["language"]): one for one in found if one["name"] == name}
        some = next(iter(texts.values()))
        rows.append(
            {
                "name": name,
                "kind": some["kind"],
                "level": some["level"],
                "title": next((one["title"] for one in texts.values() if one["own"] and one["title"]), ""),
                "texts": {place: texts.get(place) for place in product(MEDIA, LANGUAGES)},
            }
        )
    return rows


def _notice(
    visit: Visit, done: str, refused: str, imported: tuple[int, int, int], *, checked: bool
) -> Json | None:
    _ = visit.words.gettext
    if refused:
        return {"tone": "stop", "text": visit.vocabulary.refusal(refused)}
    if done == "imported":
        told = _("Fichier de modèles : %(new)s nouveaux, %(changed)s changés, %(same)s inchangés.")
        new, changed, same = imported
        text = told % {"new": new, "changed": changed, "same": same}
        unsaved = _("Rien n’a été enregistré.")
        return {"tone": "ok", "text": f"{text} {unsaved}" if checked else text}
    return {"tone": "ok", "text": _(DONE[done])} if done in DONE else None


@router.get("/templates/export")
async def export(visit: VisitDep) -> Response:
    """The company's own texts as a file."""
    found: Json = await visit.neighbours().get("notify", "/templates/export")
    name = f"modeles-{visit.company}-{visit.as_of}.json"
    return Response(
        json.dumps(found, ensure_ascii=False, indent=2) + "\n",
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@router.post("/templates/import")
async def import_file(
    request: Request,
    visit: ActingDep,
    file: UploadFile | None = None,
    check: Annotated[bool, Form()] = False,
) -> Response:
    """Take every text of a file, or none and the reasons."""
    visit.only_for("admin")
    if file is None or not file.size or file.size > LARGEST_FILE:
        return RedirectResponse(visit.url("templates", refused="no-template-file"), status_code=303)
    try:
        body: Any = json.loads((await file.read()).decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        return RedirectResponse(visit.url("templates", refused="no-template-file"), status_code=303)
    if not isinstance(body, dict):
        return RedirectResponse(visit.url("templates", refused="no-template-file"), status_code=303)
    try:
        asked = await visit.neighbours().request(
            "notify", "POST", "/templates/import", json=body, params={"dry_run": str(check).lower()}
        )
    except Refused as refusal:
        return await _refused_file(request, visit, refusal)
    states = [one["state"] for one in asked.json()["imported"]]
    counts = {state: states.count(state) for state in ("new", "changed", "same")}
    return RedirectResponse(
        visit.url("templates", done="imported", checked=str(check).lower(), **counts), status_code=303
    )


async def _refused_file(request: Request, visit: Visit, refusal: Refused) -> Response:
    """The list again, with everything that is wrong with the file."""
    member = "message" if visit.language == "fr" else "message_en"
    told = [
        f"{one['name']} ({one['medium']}, {one['language']}) : {one[member]}"
        for one in refusal.facts.get("problems", [])
    ]
    told += [f"{one['where']} : {one['message']}" for one in refusal.facts.get("errors", [])]
    code = refusal.code if told or refusal.code == "template-twice" else "no-template-file"
    notice = {"tone": "stop", "text": visit.vocabulary.refusal(code)}
    return await _page(request, visit, notice, status=422, problems=told)
