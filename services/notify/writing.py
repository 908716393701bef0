"""From jobs to mails: what each says, written for a batch at a time."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from jinja2 import TemplateError
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import transaction
from chassis.eventlog import Cause
from chassis.jobs import Job
from chassis.running import Running
from contracts.dunning import Action
from services.notify import links, pixel, queries
from services.notify.attachments import File
from services.notify.blocks import shows_labels
from services.notify.compiling import UnknownTag
from services.notify.delivered import Draft, TemplateMissing, Text, WrittenWith
from services.notify.desk import Desk
from services.notify.document_links import links_of_messages
from services.notify.domain import LinkedDocument, last_look, message_id
from services.notify.formats import Medium
from services.notify.invoices import files_of_messages
from services.notify.late_interest import claims_of
from services.notify.messages import Mail, compose
from services.notify.openings import all_consented
from services.notify.people import labels, people
from services.notify.queries import Looked
from services.notify.rendering import Rendered, render
from services.notify.settings import NotifySettings
from services.notify.signing import Signature, SignatureSealed, signature_of

log = logging.getLogger(__name__)

NO_ADDRESS = "no_email_address"
SIGNING_KEY = "the signing key cannot be read with this installation's sealing key"
TEMPLATE_MISSING = "template_missing"
TEMPLATE_INVALID = "template_invalid"


@dataclass(slots=True, eq=False)
class Parcel:
    """A message on its way. Without ``mail``, ``failure`` says why none can be written, if it cannot."""

    job: Job
    client_id: str
    message_id: str
    as_of: date
    cause: Cause
    mail: Mail | None = None
    failure: str | None = None
    signature: Signature | None = None
    """How the mail is signed before it leaves."""
    waits_for: str | None = None
    """What an operator has to mend before it may leave."""
    person_version: int = 0
    """Of the person as it was when the mail was written."""
    looked: Looked | None = None
    """The situation in which the mail was written, which was found to let it leave."""
    written_with: WrittenWith | None = None
    settled: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def due_at(self) -> datetime:
        return datetime.fromisoformat(self.job.payload["due_at"])

    def settle(self, error: BaseException | None = None) -> None:
        """Nothing more will happen to it now; ``error`` if that is not known."""
        if self.settled.done():
            return
        if error is None:
            self.settled.set_result(None)
        else:
            self.settled.set_exception(error)


class Writer:
    """Writes the mails of jobs."""

    def __init__(self, running: Running, settings: NotifySettings) -> None:
        self.running = running
        self.settings = settings

    async def write(self, jobs: Sequence[Job]) -> list[Parcel]:
        """One parcel per job. Raises what ``Neighbour`` raises when ledger cannot say who the people are."""
        groups: defaultdict[tuple[str, date], list[Job]] = defaultdict(list)
        for job in jobs:
            groups[job.company, date.fromisoformat(job.payload["as_of"])].append(job)
        parcels: list[Parcel] = []
        for (company, due_on), group in groups.items():
            desk = await self.desk(company, [job.id for job in group], due_on, to_leave=True)
            parcels += await self._write_group(desk, group)
        return parcels

    async def desk(
        self, company: str, action_ids: Sequence[UUID], due_on: date, *, to_leave: bool = False
    ) -> Desk:
        """Everything needed to write about actions of one company, due on one day.

        Only what is ``to_leave`` carries private links that open anything: who looks at a preview is no debtor.
        """

        async def look(tx: AsyncConnection) -> dict[UUID, Looked]:
            return await (queries.look_marked if to_leave else queries.look)(tx, company, action_ids)

        return await self._desk(company, due_on, look, {}, to_leave=to_leave)

    async def desk_ahead(self, company: str, action: Action, draft: Draft | None, due_on: date) -> Desk:
        """The same for an action that was not said yet, with what a person wrote for it."""

        async def look(tx: AsyncConnection) -> dict[UUID, Looked]:
            found = await queries.look_ahead(tx, company, [action])
            return {one: replace(looked, draft_id=one) for one, looked in found.items()}

        return await self._desk(company, due_on, look, {} if draft is None else {action.action_id: draft})

    async def _desk(
        self,
        company: str,
        due_on: date,
        look: Callable[[AsyncConnection], Awaitable[dict[UUID, Looked]]],
        written: Mapping[UUID, Draft],
        *,
        to_leave: bool = False,
    ) -> Desk:
        async with transaction(self.running.engine, company) as tx:
            as_of = await self._as_of(tx, company, due_on)
            looked = await look(tx)
            clients = {one.action.client_id for one in looked.values()}
            draft_ids = {one.draft_id for one in looked.values() if one.draft_id is not None}
            sender = await queries.sender(tx, company, self.settings.default_sender_domain)
            templates = await queries.own_templates(tx, company)
            drafts = {**await queries.drafts(tx, company, draft_ids), **written}
            totals = await queries.totals(tx, company, clients, as_of)
            claims = await claims_of(tx, company, clients, as_of)
            named = {copy_id for one in looked.values() for copy_id in one.action.copies}
            copies = await queries.copies(tx, company, named)
            consents = await queries.consents(tx, company, clients) if sender.track_opens else {}
            spaces = await self._spaces(tx, company, clients, as_of, to_leave=to_leave)
            try:
                signature, sealed = await signature_of(tx, company, self.settings.sealing_key), False
            except SignatureSealed:
                signature, sealed = None, True
        ledger = self.running.neighbour("ledger")
        found = await people(self.running.engine, ledger, company, clients)
        return Desk(
            company,
            as_of,
            sender,
            templates,
            drafts,
            looked,
            totals,
            found,
            copies,
            spaces,
            signature,
            sealed,
            consents,
            claims,
        )

    async def _spaces(
        self, tx: AsyncConnection, company: str, clients: Collection[str], as_of: date, *, to_leave: bool
    ) -> dict[str, str]:
        """The private link of each client; in previews an address that opens nothing."""
        space_url, secret = self.settings.space_url, self.settings.link_secret
        if not (space_url and secret):
            return {}
        if not to_leave:
            return dict.fromkeys(clients, links.example(space_url))
        good = await links.generations(tx, company, clients)
        return {
            client_id: links.url(
                space_url,
                secret,
                links.new(company, client_id, as_of, self.settings.link_days, good.get(client_id, 0)),
            )
            for client_id in clients
        }

    async def _as_of(self, tx: AsyncConnection, company: str, due_on: date) -> date:
        """The day the message leaves: where callers choose the date, the day it became due."""
        if self.settings.allow_as_of:
            return due_on
        return max(due_on, clock.today(await queries.time_zone(tx, company)))

    async def _write_group(self, desk: Desk, jobs: Sequence[Job]) -> list[Parcel]:
        parcels = [self._address(desk, job) for job in jobs]
        chosen = [(parcel, self._choose(desk, parcel)) for parcel in parcels]
        texts = await self._labels(desk, chosen)
        written_ = [parcel.job.id for parcel, choice in chosen if choice is not None]
        carried = await files_of_messages(self.running, desk, written_)
        shown = {parcel.job.id: choice[0] for parcel, choice in chosen if choice is not None}
        linked = await links_of_messages(self.running, desk, shown)
        for parcel, choice in chosen:
            if choice is not None:
                one = parcel.job.id
                self._compose(desk, parcel, choice, texts, carried.get(one, ()), linked.get(one, ()))
                await asyncio.sleep(0)  # writing is all computing: let the connections breathe
        return parcels

    def _address(self, desk: Desk, job: Job) -> Parcel:
        return Parcel(
            job=job,
            client_id=job.key or "",
            message_id=message_id(job.id, desk.sender.email),
            as_of=desk.as_of,
            cause=cause_of(job.payload),
        )

    def _choose(self, desk: Desk, parcel: Parcel) -> tuple[Text, str] | None:
        """The text to write with, or ``None`` when nothing can or need be written."""
        looked = desk.looked.get(parcel.job.id)
        if looked is None:
            return None
        accepted = frozenset(looked.action.accepted_reasons)
        if looked.sent or last_look(looked.action, looked.now, desk.as_of, accepted) is not None:
            return None
        person = desk.people[looked.action.client_id]
        if not desk.recipients_of(looked).to:
            parcel.failure = NO_ADDRESS
            return None
        try:
            return desk.text_for(looked, person.language, "email")
        except TemplateMissing:
            parcel.failure = TEMPLATE_MISSING
            return None

    async def _labels(
        self, desk: Desk, chosen: Sequence[tuple[Parcel, tuple[Text, str] | None]]
    ) -> Mapping[str, str]:
        templates = [(parcel.job.id, choice[0]) for parcel, choice in chosen if choice is not None]
        return await self.labels_for(desk, templates, "email")

    async def labels_for(
        self, desk: Desk, templates: Sequence[tuple[UUID, Text]], medium: Medium
    ) -> Mapping[str, str]:
        """The texts of entries, if one of these templates shows them."""
        shown = [
            action_id for action_id, template in templates if shows_labels(template.body, template.form, medium)
        ]
        entries = {line.entry_id for one in shown for line in desk.looked[one].action.entries}
        return await labels(self.running.neighbour("ledger"), desk.company, entries)

    def _compose(  # noqa: PLR0913, PLR0917 - what a message is made of
        self,
        desk: Desk,
        parcel: Parcel,
        chosen: tuple[Text, str],
        texts: Mapping[str, str],
        files: tuple[File, ...],
        documents: tuple[LinkedDocument, ...],
    ) -> None:
        looked = desk.looked[parcel.job.id]
        try:
            rendered = written(desk, looked, chosen, texts, self._pixel(desk, looked), documents=documents)
        except (UnknownTag, TemplateError) as refused:
            log.warning("a template cannot be filled in", extra={"error": type(refused).__name__})
            parcel.failure = TEMPLATE_INVALID
            return
        parcel.person_version = desk.people[looked.action.client_id].version
        parcel.signature = desk.signature
        parcel.waits_for = SIGNING_KEY if desk.signature_is_sealed else None
        parcel.mail = mail_of(desk, looked, rendered, clock.now(), files)
        parcel.looked = looked
        parcel.written_with = chosen[0].written_with(chosen[1])

    def _pixel(self, desk: Desk, looked: Looked) -> str:
        settings, action = self.settings, looked.action
        if not (desk.sender.track_opens and settings.public_url and settings.pixel_secret):
            return ""
        found = desk.recipients_of(looked)
        if not all_consented((*found.to, *found.copies), desk.consents.get(action.client_id, frozenset())):
            return ""
        return pixel.url(settings.public_url, settings.pixel_secret, desk.company, action.action_id)


def cause_of(payload: Mapping[str, str]) -> Cause:
    """Who made the action due, and by which event; the payload is that of ``handlers.on_action_due``."""
    return Cause(
        payload["actor"],
        UUID(payload["correlation_id"]),
        UUID(payload["causation_id"]),
        payload.get("traceparent"),
    )


def written(  # noqa: PLR0913, PLR0917 - what a message is made of
    desk: Desk,
    looked: Looked,
    chosen: tuple[Text, str],
    texts: Mapping[str, str],
    pixel_url: str = "",
    medium: Medium = "email",
    documents: tuple[LinkedDocument, ...] = (),
) -> Rendered:
    """The message from the text and the language that ``Desk.text_for`` chose, for a mail that leaves and for a
    preview alike. Raises ``UnknownTag``, ``TemplateError``.
    """
    template, language = chosen
    about = desk.subjects(looked, texts, pixel_url, documents)
    return render(template.subject, template.body, about, language, medium, template.form)


def mail_of(desk: Desk, looked: Looked, rendered: Rendered, at: datetime, files: tuple[File, ...] = ()) -> Mail:
    """What leaves, or would; without the bytes of its files."""
    sender, found = desk.sender_of(looked), desk.recipients_of(looked)
    named = message_id(looked.action.action_id, sender.email)
    return compose(rendered, sender, found.to, named, at, found.copies, files)
