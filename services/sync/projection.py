"""What sync keeps of ledger's events: the companies whose files it may import, the clients whose person was
erased."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.delivered import Delivered
from chassis.listening import Project

COMPANY = text(
    "insert into company (company, p, time_zone, currency, fiscal_year_start)"
    " select distinct on (company) company, p, body ->> 'time_zone', body ->> 'currency',"
    "   body ->> 'fiscal_year_start'"
    " from unnest(cast(:companies as text[]), cast(:ps as smallint[]), cast(:bodies as jsonb[]))"
    "   with ordinality as heard(company, p, body, n) order by company, n desc"
    " on conflict (company) do update set time_zone = excluded.time_zone, currency = excluded.currency,"
    "   fiscal_year_start = excluded.fiscal_year_start"
)

ERASED = text(
    "insert into erased_person (company, client_id, p)"
    " select distinct on (company, client_id) company, client_id, p"
    " from unnest(cast(:companies as text[]), cast(:clients as text[]), cast(:ps as smallint[]))"
    "   as heard(company, client_id, p) order by company, client_id"
    " on conflict do nothing"
)


async def on_company(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """``CompanyRegistered`` and ``CompanyChanged`` both carry the whole state."""
    bodies = [event.parse().model_dump_json() for event in heard]
    await tx.execute(
        COMPANY,
        {
            "companies": [event.company for event in heard],
            "ps": [event.partition for event in heard],
            "bodies": bodies,
        },
    )


async def on_person_erased(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """For ever: no event tells that a person is admitted again."""
    await tx.execute(
        ERASED,
        {
            "companies": [event.company for event in heard],
            "clients": [event.client_id for event in heard],
            "ps": [event.partition for event in heard],
        },
    )


PROJECT: Mapping[str, Project] = {
    "CompanyRegistered": on_company,
    "CompanyChanged": on_company,
    "PersonErased": on_person_erased,
}
