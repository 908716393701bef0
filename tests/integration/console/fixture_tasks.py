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


def explained() -> dict[str, Any]:
    def entry(piece: str, amount: str, status: str | None, **more: Any) -> dict[str, Any]:
        return {
            "client_id": "411MUNOZSA",
            "entry_id": entry_id(piece),
            "piece": piece,
            "kind": "invoice",
            "currency": "EUR",
            "amount": amount,
            "due_date": "2026-10-30",
            "level": "R1",
            "reminded_on": "2026-11-09",
            "status": status,
            "step": "R2",
            "next_on": None,
            "reasons": [],
            "action_id": None,
            "decided_on": "2026-11-24",
            **more,
        }

    def reason(code: str, rule: str, text: str) -> dict[str, str]:
        return {"code": code, "rule": rule, "text": text}

    return {
        "entries": [
            entry("FAC20114", "8412.36", "due", reasons=[reason("due", "4.12", "L'étape R2 est à faire.")]),
            entry(
                "FAC20233",
                "4310.03",
                "not_due",
                step="R1",
                next_on="2026-12-10",
                level=None,
                reminded_on=None,
                reasons=[reason("not_due", "4.12", "L'étape R1 viendra le 10/12/2026.")],
            ),
            entry(
                "FAC20162",
                "1980.00",
                "excluded",
                reasons=[reason("entry_stopped", "8.2", "Cette écriture n'est pas à relancer.")],
            ),
            entry(
                "AVR00412",
                "-640.32",
                "no_step",
                step=None,
                reasons=[reason("exhausted", "4.10", "La dernière étape est faite.")],
            ),
            entry("FAC20999", "10.00", None, step=None, decided_on=None),
        ]
    }
