"""A company handed out: what was said of it, what is kept of it, at one moment of the whole database."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from chassis import clock
from cli.company.bundle import Lines, Writing, written
from cli.company.inventory import (
    HEARS,
    LOG,
    NAMED,
    CompanyMissing,
    Table,
    companies,
    derivations,
    tables,
    versions,
)
from contracts.subjects import SPEAKERS

FETCH_ROWS = 500
CONTENTS_AT_ONCE = 20
PAUSE_SECONDS = 0.5

NOT_HEARD = """
    select count(*) from (select p, max(pseq) as last from {log} where company = %s group by p) said
    left join {checkpoint} heard on heard.speaker = %s and heard.p = said.p
    where coalesce(heard.pseq, 0) < said.last
"""
NOT_SEALED = """
    select count(*) from (select p, max(pseq) as last from notify.event_log where company = %s group by p) said
    join notify.archive_cursor c using (p) where c.number < said.last
"""
UNDER_WAY = {
    "work that a service has in hand": "select count(*) from {service}.job where company = %s"
    " and status in ('running', 'sending')",
    "events that a service has set aside (relance parked)": "select count(*) from {service}.parked"
    " where company = %s and skipped_at is null",
}
OF_ONE = {
    "a synchronisation": "select count(*) from sync.run where company = %s and status = 'running'",
    "lettering groups to be judged": "select count(*) from ledger.milestone where company = %s",
    "a round": "select count(*) from dunning.round where company = %s and status = 'running'",
}
HEADS = "select p, seq from {} where seq > 0 order by p"
EVENTS = """
    select p, row_to_json(e)::text from (
        select p, pseq as number, event_id, company, client_id, type, major, as_of, occurred_at, recorded_at,
            actor, correlation_id, causation_id, traceparent, body
        from {} where company = %s order by p, pseq
    ) e
"""
ACCOUNTS = """
    select row_to_json(a)::text from (
        select account_id, email, name, language, theme, created_at from console.account
        where account_id in (select account_id from console.membership where company = %s) order by account_id
    ) a
"""


class CompanyBusy(Exception):
    """Something of the company is under way, so that what services know of it does not agree."""

    def __init__(self, company: str, why: list[str]) -> None:
        super().__init__(
            f"{company} is not at rest: {'; '.join(why)}. Wait until it has ended (or mend it), and export again"
        )
        self.why = why


def export(dsn: str, company: str, to: Path, *, by: str, wait_seconds: float = 60) -> dict[str, Any]:
    """Write everything of a company to ``to``; answers the manifest. Services may run; it waits for a moment at
    which all of them know the same of the company.

    Raises ``CompanyMissing``, ``CompanyBusy``, ``BundleExists``.
    """
    with written(to) as bundle, _at_rest(dsn, company, wait_seconds) as connection:
        told: dict[str, Any] = {
            "company": company,
            "exported_at": clock.now().isoformat(),
            "exported_by": by,
            "schemas": versions(connection),
            "derivations": derivations(connection),
            "heads": {speaker: _heads(connection, speaker) for speaker in SPEAKERS},
            "checkpoints": {service: _checkpoints(connection, service) for service in HEARS},
            "events": {speaker: _events(connection, company, speaker, bundle) for speaker in SPEAKERS},
            "rows": {},
            "left_out": [],
        }
        for table in tables(connection):
            _table(connection, company, table, bundle, told)
        with bundle.lines("rows/console/account.jsonl") as lines:
            for (line,) in connection.execute(ACCOUNTS, [company]):
                lines.write(line)
        told["rows"]["console.account"] = lines.count
        if lines.count:
            told["left_out"].append(
                {"what": "passwords of people", "why": "people are invited again", "rows": lines.count}
            )
        told["archive"] = _archive_head(connection, company)
        bundle.manifest(told)
    return {**told, "files": dict(sorted(bundle.files.items()))}


@contextmanager
def _at_rest(dsn: str, company: str, wait_seconds: float) -> Iterator[psycopg.Connection[Any]]:
    """One snapshot of every schema, in which nothing of the company is under way."""
    deadline = time.monotonic() + wait_seconds
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        connection.set_read_only(True)
        while True:
            known = companies(connection)
            if company not in known:
                raise CompanyMissing(company, known)
            why = under_way(connection, company)
            if not why:
                yield connection
                return
            if time.monotonic() > deadline:
                raise CompanyBusy(company, why)
            connection.rollback()
            time.sleep(PAUSE_SECONDS)


def under_way(connection: psycopg.Connection[Any], company: str) -> list[str]:
    """What of the company has not ended, in words."""
    found = []
    for service, heard in HEARS.items():
        for speaker in heard:
            query = sql.SQL(NOT_HEARD).format(
                log=sql.Identifier(speaker, LOG), checkpoint=sql.Identifier(service, "checkpoint")
            )
            if _number(connection, query, [company, speaker]):
                found.append(f"{service} has not heard all that {speaker} said")
    for service in HEARS:
        for what, one in UNDER_WAY.items():
            if _number(connection, sql.SQL(one).format(service=sql.Identifier(service)), [company]):
                found.append(f"{what}: {service}")
    found += [what for what, asked in OF_ONE.items() if _number(connection, sql.SQL(asked), [company])]
    if _number(connection, sql.SQL(NOT_SEALED), [company]):
        found.append("the archive is being written")
    return found


def _number(connection: psycopg.Connection[Any], query: sql.Composed | sql.SQL, values: list[Any]) -> int:
    found = connection.execute(query, values).fetchone()
    assert found is not None
    return int(found[0])


def _heads(connection: psycopg.Connection[Any], speaker: str) -> dict[str, int]:
    rows = connection.execute(sql.SQL(HEADS).format(sql.Identifier(speaker, "partition_head")))
    return {str(p): number for p, number in rows}


def _checkpoints(connection: psycopg.Connection[Any], service: str) -> dict[str, dict[str, int]]:
    heard: dict[str, dict[str, int]] = {speaker: {} for speaker in HEARS[service]}
    query = sql.SQL("select speaker, p, pseq from {} where pseq > 0 order by speaker, p")
    for speaker, p, number in connection.execute(query.format(sql.Identifier(service, "checkpoint"))):
        if speaker in heard:
            heard[speaker][str(p)] = number
    return heard


def _events(connection: psycopg.Connection[Any], company: str, speaker: str, bundle: Writing) -> int:
    """One file per partition in which the company has events."""
    query = sql.SQL(EVENTS).format(sql.Identifier(speaker, LOG))
    partitions = connection.execute(
        sql.SQL("select distinct p from {} where company = %s order by p").format(sql.Identifier(speaker, LOG)),
        [company],
    ).fetchall()
    count = 0
    with connection.cursor(f"events_{speaker}") as cursor:
        cursor.itersize = FETCH_ROWS
        cursor.execute(query, [company])
        following = iter(cursor)
        ahead = next(following, None)
        for (partition,) in partitions:
            with bundle.lines(f"events/{speaker}/p{partition:02d}.jsonl") as lines:
                while ahead is not None and ahead[0] == partition:
                    lines.write(_one_line(ahead[1]))
                    ahead = next(following, None)
            count += lines.count
    return count


def _one_line(text: str) -> str:
    """JSON may be written over several lines, and is then written anew."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")) if "\n" in text else text


