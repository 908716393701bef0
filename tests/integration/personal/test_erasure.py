"""A person is erased: nothing of it is left in any table of any schema, stream message, log or file.

The whole product runs; the person enters by every door. A dead row may stay in PostgreSQL's own files until it is
vacuumed: those are left out, all other files of the data directory are read.
"""

import asyncio
import io
import json
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import nats
import psycopg
import pytest
from psycopg import sql

from chassis.embedded_config import NATS_ADMIN
from cli.demo_book import HEADER
from cli.main_job import import_file
from cli.places import SERVICES
from cli.road import Road, email_actions
from cli.trial import Trial
from contracts.subjects import SPEAKERS, stream
from tests.waiting import asked_until

DAY = date(2026, 9, 15)
CLIENT, OTHER = "4110042", "4110043"
MARKS = (
    "Zebulon",
    "Quatrepoint",
    "zq-mail",
    "0655443322",
    "Ruelle-Zq",
    "ZQ-LABEL",
    "ZQ-NOTE",
    "ZQ-DRAFT",
    "ZQ-PDF",
    "ZQ-FIELD",
    "ZQ-HAND",
    "ZQ-SITE",
    "ZQ-LETTER",
    "ZQ-FILE",
    "ZQ-PHOTO",
)
"""What the person is made of; each stands in what is handed in, and nowhere else."""

NOT_OURS = {"postgres", "mails"}
"""What left the house is kept by the trial's own mail server; of PostgreSQL the tables are read instead."""

FEC = [
    ("VE", "F1", "411", CLIENT, "Zebulon Quatrepoint", "ZQ-LABEL travaux", "1200,00", "0,00"),
    ("VE", "F1", "706", "", "", "ZQ-LABEL travaux", "0,00", "1200,00"),
    ("VE", "F2", "411", OTHER, "Autre Client", "Fournitures", "300,00", "0,00"),
    ("VE", "F2", "706", "", "", "Fournitures", "0,00", "300,00"),
]


def written(folder: Path, lines: list[tuple[str, ...]]) -> Path:
    """A book of July 2026 with these lines, and a further column that a free field of entries is read from."""
    file = folder / "123456789FEC20261231.txt"
    rows = ["\t".join([*HEADER, "Chantier"])]
    for journal, piece, account, aux, name, label, debit, credit in lines:
        day = "20260701"
        number = piece.removeprefix("F")
        columns = [journal, "Ventes", number, day, account, "Compte", aux, name, piece, day, label]
        site = "ZQ-SITE Zebulon" if aux == CLIENT else ""
        rows.append("\t".join([*columns, debit, credit, "", "", day, "", "", site]))
    file.write_text("\r\n".join(rows) + "\r\n", encoding="utf-8")
    return file


def rows_holding(trial: Trial, marks: tuple[str, ...]) -> Iterator[str]:
    """Every row of every table of every schema that holds a mark, as text."""
    with psycopg.connect(trial.dsn) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert {schema for schema, _ in tables} >= set(SERVICES)
        for schema, table in tables:
            rows = connection.execute(
                sql.SQL("select row_to_json(t)::text from {} t").format(sql.Identifier(schema, table))
            )
            for (row,) in rows:
                # bytes are shown in hexadecimal
                yield from (
                    f"{schema}.{table}: {mark}" for mark in marks if mark in row or mark.encode().hex() in row
                )


async def messages_holding(trial: Trial, marks: tuple[str, ...]) -> list[str]:
    """Every message of every stream that holds a mark, in its headers, its subject or its data."""
    found, seen = [], 0
    bus = await nats.connect(trial.stack.embedded.nats_url(NATS_ADMIN))
    try:
        jetstream = bus.jetstream()
        for speaker in SPEAKERS:
            name = stream(speaker)
            state = (await jetstream.stream_info(name)).state
            for number in range(max(1, state.first_seq), state.last_seq + 1):
                message = await jetstream.get_msg(name, number)
                seen += 1
                whole = f"{message.subject} {message.headers} {(message.data or b'').decode()}"
                found += [f"{name} {number}: {mark}" for mark in marks if mark in whole]
    finally:
        await bus.close()
    assert seen > 10
    return found


