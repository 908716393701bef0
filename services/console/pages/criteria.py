"""Agir, par critère: clients chosen by what they are, one message to each of those that are ticked (rule 9.8)."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData, ImmutableMultiDict, QueryParams

from services.console.gateway import Json, Neighbours, Refused
from services.console.language import N_
from services.console.pages.fields import CLIENT_FIELDS
from services.console.pages.message import MAIL_POLICY
from services.console.pages.profiles import listed
from services.console.pages.sendings import latest_sending, progress, remember_sending
from services.console.pages.tasks import Total, total
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/act/criteria")

MEDIA = ("email", "letter", "phone", "other")
WRITTEN = ("email", "letter")
SIZES = (50, 100, 500)
SEPARATOR = "|"
CHOICES = {
    "profile": "profiles",
    "category": "categories",
    "salesperson": "salespeople",
    "payment_mode": "payment_modes",
    "level": "levels",
}
"""Parameters of the address, and what dunning calls them."""
DAYS = ("days_late_from", "days_late_to", "days_since_reminder_from", "days_since_reminder_to")
NAMES = (*CHOICES, "has_email", *DAYS, *CLIENT_FIELDS, "medium", "template", "counts", "size", "page")
MOST_DAYS = 10_000
DONE = {
    "letter": N_("Les courriers attendent d’être imprimés et postés."),
    "phone": N_("Les appels sont dans la liste des actions à effectuer."),
    "other": N_("Les actions sont dans la liste à effectuer."),
}

Medium = Literal["email", "letter", "phone", "other"]


@dataclass(frozen=True)
class Asked:
    """The filters and the message, as the address or a form says them."""

    given: dict[str, str]

    @classmethod
    def read(cls, given: ImmutableMultiDict[str, Any]) -> "Asked":
        """Unusable words are left out: a page is not refused for an address that was typed."""
        told = {name: str(given.get(name) or "").strip()[:500] for name in NAMES}
        for name in DAYS:
            if not told[name].isdecimal() or int(told[name]) > MOST_DAYS:
                told[name] = ""
        if told["medium"] not in MEDIA:
            told["medium"] = "email"
        if told["has_email"] not in ("true", "false"):
            told["has_email"] = ""
        return cls(told)

    @property
    def medium(self) -> str:
        return self.given["medium"]

    @property
    def template(self) -> str:
        return self.given["template"] if self.medium in WRITTEN else ""

    @property
    def counts(self) -> bool:
        """Taken into account in the scenarios, unless the person said no (rule 5.5)."""
        return self.given["counts"] != "no"

    @property
    def size(self) -> int:
        size = self.given["size"]
        return int(size) if size in map(str, SIZES) else SIZES[0]

    @property
    def number(self) -> int:
        page = self.given["page"]
        return max(int(page), 1) if page.isdecimal() and len(page) < 6 else 1

    @property
    def fields(self) -> dict[str, str]:
        return {name: self.given[name] for name in CLIENT_FIELDS if self.given[name]}

    @property
    def filters(self) -> int:
        """How many are set."""
        return sum(bool(self.given[name]) for name in (*CHOICES, "has_email", *DAYS, *CLIENT_FIELDS))

    @property
    def kept(self) -> dict[str, str]:
        """What an address or a form carries on, empty words left out."""
        return {name: value for name, value in self.given.items() if value}

    def body(self, visit: Visit) -> Json:
        """As dunning is asked."""
        return {
            **{theirs: [self.given[ours]] for ours, theirs in CHOICES.items() if self.given[ours]},
            **{name: int(self.given[name]) for name in DAYS if self.given[name]},
            "has_email": {"true": True, "false": False}.get(self.given["has_email"]),
            "medium": self.medium,
            "as_of": visit.as_of.isoformat(),
            "limit": self.size,
            "offset": (self.number - 1) * self.size,
        }


@dataclass(frozen=True)
class Candidate:
    """One client in one currency; ``reasons`` say why it is not ticked."""

    client_id: str
    currency: str
    amount: Decimal
    level: str | None
    last_reminder_on: str | None
    days_late: int
    reasons: tuple[str, ...]
    can_include: bool
    entry_ids: tuple[str, ...]
    left_out: tuple[Json, ...]
    entries: tuple[Json, ...]
    name: str

    @property
    def key(self) -> str:
        return f"{self.client_id}{SEPARATOR}{self.currency}"

    @property
    def excluded(self) -> bool:
        return bool(self.reasons)

    def wish(self, asked: Asked, request_id: str) -> Json:
        """As dunning is asked for it; the reasons are those that the person has seen."""
        return {
            "request_id": request_id,
            "client_id": self.client_id,
            "entry_ids": list(self.entry_ids),
            "medium": asked.medium,
            "template": asked.template or None,
            "counts": asked.counts,
            "accepted_reasons": list(self.reasons),
            "by_criteria": True,
        }


@dataclass(frozen=True)
class Found:
    """The rows of one page, and how many clients fit in all, for how much."""

    clients: int
    overdue: str
    rows: tuple[Candidate, ...]
    size: int
    page: int

    @property
    def pages(self) -> int:
        return max(-(-self.clients // self.size), 1)

    @property
    def free(self) -> list[Candidate]:
        return [row for row in self.rows if not row.excluded]

    @property
    def excluded(self) -> list[Candidate]:
        return [row for row in self.rows if row.excluded]

    def chosen(self, keys: Collection[str]) -> list[Candidate]:
        """Those of the rows that may be ticked and are."""
        return [row for row in self.rows if row.key in keys and (not row.excluded or row.can_include)]


async def _find(visit: Visit, neighbours: Neighbours, asked: Asked) -> Found:
    body = asked.body(visit)
    if asked.fields:  # what free fields hold is personal: dunning is handed the clients that reporting finds by it
        named = {name: [value] for name, value in asked.fields.items()}
        body["client_ids"] = await listed(neighbours, "/clients", {**named, "as_of": visit.as_of.isoformat()})
    return await _read(visit, neighbours, body, asked)


async def _read(visit: Visit, neighbours: Neighbours, body: Json, asked: Asked) -> Found:
    answer = await neighbours.post_query("dunning", f"/by-criteria/query?language={visit.language}", body)
    names = await neighbours.names(sorted({row["client_id"] for row in answer["rows"]}))
    rows = tuple(
        Candidate(
            client_id=row["client_id"],
            currency=row["currency"],
            amount=Decimal(row["net_amount"]),
            level=row["level"],
            last_reminder_on=row["last_reminder_on"],
            days_late=row["days_late"],
            reasons=tuple(row["reasons"]),
            can_include=row["can_include"],
            entry_ids=tuple(row["entry_ids"]),
            left_out=tuple(row["left_out"]),
            entries=tuple(row["entries"]),
            name=names[row["client_id"]],
        )
        for row in answer["rows"]
    )
    return Found(answer["clients"], answer["overdue"], rows, asked.size, asked.number)


@router.get("")
async def by_criteria(
    request: Request, visit: VisitDep, after: str = "", done: str = "", refused: str = "", left: int = 0
) -> Response:
    asked = Asked.read(request.query_params)
    neighbours = visit.neighbours(at_least=after)
    found, options, templates, sending = await asyncio.gather(
        _find(visit, neighbours, asked),
        neighbours.get("reporting", "/options"),
        neighbours.get("notify", "/templates"),
        latest_sending(visit),
    )
    names = dict.fromkeys(one["name"] for one in templates["templates"] if one["medium"] == asked.medium)
    return page(
        request,
        visit,
        "criteria.html",
        asked=asked,
        found=found,
        options=options,
        sellers=[(one["code"], one["name"]) for one in options["salespeople"]],
        templates=[name for name in names if name not in ("notice", "thanks")],
        media=MEDIA,
        sizes=SIZES,
        shown=total(found.free),
        progress=await progress(visit, neighbours, sending) if sending else None,
        notice=_notice(visit, done, refused, left),
        updating=neighbours.updating,
    )


def _notice(visit: Visit, done: str, refused: str, left: int) -> dict[str, str] | None:
    if refused:
        return {"tone": "stop", "text": visit.vocabulary.refusal(refused)}
    text = visit.words.gettext(DONE[done]) if done in DONE else ""
    if left:
        told = visit.words.ngettext(
            "%(n)s client n’était plus à relancer.", "%(n)s clients n’étaient plus à relancer.", left
        )
        text = f"{text} {told % {'n': left}}".strip()
    return {"tone": "ok", "text": text} if text else None


@router.post("/review")
async def review(
    request: Request, visit: ActingDep, chosen: Annotated[list[str], Form(default_factory=list)]
) -> Response:
    """The one question: what leaves, to how many, for how much."""
    asked = Asked.read(await _form(request))
    neighbours = visit.neighbours()
    found = await _find(visit, neighbours, asked)
    rows = found.chosen(set(chosen))
    if not rows:
        return RedirectResponse(_address(visit, asked, refused="nobody-chosen"), status_code=303)
    return _question(request, visit, asked, rows, uuid4())


async def _form(request: Request) -> FormData:
    return await request.form()


def _address(visit: Visit, asked: Asked, **more: Any) -> str:
    return visit.url("act/criteria", **asked.kept, **more)


def _question(
    request: Request, visit: Visit, asked: Asked, rows: list[Candidate], batch: UUID, *, changed: bool = False
) -> Response:
    return page(
        request,
        visit,
        "criteria_review.html",
        asked=asked,
        rows=rows,
        whole=total(rows),
        against=[row for row in rows if row.excluded],
        fingerprint=_fingerprint(total(rows)),
        batch=batch,
        changed=changed,
    )


def _fingerprint(whole: Total) -> str:
    """What the person saw; sending something else needs another question."""
    amounts = "/".join(f"{amount}{currency}" for currency, amount in whole.amounts)
    return f"{whole.actions}/{whole.clients}/{amounts}"


@router.post("/confirm")
async def confirm(
    request: Request,
    visit: ActingDep,
    chosen: Annotated[list[str], Form(default_factory=list)],
    batch: Annotated[UUID, Form()],
    fingerprint: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Say them all at dunning. The batch names the question: answered twice, each action is done once."""
    asked = Asked.read(await _form(request))
    neighbours = visit.neighbours()
    rows = (await _find(visit, neighbours, asked)).chosen(set(chosen))
    names = {row.key: str(uuid5(batch, row.key)) for row in rows}
    if not rows or fingerprint != _fingerprint(total(rows)):
        return await _changed(request, visit, asked, rows, batch)
    body = {
        "actions": [row.wish(asked, names[row.key]) for row in rows],
        "as_of": visit.as_of.isoformat(),
    }
    try:
        answer = await neighbours.post("dunning", "/by-hand", body)
    except Refused as refusal:
        return RedirectResponse(_address(visit, asked, refused=refusal.code), status_code=303)
    after = neighbours.at_least
    if asked.medium == "email":
        await remember_sending(visit, [str(one) for one in answer["done"]], answer["refused"])
        return RedirectResponse(_address(visit, asked, after=after), status_code=303)
    left = len(answer["refused"]) or None
    return RedirectResponse(_address(visit, asked, done=asked.medium, left=left, after=after), status_code=303)


