"""Files that go with messages: a person's own and the documents of invoices, kept once (rule 9.1, D2)."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from chassis.database import transaction
from chassis.eventlog import Said
from contracts.dunning import ActionDue
from contracts.ledger import PersonErased
from services.notify.attachments import MOST_BYTES
from tests.integration.notify.conftest import House, action, entry_id, synced, until

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40


async def handed_over(house: House, company: str, content: bytes, media_type: str = "application/pdf") -> Any:
    return await house.call(company, "POST", "/attachments", content=content, params={"media_type": media_type})


async def draft(house: House, company: str, **more: Any) -> Any:
    return await house.call(company, "POST", "/drafts", json={"client_id": "C1", **more})


async def due_with(house: House, company: str, draft_id: str, name: str = "F1") -> UUID:
    invoice = synced(name, "C1", "100")
    await house.voices.book(company, [invoice])
    one = action(company, "C1", [invoice])
    await house.voices.say(company, [Said(ActionDue(action=one, draft_id=UUID(draft_id)), "C1")])
    return one.action_id


def received(house: House, address: str) -> list[EmailMessage]:
    found = []
    for mail in house.mails.to(address):
        raw = house.mails.store.raw(mail.id)
        assert raw is not None
        message = BytesParser(policy=policy.default).parsebytes(raw)
        assert isinstance(message, EmailMessage)
        found.append(message)
    return found


def files(message: EmailMessage) -> list[tuple[str | None, bytes]]:
    return [(part.get_filename(), part.get_content()) for part in message.iter_attachments()]


async def test_a_persons_files_leave_with_the_message_and_are_kept_once(house: House, company: str) -> None:
    first = (await handed_over(house, company, PDF)).json()
    again = (await handed_over(house, company, PDF)).json()
    assert first == again
    assert first["bytes"] == len(PDF)
    notes = (await handed_over(house, company, "Détail é€".encode(), "text/plain")).json()
    attached = [
        {"sha256": first["sha256"], "name": "Relevé n° 3 (été).pdf", "media_type": "application/pdf"},
        {"sha256": notes["sha256"], "name": "notes.txt", "media_type": "application/octet-stream"},
    ]
    written = (await draft(house, company, attachments=attached)).json()
    one = await due_with(house, company, written["draft_id"])
    await house.until_said(company, "EmailSent")

    (message,) = received(house, f"c1@{company}.example")
    assert files(message) == [("Relevé n° 3 (été).pdf", PDF), ("notes.txt", "Détail é€".encode())]
    assert message.get_body(("html",)) is not None
    kept = await house.get(company, "/message", action_id=str(one))
    assert [file["name"] for file in kept["attachments"]] == ["Relevé n° 3 (été).pdf", "notes.txt"]
    assert "F1" in kept["text"]

    # what is kept is what left, though the files lie apart and once
    eml = await house.call(company, "GET", "/message/eml", params={"action_id": str(one)})
    (mail,) = house.mails.to(f"c1@{company}.example")
    assert eml.content == house.mails.store.raw(mail.id)
    async with transaction(house.process.engine) as tx:
        sizes = text("select length(raw) from message where company = :company")
        assert (await tx.execute(sizes, {"company": company})).scalar_one() < len(eml.content) - len(PDF)
        count = text("select count(*) from attachment where company = :company")
        assert (await tx.execute(count, {"company": company})).scalar_one() == 2


async def test_the_documents_of_invoices_go_with_the_reminder_where_the_company_wants_it(
    house: House, company: str
) -> None:
    documents = {f"{company}{n}": (uuid4(), f"FAC{n}.pdf", PDF + bytes([n])) for n in range(3)}
    house.people.documents |= {entry_id(name): [one] for name, one in documents.items()}
    house.people.documents[entry_id(f"{company}1")].append((uuid4(), "gone.pdf", b"gone"))
    saved = await house.call(company, "PUT", "/sender", json={"attach_invoices": True})
    assert saved.status_code == 200
    lines = [synced(name, "C1", "100") for name in documents]
    await house.voices.book(company, lines)
    await house.voices.due(company, action(company, "C1", lines), action(company, "C1", lines, step="R2"))
    await house.until_said(company, "EmailSent", 2)
    for message in received(house, f"c1@{company}.example"):
        assert files(message) == [(name, content) for _, name, content in documents.values()]
    ours = [one for one in house.people.fetched if one in {document for document, _, _ in documents.values()}]
    assert len(ours) <= len(documents) * 2  # fetched by hash, not for every message
    third = action(company, "C1", lines, step="R3")
    before = len(house.people.fetched)
    await house.voices.due(company, third)
    await until(lambda: len(received(house, f"c1@{company}.example")) == 3)
    assert set(house.people.fetched[before:]).isdisjoint(document for document, _, _ in documents.values())


async def test_a_message_carries_fifteen_files_and_fifteen_megabytes(house: House, company: str) -> None:
    """Rule 9.1: one too many, one byte too many."""
    small = (await handed_over(house, company, b"x")).json()["sha256"]

    def named(count: int, digest: str = small) -> list[dict[str, str]]:
        return [{"sha256": digest, "name": f"{n}.txt"} for n in range(count)]

    assert (await draft(house, company, attachments=named(15))).status_code == 200
    assert (await draft(house, company, attachments=named(16))).status_code == 422
    half = (await handed_over(house, company, b"y" * (MOST_BYTES // 2))).json()["sha256"]
    assert (await draft(house, company, attachments=named(2, half))).status_code == 200
    too_much = await draft(house, company, attachments=[*named(2, half), *named(1)])
    assert (too_much.status_code, too_much.json()["type"]) == (422, "attachments-too-large")
    assert (await handed_over(house, company, b"z" * (MOST_BYTES + 1))).status_code == 413
    assert (await handed_over(house, company, b"")).status_code == 422
    unknown = await draft(house, company, attachments=named(1, "0" * 64))
    assert (unknown.status_code, unknown.json()["type"]) == (422, "attachment-unknown")
    hostile = [{"sha256": small, "name": "a\r\nBcc: x@y.example"}]
    assert (await draft(house, company, attachments=hostile)).status_code == 422


async def test_another_companys_files_are_unknown(house: House, company: str) -> None:
    theirs = (await handed_over(house, f"{company}z", b"secret of others")).json()["sha256"]
    refused = await draft(house, company, attachments=[{"sha256": theirs, "name": "a.txt"}])
    assert (refused.status_code, refused.json()["type"]) == (422, "attachment-unknown")


async def test_files_go_with_the_person_unless_another_message_carries_them(house: House, company: str) -> None:
    own = (await handed_over(house, company, b"own")).json()["sha256"]
    shared = (await handed_over(house, company, b"shared")).json()["sha256"]
    attached = [{"sha256": own, "name": "own.txt"}, {"sha256": shared, "name": "shared.txt"}]
    written = (await draft(house, company, attachments=attached)).json()
    await house.call(
        company, "POST", "/drafts", json={"client_id": "C2", "attachments": [{"sha256": shared, "name": "s.txt"}]}
    )
    one = await due_with(house, company, written["draft_id"])
    await house.until_said(company, "EmailSent")
    erased = await house.voices.say(company, [Said(PersonErased(client_id="C1", version=2), "C1")])
    gone = await house.call(
        company, "GET", "/message/eml",
        params={"action_id": str(one), "wait": 20}, headers={"Relance-At-Least": ",".join(map(str, erased))},
    )  # fmt: skip
    assert gone.status_code == 410
    async with transaction(house.process.engine) as tx:
        kept = text("select sha256 from attachment where company = :company")
        assert list((await tx.execute(kept, {"company": company})).scalars()) == [shared]


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_person_decides_about_the_documents_of_one_message(
    house: House, company: str, wanted: bool
) -> None:
    name = f"{company}D"
    house.people.documents[entry_id(name)] = [(uuid4(), "FAC.pdf", PDF)]
    await house.call(company, "PUT", "/sender", json={"attach_invoices": not wanted})
    written = (await draft(house, company, attach_invoices=wanted)).json()
    await due_with(house, company, written["draft_id"], name)
    await house.until_said(company, "EmailSent")
    (message,) = received(house, f"c1@{company}.example")
    assert [file for file, _ in files(message)] == (["FAC.pdf"] if wanted else [])
