"""A day's tasks in the shape of dunning's answer."""

from typing import Any

from tests.integration.console.neighbours import DEBTORS, action_id, entry_id

REASONS = {"411HOTELDUPARC": ["client_stopped"], "411LEMOINE": ["lettering_error"]}
NEVER_BACK = {"lettering_error"}


def line(piece: str, amount: str, reasons: list[str]) -> dict[str, Any]:
    return {
        "entry_id": entry_id(piece),
        "piece": piece,
        "kind": "invoice",
        "amount": amount,
        "due_date": "2026-10-30",
        "days_late": 25,
        "level_before": "R1",
        "reasons": reasons,
    }


def row(  # noqa: PLR0917
    code: str, amount: str, step: str, medium: str, reasons: list[str], entries: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "action_id": None if reasons else action_id(code, step, medium),
        "client_id": code,
        "status": "excluded" if reasons else "proposed",
        "ticked": not reasons,
        "can_include": bool(reasons) and not NEVER_BACK.intersection(reasons),
        "currency": "EUR",
        "amount": amount,
        "net_amount": amount,
        "due_since": None if reasons else "2026-11-12",
        "days_since": None if reasons else 12,
        "opened_on": None if reasons else "2026-11-24",
        "level_before": "R1",
        "reasons": reasons,
        "accepted_reasons": [],
        "entries": entries,
    }


def group(
    medium: str, step: str, profile: str, *, has_email: bool, previous: str | None, rows: int
) -> dict[str, Any]:
    found = []
    for debtor in DEBTORS[:rows]:
        code, amount = debtor[1], f"{max(debtor[6] + debtor[7], 500)}.00"
        reasons = REASONS.get(code, [])
        found.append(row(code, amount, step, medium, reasons, [line("FAC20114", amount, reasons)]))
    stopped = [line("FAC20162", "1980.00", ["entry_stopped"])]
    found.append(row("411CLEMENT", "1980.00", step, medium, ["entry_stopped"], stopped))
    return {
        "medium": medium,
        "step": step,
        "kind": "notice" if step == "notice" else "reminder",
        "profile": profile,
        "has_email": has_email,
        "delay_days": 8,
        "counted_from": "previous_step" if previous else "due_date",
        "previous_step": previous,
        "rows": found,
    }


def tasks() -> dict[str, Any]:
    return {
        "as_of": "2026-11-24",
        "last_round": {"as_of": "2026-11-24", "status": "completed"},
        "groups": [
            group("email", "notice", "Standard", has_email=True, previous=None, rows=3),
            group("email", "R1", "Standard", has_email=True, previous=None, rows=12),
            group("email", "R2", "Export", has_email=True, previous="R1", rows=2),
            group("phone", "R2", "Standard", has_email=True, previous="R1", rows=5),
            group("letter", "R1", "Standard", has_email=False, previous=None, rows=4),
        ],
    }


def found_by_criteria(asked: dict[str, Any]) -> dict[str, Any]:
    """Late clients in the shape of dunning's answer; those of ``client_ids`` where they are named."""
    codes = [debtor[1] for debtor in DEBTORS[:6]]
    wanted = asked.get("client_ids")
    rows = []
    for place, code in enumerate(one for one in codes if wanted is None or one in wanted):
        amount = f"{966 + 310 * place}.71"
        reasons = REASONS.get(code, [])
        late = {"entry_id": entry_id("FAC20114"), "piece": "FAC20114", "amount": amount, "due_date": "2026-10-30"}
        rows.append(
            {
                "client_id": code,
                "currency": "EUR",
                "amount": amount,
                "net_amount": amount,
                "level": "R1" if place else None,
                "last_reminder_on": "2026-11-02" if place else None,
                "days_late": 25 + 16 * place,
                "ticked": not reasons,
                "can_include": bool(reasons) and not NEVER_BACK.intersection(reasons),
                "reasons": reasons,
                "explanations": [],
                "until": None,
                "entry_ids": [entry_id("FAC20114")],
                "entries": [late | {"days_late": 25, "level": "R1", "reasons": []}],
                "left_out": [
                    late | {"piece": "FAC20162", "days_late": 25, "level": None, "reasons": ["promise_ahead"]}
                ]
                if place == 1
                else [],
                "never_accepted": [],
            }
        )
    return {"as_of": "2026-11-24", "clients": len(rows), "overdue": "10446.26", "offset": 0, "rows": rows}
