"""What a person writes: previewed with the very mail that leaves, kept apart from events, gone with the person."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import clock
from chassis.database import transaction
from chassis.eventlog import Said
from contracts.dunning import Action, ActionDue
from contracts.ledger import ClientStopped, PersonErased
from services.notify.delivered import Draft, Text
from services.notify.settings import NotifySettings
from services.notify.writing import Writer, mail_of, written
from tests.integration.notify.conftest import DAY, House, action, synced

WRITTEN = {
    "subject": "À propos de %invoice_list%",
    "body": "Bonjour,\n\nIl reste %total%.\n\n%tableau_comptable%\n\n%sender_name%\n",
    "to": ["chef@client.example"],
    "copies": ["moi@delcourt.example"],
    "sender_name": "Nathalie Ferrand",
    "reply_to": "nathalie@delcourt.example",
}
NAMES = re.compile(rb"(<[^>]*@[^>]*>|boundary=\"[^\"]*\"|--=[^\r\n]*|Date: [^\r\n]*)")


def _by_hand(company: str, *invoices: Any, **more: Any) -> Action:
    return action(company, "C1", list(invoices), by_hand=True, **more)


async def _preview(house: House, company: str, one: Action, heard: Any = None, **written: Any) -> dict[str, Any]:
    headers = {"Relance-At-Least": ",".join(map(str, heard))} if heard else {}
    body = {"action": one.model_dump(mode="json"), "written": written or None}
    answer = await house.call(company, "POST", "/preview", json=body, headers=headers, params={"wait": 20})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _sent(house: House, company: str, one: Action, draft_id: str | None) -> dict[str, Any]:
    due = ActionDue(action=one, draft_id=UUID(draft_id) if draft_id else None)
    await house.voices.say(company, [Said(due, "C1")])
    await house.until_said(company, "EmailSent")
    answer = await house.call(company, "GET", "/message", params={"action_id": str(one.action_id)})
    found: dict[str, Any] = answer.json()
    return found


async def test_what_is_shown_is_what_leaves(house: House, company: str) -> None:
    """Of an action that nobody said yet; the same subject, text, HTML, sender and recipients."""
    invoices = [synced("FAC1", "C1", "1250.40"), synced("FAC2", "C1", "80")]
    heard = await house.voices.book(company, invoices)
    one = _by_hand(company, *invoices, template="R2", step="R2")
    shown = await _preview(house, company, one, heard, **WRITTEN)
    assert (shown["to"], shown["copies"]) == (["chef@client.example"], ["moi@delcourt.example"])
    assert shown["subject"] == "À propos de FAC1, FAC2"
    assert "Nathalie Ferrand" in shown["from"]
    draft = await house.call(company, "POST", "/drafts", json={**WRITTEN, "client_id": "C1"})
    sent = await _sent(house, company, one, draft.json()["draft_id"])
    for part in ("subject", "text", "html", "from"):
        assert sent[part].replace("\r\n", "\n").rstrip() == shown[part].rstrip(), part
    assert (sent["to"], sent["copies"]) == ("chef@client.example", "moi@delcourt.example")
    (mail,) = house.mails.to("chef@client.example")
    assert (await house.said(company, "EmailSent"))[0].keys().isdisjoint({"to", "recipients"})
    assert mail.subject == shown["subject"]


async def test_the_bytes_are_the_same_but_for_the_names_of_the_message(
    house: House, company: str, settings: NotifySettings
) -> None:
    invoice = synced("FAC1", "C1", "1250.40")
    await _preview(house, company, _by_hand(company, invoice), await house.voices.book(company, [invoice]))
    one = _by_hand(company, invoice, template="R1")
    draft = Draft(Text(WRITTEN["subject"], WRITTEN["body"]), to=("chef@client.example",))  # type: ignore[arg-type]
    writer = Writer(house.process, settings)
    desk = await writer.desk_ahead(company, one, draft, DAY)
    looked = desk.looked[one.action_id]
    chosen = desk.text_for(looked, "fr", "email")
    shown = mail_of(desk, looked, written(desk, looked, chosen, {}), clock.now()).raw
    kept = {"subject": WRITTEN["subject"], "body": WRITTEN["body"], "to": ["chef@client.example"]}
    answer = await house.call(company, "POST", "/drafts", json=kept)
    await _sent(house, company, one, answer.json()["draft_id"])
    async with transaction(house.process.engine) as tx:
        raw = await tx.scalar(
            text("select raw from message where company = :company and action_id = :id"),
            {"company": company, "id": one.action_id},
        )
    assert NAMES.sub(b"", bytes(raw)) == NAMES.sub(b"", shown)
    assert len(bytes(raw)) > 2000


async def test_without_anything_written_the_template_and_the_usual_recipients_are_offered(
    house: House, company: str
) -> None:
    invoice = synced("FAC1", "C1", "10")
    heard = await house.voices.book(company, [invoice])
    shown = await _preview(house, company, _by_hand(company, invoice, template="R3"), heard)
    assert shown["to"] == [f"c1@{company}.example"]
    assert "%tableau_comptable" in shown["template"]["body"]


async def test_a_letter_is_addressed_as_the_person_wrote_it(house: House, company: str) -> None:
    """Rule 9.2."""
    invoice = synced("FAC1", "C1", "10")
    heard = await house.voices.book(company, [invoice])
    letter = _by_hand(company, invoice, medium="letter")
    usual = await _preview(house, company, letter, heard)
    assert usual["address"] == ["1 rue du Port", "57000 Metz"]
    shown = await _preview(house, company, letter, address="Service comptable\n2 quai Nord\n44000 Nantes")
    assert "Service comptable 2 quai Nord 44000 Nantes" in " ".join(shown["html"].split())


async def test_tags_and_addresses_are_checked(house: House, company: str) -> None:
    cases = [
        ({"subject": "x", "body": "%oops%"}, "unknown-tag"),
        ({"to": ["a@b.example", "no address"]}, "address-unusable"),
        ({"to": []}, "nobody-to-write-to"),
        ({"reply_to": "no address"}, "address-unusable"),
        ({"colour": "red"}, "invalid-request"),
    ]
    for wrong, code in cases:
        answer = await house.call(company, "POST", "/drafts", json=wrong)
        assert (answer.status_code, answer.json()["type"]) == (422, code)


async def test_a_stop_that_the_person_accepted_lets_the_mail_pass(house: House, company: str) -> None:
    """Rule 8.16."""
    invoice = synced("FAC1", "C1", "10")
    heard = await house.voices.book(company, [invoice])
    heard += await house.voices.say(company, [Said(ClientStopped(client_id="C1"), "C1")])
    unseen = await _preview(house, company, _by_hand(company, invoice), heard)
    assert unseen["held_back_by"] == "client_stopped"
    one = _by_hand(company, invoice, accepted_reasons=("client_stopped",))
    assert (await _preview(house, company, one))["held_back_by"] is None
    assert (await _sent(house, company, one, None))["status"] == "sent"


async def test_what_was_written_goes_with_the_person(house: House, company: str) -> None:
    """A draft whose action was never said too."""
    invoice = synced("FAC1", "C1", "10")
    await house.voices.book(company, [invoice])
    await house.call(company, "POST", "/drafts", json={**WRITTEN, "client_id": "C1"})
    data = await house.get(company, "/person-data", client_id="C1")
    assert [one["recipients"] for one in data["drafts"]] == [["chef@client.example"]]
    heard = await house.voices.say(company, [Said(PersonErased(client_id="C1", version=2), "C1")])
    assert (await house.get(company, "/person-data", heard, client_id="C1"))["drafts"] == []


async def test_a_call_may_have_been_made_some_days_ago_but_not_tomorrow(house: House, company: str) -> None:
    """Rule 9.3."""
    invoice = synced("FAC1", "C1", "10")
    await house.voices.book(company, [invoice])
    call = _by_hand(company, invoice, medium="phone")
    heard = await house.voices.due(company, call)
    await house.get(company, "/tasks", heard)
    body = {"action_id": str(call.action_id), "outcome": "message_left"}
    later = await house.call(company, "POST", "/complete-task", json=body | {"done_on": "2026-03-11"})
    assert (later.status_code, later.json()["type"]) == (422, "done-later")
    done = await house.call(company, "POST", "/complete-task", json=body | {"done_on": "2026-03-08"})
    assert done.status_code == 200
    (logged,) = await house.said(company, "CallLogged")
    assert logged["done_on"] == "2026-03-08"
    (over,) = (await house.get(company, "/tasks", state="done"))["tasks"]
    assert over["done_on"] == "2026-03-08"
