"""Accueil: what is owed, what was paid, what is to be reminded, what is to be checked."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from chassis.database import transaction
from services.console.accounts import names_of_members
from services.console.gateway import Json
from services.console.rendering import page
from services.console.visits import Visit, VisitDep

router = APIRouter()


def late_parts(slices: Sequence[str]) -> list[tuple[str, str]]:
    """Overdue amounts, oldest first, as the lengths of a bar that reads from the youngest to the oldest."""
    oldest = len(slices)
    return [(f"late-{min(oldest - index, 3)}", amount) for index, amount in enumerate(slices)][::-1]


def largest(rows: Sequence[Json]) -> Decimal:
    return max((Decimal(row["overdue"]) + Decimal(row["upcoming"]) for row in rows), default=Decimal(0))


@router.get("/c/{company}/home")
async def home(request: Request, visit: VisitDep) -> Response:
    neighbours, as_of = visit.neighbours(), visit.as_of.isoformat()
    found, timeline, mentions = await asyncio.gather(
        neighbours.get("reporting", "/home", as_of=as_of),
        neighbours.get("reporting", "/timeline", as_of=as_of),
        neighbours.get("reporting", "/mentions", as_of=as_of, user=visit.me.subject),
    )
    async with transaction(visit.console.engine) as tx:
        actors = await names_of_members(tx, visit.company)
    return page(
        request,
        visit,
        "home.html",
        home=found,
        timeline=timeline,
        mentions=mentions["rows"],
        actors=actors,
        checks=_checks(visit, found),
        late_parts=late_parts,
        largest=largest,
    )


def _checks(visit: Visit, found: Json) -> list[dict[str, Any]]:
    """The lines of "to check" that have something to say."""
    checks, currency = found["checks"], found["currency"]
    _, ngettext, formats = visit.words.gettext, visit.words.ngettext, visit.formats
    lines = []

    def names(check: Json) -> str:
        return ", ".join(client["name"] for client in check["clients"][:3])

    def line(icon: str, tone: str, title: str, text: str, url: str, action: str) -> None:
        lines.append({"icon": icon, "tone": tone, "title": title, "text": text, "url": url, "action": action})

    if checks["lettering_error_count"]:
        count, first = checks["lettering_error_count"], checks["lettering_errors"][0]
        title = ngettext("%(n)s erreur de lettrage", "%(n)s erreurs de lettrage", count) % {"n": count}
        text = _("%(name)s, code %(code)s : écart de %(amount)s") % {
            "name": first["name"],
            "code": first["lettering"],
            "amount": formats.money(first["difference"], currency),
        }
        line("link-off", "stop-text", title, text, visit.url("client", client_id=first["client_id"]), _("Voir"))
    if checks["failed_emails"]["count"]:
        count = checks["failed_emails"]["count"]
        title = ngettext("%(n)s e-mail en erreur", "%(n)s e-mails en erreur", count) % {"n": count}
        url = visit.url("activities", status="failed")
        line("mail-x", "stop-text", title, names(checks["failed_emails"]), url, _("Voir"))
    if checks["emails_in_doubt"]["count"]:
        count = checks["emails_in_doubt"]["count"]
        title = ngettext("%(n)s envoi incertain", "%(n)s envois incertains", count) % {"n": count}
        url = visit.url("activities", status="in_doubt")
        line("mail-x", "stop-text", title, names(checks["emails_in_doubt"]), url, _("Décider"))
    if checks["late_without_contact"]["count"]:
        check = checks["late_without_contact"]
        title = ngettext(
            "%(n)s client en retard sans contact", "%(n)s clients en retard sans contact", check["count"]
        ) % {"n": check["count"]}
        text = _("Ni e-mail ni téléphone, %(amount)s en retard") % {
            "amount": formats.whole_money(check["amount"], currency)
        }
        first = check["clients"][0]
        line(
            "user-question", "late-text", title, text, visit.url("client", client_id=first["client_id"]), _("Voir")
        )
    if checks["late_promises"]["count"]:
        check = checks["late_promises"]
        title = ngettext("%(n)s promesse dépassée", "%(n)s promesses dépassées", check["count"]) % {
            "n": check["count"]
        }
        url = visit.url("activities", kind="promise", status="late")
        line("calendar-x", "late-text", title, names(check), url, _("Voir"))
    if checks["stopped_for_long"]["count"]:
        check = checks["stopped_for_long"]
        title = ngettext(
            "%(n)s client stoppé depuis plus de 60 jours",
            "%(n)s clients stoppés depuis plus de 60 jours",
            check["count"],
        ) % {"n": check["count"]}
        url = visit.url("who-owes-what", stopped="true")
        line("hand-stop", "soft", title, names(check), url, _("Revoir"))
    return lines
