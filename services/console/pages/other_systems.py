"""Configurer, Abonnés et webhooks: other systems that hear what is said, by NATS and by HTTP."""

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from contracts.registry import EVENTS
from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, Visit

router = APIRouter(prefix="/c/{company}/other-systems")

DONE = {
    "removed": N_("L’abonné est retiré : ses connexions sont fermées."),
    "replayed": N_("L’abonné recevra de nouveau tout depuis ce jour."),
    "changed": N_("Le webhook est enregistré."),
    "webhook-removed": N_("Le webhook est retiré."),
    "webhook-replayed": N_("Tout ce qui a été dit depuis ce jour sera livré de nouveau, sous les mêmes numéros."),
    "retried": N_("Les événements mis de côté sont livrés de nouveau."),
}
TAKEN, NOT_TAKEN = N_("L’essai a réussi : %(told)s."), N_("L’essai échoue : %(told)s.")
TOLD = (
    (re.compile(r"answered (?P<status>\d+): redirects are not followed"), N_("redirigé (%(status)s), refusé")),
    (re.compile(r"answered (?P<status>\d+)"), N_("réponse %(status)s")),
    (re.compile(r"no answer within (?P<seconds>\d+) s"), N_("pas de réponse en %(seconds)s secondes")),
    (re.compile(r"(?P<host>\S+) is not on the public internet.*"), N_("%(host)s n’est pas sur internet")),
    (re.compile(r"(?P<host>\S+) has no address.*"), N_("%(host)s n’existe pas")),
    (re.compile(r"its secret was sealed.*"), N_("le secret ne s’ouvre plus, changez-le")),
)
"""What became of a delivery, as reporting tells it; anything else is the road's own message and stays as it is."""
DELIVERIES_SHOWN = 100
SAYINGS: dict[str, list[str]] = {}
for _event in sorted(EVENTS.values(), key=lambda event: event.__name__):
    SAYINGS.setdefault(_event.speaker, []).append(_event.__name__)

Events = Annotated[list[str], Form(default_factory=list, max_length=200)]
Name = Annotated[str, Form(max_length=100)]
Day = Annotated[str, Form(max_length=20)]
Url = Annotated[str, Form(max_length=2000)]


@router.get("")
async def shown(
    request: Request,
    visit: ActingDep,
    webhook: Annotated[UUID | None, Query()] = None,
    done: str = "",
    refused: str = "",
) -> Response:
    return await _page(request, visit, visit.notice(DONE, done, refused), webhook=webhook)


@router.post("/subscribers")
async def add_subscriber(request: Request, visit: ActingDep, name: Name, event: Events) -> Response:
    """What the program needs to connect is on this page, once."""
    body = {"name": name.strip(), "events": event or ["*"]}
    return await _handing_out(request, visit, "/subscribers", body)


@router.post("/subscribers/rotate")
async def rotate_subscriber(
    request: Request, visit: ActingDep, name: Name, at_once: bool = Form(False)
) -> Response:
    body = {"name": name, "overlap_hours": 0 if at_once else 24}
    return await _handing_out(request, visit, "/subscribers/rotate", body)


@router.post("/subscribers/replay")
async def replay_subscriber(request: Request, visit: ActingDep, name: Name, since: Day) -> Response:
    return await _told(request, visit, "/subscribers/replay", {"name": name, "since": since}, "replayed")


@router.post("/subscribers/remove")
async def remove_subscriber(request: Request, visit: ActingDep, name: Name) -> Response:
    return await _told(request, visit, "/subscribers/remove", {"name": name}, "removed")


@router.post("/webhooks")
async def add_webhook(request: Request, visit: ActingDep, url: Url, event: Events) -> Response:
    """The secret is on this page, once."""
    return await _handing_out(request, visit, "/webhooks", {"url": url, "events": event or ["*"]})


@router.post("/webhooks/rotate")
async def rotate_webhook(
    request: Request, visit: ActingDep, webhook_id: Annotated[UUID, Form()], at_once: bool = Form(False)
) -> Response:
    body = {"webhook_id": str(webhook_id), "overlap_hours": 0 if at_once else 24}
    return await _handing_out(request, visit, "/webhooks/rotate", body)


@router.post("/webhooks/change")
async def change_webhook(
    request: Request, visit: ActingDep, webhook_id: Annotated[UUID, Form()], url: Url, event: Events
) -> Response:
    body = {"webhook_id": str(webhook_id), "url": url, "events": event or ["*"]}
    return await _told(request, visit, "/webhooks/change", body, "changed")


