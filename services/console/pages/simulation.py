"""Agir, Simulation: what a changed scenario would send over days ahead or past, beside the current one."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from starlette.datastructures import FormData

from services.console.formatting import amount_written
from services.console.gateway import Json, Neighbours, Refused, ServiceSilent
from services.console.language import N_
from services.console.rendering import environment, page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep, WholeCompany

router = APIRouter(prefix="/c/{company}", dependencies=[WholeCompany])
LOOK_SECONDS = 0.5
LONGEST_SECONDS = 3600
AHEAD = (30, 60, 90, 180, 365)
MEDIA = ("email", "letter", "phone", "other")
VARIANTS = ("with_email", "without_email")
DAILY_UP_TO = 45
"""Longer periods are shown by weeks."""
CLIENTS = 15
CENT = Decimal("0.01")
ENDED = ("completed", "cancelled", "failed")
KINDS = {
    "more": N_("Plus de messages"),
    "fewer": N_("Moins de messages"),
    "earlier": N_("Plus tôt"),
    "later": N_("Plus tard"),
    "other": N_("Autrement"),
}
DONE = {"costs": N_("Les coûts sont enregistrés : tous les résultats les suivent.")}
ASSUMPTIONS = {
    "done_same_day": N_(
        "Chaque message est compté comme fait le jour où il est décidé, qu’il soit automatique ou non."
    ),
    "nobody_pays": N_("Personne ne paie pendant la période."),
    "habits": N_(
        "Chaque client paie avec son retard médian, à défaut celui de la société ; ce qui est déjà plus en retard"
        " reste impayé."
    ),
    "nobody_ever_paid": N_("Personne ne paie : aucun règlement passé n’est connu."),
    "facts_as_they_came": N_(
        "Les faits comptent du jour où ils sont arrivés ; ceux d’une première reprise, à leurs propres dates."
    ),
}


@dataclass
class Bucket:
    """A day or a week of the calendar: messages by medium, and those of the current rules."""

    first: date
    last: date
    media: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MEDIA, 0))
    now: int = 0

    @property
    def total(self) -> int:
        return sum(self.media.values())


@router.get("/simulation")
async def simulation(request: Request, visit: VisitDep) -> Response:
    """The question on the left, the answer that ``id`` names on the right."""
    query = request.query_params
    neighbours = visit.neighbours()
    scenarios, latest, costs = await asyncio.gather(
        neighbours.get("dunning", "/scenarios"),
        neighbours.get("dunning", "/simulations"),
        neighbours.get("dunning", "/contact-costs"),
    )
    known = {one["profile"]: one for one in scenarios["scenarios"]}
    profile = query.get("profile", "")
    if profile not in known:
        profile = "Standard" if "Standard" in known else next(iter(sorted(known)), "")
    shown = await _shown(visit, neighbours, query.get("id"), query.get("kind", ""), query.get("from_client", ""))
    return page(
        request,
        visit,
        "simulation.html",
        profiles=sorted(known),
        profile=profile,
        scenario=_tried(shown["one"], profile) or known.get(profile),
        latest=latest["simulations"][:8],
        ahead=AHEAD,
        media=MEDIA,
        kinds=KINDS,
        kind=query.get("kind", ""),
        yesterday=visit.as_of - timedelta(days=1),
        long_ago=visit.as_of - timedelta(days=90),
        costs={medium: _written(visit, cost) for medium, cost in costs.items()},
        notice=visit.notice(DONE, query.get("done", ""), query.get("refused", "")),
        **shown,
    )


def _tried(one: Json | None, profile: str) -> Json | None:
    """The scenario that the simulation on screen tried, to be tried further."""
    tried = (one or {}).get("asked", {}).get("scenarios") or []
    found = next((draft for draft in tried if draft["profile"] == profile), None)
    if found is None:
        return None
    unsaid = {"enabled": True, "counted_from": "due_date"}
    return {variant: [{**unsaid, **step} for step in found[variant]] for variant in VARIANTS}


def _written(visit: Visit, cost: str) -> str:
    """Exact, and as short as money is usually written."""
    exact = Decimal(cost)
    text = format(exact.quantize(CENT) if exact == exact.quantize(CENT) else exact.normalize(), "f")
    return text.replace(".", ",") if visit.language == "fr" else text


async def _shown(visit: Visit, neighbours: Neighbours, asked: str | None, kind: str, after: str) -> Json:
    """The simulation that is shown, its calendar and its clients."""
    nothing: Json = {"one": None, "buckets": [], "differing": [], "next": None, "names": {}, "assumptions": []}
    if asked is None:
        return nothing
    one = await _one(visit, neighbours, asked)
    if one["status"] != "completed":
        return {**nothing, "one": one}
    result = one["result"]
    found: Json = {"clients": [], "next": None}
    if result["differences"] and result["differences"]["clients"]:
        chosen = kind if kind in KINDS else None
        path = f"/simulations/{one['simulation_id']}/differences"
        found = await neighbours.get("dunning", path, kind=chosen, after=after, limit=CLIENTS)
    return {
        "one": one,
        "buckets": buckets(one),
        "differing": found["clients"],
        "next": found["next"],
        "names": await neighbours.names([client["client_id"] for client in found["clients"]]),
        "assumptions": [visit.words.gettext(ASSUMPTIONS[code]) for code in one["assumptions"]],
    }


async def _one(visit: Visit, neighbours: Neighbours, asked: str) -> Json:
    try:
        found: Json = await neighbours.get("dunning", f"/simulations/{UUID(asked)}")
    except ValueError as unreadable:
        raise PageUnknown from unreadable
    except Refused as refusal:
        if refusal.status == 404:
            raise PageUnknown from refusal
        raise
    return found


def buckets(one: Json) -> list[Bucket]:
    """The days of the period, or its weeks from its first day on where they are many."""
    first, last = date.fromisoformat(one["from"]), date.fromisoformat(one["to"])
    length = 1 if (last - first).days < DAILY_UP_TO else 7
    made = []
    for start in range(0, (last - first).days + 1, length):
        begins = first + timedelta(days=start)
        made.append(Bucket(begins, min(begins + timedelta(days=length - 1), last)))
    for cell in one["result"]["calendar"]:
        made[(date.fromisoformat(cell["on"]) - first).days // length].media[cell["medium"]] += cell["contacts"]
    for cell in one["result"]["current_calendar"] or ():
        made[(date.fromisoformat(cell["on"]) - first).days // length].now += cell["contacts"]
    return made


@router.post("/simulation")
async def ask(request: Request, visit: ActingDep) -> Response:
    """Ask for a simulation of the scenario as it was edited, then show it."""
    form = await request.form()
    neighbours = visit.neighbours()
    profile = str(form.get("profile", ""))
    scenarios: Json = await neighbours.get("dunning", "/scenarios")
    current = next((one for one in scenarios["scenarios"] if one["profile"] == profile), None)
    wanted = wanted_of(form, current)
    try:
        made = await neighbours.command("dunning", "POST", "/simulations", wanted)
    except Refused as refusal:
        return RedirectResponse(visit.url("simulation", profile=profile, refused=refusal.code), status_code=303)
    shown = visit.url("simulation", profile=profile, id=made["simulation_id"])
    return RedirectResponse(f"{shown}#result", status_code=303)


def wanted_of(form: FormData, current: Json | None) -> Json:
    """What the form asks for, in dunning's words."""
    wanted: Json = {}
    if form.get("when") == "behind":
        wanted |= {"from": form.get("from") or None, "to": form.get("to") or None}
    else:
        wanted |= {"days": int(str(form.get("days") or 90)), "assume": form.get("assume") or "nobody_pays"}
    follows = str(form.get("follows") or "")
    if follows and current is not None and follows != current["profile"]:
        wanted["follows"] = {current["profile"]: follows}
    elif current is not None and (draft := edited(form, current)) is not None:
        wanted["scenarios"] = [draft]
    if form.get("only") and current is not None:
        wanted["only_profile"] = current["profile"]
    return wanted


