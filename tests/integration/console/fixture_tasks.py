"""A day's tasks in the shape of dunning's answer."""

from typing import Any

from tests.integration.console.neighbours import DEBTORS, action_id, entry_id

REASONS = {"411HOTELDUPARC": ["client_stopped"], "411LEMOINE": ["lettering_error"]}


def row(code: str, amount: int, step: str, medium: str) -> dict[str, Any]:
    reasons = REASONS.get(code, [])
    entries = [
        {
            "entry_id": entry_id("FAC20114"),
            "amount": f"{amount}.00",
            "due_date": "2026-10-30",
            "level_before": "R1",
            "reasons": reasons,
        },
        {
            "entry_id": entry_id("FAC20162"),
            "amount": "1980.00",
            "due_date": "2026-11-08",
            "level_before": None,
            "reasons": ["entry_stopped"],
        },
    ]
    return {
        "action_id": None if reasons else action_id(code, step, medium),
        "client_id": code,
        "currency": "EUR",
        "amount": f"{amount}.00",
        "net_amount": f"{amount}.00",
        "due_since": "2026-11-12",
        "ticked": not reasons,
        "reasons": reasons,
        "entries": entries,
        "can_include": bool(reasons),
    }


def group(
    medium: str, step: str, profile: str, has_email: bool, delay: int, previous: str | None, rows: int
) -> dict[str, Any]:
    found = [row(debtor[1], max(debtor[6] + debtor[7], 500), step, medium) for debtor in DEBTORS[:rows]]
    return {
        "medium": medium,
        "step": step,
        "profile": profile,
        "has_email": has_email,
        "delay_days": delay,
        "counted_from": "previous_step" if previous else "due_date",
        "previous_step": previous,
        "rows": found,
    }


def tasks() -> dict[str, Any]:
    return {
        "as_of": "2026-11-24",
        "groups": [
            group("email", "notice", "Standard", True, 8, None, 3),
            group("email", "R1", "Standard", True, 8, None, 12),
            group("email", "R2", "Export", True, 8, "R1", 2),
            group("phone", "R2", "Standard", True, 8, "R1", 5),
            group("letter", "R1", "Standard", False, 8, None, 4),
        ],
    }
