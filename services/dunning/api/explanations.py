"""Why an entry is reminded or not, and where each entry stands."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import RowMapping

from chassis.http import CompanyDep, TxDep
from chassis.problems import Problem
from services.dunning import queries
from services.dunning.actions import plain
from services.dunning.domain.explain import explain
from services.dunning.domain.scenario import level_name
from services.dunning.recording import as_verdict

router = APIRouter()

ClientId = Annotated[str | None, Query(max_length=64)]
EntryId = Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")]


@router.get("/explain")
async def why(
    company: CompanyDep,
    tx: TxDep,
    client_id: ClientId = None,
    entry_id: EntryId = None,
    language: Annotated[str, Query(max_length=8)] = "fr",
) -> dict[str, Any]:
    """Every open entry of a client, or one entry: its next day or all its reasons, in words, with the rules.

    ``status`` is ``due``, ``not_due``, ``excluded``, ``no_step``, or null when no round has looked at it yet.
    """
    if client_id is not None:
        rows = await queries.verdicts_of_client(tx, company, client_id)
    elif entry_id is not None:
        rows = await queries.verdicts_of_entry(tx, company, entry_id)
    else:
        raise Problem("nobody-named", "Name a client_id or an entry_id", 422)
    return {"entries": [_explained(row, language) for row in rows]}


@router.get("/levels")
async def levels(
    company: CompanyDep, tx: TxDep, client_id: Annotated[str, Query(max_length=64)]
) -> dict[str, Any]:
    """The level of each open entry of a client, and the client's: the highest (rules 5.1, 5.2)."""
    rows = await queries.verdicts_of_client(tx, company, client_id)
    highest = max((row["level"] for row in rows), default=0)
    return {
        "client_id": client_id,
        "level": level_name(highest),
        "entries": [
            {
                "entry_id": row["entry_id"],
                "level": level_name(row["level"]),
                "forced_step": row["forced_step"],
                "reminded_on": row["reminded_on"],
                "noticed_on": row["noticed_on"],
                "status": row["status"],
                "next_step": row["step"],
                "next_on": row["next_on"],
                "reasons": row["reasons"] or [],
                "action_id": row["action_id"],
                "automatic": row["automatic"],
            }
            for row in rows
        ],
    }


def _explained(row: RowMapping, language: str) -> dict[str, Any]:
    said = []
    if row["status"] is not None:
        verdict = as_verdict(row["status"], row["step"], row["next_on"], row["reasons"], row["action_id"])
        said = [one._asdict() for one in explain(verdict, language)]
    return {
        "client_id": row["client_id"],
        "entry_id": row["entry_id"],
        "piece": row["piece"],
        "kind": row["kind"],
        "currency": row["currency"],
        "amount": str(plain(row["amount"])),
        "due_date": row["due_date"],
        "level": level_name(row["level"]),
        "reminded_on": row["reminded_on"],
        "status": row["status"],
        "step": row["step"],
        "next_on": row["next_on"],
        "reasons": said,
        "action_id": row["action_id"],
        "decided_on": row["decided_on"],
    }