def edited(form: FormData, current: Json) -> Json | None:
    """The scenario with the days, media and switches of the form; ``None`` when nothing was changed."""
    draft = {name: value for name, value in current.items() if name not in ("version", "thanks_since")}
    for variant in VARIANTS:
        draft[variant] = [_edited_step(form, variant, step) for step in current[variant]]
    changed = any(draft[variant] != list(current[variant]) for variant in VARIANTS)
    return draft if changed else None


def _edited_step(form: FormData, variant: str, step: Mapping[str, Any]) -> Json:
    """A step that the form does not name stays; a letter or an e-mail without a template takes the step's own."""
    key = f"{variant}:{step['step']}"
    days = str(form.get(f"days:{key}") or "")
    if not days.isdecimal():
        return dict(step)
    medium = str(form.get(f"medium:{key}") or step["medium"])
    needs = medium in ("email", "letter")
    return {
        **step,
        "delay_days": int(days),
        "medium": medium,
        "enabled": form.get(f"on:{key}") == "true",
        "mode": step["mode"] if medium == "email" else "manual",
        "template": (step["template"] or step["step"]) if needs else step["template"],
    }


@router.post("/simulation/costs")
async def save_costs(request: Request, visit: ActingDep) -> Response:
    """What one contact costs by medium, kept for the company; results already there are read with them too."""
    visit.only_for("admin")
    form = await request.form()
    back = {name: str(form[name]) for name in ("profile", "id") if form.get(name)}
    amounts = {medium: amount_written(str(form.get(f"cost_{medium}", "")).strip() or "0") for medium in MEDIA}
    wanted = {medium: format(amount, "f") for medium, amount in amounts.items() if amount is not None}
    if len(wanted) < len(MEDIA):
        return RedirectResponse(visit.url("simulation", **back, refused="unreadable-option"), status_code=303)
    outcome = {"done": "costs"}
    try:
        await visit.neighbours().command("dunning", "PUT", "/contact-costs", wanted)
    except Refused as refusal:
        outcome = {"refused": "unreadable-option" if refusal.status == 422 else refusal.code}
    return RedirectResponse(visit.url("simulation", **back, **outcome), status_code=303)


