"""Templates over HTTP: versions, the editor's HTML, previews on a real client, files for another company (13)."""

from html import unescape
from typing import Any

import httpx

from chassis.eventlog import Said
from contracts.ledger import ClientChanged, LateInterestChosen
from tests.integration.notify.conftest import DAY, House, action, synced

KINDS = {"C1": "PRO", "C2": "PART"}
R1 = {"name": "R1", "medium": "email", "language": "fr", "subject": "Rappel"}
HTML = "<div>Bonjour <b>%contact_name%</b>,<br><br>Dû : <em onclick='x()'>%total%</em><script>1</script></div>"


async def saved(house: House, company: str, **text: Any) -> dict[str, Any]:
    answer = await house.call(company, "PUT", "/templates", json=R1 | text)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def of(house: House, company: str, name: str, medium: str = "email", language: str = "fr") -> dict[str, Any]:
    known = (await house.get(company, "/templates"))["templates"]
    (found,) = (one for one in known if (one["name"], one["medium"], one["language"]) == (name, medium, language))
    return dict(found)


async def test_every_saving_is_a_version_and_a_message_says_which_it_was_written_with(
    house: House, company: str
) -> None:
    """Rule 13.1."""
    invoices = [synced(f"FAC{n}", f"C{n}", "1250.40") for n in (1, 2, 3, 4)]
    await house.voices.book(company, invoices)

    async def sent_to(number: int) -> tuple[Any, ...]:
        reminder = action(company, f"C{number}", invoices[number - 1 : number])
        await house.voices.due(company, reminder)
        await house.until_said(company, "EmailSent", number)
        found = await house.get(company, "/message", action_id=str(reminder.action_id))
        return found["template"], found["template_language"], found["template_version"]

    assert await sent_to(1) == ("R1", "fr", 0), "the delivered text"
    assert (await saved(house, company, body="Un %total%"))["version"] == 1
    assert await sent_to(2) == ("R1", "fr", 1)
    assert (await saved(house, company, body="Deux %total%"))["version"] == 2
    again = await saved(house, company, body="Deux %total%")
    assert (again["version"], again["changed"]) == (2, False), "the same text is the same version"
    assert await sent_to(3) == ("R1", "fr", 2)

    stale = await house.call(company, "PUT", "/templates", json=R1 | {"body": "Trois", "expected_version": 1})
    assert (stale.status_code, stale.json()["type"], stale.json()["version"]) == (409, "template-changed", 2)
    which = {"name": "R1", "medium": "email", "language": "fr"}
    assert (await house.call(company, "DELETE", "/templates", params=which)).status_code == 200
    assert (await house.call(company, "DELETE", "/templates", params=which)).status_code == 404
    assert await sent_to(4) == ("R1", "fr", 0)
    assert (await saved(house, company, body="Un %total%", expected_version=0))["version"] == 4
    kept = (await house.get(company, "/templates/versions", **which))["versions"]
    assert [(one["version"], one["gone"], one["body"]) for one in kept] == [
        (4, False, "Un %total%"),
        (3, True, "Deux %total%"),
        (2, False, "Deux %total%"),
        (1, False, "Un %total%"),
    ]
    assert {one["changed_by"] for one in kept} == {"user:alice"}


async def test_a_letter_says_which_version_it_was_written_with(house: House, company: str) -> None:
    """Rules 13.1, 13.6."""
    await saved(house, company, name="R4", medium="letter", form="html", body="<p>Dû : <b>%total%</b></p>")
    invoice = synced("FAC1", "C1", "10")
    heard = await house.voices.book(company, [invoice])
    letter = action(company, "C1", [invoice], medium="letter", step="R4")
    heard += await house.voices.due(company, letter)
    await house.get(company, "/tasks", heard)
    wanted = {"action_ids": [str(letter.action_id)]}
    assert (await house.call(company, "POST", "/letters/prepare", json=wanted)).json()["prepared"]
    found = await house.get(company, "/letter", action_id=str(letter.action_id))
    assert (found["template"], found["template_version"]) == ("R4", 1)


