"""What sync says: lines of accounting, kept as they are told."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.items import Items
from chassis.new_rows import NewRows
from chassis.projection import Delivered, Project
from contracts.terms import difference
from services.notify.tables import COLUMN, LINE

SPACES = {ord(COLUMN): " ", ord(LINE): " "}

COLUMNS_BETWEEN = 9

LINES = Items(
    "entries",
    {
        "client_id": "text", "entry_id": "text", "account": "text", "kind": "text", "piece": "text",
        "entry_date": "date", "due_date": "date", "debit": "numeric", "credit": "numeric", "currency": "text",
        "lettering": "text", "removed": "boolean",
    },
)  # fmt: skip


class ClientLines(Struct, gc=False):
    """What one event tells of a client's entries, spelled as ``synced_lines.lines`` holds it."""

    client_id: str
    lines: str


TOLD = NewRows(
    "synced_lines",
    ("client_id", "lines"),
    lambda told: f"{told.client_id}\t{told.lines}",
    {"company": "company", "number": "number", "p": "p"},
)

TOLD_FEW = """
    insert into synced_lines (company, client_id, number, p, lines)
    select * from unnest(%(companies)b::text[], %(clients)b::text[], %(numbers)b::bigint[], %(ps)b::smallint[],
        %(lines)b::text[])
    on conflict (company, client_id, number) do nothing
"""


async def entries_synced(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """Lines that are new, changed or gone: kept as they are told, client by client. Nothing of an import is looked
    up or changed, and of the many entries that nobody will ever write about none is a row."""
    connection = await driver(tx)
    told = [(event, _by_client(lines)) for event, lines in LINES.told_anyhow(heard)]
    if await TOLD.copy(connection, told):
        return
    rows = [(event, client) for event, clients in told for client in clients]
    values = {
        "companies": [event.company for event, _ in rows],
        "clients": [client.client_id for _, client in rows],
        "numbers": [event.number for event, _ in rows],
        "ps": [event.partition for event, _ in rows],
        "lines": [client.lines for _, client in rows],
    }
    await connection.execute(TOLD_FEW.encode(), values, prepare=False)


def _by_client(lines: Sequence[Any]) -> list[ClientLines]:
    """The lines of an event by client, in the order told."""
    clients: dict[str, list[str]] = {}
    for line in lines:
        clients.setdefault(line.client_id, []).append(
            f"{line.entry_id}{COLUMN}{line.account}{COLUMN}{line.kind}{COLUMN}{line.piece}{COLUMN}{line.entry_date}"
            f"{COLUMN}{line.due_date}{COLUMN}{difference(line.debit, line.credit)}{COLUMN}{line.currency}"
            f"{COLUMN}{line.lettering or ''}{COLUMN}{'t' if line.removed else 'f'}"
        )
    told = [ClientLines(client_id, LINE.join(spelled)) for client_id, spelled in clients.items()]
    if sum(client.lines.count(COLUMN) for client in told) != len(lines) * COLUMNS_BETWEEN or any(
        client.lines.count(LINE) != len(clients[client.client_id]) - 1 for client in told
    ):
        return _by_client([_without_separators(line) for line in lines])
    return told


def _without_separators(line: Any) -> Any:
    """The same line, spaces in its texts instead of the signs that stand between lines and columns."""
    return type(line)(*(value.translate(SPACES) if isinstance(value, str) else value for value in astuple(line)))


SYNCED: Mapping[str, Project] = {
    "EntriesSynced": entries_synced,
}