@router.post("/simulation/{simulation_id}/cancel")
async def cancel(visit: ActingDep, simulation_id: UUID) -> Response:
    await visit.neighbours().command("dunning", "POST", f"/simulations/{simulation_id}/cancel", {})
    return RedirectResponse(visit.url("simulation", id=simulation_id), status_code=303)


@router.get("/simulation/{simulation_id}/csv")
async def as_csv(visit: VisitDep, simulation_id: UUID, holds: str = "calendar") -> Response:
    path = f"/simulations/{simulation_id}/csv"
    answer = await visit.neighbours().request("dunning", "GET", path, params={"holds": holds})
    kept = {name: answer.headers[name] for name in ("content-type", "content-disposition")}
    return Response(answer.content, headers=kept)


@router.get("/simulation/{simulation_id}/events")
async def events(request: Request, visit: VisitDep, simulation_id: UUID) -> Response:
    """The progress as server-sent events until it has ended."""
    await _one(visit, visit.neighbours(), str(simulation_id))
    return StreamingResponse(
        _events(request, visit, simulation_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(request: Request, visit: Visit, simulation_id: UUID) -> AsyncIterator[str]:
    said = ""
    template = environment(visit.language).get_template("simulation_progress.html")
    for _ in range(int(LONGEST_SECONDS / LOOK_SECONDS)):
        if await request.is_disconnected():
            return
        try:
            one = await _one(visit, visit.neighbours(), str(simulation_id))
        except ServiceSilent:
            yield ": dunning does not answer; asking again\n\n"
            await asyncio.sleep(LOOK_SECONDS)
            continue
        text = template.render(visit=visit, request=request, one=one)
        if text != said:
            said = text
            yield _event("progress", text)
        if one["status"] in ENDED:
            yield _event("finished", "")
            return
        await asyncio.sleep(LOOK_SECONDS)


def _event(name: str, data: str) -> str:
    lines: Sequence[str] = data.splitlines() or [""]
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in lines) + "\n"
