"""Rows pushed over HTTP: in batches, once per key, wrong rows named by their place."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx

from services.sync.api.imports import MAPPING_NAME
from tests.integration.sync.conftest import AS_OF, Sync
from tests.integration.sync.test_http import Door, door
from tests.integration.sync.test_mapped_files import OPEN_INVOICES, ROWS, text_of

__all__ = ["door"]

ENTRIES: list[dict[str, Any]] = [
    {"key": "1", "client_id": "C1", "piece": "F1", "debit": "120.50", "invoice_date": "2026-03-01",
     "due_date": "2026-03-31", "label": "Pose", "payment_mode": "VIR"},
    {"key": "2", "client_id": "C2", "piece": "F2", "debit": "80.00", "invoice_date": "2026-03-02"},
    {"key": "3", "client_id": "C2", "credit": "30.00", "kind": "credit_note", "entry_date": "2026-03-03"},
]  # fmt: skip


async def push(door: Door, company: str, holds: str, rows: list[dict[str, Any]], key: str) -> httpx.Response:
    token = door.headers(company) | {"Idempotency-Key": key}
    return await door.http.post(f"/companies/{company}/rows/{holds}", json={"rows": rows}, headers=token)


async def pushed(  # noqa: PLR0917
    door: Door, sync: Sync, company: str, holds: str, rows: list[dict[str, Any]], key: str
) -> Any:
    answer = await push(door, company, holds, rows, key)
    assert answer.status_code == 202, answer.text
    await sync.carry_out()
    return (await door.call("GET", company, f"/imports/{answer.json()['run_id']}")).json()


async def test_entries_are_taken_in_and_said(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    run = await pushed(door, sync, company, "entries", ENTRIES, "first")
    assert (run["status"], run["changed"], run["open_balance"]) == ("completed", 3, "170.50"), run["errors"]
    said = {entry["piece"]: entry for entry in await sync.entries_said(company)}
    assert (said["F1"]["due_date"], said["F1"]["payment_mode"]) == ("2026-03-31", "VIR")
    assert said["F2"]["due_date"] == "2026-04-01", "without a due date the term applies"
    assert said[""]["kind"] == "credit_note"


async def test_a_batch_sent_twice_is_one_run(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    first = (await push(door, company, "entries", ENTRIES, "k")).json()
    again = (await push(door, company, "entries", ENTRIES, "k")).json()
    assert (again["run_id"], first["repeated"], again["repeated"]) == (first["run_id"], False, True)
    await sync.carry_out()
    assert len(await sync.entries_said(company)) == 3
    other = await push(door, company, "entries", ENTRIES[:1], "k")
    assert (other.status_code, other.json()["type"]) == (422, "idempotency-key-reused")


async def test_a_later_batch_changes_what_it_names_and_withdraws_what_it_says(
    door: Door, sync: Sync, company: str
) -> None:
    await sync.register(company)
    await pushed(door, sync, company, "entries", ENTRIES, "first")
    later = [ENTRIES[0] | {"settled_on": "2026-04-02"}, {"key": "3", "removed": True}]
    run = await pushed(door, sync, company, "entries", later, "second")
    assert (run["status"], run["changed"], run["archived"]) == ("completed", 3, 1), run["errors"]
    last = {entry["entry_id"]: entry for entry in await sync.entries_said(company)}
    standing = sorted(
        (one["piece"], one["kind"], bool(one["lettering"])) for one in last.values() if not one["removed"]
    )
    assert standing == [("F1", "invoice", True), ("F1", "payment", True), ("F2", "invoice", False)]
    run = await pushed(door, sync, company, "entries", [{"key": "2", "removed": True}], "third")
    assert (run["status"], run["archived"]) == ("completed", 1)


async def test_a_payment_that_is_taken_back_leaves_with_its_invoice_open_again(
    door: Door, sync: Sync, company: str
) -> None:
    await sync.register(company)
    paid = ENTRIES[0] | {"settled_on": "2026-04-02"}
    await pushed(door, sync, company, "entries", [paid, ENTRIES[1]], "paid")
    run = await pushed(door, sync, company, "entries", [ENTRIES[0]], "unpaid")
    assert (run["status"], run["changed"], run["archived"]) == ("completed", 2, 1), run["errors"]
    last = {entry["entry_id"]: entry for entry in await sync.entries_said(company)}
    standing = [(one["piece"], one["kind"], one["lettering"]) for one in last.values() if not one["removed"]]
    assert sorted(standing) == [("F1", "invoice", None), ("F2", "invoice", None)]
    again = await pushed(door, sync, company, "entries", [paid], "paid again")
    assert (again["changed"], again["archived"]) == (2, 0)
    assert len({entry["entry_id"] for entry in await sync.entries_said(company)}) == 3, "no new identity"


async def test_a_settlement_on_a_day_to_come_is_refused_by_its_row(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    eve, day_after = AS_OF - timedelta(days=1), AS_OF + timedelta(days=1)
    rows = [
        ENTRIES[0] | {"settled_on": eve.isoformat()},
        ENTRIES[1] | {"settled_on": AS_OF.isoformat()},
        ENTRIES[2] | {"settled_on": day_after.isoformat()},
    ]
    answer = await push(door, company, "entries", rows, "k")
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == ["body.rows.2.settled_on"]


async def test_wrong_rows_are_named_and_nothing_is_taken_in(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    wrong = [
        ENTRIES[0],
        {"key": "2", "client_id": "C2", "debit": "1", "credit": "1", "due_date": "2026-01-01"},
        {"key": "3", "client_id": "C2", "debit": "1.23456", "due_date": "2026-02-30"},
        {"client_id": "C2", "debit": "1", "due_date": "2026-01-01", "colour": "red"},
    ]
    answer = await push(door, company, "entries", wrong, "k")
    assert answer.status_code == 422
    where = [error["where"] for error in answer.json()["errors"]]
    assert where == [
        "body.rows.1", "body.rows.2.debit", "body.rows.2.due_date", "body.rows.3.key", "body.rows.3.colour",
    ]  # fmt: skip
    assert (await door.call("GET", company, "/imports")).json() == {"runs": []}
    missing = await door.call("POST", company, "/rows/entries", json={"rows": ENTRIES})
    assert missing.status_code == 422
    assert (await door.call("POST", company, "/rows/entries", role="reader", json={"rows": []})).status_code in (
        403,
        422,
    )


async def test_clients_and_contacts(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    clients = [{"client_id": "C1", "client_name": "Port", "profile": "Export", "email": "a@port.example"}]
    run = await pushed(door, sync, company, "clients", clients, "k1")
    assert (run["status"], run["clients_changed"]) == ("completed", 1), run["errors"]
    contacts = [{"client_id": "C1", "contact_name": "Mme Roy", "phone": "0102030405"}]
    run = await pushed(door, sync, company, "contacts", contacts, "k2")
    assert (run["status"], run["clients_changed"]) == ("completed", 1), run["errors"]
    assert sync.ledger.calls[-2]["clients"][0]["contact_name"] == "Mme Roy"
    assert sync.ledger.calls[-1]["contacts"][0]["phone"] == "0102030405"


async def test_the_description_of_the_api_names_the_rows(door: Door) -> None:
    described = door.http._transport.app.openapi()  # type: ignore[attr-defined]
    path = described["paths"]["/companies/{company}/rows/entries"]["post"]
    assert path["requestBody"]["required"]
    assert "EntryRow" in described["components"]["schemas"]


async def test_no_saved_mapping_can_take_the_book_of_pushed_rows(door: Door, sync: Sync, company: str) -> None:
    """Given pushed entries, when a person saves a mapping named as they are and imports by it, then they stay."""
    await sync.register(company)
    await pushed(door, sync, company, "entries", ENTRIES, "k")
    run = await sync.mapped(company, "api-entries", OPEN_INVOICES, text_of(ROWS))
    assert (run["status"], run["archived"]) == ("completed", 0), run["errors"]
    run = await pushed(door, sync, company, "entries", ENTRIES, "again")
    assert re.fullmatch(MAPPING_NAME, run["mapping_name"]) is None
    assert (run["changed"], run["archived"]) == (0, 0)


async def test_requests_of_one_moment_with_one_key_are_one_run(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    same = await asyncio.gather(*(push(door, company, "entries", ENTRIES, "k") for _ in range(5)))
    assert [answer.status_code for answer in same] == [202] * 5, [answer.text for answer in same]
    assert len({answer.json()["run_id"] for answer in same}) == 1
    assert sorted(answer.json()["repeated"] for answer in same) == [False, True, True, True, True]
    await sync.carry_out()
    assert len(await sync.entries_said(company)) == 3
