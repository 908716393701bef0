"""What services could not apply: one of each sort."""

from typing import Any


def waiting(client_id: str | None, position: str, event_type: str, **more: Any) -> dict[str, Any]:
    return {
        "speaker": position.partition("/")[0],
        "company": "delcourt",
        "client_id": client_id,
        "position": position,
        "type": event_type,
        "since": "2026-11-23T08:12:00+00:00",
        "as_of": "2026-11-23",
        "behind": 0,
        "error": None,
        "may_be_skipped": True,
        "must_be_heard": None,
        **more,
    }


def never(why: str) -> dict[str, Any]:
    """It failed, and nobody may skip it."""
    return {"error": "OperationalError", "may_be_skipped": False, "must_be_heard": why}


SLICES = {
    "dunning": [waiting("411MUNOZSA", "sync/17/2204", "EntriesSynced", behind=12, error="DataError")],
    "reporting": [
        waiting("411GARNIER", "ledger/5/77", "PersonErased", **never("erasure")),
        waiting("411LEROY", "ledger/8/12", "LegalHoldPlaced", **never("hold")),
        waiting("411HUBERT", "notify/9/310", "EmailSent"),
    ],
    "notify": [waiting(None, "ledger/0/12", "CompanyChanged", behind=1, error="ZeroDivisionError")],
}
SKIPPED = {
    "speaker": "sync",
    "company": "delcourt",
    "client_id": "411CLEMENT",
    "position": "sync/3/90",
    "type": "EntriesSynced",
    "at": "2026-11-20T16:40:00+00:00",
    "by": "user:unknown",
    "reason": "Pièce envoyée deux fois par la comptabilité, la seconde est juste",
}


def parked(service: str) -> dict[str, Any]:
    return {
        "service": service,
        "updating": False,
        "waiting": SLICES.get(service, []),
        "skipped": [SKIPPED] if service == "dunning" else [],
    }
