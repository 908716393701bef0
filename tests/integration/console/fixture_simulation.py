"""Simulations in the shapes that dunning answers."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

NAMESPACE = UUID("7f6f2f5c-0000-4000-8000-000000000001")
FIRST = date(2026, 11, 24)
DAYS = 90
DONE = str(uuid5(NAMESPACE, "done"))
STARTED = str(uuid5(NAMESPACE, "started"))
LOOKS_UNTIL_DONE = 3
STEPS = (("notice", "email", 9), ("R1", "email", 14), ("R2", "phone", 11), ("R3", "letter", 6))


def head(simulation_id: str, status: str = "completed", done: int = 32) -> dict[str, Any]:
    return {
        "simulation_id": simulation_id,
        "kind": "ahead",
        "from": FIRST.isoformat(),
        "to": (FIRST + timedelta(days=DAYS - 1)).isoformat(),
        "status": status,
        "parts": 32,
        "parts_done": done,
        "asked_by": "user:test",
        "asked_at": "2026-11-24T08:12:00Z",
        "asked": {"days": DAYS, "assume": "nobody_pays"},
    }


def count(contacts: int) -> dict[str, Any]:
    return {"contacts": contacts, "entries": contacts * 2, "amount": f"{contacts * 812}.40"}


def cells(shift: int) -> list[dict[str, Any]]:
    found = []
    for number in range(DAYS):
        on = (FIRST + timedelta(days=number)).isoformat()
        for rank, (name, medium, most) in enumerate(STEPS):
            contacts = (number * (rank + 3) + shift) % most
            if contacts:
                found.append({"on": on, "step": name, "medium": medium, **count(contacts)})
    return found


def differing() -> list[dict[str, Any]]:
    contact = {
        "on": "2026-12-02",
        "step": "R1",
        "medium": "email",
        "currency": "EUR",
        "amount": "812.40",
        "entries": 1,
    }
    later = {**contact, "on": "2026-12-06"}
    second = {**contact, "on": "2026-12-14", "step": "R2", "medium": "phone"}
    return [
        {"client_id": code, "kinds": kinds, "before": 5, "after": after, "lost": [contact], "gained": gained}
        for code, kinds, after, gained in (
            ("411CLEMENT", ["more", "later"], 6, [later, second]),
            ("411MUNOZSA", ["later"], 5, [later]),
            ("411GARNIER", ["fewer"], 4, []),
        )
    ]


def simulation(simulation_id: str) -> dict[str, Any]:
    tried, now = cells(2), cells(5)
    totals = {**count(sum(one["contacts"] for one in tried)), "clients": 149, "cost": "4120.50"}
    return {
        **head(simulation_id),
        "reason": None,
        "seconds": 4.2,
        "assumptions": ["done_same_day", "nobody_pays"],
        "result": {
            "counts": {"clients": 226, "entries": 1804},
            "totals": totals,
            "current_totals": {**totals, **count(sum(one["contacts"] for one in now)), "cost": "3870.20"},
            "calendar": tried,
            "current_calendar": now,
            "steps": [
                {"step": name, "medium": medium, **count(most * 40), "current": count(most * 38)}
                for name, medium, most in STEPS
            ],
            "media": [
                {
                    "medium": medium,
                    "contacts": contacts,
                    "unit_cost": unit,
                    "cost": cost,
                    "current_contacts": contacts - 20,
                    "current_cost": cost,
                }
                for medium, contacts, unit, cost in (
                    ("email", 920, "0.02", "18.40"),
                    ("letter", 240, "2.50", "600.00"),
                    ("phone", 440, "5.00", "2200.00"),
                    ("other", 20, "15.00", "300.00"),
                )
            ],
            "differences": {"clients": 3, "more": 1, "fewer": 1, "earlier": 0, "later": 2, "other": 0},
            "really": None,
            "undecided": [],
        },
    }


class Simulations:
    """Answers of dunning; one that was just started is done after a few looks."""

    def __init__(self) -> None:
        self.looks = 0

    def answer(self, path: str, kind: str | None) -> Any:
        if path == "/contact-costs":
            return {"email": "0.0200", "letter": "2.5000", "phone": "5.0000", "other": "15.0000"}
        if path == "/simulations":
            return {"simulations": [head(DONE)], "simulation_id": STARTED}
        if path.endswith("/differences"):
            return {"clients": [one for one in differing() if kind in (None, *one["kinds"])], "next": None}
        if path == f"/simulations/{STARTED}":
            self.looks += 1
            if self.looks <= LOOKS_UNTIL_DONE:
                return {
                    **head(STARTED, "running", self.looks * 8),
                    "reason": None,
                    "result": None,
                    "assumptions": [],
                }
            return simulation(STARTED)
        return simulation(DONE) if path == f"/simulations/{DONE}" else None
