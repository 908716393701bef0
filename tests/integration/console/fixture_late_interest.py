"""What ledger and reporting would answer about late interest."""

from typing import Any

TERMS: dict[str, Any] = {
    "terms": {
        "basis": "contract",
        "contract_rate": "12.5",
        "debtors": "all_but",
        "categories": ["Particuliers"],
        "rates": [{"starts_on": "2026-01-01", "refinancing": "2.20", "legal": "2.62"}],
    },
    "indemnity": "40",
    "half_years": [
        {"starts_on": "2026-07-01", "percent": "12.5", "provisional": True},
        {"starts_on": "2026-01-01", "refinancing": "2.20", "legal": "2.62", "percent": "12.5", "own": True},
        {"starts_on": "2025-07-01", "refinancing": "2.15", "legal": "2.76", "percent": "12.5", "own": False},
    ],
    "categories": [
        {"category": "Particuliers", "clients": 12},
        {"category": "Professionnels", "clients": 214},
        {"category": None, "clients": 3},
    ],
}


def late_interest(entry_id: str, piece: str) -> dict[str, Any]:
    """Of one invoice, part of which was paid."""
    of_balance = {"rate": "12.5", "provisional": True}
    return {
        "debtor": "business",
        "sums": [{"currency": "EUR", "interest": "69.33"}],
        "indemnity": "40.00",
        "provisional": True,
        "claims": [
            {
                "entry_id": entry_id,
                "piece": piece,
                "due_date": "2026-10-30",
                "currency": "EUR",
                "interest": "69.33",
                "indemnity": "40.00",
                "periods": [
                    {"from_on": "2026-10-31", "to_on": "2026-11-10", "days": 11, "balance": "8412.36"}
                    | of_balance
                    | {"interest": "31.6904"},
                    {"from_on": "2026-11-11", "to_on": "2026-11-24", "days": 14, "balance": "7772.04"}
                    | of_balance
                    | {"interest": "37.2633"},
                ],
            }
        ],
    }
