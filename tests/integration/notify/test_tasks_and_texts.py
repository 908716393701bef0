"""Calls and letters as tasks, templates and previews, over HTTP (rules 5.3, 9.2, 9.3, 13.5)."""

from dataclasses import asdict
from uuid import uuid4

from chassis.eventlog import Said
from chassis.rebuild import Rebuild
from contracts.dunning import ActionDue, ActionWithdrawn
from contracts.ledger import ClientMerged, PersonErased
from contracts.registry import EVENTS
from services.notify.main import build
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import House, action, synced


async def test_a_call_is_a_task_until_a_person_made_it(house: House, company: str) -> None:
    invoice = synced("FAC1", "C1", "1250.40")
    heard = await house.voices.book(company, [invoice])
    call = action(company, "C1", [invoice], medium="phone", step="R2")
    heard += await house.voices.due(company, call)
    (task,) = (await house.get(company, "/tasks", heard, medium="phone"))["tasks"]
    assert (task["client_name"], task["phones"], task["net_amount"]) == ("Société C1", ["0102030405"], "1250.40")
    assert task["held_back_by"] is None

    body = {"action_id": str(call.action_id), "outcome": "reached", "comment": "Rappelle lundi, Mme Giraud"}
    done = await house.call(company, "POST", "/complete-task", json=body)
    assert done.status_code == 200
    assert done.json()["position"].startswith("notify/")
    again = await house.call(company, "POST", "/complete-task", json=body)
    assert (again.status_code, again.json()["type"]) == (409, "task-over")
    (logged,) = await house.said(company, "CallLogged")
    assert logged["outcome"] == "reached"
    assert "Giraud" not in str(logged)
    assert (await house.get(company, "/tasks"))["tasks"] == []
    (over,) = (await house.get(company, "/tasks", state="done"))["tasks"]
    assert (over["outcome"], over["comment"]) == ("reached", "Rappelle lundi, Mme Giraud")
    assert (over["done_on"], over["done_by"]) == ("2026-03-10", "user:alice")


async def test_a_letter_is_shown_posted_and_told(house: House, company: str) -> None:
    invoice = synced("FAC1", "C1", "12500.40")
    heard = await house.voices.book(company, [invoice])
    letter = action(company, "C1", [invoice], medium="letter", step="R4")
    heard += await house.voices.due(company, letter)
    shown = await house.get(company, "/preview", heard, action_id=str(letter.action_id))
    assert (shown["address"], shown["unprintable"]) == (["1 rue du Port", "57000 Metz"], None)
    assert 'src="data:image/png;base64,' in shown["html"]
    assert "12\u202f500,40\u00a0€" in shown["text"]
    answer = await house.call(company, "POST", "/complete-task", json={"action_id": str(letter.action_id)})
    assert answer.status_code == 200
    await house.until_said(company, "LetterPrepared")


async def test_a_task_that_dunning_took_back_cannot_be_done(house: House, company: str) -> None:
    invoice = synced("FAC1", "C1", "10")
    await house.voices.book(company, [invoice])
    call = action(company, "C1", [invoice], medium="phone")
    withdrawn = ActionWithdrawn(action_id=call.action_id, client_id="C1", reason="entry_lettered")
    heard = await house.voices.say(company, [Said(ActionDue(action=call), "C1"), Said(withdrawn, "C1")])
    assert (await house.get(company, "/tasks", heard))["tasks"] == []
    for action_id, status in ((call.action_id, 409), (uuid4(), 404)):
        answer = await house.call(company, "POST", "/complete-task", json={"action_id": str(action_id)})
        assert answer.status_code == status


