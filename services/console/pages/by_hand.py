"""Agir, par client: a message, a letter, a call composed for chosen entries (rules 5.5, 5.6, 9.1 to 9.3)."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from chassis.database import transaction
from services.console.accounts import Member, members
from services.console.formatting import day_written
from services.console.gateway import Json, Neighbours, Refused
from services.console.pages.confirming import complete
from services.console.pages.message import MAIL_POLICY
from services.console.pages.sendings import remember_sending
from services.console.pages.writing import form_of
from services.console.rendering import editing
from services.console.visits import ActingDep, Visit

router = APIRouter(prefix="/c/{company}/client")

MEDIA = ("email", "letter", "phone", "other")
WRITTEN = ("email", "letter")
KINDS = ("reminder", "notice", "thanks")
COMPANY_WRITES = "company"
SEPARATORS = re.compile(r"[\s,;]+")
MOST_FILES = 15
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}")
UNSAFE_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\]+")
FRAME_POLICY = "default-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"

Medium = Literal["email", "letter", "phone", "other"]
Kind = Literal["reminder", "notice", "thanks"]
EntryIds = Annotated[list[str], Form(default_factory=list, alias="entry_id", max_length=1000)]
Line = Annotated[str, Form(max_length=1000)]


@dataclass
class Composed:
    """The form as it stands. ``accepted`` are the reasons against it that the person has been shown."""

    client_id: str
    entry_ids: list[str]
    medium: str
    kind: str = "reminder"
    template: str = ""
    counts: bool = True
    next_step: str = ""
    request_id: str = field(default_factory=lambda: str(uuid4()))
    sender: str = ""
    to: str = ""
    copies: str = ""
    address: str = ""
    subject: str = ""
    body: str = ""
    accepted: list[str] = field(default_factory=list)
    attached: list[Json] = field(default_factory=list)
    """Files that notify has already: ``{sha256, name, media_type}``."""
    attach_invoices: bool = False

    def wish(self) -> Json:
        """As dunning is asked for it."""
        return {
            "request_id": self.request_id,
            "client_id": self.client_id,
            "entry_ids": self.entry_ids,
            "kind": self.kind,
            "medium": self.medium,
            "template": self.template or None,
            "counts": self.counts,
            "next_step": self.next_step or None,
            "accepted_reasons": self.accepted,
        }

    def written(self, writer: Member | None) -> Json:
        """As notify is told of it."""
        told: Json = {"subject": self.subject, "body": self.body, "form": form_of(self.body)}
        if self.medium == "letter":
            return told | {"address": self.address}
        told |= {"to": addresses(self.to), "copies": addresses(self.copies)}
        told |= {"attachments": self.attached, "attach_invoices": self.attach_invoices}
        if writer is not None:
            told |= {"sender_name": writer.name, "reply_to": writer.email}
        return told


def addresses(text: str) -> list[str]:
    """Addresses as people write them: by commas, semicolons, spaces or lines."""
    return [one for one in SEPARATORS.split(text.strip()) if one]


@router.post("/choose")
async def choose(
    visit: ActingDep,
    client_id: Annotated[str, Form(min_length=1, max_length=64)],
    entry_id: EntryIds,
    medium: Annotated[Medium, Form()] = "email",
) -> Response:
    """The entries that are ticked on the statement, and how to speak of them."""
    address = visit.url("client/compose", client_id=client_id, medium=medium)
    return RedirectResponse(address + "".join(f"&entry_id={quote(one)}" for one in entry_id), status_code=303)


@router.get("/compose")
async def compose(
    request: Request,
    visit: ActingDep,
    client_id: Annotated[str, Query(min_length=1, max_length=64)],
    medium: Medium = "email",
    entry_id: Annotated[list[str] | None, Query(max_length=1000)] = None,
) -> Response:
    """The form for the ticked entries; without any, for all that are late."""
    neighbours = visit.neighbours()
    chosen = entry_id or await _late(neighbours, visit, client_id)
    if not chosen:
        return _back(visit, client_id, refused="nothing-chosen")
    composed = Composed(client_id, list(chosen), medium, sender=str(visit.me.account_id))
    return await _form(request, visit, neighbours, composed, fresh=True)


async def _late(neighbours: Neighbours, visit: Visit, client_id: str) -> list[str]:
    found: Json = await neighbours.get("reporting", "/client", client_id=client_id, as_of=visit.as_of.isoformat())
    lines = found["statement"]["entries"]
    return [line["entry_id"] for line in lines if line["open"] and line["days_late"] > 0]


async def _form(
    request: Request,
    visit: Visit,
    neighbours: Neighbours,
    composed: Composed,
    *,
    fresh: bool = False,
    refused: Json | None = None,
) -> Response:
    """``fresh`` fills the text from the template."""
    try:
        planned: Json = await neighbours.post_query(
            "dunning",
            f"/by-hand/plan?language={visit.language}",
            composed.wish() | {"as_of": visit.as_of.isoformat()},
        )
    except Refused as refusal:
        return _back(visit, composed.client_id, refused=refusal.code)
    if fresh and not composed.template and composed.medium in WRITTEN:
        composed.template = planned["action"]["step"]
        planned["action"]["template"] = composed.template
    templates, person, people = await asyncio.gather(
        neighbours.get("notify", "/templates"),
        neighbours.get("ledger", "/client", client_id=composed.client_id),
        _people(visit),
    )
    if fresh and composed.medium in WRITTEN:
        shown: Json = await neighbours.post_query("notify", "/preview", {"action": planned["action"]})
        text = shown.get("template") or {"subject": "", "html": ""}
        composed.subject, composed.body = text["subject"], text["html"]
        composed.to = composed.to or ", ".join(shown["to"])
        composed.copies = composed.copies or ", ".join(shown["copies"])
        composed.address = composed.address or "\n".join(shown["address"])
        composed.attach_invoices = bool(shown.get("attachments"))
    composed.accepted = list(planned["reasons"])
    return editing(
        request,
        visit,
        "compose.html",
        composed=composed,
        planned=planned,
        names=_templates(templates, composed),
        tags=templates["tags"],
        people=people,
        person=person,
        kinds=KINDS,
        refused=refused,
        status=422 if refused else 200,
    )


def _templates(found: Json, composed: Composed) -> list[str]:
    """The names that fit the medium and the type, as the template's filter does (rule 9.1)."""
    wanted = composed.medium, composed.kind
    return list(dict.fromkeys(one["name"] for one in found["templates"] if (one["medium"], one["kind"]) == wanted))


