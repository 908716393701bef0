"""Suivre, Prévisions: when the money of open entries is expected, moved by hand (rules 5.7, 16.8, 16.9)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.console.formatting import day_written
from services.console.gateway import Refused
from services.console.pages.lists import as_file
from services.console.rendering import page as render
from services.console.visits import ActingDep, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/forecast")

SIZE = 50
MOST_MOVED = 100
ENTRY_DIGITS = 32
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
FRIDAY = timedelta(days=4)
SUNDAY = timedelta(days=6)


def day_of_week(week_start: date, as_of: date) -> date:
    """Where an entry goes that is dropped on a week: its Friday, or today when that has passed."""
    return max(week_start + FRIDAY, as_of)


@router.get("")
async def forecast(request: Request, visit: VisitDep) -> Response:
    told = request.query_params
    neighbours = visit.neighbours(at_least=told.get("after", ""))
    found = await neighbours.get("reporting", "/forecast", as_of=visit.as_of.isoformat())
    mondays = [date.fromisoformat(week["week_start"]) for week in found["weeks"] if week["week_start"]]
    weeks = [
        {
            **week,
            "amount": Decimal(week["overdue"]) + Decimal(week["upcoming"]),
            "drop_on": day_of_week(monday, visit.as_of) if monday else None,
            "until": monday + SUNDAY if monday else mondays[0] - DAY,
        }
        for week, monday in zip(found["weeks"], [None, *mondays], strict=True)
    ]
    return render(
        request,
        visit,
        "forecast.html",
        found=found,
        weeks=weeks,
        later_from=mondays[-1] + WEEK,
        notice=_notice(visit, told),
        updating=neighbours.updating,
    )


def _notice(visit: Visit, told: Any) -> dict[str, str] | None:
    """What became of the entries that were moved."""
    if told.get("done") == "objectives":
        return {"tone": "ok", "text": visit.words.gettext("Les objectifs sont enregistrés.")}
    moved = int(told["moved"]) if told.get("moved", "").isdecimal() else 0
    if told.get("refused"):
        refusal = visit.vocabulary.refusal(told["refused"])
        return {"tone": "stop", "text": f"{_moved(visit, moved)} {refusal}" if moved else refusal}
    return {"tone": "ok", "text": _moved(visit, moved)} if moved else None


def _moved(visit: Visit, number: int) -> str:
    text = visit.words.ngettext(
        "%(n)s pièce est attendue à une autre date ; ses relances ne changent pas.",
        "%(n)s pièces sont attendues à une autre date ; leurs relances ne changent pas.",
        number,
    )
    return text % {"n": number}


@router.get("/list")
async def expected(
    request: Request,
    visit: VisitDep,
    since: date | None = None,
    until: date | None = None,
    size: Annotated[int, Query(ge=1, le=500)] = SIZE,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """Every entry expected in a period, as a list and as a file."""
    asked: dict[str, Any] = {"as_of": visit.as_of.isoformat(), "size": size, "page": page}
    asked |= {name: day.isoformat() for name, day in (("since", since), ("until", until)) if day}
    neighbours = visit.neighbours()
    if file := await as_file(request, visit, neighbours, "/expected", asked):
        return file
    found = await neighbours.get("reporting", "/expected", **asked)
    return render(request, visit, "forecast_list.html", found=found)


@router.post("/move")
async def move(
    visit: ActingDep,
    entry: Annotated[list[str], Form(default_factory=list, max_length=MOST_MOVED)],
    expected_on: Annotated[str, Form(max_length=10)] = "",
    back: Annotated[bool, Form()] = False,
) -> Response:
    """Expect the ticked entries on another day, or with ``back`` on their due dates again.

    Each is named by its identity followed by its client's code. What one entry refuses keeps no other back.
    """
    day = None if back else day_written(expected_on)
    if day is None and not back:
        return _to(visit, refused="unreadable")
    neighbours = visit.neighbours()
    moved, refused = 0, ""
    after: dict[str, str] = {}
    for one in dict.fromkeys(entry):
        entry_id, client_id = one[:ENTRY_DIGITS], one[ENTRY_DIGITS:]
        body = {"client_id": client_id, "entry_id": entry_id, "expected_on": day.isoformat() if day else None}
        try:
            await neighbours.command("ledger", "POST", "/reposition-entry", body)
            moved += 1
            after |= {place.rpartition("/")[0]: place for place in neighbours.at_least.split(",")}
        except Refused as refusal:
            refused = refusal.code
    return _to(visit, moved=moved, refused=refused, after=",".join(after.values()))


def _to(visit: Visit, **told: Any) -> Response:
    query = urlencode({name: value for name, value in told.items() if value})
    return RedirectResponse(
        f"{visit.url('forecast')}?{query}" if query else visit.url("forecast"), status_code=303
    )
