"""What a client has otherwise than its company, and which entries' reminders may leave by themselves.

Rules 22.13, 22.26 and 22.27. Administrators change a client's policy, users choose for entries, everybody reads.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.console.formatting import amount_written
from services.console.gateway import Json, Neighbours, Refused
from services.console.language import N_
from services.console.rendering import page as render
from services.console.visits import ActingDep, Visit, VisitDep

router = APIRouter(prefix="/c/{company}")

ROWS = 100
NOTHING_OWN: Json = {"profile": None, "never": False, "tolerance_days": None, "tolerance_amount": None}
SAVED = N_("La politique de ce client est enregistrée ; la prochaine décision la suit.")
AS_COMPANY = N_("Ce client suit de nouveau la politique de la société.")
Choice = Literal["true", "false", ""]
CHOICES: Mapping[str, bool | None] = {"true": True, "false": False, "": None}
"""In, out, or as the policy says."""

ClientId = Annotated[str, Query(min_length=1, max_length=64)]


async def own_policy(neighbours: Neighbours, client_id: str) -> Json:
    """What the client has of its own; ``None`` and false where it has nothing."""
    found = await neighbours.get("dunning", "/client-policies", client_id=client_id)
    return {**NOTHING_OWN, **(found["clients"][0] if found["clients"] else {})}


def has_own(policy: Mapping[str, object]) -> bool:
    return any(policy[name] not in (None, False) for name in NOTHING_OWN)


def in_words(visit: Visit, policy: Mapping[str, Any]) -> list[str]:
    """Each thing that the client has otherwise."""
    _, ngettext = visit.words.gettext, visit.words.ngettext
    told = []
    if policy["never"]:
        told.append(_("jamais relancé"))
    if policy["profile"]:
        told.append(_("scénario « %(profile)s »") % {"profile": visit.profile_name(policy["profile"])})
    if policy["tolerance_days"] is not None:
        days = policy["tolerance_days"]
        text = ngettext("%(n)s jour de tolérance", "%(n)s jours de tolérance", days)
        told.append(text % {"n": days} if days else _("aucun jour de tolérance"))
    if policy["tolerance_amount"] is not None:
        amount = visit.formats.money(policy["tolerance_amount"], visit.currency)
        told.append(_("retard toléré %(amount)s") % {"amount": amount})
    return told


@router.get("/client-policies")
async def client_policies(
    request: Request, visit: VisitDep, page: Annotated[int, Query(ge=1)] = 1, after: str = ""
) -> Response:
    """Every client that has anything of its own."""
    neighbours = visit.neighbours(at_least=after)
    found: list[Json] = (await neighbours.get("dunning", "/client-policies"))["clients"]
    pages = max(1, -(-len(found) // ROWS))
    number = min(page, pages)
    shown = found[(number - 1) * ROWS : number * ROWS]
    return render(
        request,
        visit,
        "client_policies.html",
        rows=[(one["client_id"], in_words(visit, one)) for one in shown],
        names=await neighbours.names([one["client_id"] for one in shown]),
        found={"page": number, "size": ROWS, "pages": pages},
        count=len(found),
        updating=neighbours.updating,
    )


@router.get("/client/policy")
async def client_policy(
    request: Request, visit: VisitDep, client_id: ClientId, after: str = "", saved: str = ""
) -> Response:
    neighbours = visit.neighbours(at_least=after)
    policy = await own_policy(neighbours, client_id)
    text = {"own": SAVED, "company": AS_COMPANY}.get(saved)
    notice = {"tone": "ok", "text": visit.words.gettext(text)} if text else None
    return await _shown(request, visit, neighbours, client_id, policy, notice=notice)


@router.post("/client/policy")
async def save_client_policy(
    request: Request,
    visit: ActingDep,
    client_id: Annotated[str, Form(min_length=1, max_length=64)],
    profile: Annotated[str, Form(max_length=64)] = "",
    never: Annotated[bool, Form()] = False,
    tolerance_days: Annotated[str, Form(max_length=10)] = "",
    tolerance_amount: Annotated[str, Form(max_length=30)] = "",
) -> Response:
    """Whole: what is left empty is as the company has it. What cannot be saved comes back as it was typed."""
    visit.only_for("admin")
    days, amount = tolerance_days.strip(), tolerance_amount.strip()
    typed: Json = {
        "profile": profile or None,
        "never": never,
        "tolerance_days": days or None,
        "tolerance_amount": amount or None,
    }
    wanted = {**typed, "client_id": client_id}
    unreadable = set()
    if days:
        wanted["tolerance_days"] = int(days) if days.isdecimal() else None
        unreadable |= set() if days.isdecimal() else {"tolerance_days"}
    if amount:
        found = amount_written(amount)
        wanted["tolerance_amount"] = None if found is None else format(found, "f")
        unreadable |= {"tolerance_amount"} if found is None else set()
    neighbours = visit.neighbours()
    refusal = "unreadable-option" if unreadable else ""
    if not refusal:
        try:
            await neighbours.command("dunning", "PUT", "/client-policy", wanted)
        except Refused as refused:
            refusal = refused.code
    if refusal:
        notice = {"tone": "stop", "text": visit.vocabulary.refusal(refusal)}
        return await _shown(
            request, visit, neighbours, client_id, typed, notice=notice, unreadable=unreadable, status=422
        )
    to = visit.url(
        "client/policy",
        client_id=client_id,
        saved="own" if has_own(wanted) else "company",
        after=neighbours.at_least,
    )
    return RedirectResponse(to, status_code=303)


async def _shown(
    request: Request,
    visit: Visit,
    neighbours: Neighbours,
    client_id: str,
    policy: Mapping[str, Any],
    *,
    notice: Mapping[str, str] | None = None,
    unreadable: set[str] | None = None,
    status: int = 200,
) -> Response:
    company, scenarios, names = await asyncio.gather(
        neighbours.get("dunning", "/policy"),
        neighbours.get("dunning", "/scenarios"),
        neighbours.names([client_id]),
    )
    return render(
        request,
        visit,
        "client_policy.html",
        status=status,
        client_id=client_id,
        name=names[client_id],
        policy=policy,
        has_own=has_own(policy),
        company=company,
        profiles=[one["profile"] for one in scenarios["scenarios"]],
        unreadable=unreadable or set(),
        locked=not visit.is_at_least("admin"),
        notice=notice,
        updating=neighbours.updating,
    )


async def choose_automatic(
    neighbours: Neighbours, entries: list[tuple[str, str]], automatic: Choice
) -> dict[str, str]:
    """Say it of these (client, entry); what the page that follows is told."""
    if not entries:
        return {"refused": "nothing-ticked"}
    named = [{"client_id": client_id, "entry_id": entry_id} for client_id, entry_id in entries]
    body = {"automatic": CHOICES[automatic], "entries": named}
    try:
        answer = await neighbours.command("dunning", "PUT", "/automatic", body)
    except Refused as refusal:
        return {"refused": refusal.code}
    if answer["unknown"]:
        return {"refused": "entries-unknown", "after": neighbours.at_least}
    return {"done": "automatic", "after": neighbours.at_least}


@router.post("/client/automatic")
async def choose_for_client(
    visit: ActingDep,
    client_id: Annotated[str, Form(min_length=1, max_length=64)],
    entry_id: Annotated[list[str], Form(default_factory=list, max_length=2000)],
    automatic: Annotated[Choice, Form()] = "",
) -> Response:
    """Opt the ticked entries of a client in or out of reminders that leave by themselves (rule 22.13)."""
    told = await choose_automatic(visit.neighbours(), [(client_id, one) for one in entry_id], automatic)
    return RedirectResponse(visit.url("client", client_id=client_id, **told), status_code=303)