async def test_the_editors_html_is_kept_clean_and_sent_so(house: House, company: str) -> None:
    kept = await saved(house, company, form="html", body=HTML)
    assert kept["body"] == "<p>Bonjour <strong>%contact_name%</strong>,</p>\n<p>Dû\u00a0: <em>%total%</em></p>"
    assert (await of(house, company, "R1"))["html"] == kept["body"]
    delivered = await of(house, company, "R2")
    assert (delivered["form"], delivered["version"], delivered["kind"], delivered["level"]) == (
        "text",
        0,
        "reminder",
        2,
    )
    assert delivered["html"].startswith("<p>Bonjour %contact_name%,</p>\n<p>")
    invoice = synced("FAC1", "C1", "10")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "C1", [invoice]))
    await house.until_said(company, "EmailSent")
    (mail,) = house.mails.to(f"c1@{company}.example")
    read = house.mails.store.read(mail.id)
    assert read is not None
    assert "Dû\u00a0: <em>10,00\u00a0€</em></p>" in unescape(read.html)
    assert "<script" not in read.html

    wrong = await house.call(
        company, "PUT", "/templates", json=R1 | {"form": "html", "body": "<p>a</p><p>x %totall%</p>"}
    )
    (problem,) = wrong.json()["problems"]
    assert (wrong.status_code, problem["line"], problem["column"]) == (422, 2, 3)
    dead = await house.call(company, "PUT", "/templates", json=R1 | {"body": "%debtor_spac%"})
    assert (dead.status_code, dead.json()["problems"][0]["nearest"][:1]) == (422, ["debtor_space"])


async def test_own_templates_say_what_they_are_for(house: House, company: str) -> None:
    """Rules 9.1, 13.1."""
    await saved(house, company, name="doux", kind="reminder", level=1, title="Rappel doux", body="%total%")
    mine = await of(house, company, "doux")
    assert (mine["kind"], mine["level"], mine["title"], mine["own"]) == ("reminder", 1, "Rappel doux", True)
    for wrong in (
        {"name": "merci", "kind": "thanks", "level": 2},
        {"name": "R3", "kind": "thanks"},
        {"name": "R3", "level": 2},
        {"name": "thanks", "kind": "notice"},
        {"name": "pas de nom"},
    ):
        answer = await house.call(company, "PUT", "/templates", json=R1 | {"body": "%total%"} | wrong)
        assert answer.status_code == 422, wrong


async def preview(house: House, company: str, **tried: Any) -> httpx.Response:
    body = {"subject": "Rappel %total%", "body": "<p>Bonjour %client_name%</p><p>%tableau_comptable%</p>"}
    return await house.call(
        company, "POST", "/templates/preview", json=body | {"form": "html"} | tried, params={"wait": 20}
    )


async def test_a_text_is_tried_on_a_real_client_as_mail_and_as_letter(house: House, company: str) -> None:
    """D1: what would leave, of what the client really owes."""
    assert (await preview(house, company)).json()["type"] == "nothing-to-show"
    late = [synced("FAC1", "C1", "100"), synced("FAC2", "C1", "50")]
    ahead = synced("FAC3", "C2", "70", due_date=DAY.replace(month=6))
    heard = await house.voices.book(company, [*late, ahead])
    await house.get(company, "/tasks", heard)

    mail = (await preview(house, company)).json()
    assert (mail["client_id"], mail["client_name"], mail["fits"]) == ("C1", "Société C1", True)
    assert mail["subject"] == "Rappel 150,00\u00a0€"
    assert "FAC1" in mail["html"]
    assert "FAC3" not in mail["text"]
    english = (await preview(house, company, language="en")).json()
    assert english["subject"] == "Rappel €150.00"
    letter = (await preview(house, company, medium="letter", level=5)).json()
    assert 'src="data:image/png;base64,' in letter["html"]
    assert letter["unprintable"] is None

    notice = (await preview(house, company, kind="notice", client_id="C2")).json()
    assert (notice["fits"], "FAC3" in notice["text"]) == (True, True)
    thanks = (await preview(house, company, kind="thanks", client_id="C1")).json()
    assert (thanks["fits"], "FAC1" in thanks["text"]) == (False, True)
    assert (await preview(house, company, client_id="C9")).json()["type"] == "nothing-to-show"
    assert (await preview(house, company, body="<p>%totall%</p>")).status_code == 422
    left = (await preview(house, company, body="<p>%total%</p><p>%pay%</p>")).json()["left_out"]
    assert [one["tag"] for one in left] == ["%pay%"]


