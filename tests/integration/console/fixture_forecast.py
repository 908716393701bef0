"""What reporting answers about money: what came, and when the rest is expected."""

from datetime import date, timedelta
from typing import Any

from tests.integration.console.neighbours import AS_OF, entry_id

MONDAY = AS_OF - timedelta(days=AS_OF.weekday())


def line(piece: str, amount: str, due: date, expected_on: date | None = None) -> dict[str, Any]:
    return {
        "entry_id": entry_id(piece),
        "client_id": "411MUNOZSA",
        "name": "Munoz S.A.",
        "piece": piece,
        "due_date": due.isoformat(),
        "expected_on": (expected_on or due).isoformat(),
        "moved": expected_on is not None,
        "days_late": (AS_OF - due).days,
        "level": "R1" if due < AS_OF else None,
        "amount": amount,
    }


LATE = line("FAC20114", "8412.36", AS_OF - timedelta(days=25))
MOVED = line("FAC20131", "3960.48", AS_OF - timedelta(days=19), AS_OF + timedelta(days=7))
AHEAD = line("FAC20156", "1245.00", AS_OF + timedelta(days=9))


def forecast() -> dict[str, Any]:
    """One late line, one late line moved to next week beside one that is due then; more behind than is shown."""
    weeks = [
        {"week_start": None, "count": 4, "overdue": "20000.00", "upcoming": "0.00", "rows": [LATE]},
        *(
            {
                "week_start": (MONDAY + timedelta(weeks=n)).isoformat(),
                "count": 2 if n == 1 else 0,
                "overdue": "3960.48" if n == 1 else "0.00",
                "upcoming": "1245.00" if n == 1 else "0.00",
                "rows": [MOVED, AHEAD] if n == 1 else [],
            }
            for n in range(8)
        ),
    ]
    months = [date(2026 + (month - 1) // 12, (month - 1) % 12 + 1, 1) for month in range(5, 17)]
    return {
        "as_of": AS_OF.isoformat(),
        "currency": "EUR",
        "count": 9,
        "amount": "30205.48",
        "weeks": weeks,
        "later_count": 3,
        "later": "5000.00",
        "months": [
            {
                "month_start": month.isoformat(),
                "received": "41250.10" if month <= AS_OF else "0.00",
                "overdue": "23960.48" if month == AS_OF.replace(day=1) else "0.00",
                "upcoming": "6245.00" if month > AS_OF else "0.00",
            }
            for month in months
        ],
        "objectives": [
            {"title": "Budget", "months": [{"month_start": "2026-11-01", "amount": "45000.00"}]},
        ],
    }


def objectives() -> dict[str, Any]:
    """One curve, of a month that the page shows and of one that has long passed."""
    months = [{"month": "2025-01-01", "amount": "30000.00"}, {"month": "2026-11-01", "amount": "45000.00"}]
    return {"curves": [{"title": "Budget", "months": months}]}


def expected() -> dict[str, Any]:
    return {
        "as_of": AS_OF.isoformat(),
        "currency": "EUR",
        "since": None,
        "until": (MONDAY - timedelta(days=1)).isoformat(),
        "count": 2,
        "amount": "12372.84",
        "rows": [LATE, MOVED],
        "page": 1,
        "size": 50,
        "pages": 1,
    }


def receipts() -> dict[str, Any]:
    rows = [
        {
            "entry_id": entry_id(piece),
            "on": on,
            "client_id": "411MUNOZSA",
            "name": "Munoz S.A.",
            "nature": nature,
            "payment_mode": mode,
            "piece": piece,
            "level": None,
            "amount": amount,
        }
        for piece, on, nature, mode, amount in (
            ("VIR11", "2026-11-12", "payment", "Virement", "5460.00"),
            ("PRL09", "2026-11-10", "payment", "Prélèvement", "126.63"),
            ("AVR00412", "2026-11-09", "credit_note", None, "19.50"),
        )
    ]
    return {
        "as_of": AS_OF.isoformat(),
        "currency": "EUR",
        "since": "2026-01-01",
        "until": AS_OF.isoformat(),
        "count": 3,
        "amount": "5606.13",
        "rows": rows,
        "page": 1,
        "size": 50,
        "pages": 1,
    }


def payers() -> dict[str, Any]:
    """Two clients, one of them late on average."""
    scores = {"A": (1, "1000.00"), "E": (1, "5460.00")}
    rows = [
        {"client_id": code, "name": name, "score": score, "average_delay_days": delay, **money}
        for code, name, score, delay, money in (
            ("411MUNOZSA", "Munoz S.A.", "E", 71, {"settled": "5460.00", "overdue": "22226.52"}),
            ("411CLEMENT", "Clement", "A", -3, {"settled": "1000.00", "overdue": "0.00"}),
        )
    ]
    return {
        "as_of": AS_OF.isoformat(),
        "currency": "EUR",
        "since": "2026-01-01",
        "receivables": "29448.55",
        "invoiced": "310000.00",
        "dso_days": 35,
        "count_back_days": None,
        "average_delay_days": 60,
        "scores": [
            {
                "score": letter,
                "clients": scores.get(letter, (0, "0.00"))[0],
                "settled": scores.get(letter, (0, "0.00"))[1],
            }
            for letter in "ABCDE"
        ],
        "count": 2,
        "amount": "6460.00",
        "overdue": "22226.52",
        "rows": rows,
        "page": 1,
        "size": 50,
        "pages": 1,
    }
