"""A company deleted: its rows in every service, its events in the logs, the streams that carried them, the lines
of log files that name it. The services are stopped meanwhile.

A log counts without gaps, and everybody who hears it relies on that. So an event leaves its number behind, and
nothing else: a ``Removed`` of nobody, with no body. Streams are made again from the logs, since what JetStream
purges stays in its files, and production forbids purging.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import nats
import psycopg
from psycopg import sql

from chassis.trust import trusting
from cli.company.inventory import HEARS, HOLD, LOG, Table, refuse_beside, refuse_running, rows_of, tables
from cli.places import SERVICES
from cli.refilling import refill
from contracts.subjects import NOBODY, SPEAKERS, stream

REMOVED = "Removed"

EMPTY = """
    update {} set event_id = gen_random_uuid(), company = %s, client_id = null, type = %s, major = 1,
        as_of = current_date, occurred_at = now(), recorded_at = now(), actor = 'operator',
        correlation_id = '00000000-0000-0000-0000-000000000000', causation_id = null, traceparent = null,
        body = '{{}}'
    where company = %s
"""
ANCHORS = """
    update {checkpoint} c set anchor = e.event_id, at = 0 from {log} e
    where c.speaker = %s and e.p = c.p and e.pseq = c.pseq and e.company = %s
        and c.anchor is distinct from e.event_id
"""
PEOPLE = """
    select account_id, email from console.account a
    where exists (select from console.membership m where m.account_id = a.account_id and m.company = %(company)s)
        and not exists (select from console.membership m where m.account_id = a.account_id
            and m.company <> %(company)s)
"""
OF_PEOPLE: tuple[tuple[str, str], ...] = (
    ("console.session", "delete from console.session where account_id = any(%(ids)s)"),
    ("console.failed_sign_in", "delete from console.failed_sign_in where email = any(%(emails)s)"),
    ("console.account", "delete from console.account where account_id = any(%(ids)s)"),
)


class StillThere(Exception):
    """Something of the company came back while it was deleted."""

    def __init__(self, company: str, where: list[str]) -> None:
        super().__init__(
            f"something of {company} is still in {', '.join(where)}: see that no service runs, and delete it again"
        )


@dataclass
class Removed:
    """What was deleted: rows by table, events by service, messages by stream, lines by log file."""

    rows: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    streams: dict[str, int] = field(default_factory=dict)
    log_lines: dict[str, int] = field(default_factory=dict)


def remove(dsn: str, nats_url: str, company: str, lost: TextIO, data_dir: Path | None = None) -> Removed:
    """Delete everything of a company. ``lost`` gets what only a stream knew, as ``relance refill`` has it;
    ``data_dir`` is where log files lie, when they are ours.

    Streams are emptied first: whatever ends this half way, relays fill them again from what the logs hold then;
    the company stays at rest until ``release``, so that doing it again ends it.

    Raises ``ServicesRun``, ``TablesBeside``, ``HistoryDivided``, ``StreamUnreadable``, ``StillThere``.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        refuse_running(connection)
        refuse_beside(connection)
    refilled = refill(dsn, nats_url, SPEAKERS, lost)
    done = Removed(streams={one.stream: one.messages for one in refilled})
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        _delete(connection, company, done)
        refuse_running(connection)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in [*done.rows, *(f"{speaker}.{LOG}" for speaker in done.events)]:
            connection.execute(sql.SQL("vacuum {}").format(sql.Identifier(*name.split("."))))
        left = [name for name in rows_of(connection, company) if not name.endswith(f".{HOLD}")]
    left += asyncio.run(_streams_with(nats_url, company))
    if left:
        raise StillThere(company, left)
    if data_dir is not None:
        done.log_lines = forget_in_logs(data_dir / "logs", company)
    return done


def release(dsn: str, company: str) -> None:
    """The last word: with its rest goes what tells that it was asked to go, and nothing can be done again."""
    with psycopg.connect(dsn) as connection:
        for service in SERVICES:
            connection.execute(
                sql.SQL("delete from {} where company = %s").format(sql.Identifier(service, HOLD)), [company]
            )