@router.post("/webhooks/switch")
async def switch_webhook(
    request: Request, visit: ActingDep, webhook_id: Annotated[UUID, Form()], active: bool = Form(False)
) -> Response:
    body = {"webhook_id": str(webhook_id), "active": active}
    return await _told(request, visit, "/webhooks/change", body, "changed")


@router.post("/webhooks/replay")
async def replay_webhook(
    request: Request, visit: ActingDep, webhook_id: Annotated[UUID, Form()], since: Day
) -> Response:
    body = {"webhook_id": str(webhook_id), "since": since}
    return await _told(request, visit, "/webhooks/replay", body, "webhook-replayed")


@router.post("/webhooks/retry")
async def retry(request: Request, visit: ActingDep, webhook_id: Annotated[UUID, Form()]) -> Response:
    return await _told(request, visit, "/webhooks/retry", {"webhook_id": str(webhook_id)}, "retried")


@router.post("/webhooks/remove")
async def remove_webhook(request: Request, visit: ActingDep, webhook_id: Annotated[UUID, Form()]) -> Response:
    return await _told(request, visit, "/webhooks/remove", {"webhook_id": str(webhook_id)}, "webhook-removed")


@router.post("/webhooks/test")
async def try_webhook(request: Request, visit: ActingDep, webhook_id: Annotated[UUID, Form()]) -> Response:
    """Send one event that says nothing, and show what is answered."""
    try:
        found = await _post(visit, "/webhooks/test", {"webhook_id": str(webhook_id)})
    except Refused as refused:
        return await _page(request, visit, _refusal(visit, refused), status=422)
    sentence = TAKEN if found["ok"] else NOT_TAKEN
    said = visit.words.gettext(sentence) % {"told": _in_words(visit, found["told"])}
    return await _page(request, visit, {"tone": "ok" if found["ok"] else "stop", "text": said})


def _in_words(visit: Visit, told: str) -> str:
    for form, sentence in TOLD:
        if found := form.fullmatch(told):
            return visit.words.gettext(sentence) % found.groupdict()
    return told


async def _told(request: Request, visit: Visit, path: str, body: Json, done: str) -> Response:
    try:
        await _post(visit, path, body)
    except Refused as refused:
        return await _page(request, visit, _refusal(visit, refused), status=422)
    return RedirectResponse(visit.url("other-systems", done=done), status_code=303)


async def _handing_out(request: Request, visit: Visit, path: str, body: Json) -> Response:
    try:
        made = await _post(visit, path, body)
    except Refused as refused:
        return await _page(request, visit, _refusal(visit, refused), typed=body, status=422)
    shown = made.get("connect")
    handed = json.dumps(shown, indent=2, ensure_ascii=False) if shown else made["secret"]
    return await _page(request, visit, None, handed={"text": handed, "about": made.get("name") or made.get("url")})


async def _post(visit: Visit, path: str, body: Json) -> Json:
    visit.only_for("admin")
    return await visit.neighbours().post_query("reporting", path, body)


def _refusal(visit: Visit, refused: Refused) -> dict[str, str]:
    text = visit.vocabulary.refusal("unreadable-option" if refused.code == "request-invalid" else refused.code)
    return {"tone": "stop", "text": text}


async def _page(
    request: Request,
    visit: Visit,
    notice: Mapping[str, str] | None,
    *,
    webhook: UUID | None = None,
    status: int = 200,
    handed: Mapping[str, Any] | None = None,
    typed: Json | None = None,
) -> Response:
    visit.only_for("admin")
    neighbours = visit.neighbours()
    known: Json = await neighbours.get("reporting", "/webhooks")
    looked_at = next((one for one in known["webhooks"] if one["webhook_id"] == str(webhook)), None)
    asked = {"webhook_id": str(webhook), "limit": DELIVERIES_SHOWN}
    listed: Json = (
        await neighbours.get("reporting", "/webhooks/deliveries", **asked) if looked_at else {"deliveries": []}
    )
    return page(
        request,
        visit,
        "other_systems.html",
        status=status,
        notice=notice,
        subscribers=(await neighbours.get("reporting", "/subscribers"))["subscribers"],
        webhooks=known["webhooks"],
        can_keep_secrets=known["can_keep_secrets"],
        looked_at=looked_at,
        deliveries=listed["deliveries"],
        sayings=SAYINGS,
        in_words=partial(_in_words, visit),
        handed=handed,
        typed=typed or {},
    )