def files_holding(trial: Trial, marks: tuple[str, ...]) -> Iterator[str]:
    for file in sorted(trial.stack.data_dir.rglob("*")):
        parts = file.relative_to(trial.stack.data_dir).parts
        if not file.is_file() or parts[0] in NOT_OURS:
            continue
        content = file.read_bytes()
        yield from (f"{'/'.join(parts)}: {mark}" for mark in marks if mark.encode() in content)


def everything_kept(trial: Trial, marks: tuple[str, ...]) -> list[str]:
    return [
        *rows_holding(trial, marks),
        *asyncio.run(messages_holding(trial, marks)),
        *files_holding(trial, marks),
    ]


def bundle_of(folder: Path, invoices: dict[str, str]) -> Path:
    """A ZIP with a PDF for each of these invoices."""
    file = folder / "invoices.zip"
    named = [{"file": name, "invoice_number": number} for name, number in invoices.items()]
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("metadata.json", json.dumps({"documents": named}))
        for name in invoices:
            made.writestr(name, b"%PDF-1.4 ZQ-PDF Zebulon Quatrepoint\n%%EOF")
    return file


def enter_by_every_door(road: Road, trial: Trial, folder: Path, company: str) -> None:
    """Import, people, free fields, contacts, notes, disputes, an invoice's PDF, a draft, a mail that is sent."""
    road.register(company)
    settings = {"fields": {"tag1": "Chantier"}}
    road._retry_while_unknown(
        lambda: road._call("PUT", road.addresses.sync, "/import-settings", json=settings), 30
    )
    address = {"street": "1 Ruelle-Zq", "city": "Metz"}
    whole = {"client_id": CLIENT, "name": "Zebulon Quatrepoint", "emails": ["zq-mail@example.org"]}
    whole |= {"phones": ["0655443322"], "address": address, "contact_name": "Zebulon"}
    road.hand_people("crm", [whole | {"fields": {"tag1": "ZQ-FIELD Zebulon"}}])
    imported = import_file(road, written(folder, FEC), None)
    road.wait_until_ledger_heard({name: dict(heard) for name, heard in imported["positions"].items()})
    entry_id = road.statement(CLIENT)[0]["entry_id"]
    road.write_contact(client_id=CLIENT, name="Quatrepoint", email="zq-mail2@example.org", phone="0655443322")
    by_hand = {"client_id": CLIENT, "fields": {"tag2": "ZQ-HAND Zebulon"}}
    road._call("PUT", road.addresses.ledger, "/client-fields", json=by_hand)
    road.tell("contacts", source="sage", contacts=[{"client_id": CLIENT, "key": "zq-mail", "name": "Zebulon"}])
    road.tell("add-note", client_id=CLIENT, text="ZQ-NOTE Zebulon rappelle")
    road.look_at(written(folder, FEC))
    road.tell("open-dispute", client_id=CLIENT, entry_id=entry_id, reason="price", comment="ZQ-NOTE Quatrepoint")
    attached = road.upload_documents(bundle_of(folder, {"ZQ-PDF.pdf": "F1"}))
    assert (attached["attached"], attached["refused"]) == (1, 0), attached
    road.round(DAY, imported["positions"])
    tasks = road.tasks(DAY)
    (mail,) = [
        row["action_id"]
        for group in tasks["groups"]
        if group["medium"] == "email"
        for row in group["rows"]
        if row["client_id"] == CLIENT
    ]
    assert mail in email_actions(tasks)
    draft: dict[str, Any] = {"action_id": mail, "subject": "ZQ-DRAFT Zebulon"}
    draft |= {"body": "ZQ-DRAFT Cher Zebulon, %total%", "attachments": [hand_over(road)]}
    draft_id = road._call("POST", road.addresses.notify, "/drafts", json=draft)["draft_id"]  # type: ignore[index]
    body = {"action_ids": [mail], "as_of": f"{DAY}", "draft_id": draft_id}
    road._call("POST", road.addresses.dunning, "/confirm", json=body)
    sending = asked_until(lambda told: told["sent"] == 1, lambda: road.sending_of([mail]), within=60)
    assert sending["sent"] == 1, sending
    write_a_letter(road, entry_id)
    contest(road, trial, company)


