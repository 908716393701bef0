"""A base that fails, is slow or lies: nothing half applied, the run says what happened, the next run is whole."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from chassis.database import transaction
from services.sync import runs
from services.sync.connectors.live import LiveSource
from services.sync.connectors.sage100 import source
from services.sync.connectors.sage100.source import PROGRAM, open_base
from services.sync.domain.records import Assignment
from tests.integration.sage.conftest import Base, Reader, with_assumed_due_dates

Twist = Callable[[Iterator[dict[str, Any]]], Iterator[dict[str, Any]]]


def twisted(reader: Reader, twist: Twist) -> None:
    """From now on the base is read through ``twist``."""

    class Twisted:
        def __init__(self, source: LiveSource) -> None:
            self._source = source

        def probe(self) -> None:
            self._source.probe()

        def records(self, assignment: Assignment) -> Iterator[dict[str, Any]]:
            return twist(self._source.records(assignment))

    @contextmanager
    def opened(address: str, options: Mapping[str, Any]) -> Iterator[LiveSource]:
        with open_base(address, options) as source:
            yield Twisted(source)

    reader.incrementer._kinds = {"sage100": opened}


def honest(reader: Reader) -> None:
    reader.incrementer._kinds = {"sage100": open_base}


def recounted(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The end tells the true number of records, so that only the lie itself can be noticed."""
    yield from records[:-1]
    yield records[-1] | {"records": len(records) - 1}


