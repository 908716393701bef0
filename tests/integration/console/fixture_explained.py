"""What dunning would explain of a client, today and on a past day."""

from typing import Any

from tests.integration.console.neighbours import entry_id


def explained(as_of: str = "2026-11-24") -> dict[str, Any]:
    """Dunning's explanation of a client, today or on a past day."""

    def reason(code: str, rule: str, text: str, **facts: Any) -> dict[str, Any]:
        return {"code": code, "rule": rule, "text": text, "facts": facts}

    def entry(piece: str, amount: str, status: str, **more: Any) -> dict[str, Any]:
        nothing = {"on": None, "step": None, **reason("next_never", "4.10", "Si rien ne change, rien ne vient.")}
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
            "rules": [],
            "next": nothing,
            "action_id": None,
            **more,
        }

    counted = reason(
        "previous_step", "4.7", "R2 : 8 jours après l'étape précédente du 09/11/2026, soit le 17/11/2026."
    )
    stop = reason(
        "entry_stopped",
        "8.2",
        "Les relances de cette écriture sont stoppées depuis le 12/11/2026.",
        since="2026-11-12",
        by="system:test",
    )
    now = {"on": as_of, "step": "R2", **reason("next_now", "4.12", "R2 est à faire maintenant.")}
    later = {
        "on": "2026-12-10",
        "step": "R1",
        **reason("next_on", "4.12", "Si rien ne change, R1 sera à faire le 10/12/2026."),
    }
    return {
        "as_of": as_of,
        "today": "2026-11-24",
        "view": "now" if as_of == "2026-11-24" else "past",
        "known": True,
        "round_on": as_of,
        "client": {
            "client_id": "411MUNOZSA",
            "profile": "Standard",
            "has_email": True,
            "scenario_version": 3,
            "policy_version": 2,
            "mode": "item",
            "level": "R1",
            "stopped": False,
            "resumes_on": None,
            "stopped_on": None,
            "stopped_by": None,
        },
        "entries": [
            entry(
                "FAC20114",
                "8412.36",
                "due",
                reasons=[reason("due", "4.12", "R2 est à faire depuis le 17/11/2026.")],
                rules=[counted, reason("level_reached", "5.3", "Le niveau R1 a été atteint le 09/11/2026.")],
                next=now,
            ),
            entry(
                "FAC20233",
                "4310.03",
                "not_due",
                step="R1",
                next_on="2026-12-10",
                level=None,
                reminded_on=None,
                reasons=[reason("not_due", "4.12", "L'étape R1 viendra le 10/12/2026.")],
                next=later,
            ),
            entry("FAC20162", "1980.00", "excluded", reasons=[stop]),
            entry(
                "AVR00412",
                "-640.32",
                "no_step",
                step=None,
                reasons=[reason("exhausted", "4.10", "La dernière étape est faite.")],
            ),
        ],
        "history": [
            {
                "on": "2026-11-09",
                "at": "2026-11-09T09:00:00+00:00",
                "by": "system:test",
                **reason("action_was_done", "5.3", "R1 faite par e-mail ; FAC20114 : niveau R1."),
                "entries": [entry_id("FAC20114")],
                "action_id": None,
                "position": "dunning/7/11",
                "recorded": {},
            }
        ],
    }


def past_statement(as_of: str) -> dict[str, Any]:
    """Dunning's statement of a past day."""

    def line(piece: str, debit: str, due_date: str, **more: Any) -> dict[str, Any]:
        return {
            "entry_id": entry_id(piece),
            "account": "411MUNOZ",
            "kind": "invoice",
            "journal": "VE",
            "piece": piece,
            "entry_date": "2026-09-30",
            "invoice_date": None,
            "due_date": due_date,
            "days_late": 11,
            "badge": "late",
            "debit": debit,
            "credit": "0.00",
            "currency": "EUR",
            "book_amount": debit,
            "payment_mode": "VIR",
            "lettering": None,
            "lettered_on": None,
            "open": True,
            "lettering_error": None,
            "level": "R1",
            "stopped_on": None,
            "stopped_by": None,
            "resumes_on": None,
            "expected_on": None,
            "dispute_id": None,
            "dispute_reason": None,
            "promises": [],
            "notes": 0,
            "excluded": [],
            "pending_action_id": None,
            **more,
        }

    return {
        "client_id": "411MUNOZSA",
        "on": as_of,
        "known": True,
        "level": "R1",
        "stopped_on": None,
        "stopped_by": None,
        "resumes_on": None,
        "profile": "Standard",
        "has_email": True,
        "debit": "10392.36",
        "credit": "0.00",
        "balance": "10392.36",
        "entries": [
            line("FAC20114", "8412.36", "2026-10-30"),
            line("FAC20162", "1980.00", "2026-11-30", days_late=-20, badge="upcoming", level=None),
        ],
    }
