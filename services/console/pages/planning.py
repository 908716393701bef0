"""Synchronisation, where from and when: connectors, places that files are fetched from, planned slots."""

import re
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.visits import ActingDep, Visit, WholeCompany

router = APIRouter(dependencies=[WholeCompany])

WEEKDAYS = (
    ("1", N_("lun.")), ("2", N_("mar.")), ("3", N_("mer.")), ("4", N_("jeu.")), ("5", N_("ven.")),
    ("6", N_("sam.")), ("0", N_("dim.")),
)  # fmt: skip
EVERY_DAY = "*"
PLAIN = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* (\*|[0-6](?:,[0-6])*|[0-6]-[0-6])")
TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def spoken_slot(visit: Visit, cron: str) -> str:
    """``lun., mar. à 06:30``; a time that is written otherwise is shown as it is."""
    _ = visit.words.gettext
    if cron == "* * * * *":
        return _("chaque minute")
    plain = PLAIN.fullmatch(cron)
    if plain is None:
        return cron
    minute, hour, days = plain.groups()
    at = f"{int(hour):02d}:{int(minute):02d}"
    if days == EVERY_DAY:
        return _("chaque jour à %(time)s") % {"time": at}
    first, _dash, last = days.partition("-")
    chosen = {str(day) for day in range(int(first), int(last) + 1)} if last else set(days.split(","))
    named = ", ".join(_(word) for day, word in WEEKDAYS if day in chosen)
    return _("%(days)s à %(time)s") % {"days": named, "time": at}


def _administrator(visit: Visit) -> None:
    """Slots and inlets are for administrators (rule 2.3)."""
    visit.only_for("admin")


async def _sent(visit: Visit, method: str, path: str, body: Json | None = None) -> Response:
    try:
        await visit.neighbours().request("sync", method, path, **({"json": body} if body is not None else {}))
    except Refused as refusal:
        return RedirectResponse(visit.url("imports", refused=refusal.code), status_code=303)
    return RedirectResponse(visit.url("imports", done="planned") + "#planning", status_code=303)


@router.post("/c/{company}/imports/slots")
async def add_slot(
    visit: ActingDep,
    source: Annotated[str, Form()],
    time: Annotated[str, Form()],
    days: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """``source`` is ``inlet/NAME`` or ``connector/NAME``; without days the slot comes every day."""
    _administrator(visit)
    kind, _slash, name = source.partition("/")
    at = TIME.fullmatch(time)
    if at is None or kind not in ("inlet", "connector"):
        return RedirectResponse(visit.url("imports", refused="cron-unreadable"), status_code=303)
    named = sorted({day for day in days or [] if day in dict(WEEKDAYS)})
    chosen = ",".join(named) if named and len(named) < len(WEEKDAYS) else EVERY_DAY
    body = {kind: name, "cron": f"{int(at[2])} {int(at[1])} * * {chosen}"}
    return await _sent(visit, "POST", "/slots", body)


@router.post("/c/{company}/imports/slots/delete")
async def delete_slot(visit: ActingDep, slot_id: Annotated[str, Form()]) -> Response:
    _administrator(visit)
    return await _sent(visit, "DELETE", f"/slots/{slot_id}")


@router.post("/c/{company}/imports/inlets")
async def add_inlet(
    visit: ActingDep,
    name: Annotated[str, Form()],
    kind: Annotated[str, Form()],
    folder: Annotated[str, Form()],
    pattern: Annotated[str, Form()] = "*",
    reading: Annotated[str, Form()] = "fec",
    watched: Annotated[str, Form()] = "",
    host: Annotated[str, Form()] = "",
    port: Annotated[int, Form()] = 22,
    user: Annotated[str, Form()] = "",
    host_key: Annotated[str, Form()] = "",
    secret: Annotated[str, Form()] = "",
) -> Response:
    _administrator(visit)
    place: Json = {"kind": kind, "folder": folder.strip()}
    if kind == "sftp":
        place |= {
            "host": host.strip(),
            "port": port,
            "user": user.strip(),
            "host_key": host_key.strip(),
            "secret": secret.strip(),
        }
    body = {"place": place, "pattern": pattern.strip() or "*", "reading": reading, "watched": bool(watched)}
    return await _sent(visit, "PUT", f"/inlets/{name.strip().lower()}", body)


@router.post("/c/{company}/imports/inlets/delete")
async def delete_inlet(visit: ActingDep, name: Annotated[str, Form()]) -> Response:
    _administrator(visit)
    return await _sent(visit, "DELETE", f"/inlets/{name}")


@router.post("/c/{company}/imports/now")
async def synchronise(visit: ActingDep, source: Annotated[str, Form()]) -> Response:
    """Look into an inlet, or have a connector read its base, at once."""
    kind, _slash, name = source.partition("/")
    if kind == "inlet":
        return await _sent(visit, "POST", f"/inlets/{name}/fetch")
    try:
        answer = await visit.neighbours().post(
            "sync", f"/connectors/{name}/synchronise", {"language": visit.language}
        )
    except Refused as refusal:
        return RedirectResponse(visit.url("imports", refused=refusal.code, source=name), status_code=303)
    return RedirectResponse(visit.url("imports", run=answer["run_id"]), status_code=303)