async def test_a_template_with_an_unknown_tag_is_refused_and_a_sound_one_is_used(
    house: House, company: str
) -> None:
    template = {"name": "R1", "medium": "email", "language": "fr", "subject": "Rappel", "body": "Dû : %totale%"}
    refused = await house.call(company, "PUT", "/templates", json=template)
    assert (refused.status_code, refused.json()["type"]) == (422, "unknown-tag")
    (problem,) = refused.json()["problems"]
    assert (problem["line"], problem["column"], problem["tag"]) == (1, 6, "totale")
    assert "total" in problem["nearest"]

    saved = await house.call(company, "PUT", "/templates", json=template | {"body": "Dû : %total%"})
    assert saved.status_code == 200
    sender = {"name": "Nathalie Ferrand", "email": "compta@delcourt.example"}
    assert (await house.call(company, "PUT", "/sender", json=sender)).status_code == 200

    invoice = synced("FAC1", "C1", "10")
    reminder = action(company, "C1", [invoice])
    heard = await house.voices.proposed(company, reminder)
    early = await house.get(company, "/preview", heard, action_id=str(reminder.action_id))
    assert (early["held_back_by"], early["text"]) == ("entry_not_yet_heard", "")
    heard += await house.voices.book(company, [invoice])
    shown = await house.get(company, "/preview", heard, action_id=str(reminder.action_id))
    assert (shown["subject"], shown["text"], shown["own"]) == ("Rappel", "Dû : 10,00\u00a0€\n", True)
    assert shown["to"] == [f"c1@{company}.example"]
    assert house.mails.to(f"c1@{company}.example") == []  # a proposal is only shown

    draft = {"action_id": str(reminder.action_id), "subject": "Bonjour", "body": "Réglez %total% s’il vous plaît."}
    bad = await house.call(company, "POST", "/drafts", json=draft | {"body": "%oops%"})
    assert bad.status_code == 422
    kept = (await house.call(company, "POST", "/drafts", json=draft)).json()
    due = ActionDue(action=reminder, draft_id=kept["draft_id"])
    await house.voices.say(company, [Said(due, "C1")])
    (sent,) = await house.until_said(company, "EmailSent")
    assert sent["message_id"].endswith("@delcourt.example>")
    (mail,) = house.mails.to(f"c1@{company}.example")
    assert (mail.subject, mail.sender) == ("Bonjour", "compta@delcourt.example")


async def test_free_fields_and_the_sales_person_are_tags(house: House, company: str) -> None:
    """Rules 13.4, 13.5."""
    body = "Votre contact : %salesperson%\nSecteur %tag1%, %tag10%\n%tag2%"
    template = {"name": "R1", "medium": "email", "language": "fr", "subject": "%tag1%", "body": body}
    assert (await house.call(company, "PUT", "/templates", json=template)).status_code == 200
    invoice = synced("FAC1", "C1", "10")
    reminder = action(company, "C1", [invoice])
    heard = await house.voices.proposed(company, reminder)
    heard += await house.voices.book(company, [invoice])
    shown = await house.get(company, "/preview", heard, action_id=str(reminder.action_id))
    assert shown["subject"] == "Grand Est"
    assert shown["text"] == "Votre contact : Anne Caron\nSecteur Grand Est, Contrat <7>\n"
    assert "Contrat &lt;7&gt;" in shown["html"]
    with_table = template | {"body": "%tableau_comptable3%"}
    assert (await house.call(company, "PUT", "/templates", json=with_table)).status_code == 200
    shown = await house.get(company, "/preview", heard, action_id=str(reminder.action_id))
    assert "Pose de portail · Chantier Pont de Metz" in shown["html"], "of entries, in the detailed table"


async def test_only_an_administrator_changes_texts_and_each_company_sees_its_own(
    house: House, company: str
) -> None:
    template = {"name": "R1", "subject": "Rappel", "body": "%total%"}
    user = house.token(company, role="user")
    assert (await house.call(company, "PUT", "/templates", json=template, headers=user)).status_code == 403
    assert (await house.call(company, "PUT", "/templates", json=template)).status_code == 200
    other = f"{company}x"
    assert not any(text["own"] for text in (await house.get(other, "/templates"))["templates"])
    stranger = house.token(other)
    assert (await house.call(company, "GET", "/templates", headers=stranger)).status_code == 404


async def test_an_erased_person_leaves_only_that_a_message_was_sent(house: House, company: str) -> None:
    invoice = synced("FAC1", "C1", "10")
    await house.voices.book(company, [invoice])
    reminder = action(company, "C1", [invoice])
    await house.voices.due(company, reminder)
    await house.until_said(company, "EmailSent")
    heard = await house.voices.say(company, [Said(PersonErased(client_id="C1", version=2), "C1")])
    (listed,) = (await house.get(company, "/messages", heard, client_id="C1"))["messages"]
    assert (listed["status"], listed["subject"], listed["recipients"]) == ("sent", "", [])
    gone = await house.call(company, "GET", "/message", params={"action_id": str(reminder.action_id)})
    assert gone.status_code == 410


