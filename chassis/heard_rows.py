"""Events as rows of one statement: a projection that needs nothing but SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.delivered import Delivered
from chassis.listening import Project

HEARD = """
    unnest(%(company)b::text[], %(p)b::smallint[], %(number)b::bigint[], %(as_of)b::date[],
        %(at)b::timestamptz[], %(actor)b::text[], %(body)b::text[])
        as heard(company, p, number, as_of, at, actor, body)
"""


def columns(heard: Sequence[Delivered]) -> dict[str, list[Any]]:
    """The values that ``HEARD`` wants."""
    return {
        "company": [event.company for event in heard],
        "p": [event.partition for event in heard],
        "number": [event.number for event in heard],
        "as_of": [event.as_of for event in heard],
        "at": [event.occurred_at for event in heard],
        "actor": [event.actor for event in heard],
        "body": [event.body.decode() for event in heard],
    }


def statement(sql: str, **values: Any) -> Project:
    """The projection that ``sql`` is, with ``{heard}`` standing for the events and ``values`` for all else."""
    spelled_out = sql.format(heard=HEARD)

    async def project(tx: AsyncConnection, heard: list[Delivered]) -> None:
        connection = await driver(tx)
        async with connection.cursor() as cursor:
            # a plan kept from when the tables were small would read them whole for ever
            await cursor.execute(spelled_out, columns(heard) | values, prepare=False)

    return project
