"""The ZIP of a collection file, written as it is gathered: no more than one document is in memory at a time."""

import asyncio
import json
import re
import unicodedata
import zipfile
from collections import defaultdict
from hashlib import sha256
from http import HTTPStatus
from typing import IO, Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.auth import Caller
from chassis.http_client import NeighbourRefused
from chassis.running import Running
from chassis.zips import Zipping
from services.notify import messages
from services.notify.attachments import AttachmentMissing, files_of, whole
from services.notify.collection.gathering import Dossier, Sending
from services.notify.collection.index import Packed, index, local_day, proofs
from services.notify.collection.transcript import transcript
from services.notify.collection.wording import FILES, FOLDERS, code
from services.notify.collection.workbook import workbook
from services.notify.letters.press import press
from services.notify.settings import NotifySettings

LONGEST_NAME = 80
MAIL = text(
    "select message_id, subject, raw, files, cut from message where company = :company and action_id = :action_id"
)
LETTER = text("select pdf from letter where company = :company and action_id = :action_id")
FIRST_OF_ZIP = (1980, 1, 1, 0, 0, 0)


class Packing:
    """One collection file while it is written."""

    def __init__(
        self, tx: AsyncConnection, running: Running, who: Caller, dossier: Dossier, language: str
    ) -> None:
        settings = running.settings
        assert isinstance(settings, NotifySettings)
        self.tx, self.running, self.who, self.dossier, self.language = tx, running, who, dossier, language
        self.press = press(settings.letter_fonts)
        self.names, self.folders = FILES[language], FOLDERS[language]
        self.packed: list[Packed] = []
        self.made = Zipping()
        self._taken: set[str] = set()

    async def pack(self) -> IO[bytes]:
        """The ZIP, at its beginning. Raises what ``Neighbour`` raises."""
        async with self.made:
            book = await asyncio.to_thread(workbook, self.dossier, self.language)
            await self._add(self.names["statement"], book)
            await self._add_documents()
            of_sending = await self._add_sendings()
            records = await asyncio.to_thread(self._records)
            await self._add(f"{self.folders['proofs']}/{self.names['archive']}", records)
            page = index(self.dossier, list(self.packed), of_sending, self.language)
            await self._add(self.names["index"], await asyncio.to_thread(self.press.dossier, page))
            sums = "".join(f"{one.sha256}  {one.name}\n" for one in self.packed)
            await self.made.add(zipfile.ZipInfo(self.names["digests"], FIRST_OF_ZIP), sums)
        return self.made.file

    async def _add(self, name: str, content: bytes) -> str:
        """Under a name that no other file has, however the file system sees upper and lower case."""
        stem, dot, ending = name.rpartition(".")
        number = 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem}_{number}{dot}{ending}"
        self._taken.add(name.casefold())
        entry = zipfile.ZipInfo(name, self.dossier.made_at.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        await self.made.add(entry, content)
        digest = await asyncio.to_thread(sha256, content)
        self.packed.append(Packed(name, len(content), digest.hexdigest()))
        return name

    async def _add_documents(self) -> None:
        """The documents of the open invoices, each once; one that was taken away meanwhile is left out."""
        pieces: defaultdict[UUID, list[str]] = defaultdict(list)
        names: dict[UUID, str] = {}
        for every in self.dossier.documents.values():
            for one in every:
                names[one.document_id] = one.file_name
                pieces[one.document_id].append(one.piece)
        for document_id, file_name in names.items():
            try:
                answer = await self.running.neighbour("ledger").request(
                    "GET", f"/documents/{document_id}", company=self.dossier.company, caller=self.who
                )
            except NeighbourRefused as refused:
                if refused.status != HTTPStatus.NOT_FOUND:
                    raise
                continue
            piece = pieces[document_id][0]
            told = file_name if piece.casefold() in file_name.casefold() else f"{piece} {file_name}"
            await self._add(f"{self.folders['invoices']}/{plain(told)}", answer.content)

    async def _add_sendings(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for place, one in enumerate(self.dossier.sendings):
            match one.kind:
                case "email_sent":
                    found[place] = await self._add_mail(place, one)
                case "letter_prepared":
                    found[place] = await self._add_letter(place, one)
        return found

    def _name(self, place: int, one: Sending, ending: str) -> str:
        facts = one.main.body["facts"]
        day = local_day(one.main, self.dossier)
        what = facts.get("step") or facts.get("purpose") or ""
        medium = code(facts.get("medium", ""), self.language)
        return f"{self.folders['sent']}/{place + 1:03d}_{day}_{plain(f'{what} {medium}')}.{ending}"

    async def _add_mail(self, place: int, one: Sending) -> list[str]:
        named = {"company": self.dossier.company, "action_id": one.main.record.action_id}
        row = (await self.tx.execute(MAIL, named)).one_or_none()
        if row is None or row.raw is None:
            return []
        raw, files = bytes(row.raw), files_of(row.files)
        complete = raw
        if files:
            try:
                complete = await whole(
                    self.tx, self.dossier.company, messages.Mail(row.message_id, "", (), "", raw, files, row.cut)
                )
            except AttachmentMissing:
                files = ()
        eml = await self._add(self._name(place, one, "eml"), complete)
        shown = await asyncio.to_thread(
            transcript,
            raw,
            eml.rpartition("/")[2],
            [file.name for file in files],
            proofs(one, self.dossier, self.language),
            self.language,
        )
        pdf = await asyncio.to_thread(self.press.transcript, shown)
        return [eml, await self._add(self._name(place, one, "pdf"), pdf)]

    async def _add_letter(self, place: int, one: Sending) -> list[str]:
        named = {"company": self.dossier.company, "action_id": one.main.record.action_id}
        pdf = await self.tx.scalar(LETTER, named)
        return [] if pdf is None else [await self._add(self._name(place, one, "pdf"), bytes(pdf))]

    def _records(self) -> bytes:
        """The records to the letter, for any program that makes SHA-256."""
        head = self.dossier.head
        told: dict[str, Any] = {
            "company": self.dossier.company,
            "client_ids": list(self.dossier.codes),
            "head": None if head is None else {"n": head[0], "hash": head[1]},
            "records": [
                {"n": one.record.n, "hash": one.record.hash, "body": one.record.body, "person": one.record.person}
                for one in self.dossier.records
            ],
        }
        return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


_OUTSIDE = re.compile(r"[^\w.()\-]+")


def plain(name: str) -> str:
    """A file name that every system takes: no folders, no controls, no accents, not too long."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, dot, ending = _OUTSIDE.sub("_", folded).strip("._").rpartition(".")
    return (
        f"{(stem or 'document')[:LONGEST_NAME]}{dot}{ending[:10]}"
        if stem
        else (ending[:LONGEST_NAME] or "document")
    )
