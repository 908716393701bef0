"""Messages as they left, and as they would leave."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.eventlog import Cause
from chassis.http import AsOfDep, CauseDep, CompanyDep, RunningDep, SayDep, TxDep
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.problems import Problem
from contracts.dunning import Action
from services.notify import manuscript, messages, pixel, queries
from services.notify.api.attachments import FileName, MediaType
from services.notify.api.bodies import Body
from services.notify.api.progress import STATUS
from services.notify.api.templates import check
from services.notify.attachments import MOST_BYTES, MOST_FILES, File, files_of, known, whole
from services.notify.delivered import Draft, TemplateMissing, Text
from services.notify.desk import Desk
from services.notify.document_links import links_of_messages
from services.notify.domain import NotYetHeard, last_look
from services.notify.formats import Medium
from services.notify.invoices import files_of_messages
from services.notify.letters.pictures import html_of
from services.notify.letters.preparing import NO_ADDRESS, Preparer, Wish
from services.notify.manuscript import Form, clean
from services.notify.messages import usable_addresses
from services.notify.rendering import Rendered
from services.notify.settings import NotifySettings
from services.notify.writing import Writer, mail_of, written

router = APIRouter(prefix="/companies/{company}")

COLUMNS = f"""
    a.action_id, a.client_id, a.step, a.due_on, message.message_id, message.subject, message.recipients,
    message.composed_at, message.answer, message.refused, {STATUS} as status, outcome.reason, outcome.at,
    outcome.as_of, outcome.opened_at, outcome.fetched_at, outcome.bounced, message.template,
    message.template_language, message.template_version
"""

SOURCE = """
    from action a
    left join job on job.id = a.action_id and job.company = a.company
    left join message on message.company = a.company and message.action_id = a.action_id
    left join outcome on outcome.company = a.company and outcome.action_id = a.action_id
    where a.company = :company and a.medium = 'email' and a.due_on is not null
"""

OF_CLIENT = text(
    f"select {COLUMNS} {SOURCE} and a.client_id = :client_id order by a.due_on desc, a.step desc, a.action_id"
)
ONE = text(f"select {COLUMNS}, message.raw, message.files, message.cut {SOURCE} and a.action_id = :action_id")

REPORTS = text(
    "select kind, reason, status, address, text, read_at from report"
    " where company = :company and action_id = :action_id order by read_at, digest, n"
)
REPLIED = text("select received_at, handled_at from reply where company = :company and action_id = :action_id")
SEEN = text("select 1 from action where company = :company and action_id = :action_id")
"""The desk reads what every caller may see: first it is asked whether this one may."""

ADD_DRAFT = text(
    "insert into draft (company, draft_id, action_id, client_id, subject, body, recipients, copies, sender_name,"
    " reply_to, address, form, files, attach_invoices, written_by) values (:company, :draft_id, :action_id,"
    " :client_id, :subject, :body, :recipients, :copies, :sender_name, :reply_to, :address, :form,"
    " cast(:files as jsonb), :attach_invoices, :written_by)"
)

Address = Annotated[str, Field(max_length=320)]


class Attached(Body):
    """A file that was handed over before (``POST /attachments``), under the name that the recipient sees."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    name: FileName
    media_type: MediaType = "application/octet-stream"


class Written(Body):
    """What a person wrote for a message; what is left out is as usual: template, recipients, sender, address.

    ``attach_invoices`` adds the documents of the invoices that it speaks of.
    """

    subject: str | None = Field(None, max_length=1000)
    body: str | None = Field(None, max_length=100_000)
    to: list[Address] | None = Field(None, max_length=50)
    copies: list[Address] | None = Field(None, max_length=50)
    sender_name: str | None = Field(None, max_length=200)
    reply_to: Address | None = None
    address: str | None = Field(None, max_length=1000)
    attachments: list[Attached] = Field(default_factory=list, max_length=MOST_FILES)
    attach_invoices: bool | None = None
    form: Form = "text"
    """Of the body."""

    def kept_body(self) -> str:
        """The body, and of HTML only what a text may hold."""
        return clean(self.body or "") if self.form == "html" else self.body or ""

    async def draft(self, tx: AsyncConnection, company: str) -> Draft:
        """Checked. Answers 422 with the problems of its tags, the places of addresses that cannot be used, or
        files that are unknown or too large together (rule 9.1)."""
        sizes = await known(tx, company, [one.sha256 for one in self.attachments]) if self.attachments else {}
        unknown = [one.name for one in self.attachments if one.sha256 not in sizes]
        if unknown:
            raise Problem("attachment-unknown", "A file was never handed over", 422, names=unknown)
        if sum(sizes[one.sha256] for one in self.attachments) > MOST_BYTES:
            raise Problem("attachments-too-large", "Files of a message have 15 MB together", 422)
        files = [File(one.sha256, one.name, one.media_type, sizes[one.sha256]) for one in self.attachments]
        for name, given in (("to", self.to), ("copies", self.copies), ("reply_to", [self.reply_to or ""])):
            wrong = [place for place, one in enumerate(given or []) if one.strip() and not usable_addresses([one])]
            if wrong:
                raise Problem("address-unusable", "This is not one e-mail address", 422, member=name, places=wrong)
        if self.to is not None and not usable_addresses(self.to):
            raise Problem("nobody-to-write-to", "A message needs a recipient", 422)
        body = None if self.body is None else self.kept_body()
        if body is not None or self.subject is not None:
            check(self.subject or "", body or "", self.form)
        return Draft(
            text=None if body is None else Text(self.subject or "", body, own=True, form=self.form),
            to=None if self.to is None else usable_addresses(self.to),
            copies=None if self.copies is None else usable_addresses(self.copies),
            sender_name=self.sender_name,
            reply_to=self.reply_to,
            address=None if self.address is None else tuple(self.address.splitlines()),
            files=tuple(dict.fromkeys(files)),
            attach_invoices=self.attach_invoices,
        )


