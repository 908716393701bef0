"""Imports on a real database: only what changed is said, whole or not at all."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from chassis.database import transaction
from contracts.subjects import partition_of
from contracts.sync import ClientsSynced, EntriesSynced, SyncCompleted, SyncFailed
from services.sync import changes, people, runs
from tests.integration.sync.conftest import Sync
from tests.specs.sync.books import Row, Writing, book, invoice, payment

SHARED = Path(__file__).parents[4] / "shared" / "data"
WRITING = Writing()


def lettered(rows: list[Row], picks: list[int], code: str) -> list[Row]:
    return [
        one | {"EcritureLet": code, "DateLet": "20260930"} if i in picks else one for i, one in enumerate(rows)
    ]


async def test_a_first_import_says_every_line_and_client(sync: Sync, company: str) -> None:
    await sync.register(company)
    run = await sync.imported(company, WRITING.bytes(book(40)), email_domain="example.org")
    assert run["status"] == "completed", run["errors"]
    assert (run["read"], run["receivable_lines"], run["clients"], run["changed"]) == (120, 60, 5, 60)
    assert (run["lettering_groups"], run["open_entries"], run["unbalanced_groups"], run["archived"]) == (
        20,
        20,
        0,
        0,
    )
    assert run["open_balance"] == f"{sum(100 + n + 0.5 for n in range(2, 41, 2)):.2f}"
    entries = await sync.entries_said(company)
    assert len({entry["entry_id"] for entry in entries}) == len(entries) == 60
    first = next(entry for entry in entries if entry["piece"] == "F0002")
    assert {key: first[key] for key in first if key != "entry_id"} == {
        "client_id": "C2", "account": "411000", "kind": "invoice", "journal": "VE", "piece": "F0002",
        "entry_date": "2026-03-10", "invoice_date": "2026-03-10", "due_date": "2026-04-09", "debit": "102.50",
        "credit": "0.00", "currency": "EUR", "book_amount": "102.50", "lettering": None, "lettered_on": None,
        "removed": False,
    }  # fmt: skip
    paid = next(entry for entry in entries if entry["kind"] == "payment")
    assert paid["due_date"] == paid["invoice_date"] == "2026-04-12"


async def test_what_is_said_keeps_the_contract(sync: Sync, company: str) -> None:
    await sync.register(company)
    tricky = invoice(1, 'C"1\\', EcritureLib='un "libellé" \\ libre', PieceRef='F\\1"é')
    run = await sync.imported(company, WRITING.bytes([*tricky, *book(700)]))
    assert run["status"] == "completed", run["errors"]
    for event in await sync.said(company):
        body = event["body"]
        match event["type"]:
            case "EntriesSynced":
                said = EntriesSynced.model_validate(body)
                assert len(said.entries) <= 500
                assert {partition_of(company, entry.client_id) for entry in said.entries} == {event["p"]}
            case "ClientsSynced":
                clients = ClientsSynced.model_validate(body).clients
                assert {partition_of(company, client.client_id) for client in clients} == {event["p"]}
            case "SyncCompleted":
                completed = SyncCompleted.model_validate(body)
                assert completed.changed == run["changed"]
            case other:
                raise AssertionError(other)
    pieces = {entry["piece"] for entry in await sync.entries_said(company)}
    assert 'F\\1"é' in pieces
    assert 'un "libellé" \\ libre' in sync.ledger.labels().values()


async def test_events_carry_nothing_personal_and_ledger_gets_it_first(sync: Sync, company: str) -> None:
    await sync.register(company)
    run = await sync.imported(company, WRITING.bytes(book(10)), email_domain="example.org")
    everything = str(await sync.said(company))
    assert "Ébénisterie" not in everything
    assert "Façade" not in everything
    assert sync.ledger.people()["C1"] == {
        "client_id": "C1", "name": "Ébénisterie C1", "emails": ["c1@example.org"],
    }  # fmt: skip
    assert len(sync.ledger.labels()) == run["receivable_lines"]
    assert run["positions"]["ledger"] == {"3": 1}, "texts are said by no event"


async def test_completed_names_how_far_each_partition_must_be_heard(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(book(40)))
    said = await sync.said(company)
    last: dict[str, int] = {}
    for event in said:
        if event["type"] != "SyncCompleted":
            last[str(event["p"])] = max(last.get(str(event["p"]), 0), event["pseq"])
    completed = next(event for event in said if event["type"] == "SyncCompleted")
    assert completed["body"]["positions"]["sync"] == last
    assert completed["p"] == partition_of(company, None)


async def test_the_same_file_again_says_nothing(sync: Sync, company: str) -> None:
    await sync.register(company)
    rows = book(40)
    await sync.imported(company, WRITING.bytes(rows), email_domain="example.org")
    before, calls = await sync.entries_said(company), len(sync.ledger.calls)
    shuffled = list(rows)
    Random(3).shuffle(shuffled)
    for content in (
        WRITING.bytes(rows),
        WRITING.bytes(shuffled),
        WRITING.but(encoding="cp850", separator="|", end="\n").bytes(shuffled),
    ):
        run = await sync.imported(company, content)
        assert (run["status"], run["changed"], run["archived"]) == ("completed", 0, 0)
    assert await sync.entries_said(company) == before
    assert len(sync.ledger.calls) == calls


async def test_three_lettered_one_removed_four_added_are_eight_changes(sync: Sync, company: str) -> None:
    await sync.register(company)
    rows = book(200)
    await sync.imported(company, WRITING.bytes(rows))
    known = {entry["entry_id"]: entry for entry in await sync.entries_said(company)}
    opened = [i for i, one in enumerate(rows) if one["CompAuxNum"] and not one["EcritureLet"]]
    changed = lettered(rows, opened[:3], "ZZ")
    gone = changed.pop(opened[10])
    added = [one for number in range(901, 905) for one in invoice(number, "C3", day="20261001")]
    run = await sync.imported(company, WRITING.bytes([*changed, *added]))
    assert run["status"] == "completed", run["errors"]
    assert (run["changed"], run["archived"]) == (8, 1)
    said = (await sync.entries_said(company))[len(known) :]
    said = [entry for event in await sync.said(company) if event["type"] == "EntriesSynced"
            and event["body"]["run_id"] == str(run["run_id"]) for entry in event["body"]["entries"]]  # fmt: skip
    assert len(said) == 8
    assert [entry["piece"] for entry in said if entry["removed"]] == [gone["PieceRef"]]
    letters = [entry for entry in said if entry["lettering"] == "ZZ"]
    assert len(letters) == 3
    assert all(entry["entry_id"] in known for entry in letters)
    assert {entry["piece"] for entry in said if entry["entry_id"] not in known} == {
        "F0901", "F0902", "F0903", "F0904",
    }  # fmt: skip


async def test_a_line_that_comes_back_is_the_same_line(sync: Sync, company: str) -> None:
    await sync.register(company)
    rows = book(60)
    await sync.imported(company, WRITING.bytes(rows))
    assert (await sync.imported(company, WRITING.bytes(rows[2:])))["archived"] == 1
    run = await sync.imported(company, WRITING.bytes(rows))
    assert (run["changed"], run["archived"]) == (1, 0)
    history = [entry for entry in await sync.entries_said(company) if entry["piece"] == rows[0]["PieceRef"]]
    assert len({entry["entry_id"] for entry in history}) == 1
    assert sorted(entry["removed"] for entry in history) == [False, False, True]


async def test_the_last_line_of_a_client_takes_the_client_away_and_back(sync: Sync, company: str) -> None:
    await sync.register(company)
    rows = book(60)
    lonely = invoice(999, "C99", day="20260401")
    for content in ([*rows, *lonely], rows, [*rows, *lonely]):
        await sync.imported(company, WRITING.bytes(content))
    clients = [c for event in await sync.said(company) if event["type"] == "ClientsSynced"
               for c in event["body"]["clients"] if c["client_id"] == "C99"]  # fmt: skip
    assert [client["removed"] for client in clients] == [False, True, False]


async def test_next_years_file_archives_nothing_of_last_year(sync: Sync, company: str) -> None:
    """Rule 22.19."""
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(book(40)), "900000003FEC20261231.txt")
    later = [one for number in range(1, 30) for one in invoice(number, day="20270110")]
    run = await sync.imported(company, WRITING.bytes(later), "900000003FEC20271231.txt")
    assert (run["source"], run["changed"], run["archived"]) == ("fec/900000003/2027-12-31", 29, 0)


async def test_a_file_under_another_name_is_known_by_its_rows(sync: Sync, company: str) -> None:
    await sync.register(company)
    rows = book(40)
    await sync.imported(company, WRITING.bytes(rows), "900000003FEC20261231.txt")
    run = await sync.imported(company, WRITING.bytes(rows), "export du jour.txt")
    assert (run["source"], run["changed"]) == ("fec/900000003/2026-12-31", 0)


async def test_a_book_first_seen_without_a_name_keeps_its_identity_once_it_has_one(
    sync: Sync, company: str
) -> None:
    await sync.register(company)
    rows = book(40)
    first = await sync.imported(company, WRITING.bytes(rows), "export.txt")
    assert first["source"] == f"fec/{company}/2026-12-31"
    run = await sync.imported(company, WRITING.bytes(rows), "900000003FEC20261231.txt")
    assert (run["source"], run["changed"]) == (first["source"], 0)


async def test_new_terms_move_due_dates_of_invoices_alone(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(book(40)))
    async with transaction(sync.running.engine) as tx:
        await tx.execute(
            text("insert into import_settings (company, accounts, term_days) values (:c, '{411}', 45)"),
            {"c": company},
        )
    run = await sync.imported(company, WRITING.bytes(book(40)))
    assert (run["changed"], run["archived"]) == (40, 0)


async def test_a_renamed_client_is_the_same_client_with_the_same_lines(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(book(40)), email_domain="example.org")
    renamed = [one | {"CompAuxLib": "Nouvelle Enseigne"} if one["CompAuxNum"] == "C1" else one for one in book(40)]
    run = await sync.imported(company, WRITING.bytes(renamed))
    assert run["changed"] == 0
    assert sync.ledger.calls[-1]["clients"] == [
        {"client_id": "C1", "name": "Nouvelle Enseigne", "emails": ["c1@example.org"]}
    ]


async def test_a_few_new_lines_do_not_turn_a_journal(sync: Sync, company: str) -> None:
    await sync.register(company)
    misc = {"JournalCode": "OD", "JournalLib": "Divers"}

    def entries(kind: Any, numbers: range) -> list[Row]:
        return [one | misc for number in numbers for one in kind(number, day="20260501")]

    first = [*book(40), *entries(payment, range(3)), *entries(invoice, range(100, 102))]
    await sync.imported(company, WRITING.bytes(first))
    run = await sync.imported(company, WRITING.bytes([*first, *entries(invoice, range(200, 210))]))
    assert run["changed"] == 10


async def test_a_refused_file_changes_nothing_and_says_why(sync: Sync, company: str) -> None:
    await sync.register(company)
    rows = book(40)
    await sync.imported(company, WRITING.bytes(rows))
    entries, calls = await sync.entries_said(company), len(sync.ledger.calls)
    broken = [rows[0] | {"Debit": "x"}, *rows[1:]]
    run_id = await sync.ask(company, WRITING.bytes(broken))
    await sync.carry_out()
    run = await sync.run(company, run_id)
    assert run["status"] == "failed"
    assert run["errors"][0] == {
        "file": "900000003FEC20261231.txt", "line": 2, "column": "Debit", "code": "amount_invalid",
        "message": "Debit “x” is no amount: digits, then “,” and at most four decimals.",
        "remedy": "Write the amount without blanks or thousands separator, with “,” before the decimals.",
    }  # fmt: skip
    french = await sync.run(company, run_id, "fr")
    assert french["errors"][0]["message"].startswith("Debit « x » n’est pas un montant")
    assert await sync.entries_said(company) == entries
    assert len(sync.ledger.calls) == calls
    failed = [event for event in await sync.said(company) if event["type"] == "SyncFailed"]
    assert [SyncFailed.model_validate(event["body"]).reason for event in failed] == ["file_refused"]
    assert (await sync.imported(company, WRITING.bytes(rows)))["changed"] == 0


async def test_a_file_without_customers_never_empties_a_book(sync: Sync, company: str) -> None:
    await sync.register(company)
    none = [one for one in book(40) if not one["CompAuxNum"]]
    suppliers = [one | {"CompteNum": "401000"} if one["CompAuxNum"] else one for one in book(40)]
    assert (await sync.imported(company, WRITING.bytes(suppliers)))["status"] == "completed"
    await sync.imported(company, WRITING.bytes(book(40)))
    run = await sync.imported(company, WRITING.bytes(suppliers))
    assert [problem["code"] for problem in run["errors"]] == ["no_customer_lines"]
    assert none


@pytest.mark.parametrize(
    ("module", "step"),
    [(changes, "compare"), (people, "hand_over"), (changes, "remember"), (people, "remember"), (runs, "end")],
)
async def test_whatever_dies_in_between_the_next_attempt_ends_the_same(
    sync: Sync, company: str, monkeypatch: pytest.MonkeyPatch, module: Any, step: str
) -> None:
    await sync.register(company)
    rows = book(40)
    await sync.imported(company, WRITING.bytes(rows[:60]))
    before = await sync.said(company)
    real = getattr(module, step)
    died: list[str] = []

    async def dying(*args: Any, **more: Any) -> Any:
        answer = await real(*args, **more)
        if not died:
            died.append(step)
            assert await sync.said(company) == before
            raise ConnectionResetError(step)
        return answer

    monkeypatch.setattr(module, step, dying)
    run = await sync.imported(company, WRITING.bytes(rows))
    assert died == [step]
    assert (run["status"], run["changed"], run["archived"]) == ("completed", 30, 0)
    said = (await sync.said(company))[0:]
    assert len([event for event in said if event["type"] == "SyncCompleted"]) == 2
    assert len(await sync.entries_said(company)) == 60


async def test_imports_of_one_company_follow_one_another_in_the_order_asked(sync: Sync, company: str) -> None:
    await sync.register(company)
    first = await sync.ask(company, WRITING.bytes(book(41)))
    second = await sync.ask(company, WRITING.bytes(book(40)))
    async with transaction(sync.running.engine) as tx:
        await tx.execute(text("update job set run_at = now() + interval '3 s' where id = :id"), {"id": first})
    await sync.worker().step()
    assert (await sync.run(company, second))["status"] == "running"
    async with transaction(sync.running.engine) as tx:
        await tx.execute(text("update job set run_at = now() where id = :id"), {"id": first})
    await asyncio.gather(*(sync.carry_out() for _ in range(2)))
    await asyncio.sleep(0.6)
    await sync.carry_out()
    ended = [await sync.run(company, run_id) for run_id in (first, second)]
    assert [(run["status"], run["changed"], run["archived"]) for run in ended] == [
        ("completed", 62, 0),
        ("completed", 2, 2),
    ]


async def test_while_ledger_is_away_the_import_waits_and_nothing_is_said(sync: Sync, company: str) -> None:
    await sync.register(company)
    sync.ledger.is_away = True
    content = WRITING.bytes(book(40))
    run_id = await sync.ask(company, content)
    await sync.worker().step()
    run = await sync.run(company, run_id)
    assert not await sync.entries_said(company)
    assert run["status"] == "running"
    assert run["stage"] == "waiting for ledger"
    sync.ledger.is_away = False
    async with transaction(sync.running.engine) as tx:
        await tx.execute(text("update job set run_at = now() where id = :id"), {"id": run_id})
    await sync.carry_out()
    assert (await sync.run(company, run_id))["changed"] == 60


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside the project")
async def test_the_collected_book_and_its_changes(sync: Sync, company: str) -> None:
    await sync.register(company)
    file = SHARED / "fec" / "123456789FEC20190731.txt"
    run = await sync.imported(company, file, email_domain="example.org")
    counts = (
        "receivable_lines",
        "clients",
        "lettering_groups",
        "open_entries",
        "open_balance",
        "unbalanced_groups",
    )
    assert [run[name] for name in counts] == [3310, 732, 1310, 310, "283113.83", 0]
    assert run["changed"] == 3310
    assert not run["warnings"]
    header, *lines = file.read_bytes().splitlines(keepends=True)
    Random(1).shuffle(lines)
    run = await sync.imported(company, header + b"".join(lines), file.name)
    assert (run["status"], run["changed"]) == ("completed", 0)
    customers = [i for i, line in enumerate(lines) if line.split(b"\t")[4].startswith(b"411")]
    opened = [i for i in customers if not lines[i].split(b"\t")[13]]
    for i in opened[:3]:
        cells = lines[i].split(b"\t")
        lines[i] = b"\t".join([*cells[:13], b"ZZZ", *cells[14:]])
    added = [lines[i].replace(b"C0000", b"C9000") for i in opened[20:24]]
    del lines[opened[10]]
    run = await sync.imported(company, header + b"".join(lines + added), file.name)
    assert (run["status"], run["changed"], run["archived"]) == ("completed", 8, 1)
