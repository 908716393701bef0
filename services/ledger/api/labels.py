"""The texts of entries, many at a time: personal data, so they come by HTTP and never in an event.

A book has one text per line, far more than it has clients: the body goes to PostgreSQL unread, which checks and
keeps it in one statement.
"""

from typing import Any

import psycopg
from fastapi import APIRouter, Request

from chassis.database import driver
from chassis.http import CompanyDep, SayDep, accepted, requires
from chassis.problems import Problem

router = APIRouter(prefix="/companies/{company}")

LONGEST_LABEL = 2_000

OF_ERASED = """
    select e.entry_id from erased_person gone cross join lateral (
        select entry_id from entry where company = gone.company and client_id = gone.client_id offset 0
    ) e
    where gone.company = %(company)s
"""
"""Known entries whose text is not kept, found by the few who were erased; of entries not known yet it is let go
when they are (``handlers.FORGET_TEXTS``)."""

SAVE = f"""
    with told as materialized (
        select key as entry_id, value as label from json_each_text(coalesce(%(body)b::json -> 'labels', '0'))
    ),
    hidden as materialized ({OF_ERASED}),
    kept as (
        insert into entry_label as known (company, entry_id, label)
        select distinct on (entry_id) %(company)s, entry_id, label from told
        where label is not null and entry_id not in (select entry_id from hidden)
        order by entry_id
        on conflict (company, entry_id) do update set label = excluded.label where known.label <> excluded.label
        returning entry_id
    )
    select (select count(*) from kept), min(entry_id) filter (
        where entry_id !~ '^[0-9a-f]{{32}}$' or label is null or length(label) > %(longest)s)
    from told
"""  # noqa: S608 - a fragment of this file


@router.put("/labels", dependencies=[requires("admin")])
async def put_labels(request: Request, company: CompanyDep, say: SayDep) -> dict[str, Any]:
    """Take in ``{"labels": {entry_id: text}}``, at most 2,000 letters each; the same again changes nothing.

    Answers ``changed``, how many are new or other than before. Nobody is told: who shows a text asks for it.
    """
    connection = await driver(say.tx)
    parameters = {"company": company, "longest": LONGEST_LABEL}
    try:
        body = (await request.body()).decode()
        saved = await connection.execute(SAVE, parameters | {"body": body})
    except (UnicodeDecodeError, psycopg.DataError) as unreadable:
        raise Problem(
            "labels-unreadable", 'The body is {"labels": {entry_id: text}}', 422, type(unreadable).__name__
        ) from unreadable
    changed, wrong = await saved.fetchone() or (0, None)
    if wrong is not None:
        raise Problem(
            "label-refused",
            f"An entry has 32 hexadecimal digits, its text at most {LONGEST_LABEL} letters",
            422,
            entry_id=wrong[:64],
        )
    return accepted([], changed=changed)
