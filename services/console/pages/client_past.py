"""A client as it was known at the end of a past day: its account, its explanation, what happened until then.

Nothing can be done here.
"""

import asyncio
from datetime import date, timedelta
from decimal import Decimal

from fastapi import Request
from fastapi.responses import Response

from chassis.database import transaction
from services.console.accounts import names_of_members
from services.console.gateway import Json, Neighbours, Refused
from services.console.rendering import page
from services.console.visits import Visit

TABS = ("statement", "history", "why")


async def past_page(
    request: Request, visit: Visit, neighbours: Neighbours, client_id: str, on: date, tab: str
) -> Response:
    """Everything from dunning, which reads the facts again; names and labels are those of today."""
    asked = {"client_id": client_id, "as_of": on.isoformat()}
    why, statement, labels, names = await asyncio.gather(
        neighbours.get("dunning", "/explain", **asked, language=visit.language, history="true"),
        neighbours.get("dunning", "/statement", **asked),
        _labels(neighbours, client_id),
        neighbours.names([client_id]),
    )
    async with transaction(visit.console.engine) as tx:
        actors = await names_of_members(tx, visit.company)
    return page(
        request,
        visit,
        "client_past.html",
        client_id=client_id,
        name=names[client_id],
        on=on,
        eve=on - timedelta(days=1),
        morrow=on + timedelta(days=1),
        tab=tab if tab in TABS else "statement",
        why=why,
        happened_to=happened_to(why),
        statement=statement,
        amounts=_amounts(statement, on),
        labels=labels,
        actors=actors,
    )


def happened_to(why: Json) -> dict[str, list[Json]]:
    """The lines of the history by the entry they speak of; none where the history could not be read."""
    found: dict[str, list[Json]] = {}
    for line in why.get("history") or []:
        for entry_id in line["entries"]:
            found.setdefault(entry_id, []).append(line)
    return found


async def _labels(neighbours: Neighbours, client_id: str) -> Json:
    """Texts of the entries, as they are today; none where ledger does not know the client."""
    try:
        found: Json = await neighbours.get("ledger", "/client", client_id=client_id)
    except Refused as refusal:
        if refusal.status != 404:
            raise
        return {}
    return found.get("labels") or {}


def _amounts(statement: Json, on: date) -> dict[str, Decimal]:
    """Due, overdue and upcoming over the open lines, in the bookkeeping currency (rules 1.3, 1.4)."""
    open_lines = [line for line in statement["entries"] if line["open"]]
    due = sum((Decimal(line["book_amount"]) for line in open_lines), Decimal(0))
    late = [line for line in open_lines if date.fromisoformat(line["due_date"]) < on]
    overdue = sum((Decimal(line["book_amount"]) for line in late), Decimal(0))
    return {"due": due, "overdue": overdue, "upcoming": due - overdue}
