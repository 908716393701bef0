"""The texts of entries, many at a time: personal data, so they come by HTTP and never in an event.

A book has one text per line, far more than it has clients: a body is decoded flat and kept in one statement,
most often of lines that had no text before.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
import psycopg
from fastapi import APIRouter, Request

from chassis.database import driver
from chassis.http import CompanyDep, SayDep, accepted, requires
from chassis.items import insert_new
from chassis.one_text import one_text, unnest
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

TOLD = f"{unnest('entry_ids', 'labels')} as told(entry_id, label)"

NEW = f"insert into entry_label (company, entry_id, label) select %(company)s, entry_id, label from {TOLD}"  # noqa: S608

SAVE = f"""
    insert into entry_label as known (company, entry_id, label)
    select %(company)s, entry_id, label from {TOLD} order by entry_id
    on conflict (company, entry_id) do update set label = excluded.label where known.label <> excluded.label
"""  # noqa: S608

ENTRY_ID = re.compile("[0-9a-f]{32}")
ENTRY_IDS = re.compile("[0-9a-f]*")


class Told(msgspec.Struct):
    """What is put: ``{"labels": {entry_id: text}}``."""

    labels: dict[str, str | None]


@router.put("/labels", dependencies=[requires("admin")])
async def put_labels(request: Request, company: CompanyDep, say: SayDep) -> dict[str, Any]:
    """Take in ``{"labels": {entry_id: text}}``, at most 2,000 letters each; the same again changes nothing.

    Answers ``changed``, how many are new or other than before. Nobody is told: who shows a text asks for it.
    """
    connection = await driver(say.tx)
    try:
        labels = msgspec.json.decode(await request.body(), type=Told).labels
    except (msgspec.DecodeError, UnicodeDecodeError) as unreadable:
        raise _unreadable(unreadable) from unreadable
    if refused := _refused(labels):
        raise Problem(
            "label-refused",
            f"An entry has 32 hexadecimal digits, its text at most {LONGEST_LABEL} letters",
            422,
            entry_id=refused[:64],
        )
    hidden = await connection.execute(OF_ERASED, {"company": company})
    for (entry_id,) in await hidden.fetchall():
        labels.pop(entry_id, None)
    if not labels:
        return accepted([], changed=0)
    texts = cast("list[str]", list(labels.values()))
    columns = {"company": company, **one_text({"entry_ids": list(labels), "labels": texts})}
    try:
        if await insert_new(connection, NEW, len(labels), columns):
            return accepted([], changed=len(labels))
        saved = await connection.execute(SAVE.encode(), columns)
    except psycopg.DataError as unreadable:
        raise _unreadable(unreadable) from unreadable
    return accepted([], changed=saved.rowcount)


def _refused(labels: Mapping[str, str | None]) -> str | None:
    """The first entry that is none, or whose text is none or too long. All are looked at together: there are as
    many as lines in a book."""
    texts = labels.values()
    if (
        None not in texts
        and max(map(len, cast("Iterable[str]", texts)), default=0) <= LONGEST_LABEL
        and {*map(len, labels)} <= {32}
        and ENTRY_IDS.fullmatch("".join(labels))
    ):
        return None
    return next(
        entry_id
        for entry_id, label in labels.items()
        if label is None or len(label) > LONGEST_LABEL or not ENTRY_ID.fullmatch(entry_id)
    )


def _unreadable(error: Exception) -> Problem:
    return Problem("labels-unreadable", 'The body is {"labels": {entry_id: text}}', 422, type(error).__name__)
