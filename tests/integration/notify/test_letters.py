"""Letters over HTTP: made, kept byte for byte, printed together, posted (rules 5.3, 9.2, 9.7, 13.6)."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pypdfium2

from chassis.eventlog import Said
from contracts.dunning import Action, ActionDue, ActionWithdrawn
from contracts.ledger import ClientStopped, PersonErased
from services.notify.letters.bundle import text_of
from tests.integration.notify.conftest import DAY, House, action, synced
from tests.specs.notify.pictures import png


async def letters_due(house: House, company: str, *clients: str, **more: Any) -> tuple[list[Action], list[Any]]:
    """A letter for each of these clients, heard of by notify."""
    invoices = {client: synced(f"F-{client}", client, "1250.40") for client in clients}
    heard = await house.voices.book(company, invoices.values())
    due = [action(company, client, [one], medium="letter", step="R4", **more) for client, one in invoices.items()]
    heard += await house.voices.due(company, *due)
    await house.get(company, "/tasks", heard)
    return due, heard


async def prepare(house: House, company: str, letters: list[Action], **more: Any) -> Any:
    body = {"action_ids": [str(one.action_id) for one in letters], **more}
    answer = await house.call(company, "POST", "/letters/prepare", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def pdf_of(house: House, company: str, letter: Action) -> httpx.Response:
    return await house.call(company, "GET", "/letter/pdf", params={"action_id": str(letter.action_id)})


async def test_a_letter_is_made_kept_printed_again_as_it_was_and_posted(house: House, company: str) -> None:
    """Rules 5.3, 9.2: downloading moves the step; what is printed again is what was printed."""
    (letter,), _ = await letters_due(house, company, "C1")
    assert (await pdf_of(house, company, letter)).status_code == 404, "looking makes nothing"
    answer = await prepare(house, company, [letter])
    assert answer["prepared"] == [str(letter.action_id)]
    (said,) = await house.until_said(company, "LetterPrepared")
    assert (said["action_id"], said["client_id"]) == (str(letter.action_id), "C1")

    first = await pdf_of(house, company, letter)
    assert first.headers["content-type"] == "application/pdf"
    assert first.headers["etag"] == f'"{hashlib.sha256(first.content).hexdigest()}"'
    assert "1\u202f250,40" in text_of(first.content)
    template = {"name": "R4", "medium": "letter", "language": "fr", "subject": "Autre", "body": "Autre texte"}
    assert (await house.call(company, "PUT", "/templates", json=template)).status_code == 200
    again = await prepare(house, company, [letter])
    assert again["prepared"] == [str(letter.action_id)]
    assert (await pdf_of(house, company, letter)).content == first.content
    assert len(await house.said(company, "LetterPrepared")) == 1

    (listed,) = (await house.get(company, "/letters"))["letters"]
    assert (listed["state"], listed["pages"], listed["address"][0]) == ("prepared", 1, "Société C1")
    shown = await house.get(company, "/letter", action_id=str(letter.action_id))
    assert shown["html"].count("data:image/png;base64,") == 1

    posted = {"action_ids": [str(letter.action_id)], "done_on": str(DAY - timedelta(days=1))}
    for expected in (1, 0):
        answer = await house.call(company, "POST", "/letters/posted", json=posted)
        assert answer.json()["posted"] == expected
    (told,) = await house.said(company, "LetterPosted")
    assert (told["done_on"], told["registered"]) == ("2026-03-09", False)
    assert (await house.get(company, "/letters"))["letters"] == []
    (listed,) = (await house.get(company, "/letters", state="posted"))["letters"]
    assert listed["posted_on"] == "2026-03-09"


async def test_what_the_last_look_finds_takes_the_letter_back(house: House, company: str) -> None:
    (stopped, free), heard = await letters_due(house, company, "C1", "C2")
    heard += await house.voices.say(company, [Said(ClientStopped(client_id="C1"), "C1")])
    await house.get(company, "/tasks", heard)
    answer = await prepare(house, company, [stopped, free])
    assert answer["prepared"] == [str(free.action_id)]
    assert answer["refused"] == [{"action_id": str(stopped.action_id), "reason": "client_stopped"}]
    (withheld,) = await house.said(company, "MessageWithheld")
    assert withheld["reason"] == "client_stopped"
    # dunning takes the action back and may let it fall due again, under the same name
    body = {"action_id": stopped.action_id, "client_id": "C1", "reason": "client_stopped"}
    heard = await house.voices.say(company, [Said(ActionWithdrawn(**body), "C1")])
    await house.get(company, "/tasks", heard)
    assert (await prepare(house, company, [stopped]))["refused"][0]["reason"] == "task-over"


async def test_a_letter_needs_an_address_which_may_be_written_for_it(house: House, company: str) -> None:
    """Rule 9.2."""
    house.people.addresses["NOWHERE"] = {}
    (letter,), _ = await letters_due(house, company, "NOWHERE")
    answer = await prepare(house, company, [letter])
    assert answer["refused"] == [{"action_id": str(letter.action_id), "reason": "no_postal_address"}]
    assert await house.said(company, "LetterPrepared") == []
    address = "Service comptabilité\n\n12 quai Zébulon\n67000 Strasbourg"
    answer = await prepare(house, company, [letter], address=address, registered=True)
    assert answer["prepared"] == [str(letter.action_id)]
    text = text_of((await pdf_of(house, company, letter)).content)
    assert "12 quai Zébulon" in text
    assert "Lettre recommandée" in text
    (listed,) = (await house.get(company, "/letters"))["letters"]
    assert listed["address"] == ["Société NOWHERE", "Service comptabilité", "12 quai Zébulon", "67000 Strasbourg"]

    number = {"action_id": str(letter.action_id), "number": "1A 123 456 7890 1"}
    assert (await house.call(company, "POST", "/letter/registered-number", json=number)).status_code == 200
    bad = await house.call(company, "POST", "/letter/registered-number", json=number | {"number": "<b>"})
    assert bad.status_code == 422
    (listed,) = (await house.get(company, "/letters"))["letters"]
    assert listed["registered_number"] == "1A 123 456 7890 1"
    assert "7890" not in str(await house.said(company, "LetterPrepared"))


async def test_many_letters_are_made_behind_the_back_and_printed_as_one(house: House, company: str) -> None:
    """Rule 9.7: one grouped PDF, in the order of the post, made of the very pages that are kept."""
    clients = [f"T{number}" for number in range(24)]
    for number, client in enumerate(clients):
        house.people.addresses[client] = {
            "line1": "1 rue du Port", "postcode": f"{57000 - number % 5}", "city": f"Metz {number % 3}",
        }  # fmt: skip
    letters, _ = await letters_due(house, company, *clients)
    answer = await prepare(house, company, letters)
    assert (answer["prepared"], len(answer["waiting"])) == ([], 24)
    await house.until_said(company, "LetterPrepared", 24)
    named = {"action_ids": [str(one.action_id) for one in letters]}
    sending = (await house.call(company, "POST", "/sending/query", json=named)).json()
    assert (sending["total"], sending["sent"], sending["finished"]) == (24, 24, True)

    towns = {row["client_id"]: row["address"][-1] for row in (await house.get(company, "/letters"))["letters"]}
    assert len(set(towns.values())) > 1
    answer = await house.call(company, "POST", "/letters/bundle", json=named | {"both_sides": True})
    assert answer.status_code == 200
    document = pypdfium2.PdfDocument(answer.content)
    texts = [page.get_textpage().get_text_range() for page in document]
    assert len(texts) == 2 * 25, "the list and each letter on a sheet of its own"
    assert "24 courriers" in texts[0]
    order = [next(client for client in clients if f"Société {client}\r\n" in text) for text in texts[2::2]]
    assert order == sorted(clients, key=lambda client: (towns[client], f"Société {client}"))

    unknown = await house.call(company, "POST", "/letters/bundle", json={"action_ids": [str(uuid4())]})
    assert (unknown.status_code, unknown.json()["type"]) == (409, "letter-not-prepared")


async def test_the_progress_tells_why_letters_could_not_be_made(house: House, company: str) -> None:
    house.people.addresses["NOWHERE"] = {}
    letters, heard = await letters_due(house, company, "C1", "C2", "NOWHERE")
    heard += await house.voices.say(company, [Said(ClientStopped(client_id="C1"), "C1")])
    await house.get(company, "/tasks", heard)
    answer = await prepare(house, company, letters, at_once=False)
    assert len(answer["waiting"]) == 3
    named = {"action_ids": [str(one.action_id) for one in letters]}
    async with asyncio.timeout(30):
        told = {"finished": False}
        while not told["finished"]:
            await asyncio.sleep(0.05)
            told = (await house.call(company, "POST", "/sending/query", json=named)).json()
    assert (told["sent"], told["withheld"], told["failed"]) == (1, 1, 1)
    reasons = {one["client_id"]: one["reason"] for one in told["troubles"]}
    assert reasons == {"C1": "client_stopped", "NOWHERE": "no_postal_address"}
    house.people.addresses.pop("NOWHERE")
    answer = await prepare(house, company, letters[2:], address="1 rue du Port\n57000 Metz")
    assert answer["prepared"] == [str(letters[2].action_id)], "the task stayed open"


async def test_a_letter_that_was_written_by_other_means_is_done_and_posted(house: House, company: str) -> None:
    (letter,), _ = await letters_due(house, company, "C1")
    body = {"action_id": str(letter.action_id)}
    assert (await house.call(company, "POST", "/complete-task", json=body)).status_code == 200
    await house.until_said(company, "LetterPosted")
    assert (await house.call(company, "POST", "/complete-task", json=body)).status_code == 409
    assert (await pdf_of(house, company, letter)).status_code == 404


async def test_a_job_found_again_makes_no_second_letter(house: House, company: str) -> None:
    letters, _ = await letters_due(house, company, *(f"C{number}" for number in range(21)))
    await prepare(house, company, letters)
    await asyncio.gather(*(prepare(house, company, [one]) for one in letters[:5]))
    await prepare(house, company, letters)
    await house.until_said(company, "LetterPrepared", 21)

    async def finished() -> bool:
        named = {"action_ids": [str(one.action_id) for one in letters]}
        return bool((await house.call(company, "POST", "/sending/query", json=named)).json()["finished"])

    assert await finished()
    assert len(await house.said(company, "LetterPrepared")) == 21


async def test_a_logo_stands_on_letters_made_from_now_on(house: House, company: str) -> None:
    """Rule 13.6."""
    before, after = (await letters_due(house, company, "C1", "C2"))[0]
    await prepare(house, company, [before])
    headers = house.token(company, role="admin") | {"Content-Type": "image/png"}
    saved = await house.call(company, "PUT", "/logo", content=png(120, 40), headers=headers)
    assert saved.status_code == 200, saved.text
    assert (saved.json()["width"], saved.json()["height"]) == (120, 40)
    await prepare(house, company, [after])
    images = []
    for letter in (before, after):
        document = pypdfium2.PdfDocument((await pdf_of(house, company, letter)).content)
        images.append(sum(one.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE for one in document[0].get_objects()))
    assert images == [0, 1]
    for content, status in (
        (b"<svg/>", 422),
        (png(120, 40)[:60], 422),
        (png(9000, 10), 413),
        (b"\x89PNG" + bytes(600_000), 413),
    ):
        answer = await house.call(company, "PUT", "/logo", content=content, headers=headers)
        assert answer.status_code == status, content[:20]
    user = house.token(company, role="user") | {"Content-Type": "image/png"}
    answer = await house.call(company, "PUT", "/logo", content=png(12, 4), headers=user)
    assert answer.status_code == 403
    assert (await house.call(company, "GET", "/logo")).content == png(120, 40)
    assert (await house.call(company, "DELETE", "/logo")).status_code == 200


async def test_of_an_erased_person_the_digest_stays_and_the_letter_goes(house: House, company: str) -> None:
    (letter,), _ = await letters_due(house, company, "C1")
    await prepare(house, company, [letter])
    data = (await house.call(company, "GET", "/person-data", params={"client_id": "C1"})).json()
    assert "1\u202f250,40" in data["letters"][0]["text"]
    heard = await house.voices.say(company, [Said(PersonErased(client_id="C1", version=2), "C1")])
    (listed,) = (await house.get(company, "/letters", heard))["letters"]
    assert (listed["erased"], listed["subject"], listed["address"]) == (True, "", [])
    assert len(listed["sha256"]) == 64
    assert (await pdf_of(house, company, letter)).status_code == 410
    named = {"action_ids": [str(letter.action_id)]}
    assert (await house.call(company, "POST", "/letters/bundle", json=named)).status_code == 409


async def test_a_draft_is_what_the_letter_says(house: House, company: str) -> None:
    """Rule 9.1: what a person wrote leaves, to the address that the person wrote."""
    invoice = synced("FAC1", "C1", "10")
    await house.voices.book(company, [invoice])
    letter = action(company, "C1", [invoice], medium="letter")
    draft = {
        "client_id": "C1",
        "subject": "À part",
        "body": "Bonjour #[x] %total%",
        "address": "3 rue Basse\n57000 Metz",
    }
    kept = (await house.call(company, "POST", "/drafts", json=draft)).json()
    heard = await house.voices.say(company, [Said(ActionDue(action=letter, draft_id=kept["draft_id"]), "C1")])
    await house.get(company, "/tasks", heard)
    await prepare(house, company, [letter])
    text = text_of((await pdf_of(house, company, letter)).content)
    assert "Bonjour #[x] 10,00" in text
    assert "3 rue Basse" in text
    strangers = house.token(f"{company}x")
    params = {"action_id": str(letter.action_id)}
    answer = await house.call(company, "GET", "/letter/pdf", params=params, headers=strangers)
    assert answer.status_code == 404