class NewDraft(Written):
    """For one action, or all that are confirmed with its ``draft_id``; ``client_id`` is whose data it holds."""

    action_id: UUID | None = None
    client_id: str | None = Field(None, max_length=64)


class Planned(Body):
    """An action as dunning would say it, and what a person wrote for it."""

    action: Action
    written: Written | None = None


@router.get("/messages")
async def get_messages(client_id: str, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The e-mails of a client, the newest first."""
    rows = await tx.execute(OF_CLIENT, {"company": company, "client_id": client_id})
    return {"messages": [dict(row._mapping) for row in rows]}


@router.get("/message")
async def get_message(action_id: UUID, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """One e-mail exactly as it left, but for its pixel. Answers 404 before it was written, 410 once the person was
    erased; ``reply_unhandled`` in it: an answer is still to be seen to."""
    asked = {"company": company, "action_id": action_id}
    row = (await tx.execute(ONE, asked)).one_or_none()
    if row is None or row.message_id is None:
        raise Problem("message-unknown", "No message of this action was written", 404, action_id=action_id)
    reply = (await tx.execute(REPLIED, asked)).mappings().one_or_none()
    if row.raw is None:
        unhandled = reply is not None and reply["handled_at"] is None
        raise Problem(
            "message-erased", "The person was erased, and the message with it", 410, reply_unhandled=unhandled
        )
    kept = {name: value for name, value in row._mapping.items() if name not in ("raw", "files", "cut")}
    read = messages.read(bytes(row.raw))
    return kept | {
        "reply": None if reply is None else dict(reply),
        "from": read.sender,
        "to": read.recipients,
        "copies": read.copies,
        "date": read.date,
        "text": read.text,
        "html": pixel.without(read.html),
        "attachments": row.files or [],
        "reports": [dict(one._mapping) for one in await tx.execute(REPORTS, asked)],
    }


@router.get("/message/eml", response_class=Response)
async def get_message_file(action_id: UUID, company: CompanyDep, tx: TxDep) -> Response:
    """The very bytes that were handed to the mail server, with the files they carried. As ``GET /message``."""
    row = (await tx.execute(ONE, {"company": company, "action_id": action_id})).one_or_none()
    if row is None or row.message_id is None:
        raise Problem("message-unknown", "No message of this action was written", 404, action_id=action_id)
    if row.raw is None:
        raise Problem("message-erased", "The person was erased, and the message with it", 410)
    raw = bytes(row.raw)
    if row.files:
        mail = messages.Mail(row.message_id, "", (), row.subject, raw, files_of(row.files), row.cut)
        raw = await whole(tx, company, mail)
    headers = {"Content-Disposition": f'attachment; filename="{action_id}.eml"'}
    return Response(raw, media_type="message/rfc822", headers=headers)


@router.get("/preview")
async def get_preview(
    action_id: UUID, company: CompanyDep, as_of: AsOfDep, process: RunningDep, tx: TxDep
) -> dict[str, Any]:
    """What would leave now for an action that is proposed or due; no text for calls and the like.

    ``held_back_by`` is what the last look would find; there is no text either while it is
    ``entry_not_yet_heard``: a table that lacks lines would be wrong. Answers 503 while ledger cannot say who the
    person is.
    """
    if await tx.scalar(SEEN, {"company": company, "action_id": action_id}) is None:
        raise Problem("action-unknown", "This action is not known here", 404, action_id=action_id)
    writer = writer_of(process)
    with answering():
        return await _preview(writer, await writer.desk(company, [action_id], as_of), action_id)


@router.post("/preview")
async def post_preview(
    body: Planned, company: CompanyDep, as_of: AsOfDep, process: RunningDep, tx: TxDep
) -> dict[str, Any]:
    """The same for an action that was not said yet, with what a person wrote for it (rules 9.1, 9.2)."""
    writer = writer_of(process)
    draft = None if body.written is None else await body.written.draft(tx, company)
    with answering():
        desk = await writer.desk_ahead(company, body.action, draft, as_of)
        return await _preview(writer, desk, body.action.action_id)


def writer_of(process: RunningDep) -> Writer:
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    return Writer(process, settings)


@contextmanager
def answering() -> Iterator[None]:
    try:
        yield
    except TemplateMissing as missing:
        raise Problem("template-missing", "There is no template for this step", 404, str(missing)) from missing
    except (NeighbourUnreachable, NeighbourRefused) as silent:
        raise Problem("people-unreachable", "Ledger does not say who this client is", 503, str(silent)) from silent


async def _preview(writer: Writer, desk: Desk, action_id: UUID) -> dict[str, Any]:
    """The very message that would leave: written and addressed by what writes the mails that leave."""
    looked = desk.looked.get(action_id)
    if looked is None:
        raise Problem("action-unknown", "This action is not known here", 404, action_id=action_id)
    medium = _written(looked.action.medium)
    reason = last_look(looked.action, looked.now, desk.as_of, frozenset(looked.action.accepted_reasons))
    answer = _about(desk, looked) | {"held_back_by": reason}
    if medium is None or isinstance(reason, NotYetHeard):
        return answer | {"subject": "", "text": "", "html": "", "language": None, "own": None}
    chosen = desk.text_for(looked, desk.people[looked.action.client_id].language, medium)
    texts = await writer.labels_for(desk, [(action_id, chosen[0])], medium)
    linked = await links_of_messages(writer.running, desk, {action_id: chosen[0]} if medium == "email" else {})
    rendered = written(desk, looked, chosen, texts, medium=medium, documents=linked.get(action_id, ()))
    html = rendered.html
    if medium == "letter":
        html, answer["unprintable"] = await as_pages(writer, desk, rendered, chosen, texts)
    if medium == "email":
        carried = await files_of_messages(writer.running, desk, [action_id], fetch=False)
        answer["attachments"] = [file.body() for file in carried.get(action_id, ())]
        if answer["to"]:
            read = messages.read(mail_of(desk, looked, rendered, clock.now()).raw)
            answer["from"] = read.sender
    return answer | {
        "subject": rendered.subject,
        "text": rendered.text,
        "html": html,
        "language": rendered.language,
        "own": chosen[0].own,
        "template": {
            "subject": chosen[0].subject,
            "body": chosen[0].body,
            "form": chosen[0].form,
            "html": manuscript.html_of(manuscript.read(chosen[0].body, chosen[0].form)),
        },
    }


async def as_pages(
    writer: Writer, desk: Desk, rendered: Rendered, chosen: tuple[Text, str], texts: Mapping[str, str]
) -> tuple[str, str | None]:
    """The pages as they would be printed, and why they could not be."""
    (action_id,) = desk.looked
    preparer = Preparer(writer.running, writer.settings)
    wish = Wish(action_id, Cause.new("service:notify"))
    letter = preparer.write(desk, action_id, chosen, texts, wish, await preparer.logo(desk.company))
    pictures = await asyncio.to_thread(preparer.press.pictures, letter.page)
    shown = "\n".join((*letter.address, rendered.subject, rendered.text))
    return html_of(pictures, shown, letter.language), None if len(letter.address) > 1 else NO_ADDRESS


def _written(medium: str) -> Medium | None:
    match medium:
        case "email":
            return "email"
        case "letter":
            return "letter"
        case _:
            return None


def _about(desk: Desk, looked: queries.Looked) -> dict[str, Any]:
    action, found = looked.action, desk.recipients_of(looked)
    by_mail = action.medium == "email"
    return {
        "action_id": action.action_id,
        "client_id": action.client_id,
        "step": action.step,
        "medium": action.medium,
        "state": looked.state,
        "from": desk.sender_of(looked).email,
        "to": found.to if by_mail else (),
        "copies": found.copies if by_mail else (),
        "address": desk.addressed(looked).address if action.medium == "letter" else (),
    }


@router.post("/drafts")
async def post_draft(body: NewDraft, company: CompanyDep, say: SayDep, cause: CauseDep) -> dict[str, Any]:
    """Keep what a person wrote; dunning is told its ``draft_id`` when the action is confirmed.

    Answers 422 with the problems of its tags, or the places of addresses that cannot be used.
    """
    draft = await body.draft(say.tx, company)
    draft_id = uuid4()
    values = {
        "company": company,
        "draft_id": draft_id,
        "action_id": body.action_id,
        "client_id": body.client_id,
        "subject": None if draft.text is None else draft.text.subject,
        "body": None if draft.text is None else draft.text.body,
        "recipients": None if draft.to is None else list(draft.to),
        "copies": None if draft.copies is None else list(draft.copies),
        "sender_name": draft.sender_name,
        "reply_to": draft.reply_to,
        "address": body.address,
        "form": body.form,
        "files": json.dumps([file.body() for file in draft.files]) if draft.files else None,
        "attach_invoices": draft.attach_invoices,
        "written_by": cause.actor,
    }
    await say.tx.execute(ADD_DRAFT, values)
    return {"draft_id": draft_id}