async def test_late_interest_is_asked_of_businesses_alone(house: House, company: str) -> None:
    """Rules 18.2, 18.3: 1 000 due on 10/02, 400 of it paid on 20/02, seen on 10/03 at 12.15 %, and 40 euros."""
    late = [synced("FAC1", client_id, "1000") for client_id in ("C1", "C2")]
    paid = synced("REG1", "C1", "-400").model_copy(update={"entry_date": DAY.replace(month=2, day=20)})
    heard = await house.voices.book(company, [*late, paid])
    body = "<p>(%penalties% et %fixed_indemnity%) %total%</p>"
    heard += await house.voices.say(
        company, [Said(ClientChanged(client_id=one, version=2, category=kind), one) for one, kind in KINDS.items()]
    )
    await house.get(company, "/tasks", heard)
    unsaid = (await preview(house, company, client_id="C1", body=body)).json()
    assert "( et)" in unsaid["text"]
    assert {one["tag"] for one in unsaid["left_out"]} == {"%penalties%", "%fixed_indemnity%"}

    terms = LateInterestChosen(debtors="only", categories=("PRO",))
    await house.get(company, "/tasks", await house.voices.say(company, [Said(terms)]))
    business = (await preview(house, company, client_id="C1", body=body)).json()
    assert "(6,92\u00a0€ et 40,00\u00a0€) 600,00\u00a0€" in business["text"], "in no total"
    assert business["left_out"] == []
    consumer = (await preview(house, company, client_id="C2", body=body)).json()
    assert "( et)" in consumer["text"]


async def test_texts_go_to_another_company_as_a_file(house: House, company: str) -> None:
    """Rule 13.7."""
    await saved(house, company, form="html", body=HTML)
    await saved(house, company, name="doux", medium="letter", language="en", title="Soft", body="%total% 10 %%")
    exported = await house.get(company, "/templates/export")
    assert (exported["format"], exported["version"], len(exported["templates"])) == ("relance.templates", 1, 2)
    assert "changed_by" not in str(exported)
    some = await house.get(company, "/templates/export", name=["doux"])
    assert [one["name"] for one in some["templates"]] == ["doux"]

    async def take(into: str, body: Any, **query: Any) -> httpx.Response:
        return await house.call(into, "POST", "/templates/import", json=body, params=query)

    other = f"{company}b"
    tried = (await take(other, exported, dry_run=True)).json()
    assert {one["state"] for one in tried["imported"]} == {"new"}
    assert (await house.get(other, "/templates/export"))["templates"] == []
    taken = (await take(other, exported)).json()
    assert [one["state"] for one in taken["imported"]] == ["new", "new"]
    assert await house.get(other, "/templates/export") == exported
    assert {one["state"] for one in (await take(other, exported)).json()["imported"]} == {"same"}
    changed = exported | {"templates": [exported["templates"][0] | {"subject": "Autre"}]}
    assert (await take(other, changed)).json()["imported"][0]["state"] == "changed"

    half = exported | {"templates": [*changed["templates"], R1 | {"name": "x", "body": "a\n%totall%"}]}
    refused = await take(other, half)
    (problem,) = refused.json()["problems"]
    assert (refused.status_code, problem["place"], problem["name"], problem["line"]) == (422, 1, "x", 2)
    twice = await take(other, exported | {"templates": exported["templates"] * 2})
    assert (twice.status_code, twice.json()["type"]) == (422, "template-twice")
    user = house.token(other, role="user")
    answer = await house.call(other, "POST", "/templates/import", json=exported, headers=user)
    assert answer.status_code == 403


async def test_a_person_edits_the_text_of_one_message_as_html(house: House, company: str) -> None:
    """Rules 9.1, 13.1."""
    invoice = synced("FAC1", "C1", "10")
    heard = await house.voices.book(company, [invoice])
    planned = {"action": action(company, "C1", [invoice]).model_dump(mode="json")}
    written = {"subject": "Bonjour", "body": "<ul><li>%total%</li></ul><img src=x>", "form": "html"}
    at_least = {"Relance-At-Least": ",".join(map(str, heard))}
    shown = await house.call(
        company, "POST", "/preview", json=planned | {"written": written}, params={"wait": 20}, headers=at_least
    )
    assert shown.json()["text"] == "- 10,00\u00a0€\n"
    assert shown.json()["template"]["html"] == "<ul>\n<li>%total%</li>\n</ul>"
    draft = await house.call(company, "POST", "/drafts", json=written | {"client_id": "C1"})
    assert draft.status_code == 200
