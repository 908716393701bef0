"""Everything that a collection file is made of: the account from reporting, people and documents from ledger, what
was sent from the archive. Asked in the name of whoever wants the file, who so gets what it may see and no more.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.auth import Caller
from chassis.running import Running
from services.notify import queries
from services.notify.archive.chain import Record, digest
from services.notify.archive.reading import head_of, records_of
from services.notify.domain import Sender
from services.notify.settings import NotifySettings

Json = dict[str, Any]
SENDINGS = ("email_sent", "letter_prepared", "call_logged", "contact_logged", "email_in_doubt", "email_failed")
"""What stands in the history by itself, the best known first; all else belongs to one of them."""


@dataclass(frozen=True)
class Sealed:
    """A record with what its body says."""

    record: Record
    body: Json

    @property
    def person(self) -> Json:
        """What it tells of a person; empty once erased."""
        return json.loads(self.record.person) if self.record.person else {}

    @property
    def is_erased(self) -> bool:
        return self.record.person is None and self.body["person"] is not None


@dataclass(frozen=True)
class Sending:
    """One message or contact with everything that became of it."""

    main: Sealed
    after: tuple[Sealed, ...] = ()

    @property
    def kind(self) -> str:
        return self.main.record.kind

    def of(self, kind: str) -> list[Sealed]:
        return [one for one in self.after if one.record.kind == kind]


@dataclass(frozen=True)
class Document:
    document_id: UUID
    file_name: str
    piece: str


@dataclass(frozen=True)
class Dossier:
    """``page`` is reporting's page of the client, ``person`` ledger's; ``head`` the archive's last record."""

    company: str
    client_id: str
    codes: tuple[str, ...]
    as_of: date
    made_at: datetime
    """In the company's time zone."""
    zone: ZoneInfo
    sender: Sender
    page: Json
    person: Json
    records: tuple[Sealed, ...]
    head: tuple[int, str] | None
    documents: Mapping[str, Sequence[Document]] = field(default_factory=dict)
    """By entry."""

    @property
    def entries(self) -> list[Json]:
        return list(self.page["statement"]["entries"])

    @property
    def open_entries(self) -> list[Json]:
        return [entry for entry in self.entries if entry["open"]]

    @property
    def sendings(self) -> list[Sending]:
        return sendings(self.records)

    @property
    def broken(self) -> Sealed | None:
        """The first record of the file that is not as its hash says."""
        return next((one for one in self.records if not _is_sound(one)), None)


def _is_sound(one: Sealed) -> bool:
    person = one.record.person
    return digest(one.record.body) == one.record.hash and (person is None or digest(person) == one.body["person"])


def sendings(records: Sequence[Sealed]) -> list[Sending]:
    """By what was sent, in the order of the days; a message that left is one, however often it was tried."""
    of_action: defaultdict[UUID | None, list[Sealed]] = defaultdict(list)
    for one in records:
        if one.record.action_id is not None:
            of_action[one.record.action_id].append(one)
    found: list[Sending] = []
    for every in of_action.values():
        known = [one for kind in SENDINGS for one in reversed(every) if one.record.kind == kind]
        if known:
            found.append(Sending(known[0], tuple(one for one in every if one is not known[0])))
    return sorted(found, key=lambda sending: (sending.main.body["at"], sending.main.record.n))


async def gather(  # noqa: PLR0913, PLR0917 - who asks, for what, as of when
    tx: AsyncConnection,
    running: Running,
    who: Caller,
    company: str,
    client_id: str,
    as_of: date,
    made_at: datetime,
) -> Dossier:
    """Raises what ``Neighbour`` raises: 404 where reporting or ledger knows no such client."""
    settings = running.settings
    assert isinstance(settings, NotifySettings)
    asked: Json = {"company": company, "caller": who}
    page, person = await asyncio.gather(
        running.neighbour("reporting").get(
            "/client", params={"client_id": client_id, "as_of": f"{as_of}"}, **asked
        ),
        running.neighbour("ledger").get("/client", params={"client_id": client_id}, **asked),
    )
    entries = {entry["entry_id"]: entry for entry in page["statement"]["entries"] if entry["open"]}
    told = await running.neighbour("ledger").post("/documents/query", json={"entry_ids": sorted(entries)}, **asked)
    documents = {
        entry_id: [
            Document(UUID(one["document_id"]), one["file_name"], entries[entry_id]["piece"]) for one in every
        ]
        for entry_id, every in told["documents"].items()
        if entry_id in entries
    }
    codes, records = await records_of(tx, company, client_id)
    zone = ZoneInfo(await queries.time_zone(tx, company))
    return Dossier(
        company=company,
        client_id=client_id,
        codes=tuple(codes),
        as_of=as_of,
        made_at=made_at.astimezone(zone),
        zone=zone,
        sender=await queries.sender(tx, company, settings.default_sender_domain),
        page=page,
        person=person,
        records=tuple(Sealed(record, json.loads(record.body)) for record in records),
        head=await head_of(tx, company),
        documents=documents,
    )
