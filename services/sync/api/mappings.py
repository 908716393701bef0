"""Mappings over HTTP: look at a file, save how it is read, read it back."""

from typing import Annotated, Any, get_args
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Query, Request
from psycopg.types.json import Jsonb

from chassis.database import driver
from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, requires
from chassis.problems import Problem
from services.sync import queries, samples
from services.sync.api.imports import MAPPING_NAME, FileName, file_name, keep_body
from services.sync.connectors.mapped.mapping import FIELDS, DateForm, Holds, Mapping

router = APIRouter(prefix="/companies/{company}")

Name = Annotated[str, Path(pattern=MAPPING_NAME)]
HeaderRow = Annotated[int | None, Query(ge=1, le=50)]


@router.post("/samples", status_code=201, dependencies=[requires("user")])
async def post_sample(  # noqa: PLR0913, PLR0917 what a request may say
    request: Request,
    process: RunningDep,
    company: CompanyDep,
    tx: TxDep,
    filename: FileName = None,
    holds: Holds | None = None,
) -> dict[str, Any]:
    """Take in a file (the body) to look at; answers its columns with examples and the mapping that seems to fit.

    It is kept for a day under ``sample_id``, so that it can be imported without sending it again.
    """
    if not await queries.knows_company(tx, company):
        raise Problem("company-unknown", "This company is not registered", 404, company=company)
    sample_id = uuid4()
    file = file_name(filename)
    await samples.remember(tx, company, sample_id, file)
    await keep_body(request, process, tx, company, sample_id)
    return {"sample_id": sample_id, "file": file, **await samples.seen(tx, company, sample_id, holds, None, None)}


@router.get("/samples/{sample_id}")
async def get_sample(  # noqa: PLR0913, PLR0917
    company: CompanyDep,
    tx: TxDep,
    sample_id: UUID,
    holds: Holds | None = None,
    sheet: Annotated[str | None, Query(max_length=200)] = None,
    header_row: HeaderRow = None,
) -> dict[str, Any]:
    """The same look again, at another sheet or with another line as header."""
    file = await samples.file_of(tx, company, sample_id)
    seen = await samples.seen(tx, company, sample_id, holds, sheet, header_row)
    return {"sample_id": sample_id, "file": file, **seen}


@router.get("/mapping-fields")
async def get_fields(company: CompanyDep) -> dict[str, Any]:
    """The fields that a column can feed, by what a file holds, and the forms of dates."""
    return {"fields": FIELDS, "dates": get_args(DateForm)}


@router.get("/mappings")
async def get_mappings(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Every saved mapping of the company."""
    return {"mappings": await queries.mappings(tx, company)}


@router.get("/mappings/{name}")
async def get_mapping(company: CompanyDep, tx: TxDep, name: Name) -> dict[str, Any]:
    """One saved mapping."""
    found = await queries.mapping(tx, company, name)
    if found is None:
        raise Problem("mapping-unknown", "There is no such mapping", 404, mapping=name)
    return found


@router.put("/mappings/{name}", dependencies=[requires("user")])
async def put_mapping(
    body: Mapping, company: CompanyDep, tx: TxDep, cause: CauseDep, name: Name
) -> dict[str, Any]:
    """Save a mapping; it holds from the next import on. Files of one mapping show one book: what they do not show
    any more is archived, unless the mapping keeps it."""
    if not await queries.knows_company(tx, company):
        raise Problem("company-unknown", "This company is not registered", 404, company=company)
    values = body.model_dump(mode="json", exclude_defaults=True) | {"holds": body.holds}
    connection = await driver(tx)
    await connection.execute(
        "insert into mapping (company, name, mapping, changed_by) values (%s, %s, %s, %s)"
        " on conflict (company, name) do update set mapping = excluded.mapping,"
        " changed_by = excluded.changed_by, changed_at = now()",
        (company, name, Jsonb(values), cause.actor),
    )
    return values


@router.delete("/mappings/{name}", dependencies=[requires("user")])
async def delete_mapping(company: CompanyDep, tx: TxDep, name: Name) -> dict[str, Any]:
    """Let a mapping go; what was imported with it stays."""
    connection = await driver(tx)
    gone = await connection.execute("delete from mapping where company = %s and name = %s", (company, name))
    if not gone.rowcount:
        raise Problem("mapping-unknown", "There is no such mapping", 404, mapping=name)
    return {"deleted": name}