def _table(
    connection: psycopg.Connection[Any], company: str, table: Table, bundle: Writing, told: dict[str, Any]
) -> None:
    whole = _number(
        connection, sql.SQL("select count(*) from {} where company = %s").format(table.identifier), [company]
    )
    if (why := table.left_out) is not None:
        if whole:
            left: dict[str, Any] = {"what": table.full_name, "why": why, "rows": whole}
            told["left_out"].append(left | _names(connection, company, table))
        return
    _contents(connection, company, table, bundle)
    with bundle.lines(f"rows/{table.schema}/{table.name}.jsonl") as lines:
        _rows(connection, company, table, lines)
    told["rows"][table.full_name] = lines.count
    if lines.count < whole and table.ended is not None:
        told["left_out"].append({"what": table.full_name, "why": table.ended[1], "rows": whole - lines.count})
    if table.emptied and lines.count:
        left = {"what": f"{table.full_name}: {', '.join(table.emptied)}", "rows": lines.count}
        left["why"] = "a secret, which no export tells: enter it again"
        told["left_out"].append(left | _names(connection, company, table))


def _names(connection: psycopg.Connection[Any], company: str, table: Table) -> dict[str, Any]:
    column = NAMED.get(table.place)
    if column is None:
        return {}
    query = sql.SQL("select {} from {} where company = %s order by 1").format(
        sql.Identifier(column), table.identifier
    )
    return {"names": [name for (name,) in connection.execute(query, [company])]}


def _contents(connection: psycopg.Connection[Any], company: str, table: Table, bundle: Writing) -> None:
    """The files that rows of the table hold."""
    for column in map(sql.Identifier, table.contents):
        query = sql.SQL("select {} from {} where company = %s and {} is not null").format(
            column, table.identifier, column
        )
        with connection.cursor("contents") as cursor:
            cursor.itersize = CONTENTS_AT_ONCE
            cursor.execute(query, [company])
            for (content,) in cursor:
                bundle.content(content)


def _rows(connection: psycopg.Connection[Any], company: str, table: Table, lines: Lines) -> None:
    """Every row, in the order of its key; numbers and instants as PostgreSQL writes them, contents by digest."""
    told = [_told(one.name, is_content=one.is_content, is_secret=one.is_secret) for one in table.columns]
    query = sql.SQL(
        "select row_to_json((select told from (select {}) told))::text from {}"
        " where company = %s and {} order by {}"
    ).format(
        sql.SQL(", ").join(told),
        table.identifier,
        sql.SQL(table.ended[0] if table.ended else "true"),
        sql.SQL(", ").join(map(sql.Identifier, table.key)) if table.key else sql.SQL("1"),
    )
    with connection.cursor("rows") as cursor:
        cursor.itersize = FETCH_ROWS
        cursor.execute(query, [company])
        for (line,) in cursor:
            lines.write(_one_line(line))


def _told(name: str, *, is_content: bool, is_secret: bool) -> sql.Composed:
    column = sql.Identifier(name)
    if is_content:
        return sql.SQL("encode(sha256({}), 'hex') as {}").format(column, column)
    if is_secret:
        return sql.SQL("null as {}").format(column)
    return sql.SQL("{}").format(column)


def _archive_head(connection: psycopg.Connection[Any], company: str) -> dict[str, Any] | None:
    found = connection.execute("select n, hash from notify.archive_head where company = %s", [company]).fetchone()
    return None if found is None else {"records": found[0], "hash": found[1]}
