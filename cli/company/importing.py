"""A company taken in from an export: in one transaction over all services, which are stopped meanwhile.

Events are appended to the logs under new numbers, in the partitions where they were; rows come as they stood, with
the numbers of events that they name put right; and every listener's place is moved behind the events, since what
they made of them has come as rows. So nobody reacts to them: nothing is decided again and nothing is sent.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Json

from chassis import clock
from cli.company.bundle import Bundle
from cli.company.inventory import HEARS, LOG, Table, derivations, refuse_running, rows_of, tables, versions
from cli.company.judging import refuse_under_way, refuse_unfit
from cli.company.verifying import refuse_broken
from contracts.dunning import PolicyChanged
from contracts.subjects import SPEAKERS, partition_of

ROWS_AT_ONCE = 500
ACTOR = "operator"
RUNS = ("sync", "run")

APPEND = """
    insert into {} (p, pseq, event_id, company, client_id, type, major, as_of, occurred_at, actor, correlation_id,
        causation_id, traceparent, body)
    select p, %s + place, event_id, company, client_id, type, major, as_of, occurred_at, actor, correlation_id,
        causation_id, traceparent, body
    from rows from (json_to_recordset(%s::json) as (p smallint, event_id uuid, company text, client_id text,
        type text, major smallint, as_of date, occurred_at timestamptz, actor text, correlation_id uuid,
        causation_id uuid, traceparent text, body json)) with ordinality as e(p, event_id, company, client_id,
        type, major, as_of, occurred_at, actor, correlation_id, causation_id, traceparent, body, place)
"""
HEAD = "select seq from {} where p = %s for update"
MOVE_HEAD = "update {} set seq = %s where p = %s"
HEARD = "select coalesce((select pseq from {} where speaker = %s and p = %s), 0)"
MOVE_BEHIND = """
    insert into {} as c (speaker, p, pseq, anchor) values (%s, %s, %s, %s)
    on conflict (speaker, p) do update set pseq = excluded.pseq, at = 0, anchor = excluded.anchor
"""
TAKE_ON = "update {} set version = %s, since = now() where version is null"
SEALED = "select number from notify.archive_cursor where p = %s"
MOVE_SEALED = "update notify.archive_cursor set number = %s where p = %s"
ACCOUNT = """
    insert into console.account (account_id, email, name, password_hash, language, theme, created_at, closed_at)
    values (%(account_id)s, %(email)s, %(name)s, '', %(language)s, %(theme)s, %(created_at)s, now())
    on conflict do nothing
