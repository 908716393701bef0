"""Events as a relation, one row each, for set-based SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.projection import Delivered, Project

_HEARD = """
    with heard (company, p, number, happened_on, happened_at, actor, body) as (
        select company, p, number, happened_on, happened_at, actor, cast(body as jsonb)
        from unnest(
            %(companies)b::text[], %(ps)b::smallint[], %(numbers)b::bigint[], %(days)b::date[],
            %(instants)b::timestamptz[], %(actors)b::text[], %(bodies)b::text[]
        ) said(company, p, number, happened_on, happened_at, actor, body)
    )
"""


async def over(tx: AsyncConnection, statement: str, events: Sequence[Delivered], **parameters: Any) -> list[Any]:
    """Run a statement that reads the relation ``heard``; more relations follow after a leading comma.

    ``number`` orders the events of one client, since a client lies in one partition. Answers the statement's rows.
    Bodies travel in binary: escaping them as text costs more than applying them.
    """
    connection = await driver(tx)
    async with connection.cursor() as cursor:
        await cursor.execute(
            (_HEARD + statement).encode(),
            {
                "companies": [event.company for event in events],
                "ps": [event.partition for event in events],
                "numbers": [event.number for event in events],
                "days": [event.as_of for event in events],
                "instants": [event.occurred_at for event in events],
                "actors": [event.actor for event in events],
                "bodies": [event.body.decode() for event in events],
                **parameters,
            },
            prepare=False,  # a plan kept from when the tables were small would read them whole for ever
        )
        return await cursor.fetchall() if cursor.description else []


def applying(*statements: str, **parameters: Any) -> Project:
    """A projection that is these statements, in this order, with these parameters."""

    async def project(tx: AsyncConnection, events: list[Delivered]) -> None:
        for statement in statements:
            await over(tx, statement, events, **parameters)

    return project
