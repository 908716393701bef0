"""What sync answers: runs and settings, of one company (row-level security shows no other)."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.sync.domain.receivables import DEFAULT_TERM_DAYS
from services.sync.wording import wording

RUNS = (
    "select company, run_id, connector, mapping_name, dry_run, file, source, as_of, status, stage, lines_read,"
    " result, errors, warnings, requested_at, started_at, finished_at from run where company = :company"
)
DEFAULT_ACCOUNTS = ("411",)


async def run(tx: AsyncConnection, company: str, run_id: UUID, language: str) -> dict[str, Any] | None:
    """One run with its counts and its problems in words."""
    row = (
        await tx.execute(text(f"{RUNS} and run_id = :run_id"), {"company": company, "run_id": run_id})
    ).one_or_none()
    return shown(dict(row._mapping), language) if row else None


async def latest(tx: AsyncConnection, company: str, limit: int, language: str) -> list[dict[str, Any]]:
    """The last runs, the newest first."""
    rows = await tx.execute(
        text(f"{RUNS} order by requested_at desc, run_id limit :limit"), {"company": company, "limit": limit}
    )
    return [shown(dict(row._mapping), language) for row in rows]


def shown(row: dict[str, Any], language: str) -> dict[str, Any]:
    """A run as answered: ``{run_id, status, stage, file, counts…, errors, warnings, positions, seconds}``."""
    result = row.pop("result")
    for kind in ("errors", "warnings"):
        row[kind] = [_problem(row, problem, language) for problem in row[kind]]
    uncounted = result.pop("uncounted", {})
    return {**row, **result, "not_listed": uncounted}


def _problem(row: dict[str, Any], problem: dict[str, Any], language: str) -> dict[str, Any]:
    details = {"column": problem["column"], "line": problem["line"], **problem["details"]}
    message, remedy = wording(row["connector"], problem["code"], language, details)
    return {
        "file": row["file"],
        "line": problem["line"],
        "column": problem["column"],
        "code": problem["code"],
        "message": message,
        "remedy": remedy,
    }


async def knows_company(tx: AsyncConnection, company: str) -> bool:
    return bool(await tx.scalar(text("select true from company where company = :company"), {"company": company}))


async def time_zone(tx: AsyncConnection, company: str) -> str | None:
    zone: str | None = await tx.scalar(
        text("select time_zone from company where company = :company"), {"company": company}
    )
    return zone


async def import_settings(tx: AsyncConnection, company: str) -> dict[str, Any]:
    """How files of the company are read; the delivered settings when none were chosen."""
    chosen = "select accounts, term_days, journals, accepted, fields from import_settings where company = :company"
    row = (await tx.execute(text(chosen), {"company": company})).one_or_none()
    if row:
        return dict(row._mapping)
    return {
        "accounts": list(DEFAULT_ACCOUNTS),
        "term_days": DEFAULT_TERM_DAYS,
        "journals": {},
        "accepted": [],
        "fields": {},
    }


async def journals(tx: AsyncConnection, company: str) -> dict[str, str]:
    """What each journal seen was taken for."""
    rows = await tx.execute(
        text("select journal, nature from journal where company = :company order by journal"), {"company": company}
    )
    return {row.journal: row.nature for row in rows}


async def mapping(tx: AsyncConnection, company: str, name: str) -> dict[str, Any] | None:
    """A saved mapping, or None."""
    found: dict[str, Any] | None = await tx.scalar(
        text("select mapping from mapping where company = :company and name = :name"),
        {"company": company, "name": name},
    )
    return found


async def mappings(tx: AsyncConnection, company: str) -> list[dict[str, Any]]:
    """Every saved mapping: ``{name, holds, mapping, changed_by, changed_at}``."""
    rows = await tx.execute(
        text(
            "select name, mapping ->> 'holds' as holds, mapping, changed_by, changed_at from mapping"
            " where company = :company order by name"
        ),
        {"company": company},
    )
    return [dict(row._mapping) for row in rows]