def hand_over(road: Road) -> dict[str, str]:
    """A file for a message, as a draft names it."""
    kept = road._answer("POST", road.addresses.notify, "/attachments", content=b"ZQ-FILE Zebulon").json()
    return {"sha256": kept["sha256"], "name": "ZQ-FILE.txt", "media_type": "text/plain"}


def contest(road: Road, trial: Trial, company: str) -> None:
    """The debtor itself, by its private link, with a picture."""
    made = road._call("POST", road.addresses.notify, "/debtor-links", json={"client_id": CLIENT}) or {}
    link = made["url"].rpartition("/")[2]
    opened = httpx.post(
        f"{trial.stack.url('notify')}/debtor-links/open",
        json={"link": link},
        headers={"Relance-As-Of": f"{DAY}"},
        trust_env=False,
    ).json()
    photo = b64encode(b"%PDF-1.4 ZQ-PHOTO Zebulon").decode()
    contested = httpx.post(
        f"{trial.stack.url('ledger')}/companies/{company}/debtor/dispute",
        json={"reason": "quality", "message": "ZQ-NOTE", "file": {"name": "ZQ-PHOTO.pdf", "content": photo}},
        headers={"Authorization": f"Bearer {opened['token']}", "Relance-As-Of": f"{DAY}"},
        trust_env=False,
    )
    assert contested.status_code == 200, contested.text


def files_of(road: Road) -> dict[str, bytes]:
    """What the person is handed out besides the words."""
    found: dict[str, bytes] = {}
    for content in road.files_of_person(CLIENT).values():
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            found |= {name: bundle.read(name) for name in bundle.namelist()}
    return found


def write_a_letter(road: Road, entry_id: str) -> None:
    """By hand, to an address that a person wrote; made, posted and registered."""
    wish = {"request_id": str(uuid4()), "client_id": CLIENT, "entry_ids": [entry_id], "medium": "letter"}
    wish |= {"kind": "reminder", "counts": False, "template": "R3"}
    plan = road._call("POST", road.addresses.dunning, "/by-hand/plan", json=wish | {"as_of": f"{DAY}"}) or {}
    wanted = {"actions": [wish | {"accepted_reasons": plan["reasons"]}], "as_of": f"{DAY}"}
    said = road._call("POST", road.addresses.dunning, "/by-hand", json=wanted) or {}
    (letter,) = said["done"]
    body = {"action_ids": [letter], "address": "4 Ruelle-Zq\n57000 ZQ-LETTER", "registered": True}
    made = asked_until(
        lambda told: letter in told["prepared"],
        lambda: road._call("POST", road.addresses.notify, "/letters/prepare", json=body) or {},
    )
    assert letter in made["prepared"], made
    number = {"action_id": letter, "number": "1A ZQ-LETTER 1"}
    road._call("POST", road.addresses.notify, "/letter/registered-number", json=number)
    assert road.letters_posted([letter])["posted"] == 1
    assert road.print_letters([letter]).startswith(b"%PDF-")
    assert letter in [one["action_id"] for one in road.letters("posted")]


def until_gone(trial: Trial, company: str) -> list[str]:
    """What is left once the other services have heard."""
    return asked_until(lambda left: not left, lambda: everything_kept(trial, MARKS))


