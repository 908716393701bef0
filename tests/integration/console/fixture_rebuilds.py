"""What stands beside the tables of each service: one of each sort."""

from typing import Any


def _alike(table: str) -> dict[str, Any]:
    return {"table": table, "only_live": 0, "only_beside": 0, "differing": 0, "columns": {}}


BESIDE: dict[str, dict[str, Any]] = {
    "ledger": {
        "role": "next",
        "version": 2,
        "since": "2026-11-24T06:10:00+00:00",
        "behind": 0,
        "share": 100,
        "parked": 0,
        "builders": 1,
        "compared": {
            "at": "2026-11-24T06:40:00+00:00",
            "parked_alike": False,
            "tables": [
                _alike("client"),
                _alike("entry"),
                {**_alike("promise"), "differing": 3, "only_beside": 1, "columns": {"status": 3}},
            ],
        },
    },
    "dunning": {
        "role": "next",
        "version": 1,
        "since": "2026-11-24T05:00:00+00:00",
        "behind": 12841,
        "share": 73,
        "parked": 2,
        "builders": 0,
        "compared": None,
    },
    "reporting": {
        "role": "before",
        "version": 1,
        "since": "2026-11-10T21:00:00+00:00",
        "behind": 5220,
        "share": 97,
        "parked": 0,
        "builders": 0,
        "compared": None,
    },
}


def rebuild(service: str) -> dict[str, Any]:
    return {
        "service": service,
        "live": {"version": 2 if service == "reporting" else 1, "since": "2026-11-10T21:00:00+00:00"},
        "code_version": 2 if service in ("ledger", "reporting") else 1,
        "beside": BESIDE.get(service),
    }