def _delete(connection: psycopg.Connection[Any], company: str, done: Removed) -> None:
    """In one transaction over all services."""
    # triggers keep what was sealed from everybody who works; foreign keys are seen to by deleting on both sides
    connection.execute("set local session_replication_role = replica")
    _forget_people(connection, company, done)
    for table in tables(connection):
        if table.name == HOLD:
            continue
        _count(done.rows, table, connection.execute(_deletion(table), [company]).rowcount)
    for speaker in SPEAKERS:
        log = sql.Identifier(speaker, LOG)
        emptied = connection.execute(sql.SQL(EMPTY).format(log), [NOBODY, REMOVED, company]).rowcount
        if not emptied:
            continue
        done.events[speaker] = emptied
        for service, heard in HEARS.items():
            if speaker in heard:
                moved = sql.SQL(ANCHORS).format(checkpoint=sql.Identifier(service, "checkpoint"), log=log)
                connection.execute(moved, [speaker, NOBODY])


def _deletion(table: Table) -> sql.Composed:
    return sql.SQL("delete from {} where company = %s").format(table.identifier)


def _count(rows: dict[str, int], table: Table, count: int) -> None:
    if count:
        rows[table.full_name] = count


def _forget_people(connection: psycopg.Connection[Any], company: str, done: Removed) -> None:
    """Those who could enter this company and no other."""
    people = connection.execute(PEOPLE, {"company": company}).fetchall()
    named = {"ids": [account_id for account_id, _ in people], "emails": [email for _, email in people]}
    for table, statement in OF_PEOPLE:
        count = connection.execute(statement, named).rowcount
        if count:
            done.rows[table] = count


async def _streams_with(nats_url: str, company: str) -> list[str]:
    """Streams that hold a message of the company."""
    bus = await nats.connect(nats_url, max_reconnect_attempts=3, **trusting(nats_url))
    try:
        jetstream = bus.jetstream()
        found = []
        for speaker in SPEAKERS:
            subjects = f"evt.{speaker}.{company}.>"
            info = await jetstream.stream_info(stream(speaker), subjects_filter=subjects)
            if info.state.subjects:
                found.append(stream(speaker))
        return found
    finally:
        await bus.close()


def forget_in_logs(folder: Path, company: str) -> dict[str, int]:
    """Take the lines out of log files that are about the company; answers how many of each."""
    about = _named_in(company)
    forgotten = {}
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not file.is_file():
            continue
        with file.open("r+b") as log:
            lines = log.readlines()
            kept = [line for line in lines if not _is_about(line, company, about)]
            if len(kept) < len(lines):
                log.seek(0)
                log.writelines(kept)
                log.truncate()
                forgotten[str(file.relative_to(folder))] = len(lines) - len(kept)
    return forgotten


def _named_in(company: str) -> re.Pattern[str]:
    """Where a company stands as a company: in an address, a subject, the name of a subscriber, a key of a row. A
    slug may be any word, as ``relay``; a line in which it is one is about nobody."""
    slug = re.escape(company)
    return re.compile(
        rf"(?:/companies/|@|evt\.[a-z*]+\.|\(){slug}(?![a-z0-9_-])|(?<![a-z0-9_-]){slug}/[a-z0-9_-]|\bof {slug}$"
    )


def _is_about(line: bytes, company: str, about: re.Pattern[str]) -> bool:
    text = line.decode("utf-8", "replace")
    try:
        told = json.loads(text)
    except ValueError:
        return about.search(text.rstrip()) is not None
    return _tells_of(told, company, about)


def _tells_of(told: Any, company: str, about: re.Pattern[str]) -> bool:
    match told:
        case dict():
            several = told.get("companies")
            named = told.get("company") == company or (isinstance(several, list) and company in several)
            return named or any(_tells_of(one, company, about) for one in told.values())
        case list():
            return any(_tells_of(one, company, about) for one in told)
        case str():
            return about.search(told) is not None
    return False
