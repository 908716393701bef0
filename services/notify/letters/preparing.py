"""The moment a letter is made: in one transaction a last look, the PDF kept as printed, and ``LetterPrepared``.

Nothing leaves by it that could leave twice: a crash before the commit leaves the task as it was.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

import typst
from jinja2 import TemplateError
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver, transaction
from chassis.eventlog import Cause, Said
from chassis.running import Running
from contracts.notify import LetterPrepared, MessageWithheld
from services.notify import queries
from services.notify.compiling import UnknownTag
from services.notify.delivered import TemplateMissing, Text, WrittenWith, written_with
from services.notify.desk import Desk
from services.notify.domain import NotYetHeard, WithholdReason, last_look
from services.notify.letters import layout
from services.notify.letters.bundle import pages_of
from services.notify.letters.layout import Page
from services.notify.letters.postal import mailing_key, recipient_lines, spelled_out
from services.notify.letters.press import Press, press
from services.notify.queries import Looked
from services.notify.settings import NotifySettings
from services.notify.writing import Writer

log = logging.getLogger(__name__)

NO_ADDRESS = "no_postal_address"
TEMPLATE_MISSING = "template_missing"
TEMPLATE_INVALID = "template_invalid"
NOT_DUE = "task-over"
UNKNOWN = "task-unknown"
CHANGED = "person_changed"
TIMES = 3
"""A person may change while the letter is made; then it is made again."""

LOGO = text("select media_type, sha256, content from logo where company = :company")

LOCK = text(
    """
    select a.action_id, a.state, outcome.kind as outcome, letter.action_id is not null as kept
    from action a
    left join outcome using (company, action_id)
    left join letter using (company, action_id)
    where a.company = :company and a.action_id = any(:action_ids) and a.due_on is not null
        and a.medium = 'letter'
    order by a.action_id
    for update of a
    """
)

KEEP = """
    insert into letter (company, action_id, client_id, step, language, subject, address, mailing_key, amount,
        currency, pages, sha256, pdf, registered, written_on, prepared_by, template, template_language,
        template_version)
    select %(company)s, action_id, client_id, step, language, subject,
        array(select jsonb_array_elements_text(address)), array(select jsonb_array_elements_text(mailing_key)),
        amount, currency, pages, sha256, pdf, registered, %(written_on)s, prepared_by, template,
        template_language, template_version
    from unnest(%(ids)b::uuid[], %(clients)b::text[], %(steps)b::text[], %(languages)b::text[],
        %(subjects)b::text[], %(addresses)b::jsonb[], %(keys)b::jsonb[], %(amounts)b::numeric[],
        %(currencies)b::text[], %(pages)b::integer[], %(digests)b::text[], %(pdfs)b::bytea[],
        %(registered)b::boolean[], %(actors)b::text[], %(templates)b::text[], %(template_languages)b::text[],
        %(template_versions)b::integer[])
        as l(action_id, client_id, step, language, subject, address, mailing_key, amount, currency, pages, sha256,
            pdf, registered, prepared_by, template, template_language, template_version)
    order by action_id
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """A letter that is wanted. ``address`` replaces the client's own, line by line, without the name."""

    action_id: UUID
    cause: Cause
    address: tuple[str, ...] | None = None
    registered: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A letter laid out, before it is printed."""

    page: Page
    language: str
    address: tuple[str, ...]
    mailing_key: tuple[str, ...]
    person_version: int
    written_with: WrittenWith | None = None


@dataclass(slots=True)
class Prepared:
    """What became of the wishes. ``refused`` has a code for each letter that was not made.

    ``again`` are those that could not be judged yet; ``positions`` where the events stand.
    """

    letters: list[UUID] = field(default_factory=list)
    refused: dict[UUID, str] = field(default_factory=dict)
    again: dict[UUID, str] = field(default_factory=dict)
    positions: list[str] = field(default_factory=list)


class Preparer:
    """Makes letters of one company and day, many at a time."""

    def __init__(self, running: Running, settings: NotifySettings) -> None:
        self.running = running
        self.settings = settings
        self.writer = Writer(running, settings)

    @property
    def press(self) -> Press:
        return press(self.settings.letter_fonts)

    async def prepare(self, company: str, wishes: Sequence[Wish], as_of: date) -> Prepared:
        """Make those letters that may still be made; one that is kept already stays as it is (rule 5.3).

        Raises what ``Neighbour`` raises when ledger cannot say who the people are.
        """
        done = Prepared()
        left = {wish.action_id: wish for wish in wishes}
        for _ in range(TIMES):
            if left:
                await self._once(company, left, as_of, done)
            left = {action_id: left[action_id] for action_id, why in done.again.items() if why == CHANGED}
        return done

    async def _once(self, company: str, wishes: Mapping[UUID, Wish], as_of: date, done: Prepared) -> None:
        desk = await self.writer.desk(company, list(wishes), as_of)
        written, failures = await self._written(desk, wishes)
        pdfs = await asyncio.to_thread(self._printed, {one: letter.page for one, letter in written.items()})
        async with transaction(self.running.engine) as tx:
            clients = {one.action.client_id for one in desk.looked.values()}
            await queries.hold_clients(tx, company, clients)
            named = {"company": company, "action_ids": list(wishes)}
            states = {row.action_id: row for row in await tx.execute(LOCK, named)}
            looked = await queries.look(tx, company, list(states))
            said: list[Said] = []
            stand: list[UUID] = []
            for action_id, wish in sorted(wishes.items()):
                done.again.pop(action_id, None)
                row = states.get(action_id)
                if row is None or action_id not in looked:
                    done.again[action_id] = UNKNOWN
                    continue
                if row.kept:
                    done.letters.append(action_id)
                    continue
                if row.state != "due" or row.outcome not in (None, "withheld"):
                    done.refused[action_id] = NOT_DUE
                    continue
                verdict = _verdict(looked[action_id], desk.as_of, written.get(action_id))
                client_id = looked[action_id].action.client_id
                if verdict is None and action_id in pdfs:
                    stand.append(action_id)
                    event = LetterPrepared(action_id=action_id, client_id=client_id)
                    said.append(Said(event, client_id, cause=wish.cause))
                elif isinstance(verdict, WithholdReason):
                    done.refused[action_id] = verdict
                    withheld = MessageWithheld(action_id=action_id, client_id=client_id, reason=verdict)
                    said.append(Said(withheld, client_id, cause=wish.cause))
                elif verdict is None:
                    done.refused[action_id] = failures.get(action_id, TEMPLATE_INVALID)
                else:
                    done.again[action_id] = verdict
            await _keep(tx, desk, [(wishes[one], looked[one], written[one], pdfs[one]) for one in stand])
            done.letters += stand
            if said:
                say = self.running.say(tx)
                cause = said[0].cause
                assert cause is not None
                heard = await say(company, said, as_of=desk.as_of, cause=cause)
                done.positions = [str(position) for position in heard]

    async def _written(
        self, desk: Desk, wishes: Mapping[UUID, Wish]
    ) -> tuple[dict[UUID, Written], dict[UUID, str]]:
        failures: dict[UUID, str] = {}
        chosen: dict[UUID, tuple[Text, str]] = {}
        for action_id, looked in desk.looked.items():
            if looked.state != "due" or _is_held_back(looked, desk.as_of):
                continue
            person = desk.people[looked.action.client_id]
            try:
                chosen[action_id] = desk.text_for(looked, person.language, "letter")
            except TemplateMissing:
                failures[action_id] = TEMPLATE_MISSING
                continue
            if not _address(desk, looked, wishes[action_id]):
                failures[action_id] = NO_ADDRESS
                del chosen[action_id]
        templates = [(action_id, choice[0]) for action_id, choice in chosen.items()]
        texts = await self.writer.labels_for(desk, templates, "letter")
        logo = await self.logo(desk.company)
        written: dict[UUID, Written] = {}
        for action_id, choice in chosen.items():
            wish = wishes[action_id]
            try:
                written[action_id] = self.write(desk, action_id, choice, texts, wish, logo)
            except (UnknownTag, TemplateError) as refused:
                log.warning("a template cannot be filled in", extra={"error": type(refused).__name__})
                failures[action_id] = TEMPLATE_INVALID
            await asyncio.sleep(0)  # all computing: let others breathe
        return written, failures

    def write(  # noqa: PLR0913, PLR0917 - what a letter is made of
        self,
        desk: Desk,
        action_id: UUID,
        chosen: tuple[Text, str],
        texts: Mapping[str, str],
        wish: Wish,
        logo: str | None,
    ) -> Written:
        """The letter as it would be printed. Raises ``UnknownTag``, ``TemplateError``."""
        looked = desk.looked[action_id]
        template, language = chosen
        address = _address(desk, looked, wish)
        about = desk.subjects(looked, texts)
        about = replace(about, person=replace(about.person, address=address))
        return Written(
            page=layout.letter(template, about, language, logo=logo, registered=wish.registered),
            language=language,
            address=tuple(recipient_lines(about.person.name, address)),
            mailing_key=mailing_key(address),
            person_version=desk.people[looked.action.client_id].version,
            written_with=template.written_with(language),
        )

    async def logo(self, company: str) -> str | None:
        """The name under which the press has the company's logo, if it has one."""
        async with transaction(self.running.engine, company) as tx:
            row = (await tx.execute(LOGO, {"company": company})).one_or_none()
        if row is None:
            return None
        return self.press.keep_logo(row.sha256, row.media_type, bytes(row.content))

    def _printed(self, pages: Mapping[UUID, Page]) -> dict[UUID, bytes]:
        made: dict[UUID, bytes] = {}
        for action_id, page in pages.items():
            try:
                made[action_id] = self.press.letter(page)
            except typst.TypstError as failure:
                log.error("a letter cannot be printed", extra={"action": str(action_id), "error": failure.message})
        return made


