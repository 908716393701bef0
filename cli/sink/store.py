"""Where the sink keeps the mails it took: one SQLite file, written before the sender hears 250."""

import sqlite3
from dataclasses import dataclass
from email import policy
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path
from typing import cast

from chassis import clock

SCHEMA = """
create table if not exists mail (
    id integer primary key,
    received_at text not null,
    message_id text not null,
    sender text not null,
    recipients text not null,
    header_from text not null,
    subject text not null,
    size integer not null,
    raw blob not null
);
create index if not exists mail_message_id on mail (message_id);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One mail as listed. ``received_at`` is ISO 8601, UTC; ``size`` is bytes."""

    id: int
    received_at: str
    message_id: str
    sender: str
    recipients: list[str]
    header_from: str
    subject: str
    size: int


@dataclass(frozen=True, slots=True)
class Read:
    """One mail taken apart."""

    mail: Kept
    to: str
    date: str
    text: str
    html: str


class Store:
    """A mail that was answered with 250 survives a kill of the process; only a power cut can lose it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "mails.sqlite3", isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=off")
        self._db.execute("pragma busy_timeout=5000")
        self._db.executescript(SCHEMA)

    def keep(self, sender: str, recipients: list[str], raw: bytes) -> int:
        headers = BytesHeaderParser(policy=policy.compat32).parsebytes(raw.partition(b"\r\n\r\n")[0])
        added = self._db.execute(
            "insert into mail (received_at, message_id, sender, recipients, header_from, subject, size, raw)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                clock.now().isoformat(timespec="milliseconds"),
                str(headers["Message-ID"] or ""),
                sender,
                "\n".join(recipients),
                _decoded(headers["From"]),
                _decoded(headers["Subject"]),
                len(raw),
                raw,
            ),
        )
        return cast("int", added.lastrowid)

    def count(self) -> int:
        return cast("int", self._db.execute("select count(*) from mail").fetchone()[0])

    def distinct(self) -> int:
        """How many different messages; fewer than ``count`` means that one came twice."""
        return cast("int", self._db.execute("select count(distinct message_id) from mail").fetchone()[0])

    def list(self, *, limit: int = 100, offset: int = 0, search: str = "") -> list[Kept]:
        """The newest first. ``search`` is looked for in recipients, sender and subject."""
        pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        rows = self._db.execute(
            "select id, received_at, message_id, sender, recipients, header_from, subject, size from mail"
            " where recipients || char(10) || header_from || char(10) || subject like ? escape '\\'"
            " order by id desc limit ? offset ?",
            (pattern, limit, offset),
        )
        return [_kept(row) for row in rows]

    def raw(self, mail_id: int) -> bytes | None:
        row = self._db.execute("select raw from mail where id = ?", (mail_id,)).fetchone()
        return cast("bytes", row[0]) if row else None

    def read(self, mail_id: int) -> Read | None:
        row = self._db.execute(
            "select id, received_at, message_id, sender, recipients, header_from, subject, size, raw"
            " from mail where id = ?",
            (mail_id,),
        ).fetchone()
        if row is None:
            return None
        message = BytesParser(policy=policy.default).parsebytes(row[8])
        plain, rich = message.get_body(("plain",)), message.get_body(("html",))
        return Read(
            mail=_kept(row),
            to=str(message["To"] or ""),
            date=str(message["Date"] or ""),
            text=plain.get_content().replace("\r\n", "\n") if plain is not None else "",
            html=rich.get_content() if rich is not None else "",
        )

    def clear(self) -> None:
        self._db.execute("delete from mail")

    def close(self) -> None:
        self._db.close()


def _kept(row: tuple[object, ...]) -> Kept:
    mail_id, received_at, message_id, sender, recipients, header_from, subject, size = row[:8]
    return Kept(
        cast("int", mail_id),
        str(received_at),
        str(message_id),
        str(sender),
        str(recipients).splitlines(),
        str(header_from),
        str(subject),
        cast("int", size),
    )


def _decoded(header: str | None) -> str:
    return str(make_header(decode_header(header))) if header else ""