async def _people(visit: Visit) -> list[Member]:
    async with transaction(visit.console.engine) as tx:
        found = await members(tx, visit.company)
    return sorted(found, key=lambda one: (one.account_id != str(visit.me.account_id), one.name))


async def _writer(visit: Visit, composed: Composed) -> Member | None:
    """Who signs: the person at the screen unless another was chosen (rule 9.1); ``None`` for the company."""
    if composed.sender == COMPANY_WRITES:
        return None
    return next((one for one in await _people(visit) if one.account_id == composed.sender), None)


@router.post("/compose")
async def composed(
    request: Request,
    visit: ActingDep,
    client_id: Annotated[str, Form(min_length=1, max_length=64)],
    entry_id: EntryIds,
    accepted: Annotated[list[str], Form(default_factory=list)],
    medium: Annotated[Medium, Form()],
    request_id: Annotated[UUID, Form()],
    do: Annotated[Literal["template", "preview", "send"], Form()] = "template",
    kind: Annotated[Kind, Form()] = "reminder",
    template: Annotated[str, Form(max_length=100)] = "",
    counts: Annotated[bool, Form()] = False,
    next_step: Annotated[str, Form(pattern=r"^(R[1-7])?$")] = "",
    sender: Annotated[str, Form(max_length=40)] = "",
    to: Line = "",
    copies: Line = "",
    address: Line = "",
    subject: Line = "",
    body: Annotated[str, Form(max_length=100_000)] = "",
    done_on: Annotated[str, Form(max_length=10)] = "",
    outcome: Annotated[str, Form(max_length=40)] = "reached",
    comment: Annotated[str, Form(max_length=4000)] = "",
    attached: Annotated[list[str] | None, Form(max_length=MOST_FILES)] = None,
    attach_invoices: Annotated[bool, Form()] = False,
    file: Annotated[list[UploadFile] | None, File()] = None,
) -> Response:
    """Take another template, show what would leave, or send."""
    form = Composed(
        client_id,
        entry_id,
        medium,
        kind,
        template,
        counts,
        next_step,
        str(request_id),
        sender,
        to,
        copies,
        address,
        subject,
        body.replace("\r\n", "\n"),
        accepted,
        [named for one in attached or () if (named := _named(one)) is not None],
        attach_invoices,
    )
    neighbours = visit.neighbours()
    try:
        form.attached += [await _handed_over(neighbours, one) for one in file or () if one.filename]
    except Refused as refusal:
        return await _form(request, visit, neighbours, form, refused=refusal.facts)
    if do == "preview":
        return await _preview(visit, neighbours, form)
    if do == "template":
        if template not in _templates(await neighbours.get("notify", "/templates"), form):
            form.template = ""
        return await _form(request, visit, neighbours, form, fresh=True)
    day = day_written(done_on) if done_on.strip() else visit.as_of
    if day is None or day > visit.as_of:
        return await _form(request, visit, neighbours, form, refused={"type": "done-later"})
    return await _send(request, visit, neighbours, form, (day.isoformat(), outcome, comment.strip()))


