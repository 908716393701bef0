"""Answers to messages in the console: seen to as far as they were shown, dismissed when nobody can read them."""

import html

import httpx

from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices, action_id

MESSAGE = f"/c/{COMPANY}/message?action_id={action_id('sent')}"
HANDLED = f"/c/{COMPANY}/message/handled"
LAST = "2026-11-23T10:00:00+00:00"


def shown(answer: httpx.Response) -> str:
    return html.unescape(answer.text).replace("\u00a0", " ")


async def test_only_the_answers_that_were_shown_are_seen_to(clerk: Person, fakes: FakeServices) -> None:
    answer = await clerk.post(HANDLED, on=MESSAGE, action_id=action_id("sent"), read_until=LAST)
    assert answer.status_code == 303
    assert fakes.commands == [("notify", "/replies/handled", {"action_id": action_id("sent"), "read_until": LAST})]
    fakes.refuse["/replies/handled"] = {"type": "answered-again", "status": 409}
    answer = await clerk.post(HANDLED, on=MESSAGE, action_id=action_id("sent"), read_until=LAST)
    assert "Une autre réponse est arrivée entre-temps" in shown(await clerk.get(answer.headers["location"]))


async def test_the_alert_of_an_erased_clients_answer_is_dismissed_where_it_leads(
    clerk: Person, fakes: FakeServices
) -> None:
    fakes.refuse["/message"] = {"type": "message-erased", "status": 410, "reply_unhandled": True}
    page = await clerk.get(MESSAGE)
    assert page.status_code == 410
    assert "Retirer l’alerte de sa réponse" in shown(page)
    answer = await clerk.post(HANDLED, on=MESSAGE, action_id=action_id("sent"), back="alerts")
    assert answer.headers["location"] == f"/c/{COMPANY}/alerts?kind=reply"
    assert fakes.commands == [("notify", "/replies/handled", {"action_id": action_id("sent")})]
    fakes.refuse["/message"] |= {"reply_unhandled": False}
    assert "Retirer l’alerte" not in shown(await clerk.get(MESSAGE))


async def test_mails_that_nobody_could_read_are_an_alert(clerk: Person, fakes: FakeServices) -> None:
    for path in ("alerts", "inbox"):
        text = shown(await clerk.get(f"/c/{COMPANY}/{path}"))
        assert "2 courriers reçus n’ont pas été lus (de plus de 30 Mo)" in text
    assert "L’autorisation de la boîte a expiré" in shown(await clerk.get(f"/c/{COMPANY}/alerts"))
    for code in ("unknown", "company-unknown"):
        fakes.refuse["/mailboxes"] = {"type": code, "status": 404}
        assert (await clerk.get(f"/c/{COMPANY}/alerts")).status_code == 200, "no other alert is hidden by it"
