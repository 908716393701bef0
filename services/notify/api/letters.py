"""Letters over HTTP: made, looked at, printed again exactly as they were, posted (rules 5.3, 9.2, 13.6)."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, RunningDep, SayDep, TxDep, accepted, requires
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.jobs import NewJob, enqueue
from chassis.problems import Problem
from contracts.notify import LetterPosted
from services.notify import queries
from services.notify.api.bodies import Body
from services.notify.archive.chain import Fact
from services.notify.archive.keeping import append
from services.notify.formats import language_of
from services.notify.letters.bundle import Kept, bundle, cover_page, pile, text_of
from services.notify.letters.pictures import html_of
from services.notify.letters.preparing import UNKNOWN, Preparer, Wish
from services.notify.letters.press import press
from services.notify.letters.room import QUEUE, payload, reopen
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}")

AT_ONCE = 20
"""So many letters are made while the caller waits; more are made behind its back."""
MOST = 5000
LONGEST_ADDRESS = 10

COLUMNS = """
    letter.action_id, letter.client_id, letter.step, letter.language, letter.subject, letter.address, letter.pages,
    letter.amount, letter.currency, letter.sha256, letter.registered, letter.registered_number, letter.written_on,
    letter.prepared_by, letter.prepared_at, posting.posted_on, posting.actor as posted_by,
    case when posting.action_id is null then 'prepared' else 'posted' end as state, letter.pdf is null as erased,
    letter.template, letter.template_language, letter.template_version