def test_nothing_of_an_erased_person_is_left_anywhere(trial: Trial, company: str, tmp_path: Path) -> None:
    """Rule 22.25."""
    road = trial.road(company, DAY)
    enter_by_every_door(road, trial, tmp_path, company)

    kept = set(rows_holding(trial, MARKS))
    of_ledger = (
        "ledger.person",
        "ledger.contact",
        "ledger.note_text",
        "ledger.entry_label",
        "ledger.document_file",
        "ledger.person_field",
        "ledger.entry_field",
        "ledger.dispute_file",
    )
    for table in (
        *of_ledger,
        "notify.message",
        "notify.letter",
        "notify.attachment",
        "sync.upload",
        "reporting.client_field",
    ):
        assert any(row.startswith(f"{table}: ") for row in kept), f"the test puts nothing into {table}"
    assert asyncio.run(messages_holding(trial, MARKS)) == [], "no event ever holds a person"
    assert list(files_holding(trial, MARKS)) == [], "no log and no file ever holds a person"

    handed_out: dict[str, Any] = road.person_data(CLIENT)
    assert {mark for mark in MARKS if mark in str(handed_out)} == set(MARKS)
    with zipfile.ZipFile(io.BytesIO(road.documents_of_person(CLIENT))) as documents:
        (name,) = documents.namelist()
        assert b"Zebulon Quatrepoint" in documents.read(name)
    files = files_of(road)
    folders = {name.partition("/")[0] for name in files}
    assert folders == {"disputes", "documents", "messages", "letters", "drafts"}
    assert [files[name] for name in files if name.endswith("ZQ-PHOTO.pdf")] == [b"%PDF-1.4 ZQ-PHOTO Zebulon"]
    assert {files[name] for name in files if name.endswith("1-ZQ-FILE.txt")} == {b"ZQ-FILE Zebulon"}
    assert all(b"multipart/mixed" in files[name] for name in files if name.endswith(".eml"))

    road.tell("erase-person", client_id=CLIENT)
    assert until_gone(trial, company) == []
    assert files_of(road) == {}, "no file either"
    assert road.statement(CLIENT)[0]["debit"].startswith("1200"), "the accounts stay"
    assert road.person_data(CLIENT)["ledger"]["erased"]["erased_by"] == "operator"

    again = import_file(road, written(tmp_path, [(*FEC[0][:5], "ZQ-LABEL suite", *FEC[0][6:]), *FEC[1:]]), None)
    road.hand_people(
        "crm", [{"client_id": CLIENT, "name": "Zebulon Quatrepoint", "emails": ["zq-mail@example.org"]}]
    )
    road.wait_until_ledger_heard({name: dict(heard) for name, heard in again["positions"].items()})
    assert until_gone(trial, company) == [], "no source brings the person back"

    refused = road.upload_documents(bundle_of(tmp_path, {"ZQ-PDF.pdf": "F1"}))
    assert refused["results"][0]["code"] == "person-erased"
    assert until_gone(trial, company) == []
    assert CLIENT not in str(list(road.missing_documents())), "nor is anybody asked for its invoices"

    road.tell("admit-person", client_id=CLIENT)
    import_file(road, tmp_path / "123456789FEC20261231.txt", None)
    assert road.person_data(CLIENT)["ledger"]["sources"][0]["name"] == "Zebulon Quatrepoint", "its book brings it"
    road.hand_people("crm", [{"client_id": CLIENT, "name": "Zebulon Quatrepoint"}])
    assert "Zebulon" in str(road.person_data(CLIENT)["ledger"])
    road.tell("erase-person", client_id=CLIENT)
    road.close()


@pytest.mark.parametrize("erased", [OTHER, CLIENT])
def test_a_client_that_took_another_code_is_forgotten_under_both(
    trial: Trial, company: str, tmp_path: Path, erased: str
) -> None:
    road = trial.road(company, DAY)
    enter_by_every_door(road, trial, tmp_path, company)
    road.tell("merge-clients", client_id=CLIENT, into=OTHER)
    road.tell("add-note", client_id=OTHER, text="ZQ-NOTE Zebulon a changé de code")
    road.write_contact(client_id=OTHER, name="Quatrepoint", email="zq-mail3@example.org")

    handed_out = asked_until(
        lambda told: all(mark in told for mark in MARKS), lambda: str(road.person_data(erased))
    )
    missing = [mark for mark in MARKS if mark not in handed_out]
    assert missing == [], "under either code everything is handed out"

    road.tell("erase-person", client_id=erased)
    assert until_gone(trial, company) == []
    for code, amount in ((CLIENT, "1200"), (OTHER, "300")):
        assert road.statement(code)[0]["debit"].startswith(amount), "the accounts stay"
        assert road.person_data(code)["ledger"]["erased"]["erased_by"] == "operator"
    road.close()