"""
SAME_ADDRESS = "select account_id from console.account where email = %s"
SET_POLICY = "update dunning.policy set version = %s, body = %s, set_on = %s where company = %s"


class CompanyThere(Exception):
    """The installation knows the company already."""

    def __init__(self, company: str, rows: dict[str, int]) -> None:
        some = ", ".join(f"{table} ({count})" for table, count in list(rows.items())[:5])
        super().__init__(
            f"{company} is there already, in {some}: nothing was taken in. Import it where it is not known, or"
            f" remove it here first with: relance company offboard {company}"
        )


class OtherVersion(Exception):
    """The export was made by services of another version."""

    def __init__(self, differing: dict[str, tuple[str, str]]) -> None:
        told = ", ".join(f"{name} {theirs} (here {ours})" for name, (theirs, ours) in differing.items())
        super().__init__(
            f"the export was made by another version: {told}. Import it with the version that exported it and"
            " upgrade afterwards, or upgrade there and export again"
        )


class NotHeard(Exception):
    """A service lags behind, so that its place cannot be moved over what it has not heard."""

    def __init__(self, service: str, speaker: str, partition: int) -> None:
        super().__init__(
            f"{service} has not heard all that {speaker} said (partition {partition}): start the services, wait"
            " until `relance doctor` finds nothing waiting, stop them and import again"
        )


@dataclass
class Imported:
    """What was taken in. ``again`` is what people have to enter again."""

    company: str
    events: int = 0
    rows: int = 0
    automatic_switched_off: bool = False
    again: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Numbers:
    """Where the company's events stood, and where they stand now."""

    before: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    first: dict[tuple[str, int], int] = field(default_factory=dict)

    def now(self, speaker: str, partition: int, number: int) -> int:
        """The number of the last of the company's events that stood there or before; 0 when none did."""
        place = bisect_right(self.before.get((speaker, partition), []), number)
        return 0 if place == 0 else self.first[speaker, partition] + place - 1

    def in_positions(self, value: Any) -> Any:
        """The same with every ``positions`` put right, however deep: ``{speaker: {partition: number}}``."""
        if isinstance(value, list):
            return [self.in_positions(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self._vector(one) if name == "positions" and _is_vector(one) else self.in_positions(one)
            for name, one in value.items()
        }

    def _vector(self, positions: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        return {
            speaker: {p: self.now(speaker, int(p), number) for p, number in numbers.items()}
            for speaker, numbers in positions.items()
        }


def _is_vector(value: Any) -> bool:
    return isinstance(value, dict) and all(
        speaker in SPEAKERS and isinstance(numbers, dict) for speaker, numbers in value.items()
    )


def take_in(dsn: str, bundle: Bundle, *, on: date | None = None) -> Imported:
    """Bring an export into an installation that does not know its company. All of it is there afterwards, or none.

    Raises ``BundleBroken``, ``ServicesRun``, ``CompanyThere``, ``OtherVersion``, ``NotHeard``, ``RowsRefused``.
    """
    refuse_broken(bundle)
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        refuse_running(connection)
        _refuse_other_version(connection, bundle)
        if there := rows_of(connection, bundle.company):
            raise CompanyThere(bundle.company, there)
        refuse_unfit(connection, bundle)
        # neither triggers nor foreign keys: rows come as they stood, in whatever order
        connection.execute("set local session_replication_role = replica")
        done = Imported(bundle.company, again=list(bundle.manifest["left_out"]))
        numbers = _places(connection, bundle)
        done.events = _append(connection, bundle, numbers)
        for table in tables(connection):
            done.rows += _rows(connection, bundle, table, numbers)
        _accounts(connection, bundle)
        done.automatic_switched_off = _switch_off(connection, bundle.company, on or clock.now().date())
        refuse_running(connection)
    return done


def _refuse_other_version(connection: psycopg.Connection[Any], bundle: Bundle) -> None:
    ours, theirs = versions(connection), bundle.manifest["schemas"]
    differing = {name: (str(theirs.get(name)), ours[name]) for name in ours if theirs.get(name) != ours[name]}
    # rows come as they stood: those that another projection made would be half of one kind and half of the other
    made = bundle.manifest["derivations"]
    for name, version in derivations(connection).items():
        if None not in {version, made.get(name)} and version != made[name]:
            differing[f"{name}'s projection"] = (str(made[name]), str(version))
    if differing:
        raise OtherVersion(differing)
    for name, version in made.items():
        if name in HEARS and version is not None:
            connection.execute(sql.SQL(TAKE_ON).format(sql.Identifier(name, "derivation")), [version])


def _places(connection: psycopg.Connection[Any], bundle: Bundle) -> Numbers:
    """Where the events will stand: behind the last one of each partition."""
    numbers = Numbers()
    for speaker in SPEAKERS:
        for name in bundle.named(f"events/{speaker}/"):
            partition = int(name[-8:-6])
            numbers.before[speaker, partition] = [json.loads(line)["number"] for line in bundle.lines(name)]
            head = _one(connection, HEAD, (speaker, "partition_head"), [partition])
            numbers.first[speaker, partition] = head + 1
            _refuse_unheard(connection, speaker, partition, head)
    return numbers


def _refuse_unheard(connection: psycopg.Connection[Any], speaker: str, partition: int, head: int) -> None:
    for service, heard in HEARS.items():
        if speaker in heard and _one(connection, HEARD, (service, "checkpoint"), [speaker, partition]) < head:
            raise NotHeard(service, speaker, partition)
    if speaker == "notify" and _one(connection, SEALED, (), [partition]) < head:
        raise NotHeard("the archive", speaker, partition)


def _append(connection: psycopg.Connection[Any], bundle: Bundle, numbers: Numbers) -> int:
    count = 0
    for speaker in SPEAKERS:
        for name in bundle.named(f"events/{speaker}/"):
            partition, before = int(name[-8:-6]), count
            last = UUID(int=0)
            for part in _parts(bundle, name):
                made = [json.loads(line) for line in part]
                events = ",".join(_put_right(line, one, numbers) for line, one in zip(part, made, strict=True))
                first = numbers.first[speaker, partition] + count - before
                query = sql.SQL(APPEND).format(sql.Identifier(speaker, LOG))
                connection.execute(query, [first - 1, f"[{events}]"])
                count += len(part)
                last = UUID(made[-1]["event_id"])
            if count > before:
                head = numbers.first[speaker, partition] + count - before - 1
                _end(connection, speaker, partition, head, last)
    return count


def _put_right(line: str, event: dict[str, Any], numbers: Numbers) -> str:
    """The event as it was written, but for the places of others that it names."""
    if "positions" not in event["body"]:
        return line
    return json.dumps({**event, "body": numbers.in_positions(event["body"])}, ensure_ascii=False)


def _end(connection: psycopg.Connection[Any], speaker: str, partition: int, head: int, last: UUID) -> None:
    """The log ends here, and everybody who hears it has heard it."""
    connection.execute(sql.SQL(MOVE_HEAD).format(sql.Identifier(speaker, "partition_head")), [head, partition])
    for service, heard in HEARS.items():
        if speaker in heard:
            query = sql.SQL(MOVE_BEHIND).format(sql.Identifier(service, "checkpoint"))
            connection.execute(query, [speaker, partition, head, last])
    if speaker == "notify":
        connection.execute(MOVE_SEALED, [head, partition])


def _rows(connection: psycopg.Connection[Any], bundle: Bundle, table: Table, numbers: Numbers) -> int:
    name = f"rows/{table.schema}/{table.name}.jsonl"
    if name not in bundle.manifest["files"]:
        return 0
    columns = sql.SQL(", ").join(sql.Identifier(one.name) for one in table.columns)
    query = sql.SQL("insert into {} ({}) select {} from json_populate_recordset(null::{}, %s::json)").format(
        table.identifier, columns, columns, table.identifier
    )
    count = 0
    for part in _parts(bundle, name, 20 if table.contents else ROWS_AT_ONCE):
        rows = [_row(bundle, table, line, numbers) for line in part]
        refuse_under_way(connection, table, name, rows, count)
        connection.execute(query, ["[" + ",".join(rows) + "]"])
        count += len(rows)
    return count


def _row(bundle: Bundle, table: Table, line: str, numbers: Numbers) -> str:
    """The row as it was written, but for contents, which lie in files of their own, and for numbers of events."""
    if not table.contents and table.number_of() is None and table.place != RUNS:
        return line
    # amounts pass as they are written: PostgreSQL reads them out of texts as well
    row = json.loads(line, parse_float=None if table.place == RUNS else str)
    for column in table.contents:
        if row[column] is not None:
            row[column] = "\\x" + bundle.content(row[column]).hex()
    if (numbered := table.number_of(row.get("speaker"))) is not None:
        column, speaker = numbered
        row[column] = numbers.now(speaker, row["p"], row[column])
    if table.place == RUNS:
        row = numbers.in_positions(row)
    return json.dumps(row, ensure_ascii=False)


def _accounts(connection: psycopg.Connection[Any], bundle: Bundle) -> None:
    """People come closed: an administrator invites them again. Whoever has an account here keeps it."""
    name = "rows/console/account.jsonl"
    for line in bundle.lines(name) if name in bundle.manifest["files"] else ():
        account = json.loads(line)
        connection.execute(ACCOUNT, account)
        found = connection.execute(SAME_ADDRESS, [account["email"]]).fetchone()
        if found is not None and str(found[0]) != account["account_id"]:
            connection.execute(
                "update console.membership set account_id = %s where company = %s and account_id = %s",
                [found[0], bundle.company, account["account_id"]],
            )


def _switch_off(connection: psycopg.Connection[Any], company: str, on: date) -> bool:
    """Say that no reminder leaves by itself, where the company had it otherwise. The others hear it as usual."""
    found = connection.execute("select body from dunning.policy where company = %s", [company]).fetchone()
    if found is None or found[0].get("automatic_from") is None:
        return False
    before = PolicyChanged.model_validate(found[0])
    changed = before.model_copy(update={"version": before.version + 1, "automatic_from": None})
    body = changed.model_dump(mode="json")
    partition = partition_of(company, None)
    number = _one(connection, HEAD, ("dunning", "partition_head"), [partition]) + 1
    said = {
        "p": partition,
        "event_id": str(uuid4()),
        "company": company,
        "client_id": None,
        "type": "PolicyChanged",
        "major": PolicyChanged.major,
        "as_of": f"{on}",
        "occurred_at": clock.now().isoformat(),
        "actor": ACTOR,
        "correlation_id": str(uuid4()),
        "body": body,
    }
    query = sql.SQL(APPEND).format(sql.Identifier("dunning", LOG))
    connection.execute(query, [number - 1, json.dumps([said])])
    connection.execute(sql.SQL(MOVE_HEAD).format(sql.Identifier("dunning", "partition_head")), [number, partition])
    connection.execute(SET_POLICY, [changed.version, Json(body), on, company])
    return True


def _parts(bundle: Bundle, name: str, most: int = ROWS_AT_ONCE) -> Iterator[list[str]]:
    part: list[str] = []
    for line in bundle.lines(name):
        part.append(line.decode())
        if len(part) == most:
            yield part
            part = []
    if part:
        yield part


def _one(connection: psycopg.Connection[Any], query: str, identifier: tuple[str, ...], values: list[Any]) -> int:
    composed = sql.SQL(query).format(sql.Identifier(*identifier)) if identifier else sql.SQL(query)
    found = connection.execute(composed, values).fetchone()
    return 0 if found is None else int(found[0])
