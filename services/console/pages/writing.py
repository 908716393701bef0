"""Configurer, Modèles: one text, written in an editor, tried on a real client, saved as versions (rule 13)."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup, escape

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.pages.message import MAIL_POLICY
from services.console.pages.templates import KINDS
from services.console.rendering import editing
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter(prefix="/c/{company}")

HTML = re.compile(r"<(?:p|div|br|ul|ol|li|h[1-6]|blockquote|strong|b|em|i|u|a)\b", re.IGNORECASE)
DONE = {
    "saved": N_("Le modèle est enregistré : version %(version)s."),
    "same": N_("Rien n’a changé : le modèle reste à la version %(version)s."),
}

Name = Annotated[str, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Medium = Literal["email", "letter"]
Language = Literal["fr", "en"]


@dataclass
class Draft:
    """A template as it stands in the form. ``version`` is the one that was opened, 0 for the delivered text."""

    name: str
    medium: str
    language: str
    kind: str = "reminder"
    level: int | None = None
    title: str = ""
    subject: str = ""
    html: str = ""
    version: int = 0
    own: bool = False
    delivered: bool = False
    changed_by: str | None = None
    changed_at: str | None = None
    client_id: str = ""
    problems: list[str] = field(default_factory=list)

    def body(self) -> Json:
        """What notify is told of the text alone."""
        return {"subject": self.subject, "body": self.html, "form": form_of(self.html)}


def form_of(body: str) -> str:
    """The editor sends HTML; without scripts a person may type plain text into the same field."""
    return "html" if HTML.search(body) else "text"


@router.get("/template")
async def template(
    request: Request,
    visit: VisitDep,
    name: Name,
    medium: Medium = "email",
    language: Language = "fr",
    version: Annotated[int | None, Query(ge=1)] = None,
    done: str = "",
    kind: Annotated[str, Query(pattern="^(notice|reminder|thanks)$")] = "reminder",
    title: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The editor: with the text in use, an earlier version, or, for a new name, that of the first reminder."""
    known: Json = await visit.neighbours().get("notify", "/templates")
    draft = _draft(known["templates"], name, medium, language)
    if draft is None:
        # a new one of the company's own begins with a delivered text of its kind
        begun = _draft(known["templates"], {"reminder": "R1"}.get(kind, kind), medium, language)
        if begun is None or not visit.is_at_least("admin"):
            raise PageUnknown
        draft = Draft(name, medium, language, kind, None, title.strip(), begun.subject, begun.html)
        _as_its_other_texts(draft, known["templates"])
    versions: Json = await visit.neighbours().get(
        "notify", "/templates/versions", name=name, medium=medium, language=language
    )
    if version is not None:
        earlier = next((one for one in versions["versions"] if one["version"] == version), None)
        if earlier is None:
            raise PageUnknown
        draft.subject, draft.html = earlier["subject"], earlier["html"]
    notice = None
    if done in DONE:
        notice = {"tone": "ok", "text": visit.words.gettext(DONE[done]) % {"version": draft.version}}
    return _editor(request, visit, draft, known, versions["versions"], notice, shown_version=version)


def _draft(known: list[Json], name: str, medium: str, language: str) -> Draft | None:
    found = next(
        (one for one in known if (one["name"], one["medium"], one["language"]) == (name, medium, language)), None
    )
    if found is None:
        return None
    members = {member: found[member] for member in Draft.__dataclass_fields__ if member in found}
    return Draft(**members | {"title": found["title"] if found["own"] else ""})


def _as_its_other_texts(draft: Draft, known: list[Json]) -> None:
    """What a template is for is the same in all its texts."""
    for other in known:
        if other["name"] == draft.name:
            draft.kind, draft.level = other["kind"], other["level"]
            draft.title = draft.title or (other["title"] if other["own"] else "")


def _editor(
    request: Request,
    visit: Visit,
    draft: Draft,
    known: Json,
    versions: list[Json],
    notice: Json | None = None,
    *,
    shown_version: int | None = None,
    status: int = 200,
) -> Response:
    delivered = visit.vocabulary.is_delivered(draft.name)
    return editing(
        request,
        visit,
        "template.html",
        draft=draft,
        delivered=delivered,
        versions=versions,
        shown_version=shown_version,
        tags=known["tags"],
        kinds=KINDS,
        notice=notice,
        locked=not visit.is_at_least("admin"),
        status=status,
    )