async def test_everything_kept_of_a_person_is_handed_out_and_then_gone(house: House, company: str) -> None:
    invoices = [synced("FAC1", "C1", "10"), synced("FAC2", "C1", "20")]
    await house.voices.book(company, invoices)
    reminder, call = action(company, "C1", invoices[:1]), action(company, "C1", invoices[1:], medium="phone")
    await house.voices.due(company, reminder)
    await house.voices.due(company, call)
    await house.until_said(company, "EmailSent")
    draft = {"action_id": str(call.action_id), "subject": "À Zoé", "body": "Bonjour Zoé"}
    assert (await house.call(company, "POST", "/drafts", json=draft)).status_code == 200
    done = {"action_id": str(call.action_id), "outcome": "reached", "comment": "Zoé paie lundi"}
    assert (await house.call(company, "POST", "/complete-task", json=done)).status_code == 200

    data = (await house.call(company, "GET", "/person-data", params={"client_id": "C1"})).json()
    assert data["person"]["name"] == "Société C1"
    assert [message["recipients"] for message in data["messages"]] == [[f"c1@{company}.example"]]
    assert "10,00" in data["messages"][0]["text"]
    assert [one["body"] for one in data["drafts"]] == ["Bonjour Zoé"]
    assert [one["comment"] for one in data["comments"]] == ["Zoé paie lundi"]

    heard = await house.voices.say(company, [Said(PersonErased(client_id="C1", version=2), "C1")])
    await house.get(company, "/tasks", heard)
    data = (await house.call(company, "GET", "/person-data", params={"client_id": "C1"})).json()
    assert (data["person"], data["drafts"], data["comments"]) == (None, [], [])
    assert [(message["text"], message["recipients"]) for message in data["messages"]] == [(None, [])]


async def test_what_is_kept_under_codes_that_became_one_client_is_handed_out_together(
    house: House, company: str
) -> None:
    for code in ("C1", "C3"):
        invoice = synced(f"FAC of {code}", code, "10")
        await house.voices.book(company, [invoice])
        await house.voices.due(company, action(company, code, [invoice]))
    await house.until_said(company, "EmailSent", 2)
    heard = await house.voices.say(
        company,
        [Said(ClientMerged(client_id=one, into=other), one) for one, other in (("C1", "C2"), ("C2", "C3"))],
    )
    for asked in ("C1", "C2", "C3"):
        await house.get(company, "/tasks", heard)
        data = (await house.call(company, "GET", "/person-data", params={"client_id": asked})).json()
        assert data["client_ids"] == ["C1", "C2", "C3"]
        assert [person["client_id"] for person in data["people"]] == ["C1", "C3"]
        sent = sorted(address for message in data["messages"] for address in message["recipients"])
        assert sent == [f"c1@{company}.example", f"c3@{company}.example"]


async def test_a_rebuild_gives_the_same_rows(house: House, company: str, settings: NotifySettings) -> None:
    lines = [synced(f"F{n}", f"C{n}", "10") for n in range(20)]
    await house.voices.book(company, lines)
    await house.voices.due(company, *(action(company, line.client_id, [line]) for line in lines))
    letter = action(company, "C1", lines[1:2], medium="letter", step="R4")
    heard = await house.voices.due(company, letter)
    await house.get(company, "/tasks", heard)
    body = {"action_id": str(letter.action_id)}
    assert (await house.call(company, "POST", "/complete-task", json=body)).status_code == 200
    await house.until_said(company, "EmailSent", 20)
    service = build(settings)
    assert service.listening is not None
    rebuild = Rebuild(
        "notify", "services.notify", service.listening, EVENTS, settings.owner_database_url, settings.nats_url
    )
    report = await rebuild.run(replace=False)
    # other tests share these servers, and some speak with notify's voice without its tables
    differing = [one for one in report.differing if company in str(one["key"])]
    assert differing == [], asdict(report)
    assert report.rows > 60
