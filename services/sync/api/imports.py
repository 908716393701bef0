"""Imports over HTTP: send a file, follow the run, read the history, choose how files are read."""

from pathlib import PurePath
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import driver
from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, RunningDep, SayDep, TxDep, accepted, requires
from chassis.jobs import NewJob, enqueue
from chassis.problems import Problem
from chassis.running import Running
from chassis.scopes import for_keys
from contracts.sync import SyncStarted
from services.sync import queries, runs, samples
from services.sync.domain.receivables import Nature
from services.sync.imports import QUEUE
from services.sync.settings import SyncSettings
from services.sync.wording import OF_CONNECTOR

LONGEST_FILE_NAME = 200
MAPPING_NAME = r"^[a-z0-9][a-z0-9_-]{0,39}$"
MEGABYTE = 1 << 20

router = APIRouter(prefix="/companies/{company}")

Language = Annotated[Literal["en", "fr"], Query(description="Language of messages and remedies")]
FileName = Annotated[str | None, Query(min_length=1, max_length=LONGEST_FILE_NAME)]
MappingName = Annotated[str | None, Query(pattern=MAPPING_NAME, description="A saved mapping, for mapped files")]
Domain = Annotated[str | None, Query(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
EntryField = Literal["tag1", "tag2", "tag3"]
AccountPrefix = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,20}$")]


@router.post("/imports", status_code=202, dependencies=[requires("user")])
async def post_import(  # noqa: PLR0913, PLR0917 what a request may say
    request: Request,
    process: RunningDep,
    company: CompanyDep,
    tx: TxDep,
    say: SayDep,
    as_of: AsOfDep,
    cause: CauseDep,
    filename: FileName = None,
    connector: str = "fec",
    email_domain: Domain = None,
    mapping: MappingName = None,
    sample: UUID | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Take in a file (the body, as it is) and queue its import; answers ``run_id`` to follow it with.

    Imports of one company are carried out one after another, in the order they were asked for. ``email_domain``
    invents an address per client, for trials. With ``mapping`` the file is read by that saved mapping. With
    ``sample`` the file is the one that was sent to be looked at, and the body is empty. With ``dry_run`` the run
    tells what an import would find and change, and changes nothing.
    """
    if not await queries.knows_company(tx, company):
        title = "This company is not registered"
        raise Problem("company-unknown", title, 404, "Register it at ledger, then import again.", company=company)
    connector, chosen = await how_to_read(tx, company, connector, mapping)
    run_id = uuid4()
    file = await samples.file_of(tx, company, sample) if sample else file_name(filename)
    await runs.open_run(
        tx,
        {
            "company": company,
            "run_id": run_id,
            "connector": connector,
            "file": file,
            "email_domain": email_domain,
            "as_of": as_of,
            "actor": cause.actor,
            "correlation_id": cause.correlation_id,
            "mapping_name": mapping,
            "mapping": chosen,
            "dry_run": dry_run,
        },
    )
    if sample:
        await samples.hand_on(tx, company, sample, run_id, keep=dry_run)
    else:
        await keep_body(request, process, tx, company, run_id)
    payload = {"run_id": str(run_id), "requested_at": clock.now().isoformat()}
    await enqueue(tx, QUEUE, [NewJob(run_id, company, payload, key=company)])
    if dry_run:
        return accepted([], run_id=run_id)
    started = SyncStarted(run_id=run_id, connector=connector, source=file)
    positions = await say(company, [Said(started)], as_of=as_of, cause=cause)
    return accepted(positions, run_id=run_id)


async def how_to_read(
    tx: AsyncConnection, company: str, connector: str, mapping: str | None
) -> tuple[str, dict[str, Any] | None]:
    """The connector, and the saved mapping that it reads by. Answers 404 and 422 where there is none."""
    connector = "mapped" if mapping else connector
    if connector not in OF_CONNECTOR:
        raise Problem("connector-unknown", "There is no such connector", 422, known=sorted(OF_CONNECTOR))
    if mapping is None:
        if connector == "mapped":
            raise Problem("mapping-missing", "A mapped file needs the name of its mapping", 422)
        return connector, None
    chosen = await queries.mapping(tx, company, mapping)
    if chosen is None:
        raise Problem("mapping-unknown", "There is no such mapping", 404, "Save it first.", mapping=mapping)
    return connector, chosen


def file_name(given: str | None) -> str:
    """The name of a file without its folders. Answers 422 without one."""
    if given is None:
        raise Problem("filename-missing", "Say the name of the file", 422, "Add filename=… to the query.")
    return PurePath(given.replace("\\", "/")).name or given


async def keep_body(request: Request, process: Running, tx: TxDep, company: str, run_id: UUID) -> None:
    """Keep the body in parts, so that no file is ever whole in memory. Answers 413 beyond the largest size."""
    settings = process.settings
    assert isinstance(settings, SyncSettings)
    most = settings.largest_import_mb * MEGABYTE
    waiting = bytearray()
    part = taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > most:
            raise Problem("file-too-large", "The file is too large", 413, most_bytes=most)
        waiting += chunk
        if len(waiting) >= runs.PART_BYTES:
            await runs.keep_part(tx, company, run_id, part, bytes(waiting))
            waiting.clear()
            part += 1
    if waiting or part == 0:
        await runs.keep_part(tx, company, run_id, part, bytes(waiting))


@router.get("/imports")
async def get_imports(
    company: CompanyDep,
    tx: TxDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    language: Language = "en",
) -> dict[str, Any]:
    """The last runs, the newest first."""
    return {"runs": await queries.latest(tx, company, limit, language)}


@router.get("/imports/{run_id}")
@for_keys("push:rows")
async def get_import(company: CompanyDep, tx: TxDep, run_id: UUID, language: Language = "en") -> dict[str, Any]:
    """One run: ``status`` is running (see ``stage``), completed or failed (see ``errors``)."""
    found = await queries.run(tx, company, run_id, language)
    if found is None:
        raise Problem("import-unknown", "There is no such import", 404, run_id=run_id)
    return found


class ImportSettings(BaseModel):
    """How the files of a company are read. ``journals`` says what a journal holds where the first file misled;
    ``accepted`` names codes of tolerable problems that never refuse a file. ``fields`` says which further column
    of a FEC holds a free field of entries (rule 19.4): ``{"tag1": "Chantier"}``."""

    model_config = ConfigDict(extra="forbid")

    accounts: list[AccountPrefix] = Field(["411"], min_length=1, max_length=100)
    term_days: int = Field(30, ge=0, le=366)
    journals: dict[str, Nature] = Field(default_factory=dict, max_length=500)
    accepted: list[Annotated[str, Field(pattern=r"^[a-z_]{1,60}$")]] = Field(default_factory=list, max_length=50)
    fields: dict[EntryField, Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=dict)


@router.get("/import-settings")
async def get_import_settings(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The settings, and as ``journals_seen`` what each journal was taken for."""
    return {
        **await queries.import_settings(tx, company),
        "journals_seen": await queries.journals(tx, company),
    }


@router.put("/import-settings", dependencies=[requires("admin")])
async def put_import_settings(body: ImportSettings, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Choose the settings; they hold from the next import on."""
    if not await queries.knows_company(tx, company):
        raise Problem("company-unknown", "This company is not registered", 404, company=company)
    connection = await driver(tx)
    values = body.model_dump(mode="json")
    await connection.execute(
        "insert into import_settings (company, accounts, term_days, journals, accepted, fields)"
        " values (%(company)s, %(accounts)s, %(term_days)s, %(journals)s, %(accepted)s, %(fields)s)"
        " on conflict (company) do update set accounts = excluded.accounts, term_days = excluded.term_days,"
        " journals = excluded.journals, accepted = excluded.accepted, fields = excluded.fields,"
        " changed_at = now()",
        {
            "company": company,
            **values,
            "journals": Jsonb(values["journals"]),
            "fields": Jsonb(values["fields"]),
        },
    )
    return values