"""
SOURCE = "from letter left join posting using (company, action_id) where letter.company = :company"

LIST = text(
    f"""
    select {COLUMNS} {SOURCE}
        and (:state = 'all' or (:state = 'posted') = (posting.action_id is not null))
        and (cast(:client_id as text) is null or letter.client_id = :client_id)
        and (cast(:since as date) is null or letter.written_on >= :since)
    order by letter.written_on desc, letter.mailing_key, letter.address, letter.client_id, letter.step
    limit :limit offset :offset
    """
)
COUNTS = text(
    "select count(*) filter (where posting.action_id is null) as prepared, count(posting.action_id) as posted"
    f" {SOURCE}"
)
ONE = text(f"select {COLUMNS} {SOURCE} and letter.action_id = :action_id")
CONTENT = text("select pdf, pages, sha256 from letter where company = :company and action_id = :action_id")
MANY = text(
    "select action_id, client_id, step, language, address, mailing_key, amount, currency, pages, pdf, registered,"
    " registered_number from letter where company = :company and action_id = any(:action_ids)"
)
LOCK = text(
    f"select letter.action_id, letter.client_id, letter.registered, posting.posted_on {SOURCE}"
    " and letter.action_id = any(:action_ids) order by letter.action_id for update of letter"
)
NUMBER = text(
    "update letter set registered_number = :number, registered = registered or cast(:number as text) is not null"
    " where company = :company and action_id = :action_id and pdf is not null"
    " returning client_id"
)
TASKS = text(
    "select action_id, client_id, p from action where company = :company and action_id = any(:action_ids)"
    " and medium = 'letter' and due_on is not null"
)

SEEN = text("select action_id from action where company = :company and action_id = any(:action_ids)")
"""The preparer reads what every caller may see: first it is asked which of them this one may."""

PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}
Number = Annotated[str, Field(max_length=40, pattern=r"^[0-9A-Za-z][0-9A-Za-z .-]*$")]
user = requires("user")


class Wanted(Body):
    """Letters to make. ``address`` is for one letter: its lines without the name, in place of the client's own.

    ``at_once`` false: none is waited for, and what becomes of each is told by the progress of sending.
    """

    action_ids: list[UUID] = Field(min_length=1, max_length=MOST)
    address: str | None = Field(None, max_length=1000)
    registered: bool = False
    at_once: bool = True


class Pile(Body):
    """Letters to print together. On both sides each begins on a sheet of its own."""

    action_ids: list[UUID] = Field(min_length=1, max_length=MOST)
    both_sides: bool = False
    cover: bool = True
    language: str = Field("fr", max_length=5)


class Posted(Body):
    action_ids: list[UUID] = Field(min_length=1, max_length=MOST)
    done_on: date | None = None
    """The day on which they were posted, where that is not today."""


class Registered(Body):
    """``number`` is the one on the receipt of the post; ``null`` takes it away."""

    action_id: UUID
    number: Number | None


@router.post("/letters/prepare", dependencies=[user])
async def prepare_letters(  # noqa: PLR0913, PLR0917 - what a command may need
    body: Wanted, company: CompanyDep, as_of: AsOfDep, tx: TxDep, process: RunningDep, cause: CauseDep
) -> dict[str, Any]:
    """Make letters that are due, and keep them as they are printed: their step is done (rule 5.3).

    ``prepared`` names those that are kept, whether made now or before; ``refused`` has the reason for each other,
    ``waiting`` those that are being made, where more than 20 are wanted, or none at once: ``POST /sending/query``
    tells how far they are. What the last look finds takes the action back. 422 when an address is given for
    several letters; 503 while ledger cannot say who the people are.
    """
    address = _address(body)
    action_ids = sorted(set(body.action_ids))
    if len(action_ids) > AT_ONCE or not body.at_once:
        rows = (await tx.execute(TASKS, {"company": company, "action_ids": action_ids})).all()
        jobs = [
            NewJob(
                id=row.action_id,
                company=company,
                key=row.client_id,
                p=row.p,
                payload=payload(as_of, cause, registered=body.registered),
            )
            for row in rows
        ]
        new = set(await enqueue(tx, QUEUE, jobs))
        await reopen(tx, [job for job in jobs if job.id not in new])
        known = {row.action_id for row in rows}
        unknown = dict.fromkeys((one for one in action_ids if one not in known), UNKNOWN)
        return accepted([], prepared=[], refused=_refused(unknown), waiting=sorted(known))
    seen = set(await tx.scalars(SEEN, {"company": company, "action_ids": action_ids}))
    wishes = [Wish(one, cause, address, body.registered) for one in action_ids if one in seen]
    try:
        done = await _preparer(process).prepare(company, wishes, as_of)
    except (NeighbourUnreachable, NeighbourRefused) as silent:
        raise Problem("people-unreachable", "Ledger does not say who this client is", 503, str(silent)) from silent
    return {
        "position": done.positions[-1] if done.positions else None,
        "positions": done.positions,
        "prepared": done.letters,
        "refused": _refused({**dict.fromkeys(set(action_ids) - seen, UNKNOWN), **done.refused, **done.again}),
        "waiting": [],
    }


def _address(body: Wanted) -> tuple[str, ...] | None:
    if body.address is None:
        return None
    if len(body.action_ids) > 1 or not body.at_once:
        raise Problem("one-address-one-letter", "An address is for one letter", 422)
    lines = tuple(line.strip() for line in body.address.splitlines() if line.strip())
    if not lines:
        raise Problem("no-postal-address", "A letter needs a postal address", 422)
    if len(lines) > LONGEST_ADDRESS:
        raise Problem("address-too-long", "An address has ten lines at most", 422, most=LONGEST_ADDRESS)
    return lines


def _refused(reasons: dict[UUID, str]) -> list[dict[str, Any]]:
    return [{"action_id": action_id, "reason": reason} for action_id, reason in sorted(reasons.items())]


def _settings(process: RunningDep) -> NotifySettings:
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    return settings


def _preparer(process: RunningDep) -> Preparer:
    return Preparer(process, _settings(process))


@router.get("/letters")
async def get_letters(  # noqa: PLR0913, PLR0917 - filters
    company: CompanyDep,
    tx: TxDep,
    state: Literal["prepared", "posted", "all"] = "prepared",
    client_id: str | None = None,
    since: date | None = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> dict[str, Any]:
    """Letters that were made: the newest day first, and in each the order of the post. ``prepared`` and ``posted``
    count all there are."""
    counts = (await tx.execute(COUNTS, {"company": company})).one()
    asked = {"company": company, "state": state, "client_id": client_id, "since": since}
    rows = await tx.execute(LIST, asked | {"limit": limit, "offset": offset})
    return {
        "prepared": counts.prepared,
        "posted": counts.posted,
        "letters": [_told(row) for row in rows],
    }


def _told(row: Any) -> dict[str, Any]:
    return dict(row._mapping) | {"amount": format(row.amount, "f")}


@router.get("/letter")
async def get_letter(action_id: UUID, company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """One letter as it was printed: what is known of it, and ``html``, a page with pictures of its pages.

    Answers 404 before it was made, 410 once the person was erased.
    """
    pdf, pages, _ = await _content(tx, company, action_id)
    row = (await tx.execute(ONE, {"company": company, "action_id": action_id})).one()
    settings = _settings(process)
    pictures = await asyncio.to_thread(press(settings.letter_fonts).pictures_of, pdf, pages)
    return _told(row) | {"html": html_of(pictures, text_of(pdf), row.language)}


async def _content(tx: AsyncConnection, company: str, action_id: UUID) -> tuple[bytes, int, str]:
    row = (await tx.execute(CONTENT, {"company": company, "action_id": action_id})).one_or_none()
    if row is None:
        raise Problem("letter-not-prepared", "This letter was not made", 404, action_id=action_id)
    if row.pdf is None:
        raise Problem("message-erased", "The person was erased, and the letter with it", 410)
    return bytes(row.pdf), row.pages, row.sha256


@router.get("/letter/pdf", responses=PDF, response_class=Response)
async def get_pdf(action_id: UUID, company: CompanyDep, tx: TxDep) -> Response:
    """The very bytes that were kept; their SHA-256 is the ``ETag``. 404 and 410 as for ``/letter``."""
    pdf, _, digest = await _content(tx, company, action_id)
    return Response(pdf, media_type="application/pdf", headers=_headers(f"letter-{action_id}.pdf", digest))


def _headers(name: str, digest: str | None = None) -> dict[str, str]:
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return headers if digest is None else headers | {"ETag": f'"{digest}"'}


@router.post("/letters/bundle", responses=PDF, response_class=Response)
async def post_bundle(body: Pile, company: CompanyDep, as_of: AsOfDep, tx: TxDep, process: RunningDep) -> Response:
    """Letters as one PDF in the order of the post, under a list of them; made of the bytes that were kept.

    Answers 409 with the ``missing`` ones when not all of them are kept.
    """
    action_ids = set(body.action_ids)
    rows = (await tx.execute(MANY, {"company": company, "action_ids": list(action_ids)})).all()
    kept = {row.action_id: row for row in rows if row.pdf is not None}
    if missing := sorted(action_ids - set(kept)):
        raise Problem("letter-not-prepared", "Not all of these letters are kept", 409, missing=missing)
    settings = _settings(process)
    sender = await queries.sender(tx, company, settings.default_sender_domain)
    letters = pile([_kept(row) for row in kept.values()])
    pdf = await asyncio.to_thread(_bundled, letters, sender.company_name, body, as_of, settings)
    return Response(pdf, media_type="application/pdf", headers=_headers(f"letters-{as_of}.pdf"))


def _kept(row: Any) -> Kept:
    return Kept(
        client_id=row.client_id,
        step=row.step,
        language=row.language,
        address=tuple(row.address),
        mailing_key=tuple(row.mailing_key),
        amount=row.amount,
        currency=row.currency,
        pages=row.pages,
        pdf=bytes(row.pdf),
        registered=row.registered,
        registered_number=row.registered_number or "",
    )


def _bundled(letters: Sequence[Kept], company: str, body: Pile, as_of: date, settings: NotifySettings) -> bytes:
    cover = None
    if body.cover:
        page = cover_page(company, letters, as_of, language_of(body.language), both_sides=body.both_sides)
        cover = press(settings.letter_fonts).cover(page)
    return bundle(letters, cover, both_sides=body.both_sides)


@router.post("/letters/posted", dependencies=[user])
async def post_posted(
    body: Posted, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """A person posted these. Those noted before stay as they are; 409 with ``missing`` when one was not made."""
    if body.done_on is not None and body.done_on > as_of:
        raise Problem("done-later", "What is still to come was not done yet", 422, done_on=body.done_on)
    done_on = None if body.done_on == as_of else body.done_on
    action_ids = set(body.action_ids)
    rows = (await say.tx.execute(LOCK, {"company": company, "action_ids": list(action_ids)})).all()
    if missing := sorted(action_ids - {row.action_id for row in rows}):
        raise Problem("letter-not-prepared", "Not all of these letters were made", 409, missing=missing)
    said = [
        Said(
            LetterPosted(
                action_id=row.action_id, client_id=row.client_id, done_on=done_on, registered=row.registered
            ),
            row.client_id,
        )
        for row in rows
        if row.posted_on is None
    ]
    positions = await say(company, said, as_of=as_of, cause=cause) if said else []
    return accepted(positions, posted=len(said))


@router.post("/letter/registered-number", dependencies=[user])
async def put_number(
    body: Registered, company: CompanyDep, as_of: AsOfDep, tx: TxDep, cause: CauseDep
) -> dict[str, Any]:
    """Note the number of a registered letter; it stays here and in the archive, since it leads to the person. 404
    without letter."""
    named = {"company": company, "action_id": body.action_id, "number": body.number}
    client_id = await tx.scalar(NUMBER, named)
    if client_id is None:
        raise Problem("letter-not-prepared", "This letter was not made", 404, action_id=body.action_id)
    person = {"registered_number": body.number} if body.number else None
    fact = Fact("letter_numbered", client_id, clock.now(), as_of, cause.actor, body.action_id, person=person)
    await append(tx, company, [fact])
    return {"action_id": body.action_id, "number": body.number}
