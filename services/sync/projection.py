"""What sync keeps of ledger's events: the companies whose files it may import."""

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


PROJECT: Mapping[str, Project] = {"CompanyRegistered": on_company, "CompanyChanged": on_company}