def without_every_fifth_row(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    found = list(records)
    numbers = iter(range(10**6))
    yield from recounted([one for one in found if one["record"] != "entry" or next(numbers) % 5])


def with_a_row_twice(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    found = list(records)
    first = next(one for one in found if one["record"] == "entry")
    yield from recounted([first | {"label": "autre chose"}, *found])


def without_some_keys(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from recounted([one | {"keys": one["keys"][:50]} if one["record"] == "keys" else one for one in records])


def without_an_end(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from list(records)[:-1]


def with_an_impossible_row(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in records:
        yield record | {"entry_date": "2026-02-31"} if record["record"] == "entry" else record


def with_other_amounts(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in records:
        is_debit = record["record"] == "entry" and record["debit"] != "0"
        yield record | {"debit": "1.00", "book_amount": "1.00"} if is_debit else record


def with_an_empty_base(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    kept = [one for one in records if one["record"] in ("client", "totals", "end")]
    totals = {"entries": 0, "balance": "0.00"}
    yield from recounted([one | totals if one["record"] == "totals" else one for one in kept])


async def state(reader: Reader, company: str) -> list[Any]:
    """Everything of the company that a sync could have touched, but for its runs."""
    async with transaction(reader.sync.running.engine) as tx:
        found: list[Any] = []
        for table in ("keyed_entry", "keyed_client", "connector"):
            rows = await tx.execute(
                text(f"select * from {table} where company = :company order by 1, 2, 3"), {"company": company}
            )
            found += [tuple(row) for row in rows]
    entries = await reader.sync.entries_said(company)
    return [*found, entries, await reader.clients(company)]


async def test_a_first_export_says_the_base_whatever_the_order_of_its_rows(reader: Reader, company: str) -> None:
    def shuffled(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        *found, end = records
        Random(3).shuffle(found)
        yield from [*found, end]

    await reader.connect(company)
    await reader.synced(company, "full")
    twisted(reader, shuffled)
    run = await reader.synced(company, "full")
    assert (run["status"], run["changed"], run["archived"]) == ("completed", 0, 0)
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (without_every_fifth_row, "rows_lacking"),
        (with_a_row_twice, "key_twice"),
        (without_some_keys, "keys_incomplete"),
        (without_an_end, "delivery_cut"),
        (with_an_impossible_row, "record_invalid"),
        (with_other_amounts, "totals_differ"),
        (with_an_empty_base, "source_empty"),
    ],
)
async def test_a_lie_changes_nothing_and_the_next_run_is_whole(
    reader: Reader, company: str, lie: Twist, code: str
) -> None:
    await reader.connect(company)
    await reader.synced(company, "full")
    before = await state(reader, company)
    reader.base.change(26)
    twisted(reader, lie)
    run = await reader.synced(company, "full")
    assert run["status"] == "failed"
    assert run["errors"][0]["code"] == code
    assert run["errors"][0]["message"]
    assert run["errors"][0]["remedy"]
    assert await state(reader, company) == before
    assert [
        event["body"]["reason"] for event in await reader.sync.said(company) if event["type"] == "SyncFailed"
    ] == [code]
    honest(reader)
    assert (await reader.synced(company))["status"] == "completed"
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())


async def test_a_connection_cut_midway_changes_nothing(reader: Reader, company: str) -> None:
    await reader.connect(company)
    await reader.synced(company, "full")
    before = await state(reader, company)
    reader.base.change(26)

    def cut(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for number, record in enumerate(records):
            if number == 50:
                kill_readers(reader.base)
            yield record

    twisted(reader, cut)
    run = await reader.synced(company, "full", "fr")
    assert (run["status"], run["errors"][0]["code"]) == ("failed", "source_lost")
    assert "Rien n’a été appliqué" in run["errors"][0]["remedy"]
    assert await state(reader, company) == before
    honest(reader)
    assert (await reader.synced(company))["status"] == "completed"
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())


def kill_readers(base: Base) -> None:
    """Cut every connection that reads a base."""
    with psycopg.connect(base.dsn, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s", (PROGRAM,)
        )


async def test_a_base_that_stops_answering_is_given_up(reader: Reader, company: str) -> None:
    await reader.connect(company)
    released = threading.Event()

    def stuck(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for number, record in enumerate(records):
            if number == 10:
                released.wait(20)
            yield record

    twisted(reader, stuck)
    reader.incrementer._patience = 0.5
    run = await reader.synced(company, "full")
    released.set()
    assert (run["status"], run["errors"][0]["code"]) == ("failed", "source_slow")
    assert await reader.sync.entries_said(company) == []
    honest(reader)
    reader.incrementer._patience = 30
    assert (await reader.synced(company))["status"] == "completed"
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())


async def test_a_slow_base_is_read_to_its_end(reader: Reader, company: str) -> None:
    def slow(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for number, record in enumerate(records):
            if number % 200 == 0:
                time.sleep(0.4)
            yield record

    await reader.connect(company)
    twisted(reader, slow)
    reader.incrementer._patience = 5
    assert (await reader.synced(company))["status"] == "completed"
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())


async def test_a_change_without_a_stamp_is_found_by_the_totals(reader: Reader, company: str) -> None:
    await reader.connect(company)
    await reader.synced(company, "full")
    reader.base.run("""update "F_ECRITUREC" set "EC_Montant" = "EC_Montant" + 1 where "EC_No" = (
        select max("EC_No") from "F_ECRITUREC" where "CT_Num" like 'CL%%')""")
    run = await reader.synced(company)
    assert (run["status"], run["mode"], run["changed"]) == ("completed", "full", 1)
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())


async def test_a_line_that_no_stamp_tells_of_is_fetched_by_its_key(reader: Reader, company: str) -> None:
    """A transaction open for longer than the overlap: its row is older than the mark when it comes to light."""
    await reader.connect(company)
    await reader.synced(company, "full")
    reader.base.run("""insert into "F_ECRITUREC" ("cbMarq", "EC_No", "JO_Num", "JM_Date", "EC_Jour", "CG_Num",
        "CT_Num", "EC_Sens", "EC_Montant", "cbModification")
        select -1, max("EC_No") + 1, 'VTE', '2026-03-01', 5, '4110000', 'CL000001', 0, 10, '2026-03-05'
        from "F_ECRITUREC" """)
    run = await reader.synced(company)
    assert (run["status"], run["mode"], run["changed"]) == ("completed", "check", 1)
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())


async def test_a_base_that_changes_while_it_is_read_is_read_once_more(
    reader: Reader, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that gives no snapshot."""
    monkeypatch.setattr(source, "_begin", lambda _: False)
    await reader.connect(company)
    await reader.synced(company, "full")
    reader.base.change(26)
    remaining = iter((13, 26, 13))

    def changing(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for record in records:
            if record["record"] == "client" and (times := next(remaining, 0)):
                reader.base.change(times)
            yield record

    twisted(reader, changing)
    for mode in ("full", "check", "incremental"):
        run = await reader.synced(company, mode)
        assert (run["status"], run["warnings"]) == ("completed", []), run["errors"]
        assert next(remaining, None) is None
        assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())
        remaining = iter((13, 13))


async def test_a_key_that_the_base_names_and_never_shows_changes_nothing(reader: Reader, company: str) -> None:
    """Asked for once by its key, then the whole base is read, then it is refused: no circle."""

    def with_a_phantom(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        found = [one | {"keys": [*one["keys"], "999999"]} if one["record"] == "keys" else one for one in records]
        more = {"entries": sum(len(one["keys"]) for one in found if one["record"] == "keys")}
        yield from recounted(
            [one | more if one["record"] == "totals" and more["entries"] else one for one in found]
        )

    await reader.connect(company)
    await reader.synced(company, "full")
    before = await state(reader, company)
    twisted(reader, with_a_phantom)
    run = await reader.synced(company, "check")
    assert (run["status"], run["errors"][0]["code"]) == ("failed", "rows_lacking")
    assert await state(reader, company) == before
    honest(reader)
    assert (await reader.synced(company))["changed"] == 0


async def test_a_death_in_the_last_moment_leaves_nothing_and_the_next_attempt_all(
    reader: Reader, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reader.connect(company)
    await reader.synced(company, "full")
    before = await state(reader, company)
    reader.base.change(26)
    deaths = iter((True, False))
    seen: list[Any] = []
    end = runs.end

    async def dying(*args: Any, **more: Any) -> None:
        await end(*args, **more)
        if next(deaths):
            raise ConnectionResetError
        seen.append(await state(reader, company))

    monkeypatch.setattr(runs, "end", dying)
    run = await reader.synced(company)
    assert run["status"] == "completed"
    assert seen == [before]
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())
    assert await reader.clients(company) == reader.base.clients()


async def test_no_password_and_no_name_is_told_or_logged(
    reader: Reader, company: str, caplog: pytest.LogCaptureFixture
) -> None:
    await reader.connect(company)
    right = reader.base.url
    reader.base.url = "postgresql+psycopg://nobody:s3cret-w0rd@127.0.0.1:1/none"
    run = await reader.synced(company)
    assert run["errors"][0]["code"] == "source_unreachable"
    assert "s3cret-w0rd" not in f"{run}{caplog.text}"
    reader.base.url = right
    reader.base.run("""update "F_COMPTET" set "CT_Intitule" = 'Dupont' || chr(9) || 'Durand' """)
    assert (await reader.synced(company))["status"] == "completed"
    assert "Dupont" not in caplog.text
    assert "Dupont" not in str(await reader.sync.said(company))
    assert "Dupont" not in str(await state(reader, company))[: 10**7].replace(
        str(await reader.clients(company)), ""
    )