async def _handed_over(neighbours: Neighbours, file: UploadFile) -> Json:
    """Notify keeps the file; the message will only name it."""
    kind = file.content_type or ""
    media_type = kind if MEDIA_TYPE.fullmatch(kind) else "application/octet-stream"
    answer = await neighbours.request(
        "notify", "POST", "/attachments", content=await file.read(), params={"media_type": media_type}
    )
    name = UNSAFE_IN_NAMES.sub("-", file.filename or "")[-200:].strip() or "document"
    return {"sha256": answer.json()["sha256"], "name": name, "media_type": media_type}


def _named(written: str) -> Json | None:
    """A file of the form as it was sent to the screen; nothing for what is not one."""
    try:
        sha256, media_type, name = json.loads(written)
    except (ValueError, TypeError):
        return None
    return {"sha256": str(sha256), "name": str(name), "media_type": str(media_type)}


async def _preview(visit: Visit, neighbours: Neighbours, form: Composed) -> Response:
    """The very message that would leave, alone, for the frame."""
    writer = await _writer(visit, form)
    try:
        planned: Json = await neighbours.post_query(
            "dunning", "/by-hand/plan", form.wish() | {"as_of": visit.as_of.isoformat()}
        )
        asked = {"action": planned["action"], "written": form.written(writer)}
        shown: Json = await neighbours.post_query("notify", "/preview", asked)
    except Refused as refusal:
        words = visit.vocabulary.refused(refusal.facts)
        return HTMLResponse(
            f"<!doctype html><meta charset=utf-8><title>–</title><p role=alert>{_escaped(words)}</p>",
            headers={"Content-Security-Policy": FRAME_POLICY, "X-Frame-Options": "SAMEORIGIN"},
        )
    head = {"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store"}
    return HTMLResponse(shown["html"], headers=head)


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")


async def _send(
    request: Request, visit: Visit, neighbours: Neighbours, form: Composed, told: tuple[str, str, str]
) -> Response:
    """Keep what was written at notify, say the action at dunning, note a call as made."""
    wish = form.wish()
    try:
        if form.medium in WRITTEN:
            draft = form.written(await _writer(visit, form)) | {"client_id": form.client_id}
            wish["draft_id"] = (await neighbours.post_query("notify", "/drafts", draft))["draft_id"]
        asked = {"actions": [wish], "as_of": visit.as_of.isoformat()}
        answer = await neighbours.post("dunning", "/by-hand", asked)
    except Refused as refusal:
        return await _form(request, visit, neighbours, form, refused=refusal.facts)
    if answer["refused"]:
        first = answer["refused"][0]
        return await _form(request, visit, neighbours, form, refused={"type": first["reason"], **first})
    (action_id,) = map(str, answer["done"])
    if form.medium == "email":
        await remember_sending(visit, [action_id], [])
        return _back(visit, form.client_id, done="by-hand-email", tab="history", after=neighbours.at_least)
    if form.medium == "letter":
        address = visit.url("message", action_id=action_id, preview="true", after=neighbours.at_least)
        return RedirectResponse(address, status_code=303)
    done_on, outcome, comment = told
    try:
        await complete(neighbours, [action_id], outcome, comment, done_on)
    except Refused as refusal:
        if refusal.code != "task-over":  # sent twice: it is noted already
            return _back(visit, form.client_id, refused=refusal.code)
    return _back(visit, form.client_id, done="by-hand-call", tab="history", after=neighbours.at_least)


@router.post("/levels")
async def levels(
    visit: ActingDep,
    client_id: Annotated[str, Form(min_length=1, max_length=64)],
    entry_id: EntryIds,
    next_step: Annotated[str, Form(pattern=r"^R[1-7]$")],
) -> Response:
    """Choose what comes next for the ticked entries; without any, for all that are late (rule 5.6)."""
    neighbours = visit.neighbours()
    chosen = entry_id or await _late(neighbours, visit, client_id)
    if not chosen:
        return _back(visit, client_id, refused="nothing-chosen")
    wanted = [{"client_id": client_id, "entry_id": one, "next_step": next_step} for one in chosen]
    try:
        answer = await neighbours.post("dunning", "/levels", {"levels": wanted, "as_of": visit.as_of.isoformat()})
    except Refused as refusal:
        return _back(visit, client_id, refused=refusal.code)
    if answer["refused"]:
        return _back(visit, client_id, refused=answer["refused"][0]["reason"], after=neighbours.at_least)
    return _back(visit, client_id, done="levels", after=neighbours.at_least)


def _back(visit: Visit, client_id: str, **more: Any) -> Response:
    return RedirectResponse(visit.url("client", client_id=client_id, **more), status_code=303)
