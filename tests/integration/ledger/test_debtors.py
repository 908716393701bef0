"""What a debtor reads and answers at ledger by itself (rules 10.9, 11.4, 13.8)."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import httpx

from chassis.auth import mint, read_key
from tests.integration.ledger.conftest import DAY, House, Voice, entry_id, synced
from tests.integration.ledger.test_documents import bundle, send

PNG = b"\x89PNG\r\n\x1a\nrest"


def debtor(house: House, company: str, client_id: str = "C1") -> dict[str, str]:
    key = read_key(house.stack.private_key_file)
    token = mint(key, "debtor", [company], "debtor", client_id=client_id)
    return {"Authorization": f"Bearer {token}", "Relance-As-Of": str(DAY)}


async def ask(house: House, company: str, path: str, body: Any = None, client_id: str = "C1") -> httpx.Response:
    method = "GET" if body is None else "POST"
    headers = debtor(house, company, client_id)
    return await house.http.request(method, f"/companies/{company}{path}", json=body, headers=headers)


async def book(voice: Voice, house: House, company: str) -> None:
    await house.put(company, "", {"name": "Ateliers Delcourt"})
    entries = [
        synced("F1", "C1", "1000"),
        replace_due(synced("F2", "C1", "200"), 5),
        synced("A1", "C1", "-50"),
        synced("F9", "C2", "77"),
        synced("F8", "C1", "10", lettering="ZZ"),
    ]
    heard = await voice.run(company, entries)
    await house.get(company, "/client", heard, client_id="C1")


def replace_due(entry: Any, days: int) -> Any:
    return entry.model_copy(update={"due_date": DAY + timedelta(days=days)})


async def test_a_debtor_sees_its_open_lines_and_no_others(voice: Voice, house: House, company: str) -> None:
    """Rule 13.8: nothing that the company tells itself, and what may be paid already is not asked for."""
    await book(voice, house, company)
    await house.post(company, "/add-note", {"client_id": "C1", "text": "ne paie jamais"})
    sent = bundle([{"file": "F1.pdf", "invoice_number": "F1"}, {"file": "F9.pdf", "invoice_number": "F9"}])
    await send(house, company, sent)

    answer = await ask(house, company, "/debtor/statement")
    found = answer.json()
    lines = {one["piece"]: one for one in found["entries"]}
    assert sorted(lines) == ["A1", "F1", "F2", "F8"]
    assert (lines["F1"]["days_late"], lines["F2"]["days_late"], lines["F8"]["being_checked"]) == (28, -5, True)
    assert "jamais" not in answer.text
    assert found["last_promise_on"] == str(DAY + timedelta(days=30))

    (own,) = lines["F1"]["documents"]
    read = await ask(house, company, f"/debtor/documents/{own['document_id']}")
    assert read.headers["content-type"] == "application/pdf"
    theirs = (await house.get(company, "/documents", client_id="C2"))["documents"]
    ((foreign,),) = theirs.values()
    assert (await ask(house, company, f"/debtor/documents/{foreign['document_id']}")).status_code == 404


async def test_a_promise_of_a_debtor_is_said_by_the_debtor(voice: Voice, house: House, company: str) -> None:
    """Rule 10.9; lines of others are not there, and all are promised or none."""
    await book(voice, house, company)
    later = str(DAY + timedelta(days=10))
    foreign = {"entry_ids": [entry_id("F1"), entry_id("F9")], "promised_on": later}
    assert (await ask(house, company, "/debtor/promise", foreign)).json()["type"] == "unknown-entry"
    both = {"entry_ids": [entry_id("F1"), entry_id("F2")], "promised_on": later}
    assert len((await ask(house, company, "/debtor/promise", both)).json()["promise_ids"]) == 2
    again = await ask(house, company, "/debtor/promise", both)
    assert (again.status_code, again.json()["type"]) == (409, "entry-already-promised")
    kept = (await house.get(company, "/client", client_id="C1"))["promises"]
    assert [(one["recorded_by"], one["amount"], one["promised_on"]) for one in kept] == [
        ("debtor", one["amount"], later) for one in kept
    ]
    lines = (await ask(house, company, "/debtor/statement")).json()["entries"]
    assert {one["piece"] for one in lines if one["promised_on"] == later} == {"F1", "F2"}


async def test_a_dispute_comes_with_words_and_a_file(voice: Voice, house: House, company: str) -> None:
    """Rule 11.4: the words are a note, the file is downloaded, events hold neither; both go with the person."""
    await book(voice, house, company)
    wanted = {
        "entry_id": entry_id("F1"),
        "reason": "price",
        "message": "Prix convenu <b>900</b>",
        "file": {"name": "devis.png", "content": b64encode(PNG).decode()},
    }
    made = await ask(house, company, "/debtor/dispute", wanted)
    assert made.status_code == 200, made.text
    known = await house.get(company, "/client", client_id="C1")
    ((dispute,), (note,)) = known["disputes"], known["notes"]
    assert (dispute["opened_by"], note["author"], note["text"]) == ("debtor", "debtor", "Prix convenu <b>900</b>")
    ((file,),) = (dispute["files"],)
    assert (file["file_name"], file["media_type"], file["bytes"]) == ("devis.png", "image/png", len(PNG))
    address = f"/companies/{company}/dispute-files/{file['file_id']}"
    read = await house.http.get(address, headers=house.token(company, role="reader"))
    assert (read.content, read.headers["content-disposition"][:10]) == (PNG, "attachment")
    assert (await house.http.get(address, headers=debtor(house, company))).status_code == 403
    said = str(await house.said(company))
    assert "devis" not in said
    assert "900" not in said

    again = await ask(house, company, "/debtor/dispute", wanted)
    assert again.json()["type"] == "dispute-already-open"
    told = await house.get(company, "/person-data", client_id="C1")
    assert [one["file_name"] for one in told["dispute_files"]] == ["devis.png"]
    await house.post(company, "/erase-person", {"client_id": "C1"})
    assert (await house.http.get(address, headers=house.token(company))).status_code == 404


async def test_a_file_is_what_it_begins_with(voice: Voice, house: House, company: str) -> None:
    """Rule 11.4: refused with nothing recorded."""
    await book(voice, house, company)
    script = {"name": "devis.png", "content": b64encode(b"<svg onload=alert(1)>").decode()}
    answer = await ask(house, company, "/debtor/dispute", {"reason": "price", "file": script})
    assert (answer.status_code, answer.json()["type"]) == (422, "file-kind-unknown")
    assert (await house.get(company, "/client", client_id="C1"))["disputes"] == []


async def test_a_debtor_answers_so_often_a_day_and_no_more(voice: Voice, house: House, company: str) -> None:
    """Rule 11.4."""
    await book(voice, house, company)
    knobs = house.process.settings
    house.process.settings = knobs.model_copy(update={"debtor_answers_per_day": 2})
    try:
        for piece in ("F1", "F2"):
            wanted = {"entry_ids": [entry_id(piece)], "promised_on": str(DAY)}
            assert (await ask(house, company, "/debtor/promise", wanted)).status_code == 200
        third = await ask(house, company, "/debtor/dispute", {"reason": "price"})
        assert (third.status_code, third.json()["type"]) == (429, "too-many-answers")
    finally:
        house.process.settings = knobs
    assert (await house.get(company, "/client", client_id="C1"))["disputes"] == []


async def test_a_debtors_token_opens_nothing_else(voice: Voice, house: House, company: str) -> None:
    """Rule 13.8: neither users' addresses nor another company, and users do not answer for debtors."""
    await book(voice, house, company)
    for path in ("/client?client_id=C1", "/statement?client_id=C1", "/documents?client_id=C1", "", "/profiles"):
        assert (await ask(house, company, path)).status_code == 403, path
    for path, body in (
        ("/record-promise", {"client_id": "C1", "entry_id": entry_id("F1")}),
        ("/stop-client", {"client_id": "C1"}),
        ("/people/query", {}),
    ):
        assert (await ask(house, company, path, body)).status_code == 403, path
    headers = debtor(house, company)
    assert (await house.http.get("/companies/another/debtor/statement", headers=headers)).status_code == 404
    for_user = await house.http.get(f"/companies/{company}/debtor/statement", headers=house.token(company))
    assert for_user.status_code == 403