async def _changed(request: Request, visit: Visit, asked: Asked, rows: list[Candidate], batch: UUID) -> Response:
    """Sent twice, the first time has done it: those clients are not to be reminded again today."""
    if rows:
        return _question(request, visit, asked, rows, batch, changed=True)
    refused = "" if await latest_sending(visit) else "nobody-chosen"
    return RedirectResponse(_address(visit, asked, refused=refused), status_code=303)


async def _planned(visit: Visit, asked: Asked, client_id: str, currency: str) -> tuple[Candidate, Json]:
    """The row, and the very message that would leave."""
    neighbours = visit.neighbours()
    body = {"client_ids": [client_id], "medium": asked.medium, "as_of": visit.as_of.isoformat()}
    found = await _read(visit, neighbours, body, asked)
    row = next((row for row in found.rows if row.currency == currency), None)
    if row is None or not row.entry_ids or asked.medium not in WRITTEN:
        raise PageUnknown
    wish = row.wish(asked, str(uuid4())) | {"as_of": visit.as_of.isoformat()}
    try:
        planned: Json = await neighbours.post_query("dunning", "/by-hand/plan", wish)
        shown: Json = await neighbours.post_query("notify", "/preview", {"action": planned["action"]})
    except Refused as refusal:
        if refusal.status in (404, 409):
            raise PageUnknown from refusal
        raise
    return row, shown


@router.get("/preview")
async def preview(request: Request, visit: ActingDep, client_id: str, currency: str) -> Response:
    """Whom it goes to, with which subject, and the message in its frame."""
    asked = Asked.read(request.query_params)
    row, shown = await _planned(visit, asked, client_id, currency)
    return page(request, visit, "criteria_preview.html", asked=asked, row=row, message=shown)


@router.get("/preview/body")
async def preview_body(request: Request, visit: ActingDep, client_id: str, currency: str) -> Response:
    """The message alone, for the frame."""
    asked = Asked.read(QueryParams(request.query_params))
    _, shown = await _planned(visit, asked, client_id, currency)
    head = {"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store"}
    return HTMLResponse(shown["html"], headers=head)
