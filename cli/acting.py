"""Acting by criteria over HTTP, as the page does (rule 9.8)."""

from __future__ import annotations

from uuid import uuid4

from cli.road import Json, Road

AT_ONCE = 500


def act_by_criteria(road: Road, criteria: Json, template: str | None, *, counts: bool, send: bool) -> Json:
    """``{rows, clients, overdue, done, refused}``: everybody that fits, and what was said of those ticked.

    Raises ``RoadBlocked``.
    """
    rows: list[Json] = []
    offset = 0
    while True:
        found = road.ask_dunning("/by-criteria/query", criteria | {"limit": AT_ONCE, "offset": offset})
        rows += found["rows"]
        offset += AT_ONCE
        if offset >= found["clients"]:
            break
    result: Json = {
        "clients": found["clients"],
        "overdue": found["overdue"],
        "rows": rows,
        "done": [],
        "refused": [],
    }
    wishes = [
        {
            "request_id": str(uuid4()),
            "client_id": row["client_id"],
            "entry_ids": row["entry_ids"],
            "medium": criteria["medium"],
            "template": template,
            "counts": counts,
            "by_criteria": True,
        }
        for row in rows
        if row["ticked"] and send
    ]
    for start in range(0, len(wishes), AT_ONCE):
        part = wishes[start : start + AT_ONCE]
        answer = road.ask_dunning("/by-hand", {"actions": part})
        result["done"] += answer["done"]
        result["refused"] += [{"client_id": part[one["place"]]["client_id"], **one} for one in answer["refused"]]
    return result


def told(result: Json) -> str:
    """A line per client, and what was done."""
    lines = [_line(row) for row in result["rows"]]
    ticked = sum(row["ticked"] for row in result["rows"])
    left = len(result["rows"]) - ticked
    lines.append(f"{ticked} to remind, {left} not to remind, {result['overdue']} late")
    if result["done"] or result["refused"]:
        lines.append(f"{len(result['done'])} done, {len(result['refused'])} refused")
    return "\n".join(lines)


def _line(row: Json) -> str:
    why = f"  not ticked: {', '.join(row['reasons'])}" if row["reasons"] else ""
    level = row["level"] or "-"
    return f"{row['client_id']}  {row['net_amount']} {row['currency']}  {level}  {row['days_late']} days late{why}"