@router.post("/template")
async def write(
    request: Request,
    visit: ActingDep,
    name: Annotated[str, Form(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")],
    medium: Annotated[Medium, Form()],
    language: Annotated[Language, Form()],
    do: Annotated[Literal["save", "preview", "text"], Form()] = "save",
    kind: Annotated[Literal["notice", "reminder", "thanks"], Form()] = "reminder",
    level: Annotated[str, Form(pattern=r"^([1-7])?$")] = "",
    title: Annotated[str, Form(max_length=100)] = "",
    subject: Annotated[str, Form(max_length=1000)] = "",
    body: Annotated[str, Form(max_length=100_000)] = "",
    version: Annotated[int, Form(ge=0)] = 0,
    client_id: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Save, or show the text on a client."""
    draft = Draft(
        name,
        medium,
        language,
        kind,
        int(level) if level else None,
        title,
        subject,
        body.replace("\r\n", "\n"),
        version,
        client_id=client_id.strip(),
    )
    if do != "save":
        return await _shown(visit, draft, as_text=do == "text")
    visit.only_for("admin")
    neighbours = visit.neighbours()
    wanted = draft.body() | {
        "name": name,
        "medium": medium,
        "language": language,
        "expected_version": version,
        "kind": kind,
        "level": draft.level,
        "title": title,
    }
    try:
        kept: Json = await neighbours.command("notify", "PUT", "/templates", wanted)
    except Refused as refusal:
        known: Json = await neighbours.get("notify", "/templates")
        draft.problems = _told(visit, refusal.facts)
        notice = {"tone": "stop", "text": visit.vocabulary.refusal(refusal.code)}
        return _editor(request, visit, draft, known, [], notice, status=422)
    outcome = "saved" if kept["changed"] else "same"
    return RedirectResponse(
        visit.url("template", name=name, medium=medium, language=language, done=outcome), status_code=303
    )


def _told(visit: Visit, facts: Json) -> list[str]:
    member = "message" if visit.language == "fr" else "message_en"
    return [str(problem[member]) for problem in facts.get("problems", []) if problem.get(member)]


@router.get("/template/preview")
async def preview(
    visit: VisitDep,
    name: Name,
    medium: Medium = "email",
    language: Language = "fr",
    as_text: Annotated[bool, Query()] = False,
    client_id: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The text in use, shown on a client: for who reads texts and writes none."""
    known: Json = await visit.neighbours().get("notify", "/templates")
    draft = _draft(known["templates"], name, medium, language)
    if draft is None:
        raise PageUnknown
    draft.client_id = client_id.strip()
    return await _shown(visit, draft, as_text=as_text)


async def _shown(visit: Visit, draft: Draft, *, as_text: bool) -> Response:
    """The message alone, for the frame, under a line that says for whom it is."""
    tried = draft.body() | {
        "medium": draft.medium,
        "language": draft.language,
        "kind": draft.kind,
        "level": draft.level,
        "client_id": draft.client_id or None,
    }
    try:
        found: Json = await visit.neighbours().post_query("notify", "/templates/preview", tried)
    except Refused as refusal:
        told = _told(visit, refusal.facts) or [visit.vocabulary.refusal(refusal.code)]
        content = Markup("").join(Markup("<li>{}</li>").format(one) for one in told)
        alert = Markup(
            '<!doctype html><html lang="{}"><head><meta charset="utf-8"><title>{}</title></head>'
            '<body style="font-family:sans-serif;padding:16px"><ul role="alert">{}</ul></body></html>'
        )
        shown = alert.format(visit.language, visit.words.gettext("Aperçu"), content)
        return _frame(str(shown), 422)
    notes = _notes(visit, draft, found)
    if as_text:
        plain = Markup(
            '<!doctype html><html lang="{}"><head><meta charset="utf-8"><title>{}</title></head>'
            '<body style="margin:0;background:#fff">{}<pre style="padding:0 16px 16px;white-space:pre-wrap;'
            'overflow-wrap:anywhere;font-size:13px">{}</pre></body></html>'
        )
        return _frame(str(plain.format(draft.language, found["subject"], notes, found["text"])))
    return _frame(under(notes, found["html"]))


def _notes(visit: Visit, draft: Draft, found: Json) -> Markup:
    _ = visit.words.gettext
    told = [f"{found['client_name']} ({found['client_id']})"]
    told.append(_("Objet : %(subject)s") % {"subject": found["subject"]})
    if not found["fits"]:
        told.append(_("Ce client n’a rien de ce que ce modèle relance : ses autres pièces sont montrées."))
    told += [one["reason" if visit.language == "fr" else "reason_en"] for one in found["left_out"]]
    if found.get("unprintable"):
        told.append(visit.vocabulary.reason(found["unprintable"]))
    lines = Markup("<br>").join(escape(one) for one in told)
    return Markup(
        '<div role="status" style="padding:10px 16px;background:#fff;border-bottom:1px solid #e2e6ec;'
        'font-family:Arial,Helvetica,sans-serif;font-size:13px;line-height:19px;color:#5b6676">{}</div>'
    ).format(lines)


def under(notes: Markup, document: str) -> str:
    """A document with a line above all that it shows."""
    start = document.index(">", document.index("<body")) + 1
    return f"{document[:start]}{notes}{document[start:]}"


def _frame(content: str, status: int = 200) -> Response:
    headers = {"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(content, status, headers=headers | {"Cache-Control": "private, no-store"})


@router.post("/template/delete")
async def delete(
    visit: ActingDep,
    name: Annotated[str, Form(max_length=40)],
    medium: Annotated[Medium, Form()],
    language: Annotated[Language, Form()],
) -> Response:
    """Back to the delivered text; one of the company's own is gone."""
    visit.only_for("admin")
    which = {"name": name, "medium": medium, "language": language}
    try:
        await visit.neighbours().request("notify", "DELETE", "/templates", params=which)
    except Refused as refusal:
        return RedirectResponse(visit.url("templates", refused=refusal.code), status_code=303)
    done = "taken-back" if visit.vocabulary.is_delivered(name) else "deleted"
    return RedirectResponse(visit.url("templates", done=done), status_code=303)