def _is_held_back(looked: Looked, as_of: date) -> bool:
    return last_look(looked.action, looked.now, as_of, frozenset(looked.action.accepted_reasons)) is not None


def _address(desk: Desk, looked: Looked, wish: Wish) -> tuple[str, ...]:
    address = desk.addressed(looked).address if wish.address is None else wish.address
    return spelled_out(address)


def _verdict(now: Looked, as_of: date, written: Written | None) -> WithholdReason | NotYetHeard | str | None:
    """The last look (rules 8.1, 8.2, 8.5, 5.8, 22.10); a person that changed since gets another letter."""
    reason = last_look(now.action, now.now, as_of, frozenset(now.action.accepted_reasons))
    if reason is None and written is not None and written.person_version < now.person_version:
        return CHANGED
    return reason


async def _keep(tx: AsyncConnection, desk: Desk, made: Sequence[tuple[Wish, Looked, Written, bytes]]) -> None:
    if not made:
        return
    connection = await driver(tx)
    await connection.execute(
        KEEP,
        {
            "company": desk.company,
            "written_on": desk.as_of,
            "ids": [wish.action_id for wish, *_ in made],
            "clients": [looked.action.client_id for _, looked, *_ in made],
            "steps": [looked.action.step for _, looked, *_ in made],
            "languages": [written.language for *_, written, _ in made],
            "subjects": [written.page["subject"] for *_, written, _ in made],
            "addresses": [Jsonb(list(written.address)) for *_, written, _ in made],
            "keys": [Jsonb(list(written.mailing_key)) for *_, written, _ in made],
            "amounts": [looked.action.net_amount for _, looked, *_ in made],
            "currencies": [looked.action.currency for _, looked, *_ in made],
            "pages": [pages_of(pdf) for *_, pdf in made],
            "digests": [hashlib.sha256(pdf).hexdigest() for *_, pdf in made],
            "pdfs": [pdf for *_, pdf in made],
            "registered": [wish.registered for wish, *_ in made],
            "actors": [wish.cause.actor for wish, *_ in made],
            **written_with([written.written_with for *_, written, _ in made]),
        },
    )
