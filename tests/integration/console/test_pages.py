"""What the pages show and what their forms do, without a browser and without JavaScript."""

import html
import re

import pytest

from services.console.site import MOST_TRIES
from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices, action_id, entry_id

PAGES = (
    "home",
    "who-owes-what",
    "clients",
    "client?client_id=411MUNOZSA",
    "client?client_id=411MUNOZSA&tab=history",
    "client?client_id=411MUNOZSA&tab=why",
    "client?client_id=411MUNOZSA&as_of=2026-11-10",
    "client?client_id=411MUNOZSA&as_of=2026-11-10&tab=why",
    "client?client_id=411MUNOZSA&as_of=10/11/2026&tab=history",
    f"client?client_id=411MUNOZSA&entry={entry_id('FAC20131')}",
    "receipts",
    "payers?score=E",
    "forecast",
    "forecast/objectives",
    "forecast/list?until=2026-11-22",
    "activities",
    "act",
    "act?medium=phone",
    "letters",
    "templates",
    "template?name=R1",
    "template?name=thanks&medium=letter&language=en",
    "sender",
    "mail/authorization",
    "letters?state=posted",
    f"letter?action_id={action_id('411CLEMENT', 'R1', 'letter')}",
    f"act?medium=letter&open={action_id('411CLEMENT', 'R1', 'letter')}",
    "search?q=munoz",
    f"message?action_id={action_id('sent')}",
    f"message?action_id={action_id('sent')}&preview=true",
    f"imports?run={action_id('run')}",
    f"imports/files/{action_id('sample')}",
    f"imports/files/{action_id('sample')}?name=factures&run={action_id('run')}",
)
CLIENT = f"/c/{COMPANY}/client?client_id=411MUNOZSA"
FRENCH = re.compile(
    r"\b(?:Accueil|Suivre|Agir|Configurer|Échéance|Pièces?|Relance \d|En retard|Aucune?|Filtrer|Montant)\b"
)


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_answers_in_french(clerk: Person, path: str) -> None:
    answer = await clerk.get(f"/c/{COMPANY}/{path}")
    assert answer.status_code == 200
    assert '<html lang="fr"' in answer.text
    assert " style=" not in answer.text


async def test_every_page_is_wholly_in_english_for_who_chose_it(clerk: Person) -> None:
    await clerk.post("/preferences", on=f"/c/{COMPANY}/home", language="en")
    for path in PAGES:
        text = html.unescape(re.sub(r"<[^>]+>", "\n", (await clerk.get(f"/c/{COMPANY}/{path}")).text))
        assert not FRENCH.findall(text), path
    await clerk.post("/preferences", on=f"/c/{COMPANY}/home", language="fr")


async def test_other_slices_are_asked_for_and_kept_in_the_address(clerk: Person, fakes: FakeServices) -> None:
    """Rule 16.1."""
    answer = await clerk.get(f"/c/{COMPANY}/who-owes-what?slices=30,60,90&level=R1")
    assert '<option value="30,60,90" selected>' in answer.text
    asked = [one for one in fakes.asked if one[1] == "/who-owes-what"]
    assert asked[-1][2]["slices"] == "30,60,90"


async def test_no_link_is_dead(clerk: Person) -> None:
    """Every address that a page links to answers."""
    seen: set[str] = set()
    for path in PAGES:
        text = (await clerk.get(f"/c/{COMPANY}/{path}")).text
        seen.update(html.unescape(link) for link in re.findall(r'href="(/[^"#]*)', text))
    for link in sorted(seen):
        if not link.startswith("/static/"):
            answer = await clerk.get(link)
            assert answer.status_code in (200, 303), link


async def test_a_reader_sees_no_command_and_the_server_refuses_them(reader: Person, fakes: FakeServices) -> None:
    """Rule 15.3."""
    for path in PAGES:
        text = (await reader.get(f"/c/{COMPANY}/{path}")).text
        commands = set(re.findall(r'(?:action|formaction)="(/c/[^"]+)" ?(?:method|formmethod)', text))
        posts = re.findall(r'method="post" action="([^"]+)"', text)
        assert not [one for one in [*commands, *posts] if one.startswith("/c/") and not one.endswith("/tick")], (
            path
        )
    answer = await reader.post(f"/c/{COMPANY}/client/stop-client", on=CLIENT, client_id="411MUNOZSA")
    assert answer.status_code == 403
    answer = await reader.post(f"/c/{COMPANY}/act/confirm", on=CLIENT, medium="email")
    assert answer.status_code == 403
    assert fakes.commands == []


async def test_stopping_a_client_asks_ledger_and_comes_back_with_its_position(
    clerk: Person, fakes: FakeServices
) -> None:
    """Rule 8.1."""
    answer = await clerk.post(f"/c/{COMPANY}/client/stop-client", on=CLIENT, client_id="411MUNOZSA")
    assert answer.status_code == 303
    assert fakes.commands == [("ledger", "/stop-client", {"client_id": "411MUNOZSA"})]
    page = await clerk.get(answer.headers["location"])
    assert "Les relances de ce client sont stoppées." in page.text
    assert any(headers.get("relance-at-least") == "ledger/7/42" for headers in fakes.headers)


async def test_a_promise_is_written_as_on_the_screen(clerk: Person, fakes: FakeServices) -> None:
    """Rule 10.1."""
    entry = entry_id("FAC20114")
    await clerk.post(
        f"/c/{COMPANY}/client/record-promise",
        on=CLIENT,
        client_id="411MUNOZSA",
        entry_id=entry,
        amount="1\u00a0250,40",
        promised_on="30/11/2026",
    )
    body = {"client_id": "411MUNOZSA", "entry_id": entry, "amount": "1250.40", "promised_on": "2026-11-30"}
    assert fakes.commands == [("ledger", "/record-promise", body)]


async def test_an_unreadable_promise_reaches_nobody(clerk: Person, fakes: FakeServices) -> None:
    answer = await clerk.post(
        f"/c/{COMPANY}/client/record-promise",
        on=CLIENT,
        client_id="411MUNOZSA",
        entry_id=entry_id("FAC20114"),
        amount="beaucoup",
        promised_on="bientôt",
    )
    assert fakes.commands == []
    assert "Une date ou un montant ne se lit pas" in (await clerk.get(answer.headers["location"])).text


async def test_a_refusal_is_told_in_words(clerk: Person, fakes: FakeServices) -> None:
    fakes.refuse["/record-promise"] = {
        "type": "promise-in-the-past",
        "title": "Promise in the past",
        "status": 409,
    }
    answer = await clerk.post(
        f"/c/{COMPANY}/client/record-promise",
        on=CLIENT,
        client_id="411MUNOZSA",
        entry_id=entry_id("FAC20114"),
        amount="10",
        promised_on="2026-01-01",
    )
    page = await clerk.get(answer.headers["location"])
    assert "Une promesse se note pour aujourd’hui ou plus tard." in page.text


async def test_an_unticked_action_stays_so_and_is_not_sent(clerk: Person, fakes: FakeServices) -> None:
    act = f"/c/{COMPANY}/act"
    page = (await clerk.get(act)).text
    shown = re.findall(r'name="action_id" value="([^"]+)"', page)
    group = re.search(r'name="group" value="([^"]+)"', page)
    assert group is not None
    assert "Envoyer 15 e-mails" in page
    await clerk.post(f"{act}/tick", on=act, group=group[1], action_id=shown, ticked=shown[1:])
    page = (await clerk.get(act)).text
    assert "Envoyer 14 e-mails" in page
    review = await clerk.post(f"{act}/review", on=act, medium="email")
    assert "Envoyer 14 e-mails à 10 clients" in html.unescape(review.text).replace("\u00a0", " ")
    seen = re.search(r'name="fingerprint" value="([^"]+)"', review.text)
    assert seen is not None
    await clerk.post(f"{act}/confirm", on=act, medium="email", fingerprint=html.unescape(seen[1]))
    ((service, path, body),) = fakes.commands
    assert (service, path, len(body["action_ids"])) == ("dunning", "/confirm", 14)
    assert shown[0] not in body["action_ids"]
    await clerk.post(f"{act}/tick", on=act, group=group[1], action_id=shown, ticked=shown)


async def test_what_changed_since_the_question_is_asked_again(clerk: Person, fakes: FakeServices) -> None:
    act = f"/c/{COMPANY}/act"
    answer = await clerk.post(f"{act}/confirm", on=act, medium="email", fingerprint="1/1/10EUR")
    assert "La sélection a changé depuis votre lecture" in answer.text
    assert fakes.commands == []


async def test_a_call_is_confirmed_at_dunning_then_noted_at_notify(clerk: Person, fakes: FakeServices) -> None:
    """Rule 9.3."""
    act, call = f"/c/{COMPANY}/act", action_id("411CLEMENT", "R2", "phone")
    await clerk.post(f"{act}/done", on=act, done=call, status="proposed", outcome="no_answer", comment="Rappeler")
    assert [(service, path) for service, path, _ in fakes.commands] == [
        ("dunning", "/confirm"),
        ("notify", "/complete-task"),
    ]
    assert fakes.commands[1][2] == {"action_id": call, "outcome": "no_answer", "comment": "Rappeler"}


async def test_an_excluded_entry_may_be_ticked_back(clerk: Person, fakes: FakeServices) -> None:
    """Rule 8.15; a lettering error is never ticked back."""
    act = f"/c/{COMPANY}/act"
    entry = entry_id("FAC20162")
    await clerk.post(f"{act}/include", on=act, client_id="411CLEMENT", entry_id=entry, step="R1")
    assert fakes.commands[0][:2] == ("dunning", "/include")
    assert fakes.commands[0][2]["entry_ids"] == [entry]
    page = (await clerk.get(f"{act}?group=email-R1-Standard-e&open=411LEMOINE-EUR")).text
    assert "Erreur de lettrage" in page
    assert "Relancer la pièce quand même" not in page
    row = next(line for line in page.splitlines() if 'value="411LEMOINE-EUR"' in line)
    assert "disabled" in row.split('value="411LEMOINE-EUR"')[1].split(">")[0]


async def test_an_excluded_row_is_ticked_back_where_it_stands(clerk: Person, fakes: FakeServices) -> None:
    """Rule 8.15: unticked, with all its reasons to be read, and one tick proposes it all the same."""
    act = f"/c/{COMPANY}/act"
    page = (await clerk.get(f"{act}?group=email-R1-Standard-e")).text
    assert "exclu, Client à ne pas relancer. Cocher pour relancer quand même" in page
    fakes.commands.clear()
    ticked = await clerk.post(f"{act}/tick", on=act, group="email-R1-Standard-e", include="411HOTELDUPARC-EUR")
    assert ticked.status_code == 303
    assert "done=included" in ticked.headers["location"]
    (asked,) = [one for one in fakes.commands if one[1] == "/include"]
    assert asked[2]["client_id"] == "411HOTELDUPARC"


async def test_a_sending_is_followed_by_events_until_its_end(clerk: Person, fakes: FakeServices) -> None:
    act = f"/c/{COMPANY}/act"
    review = await clerk.post(f"{act}/review", on=act, medium="email")
    seen = re.search(r'name="fingerprint" value="([^"]+)"', review.text)
    assert seen is not None
    await clerk.post(f"{act}/confirm", on=act, medium="email", fingerprint=html.unescape(seen[1]))
    page = (await clerk.get(act)).text
    assert "Envoi en cours" in page
    stream = re.search(r'sse-connect="([^"]+)"', page)
    assert stream is not None
    told = (await clerk.get(stream[1])).text
    assert told.count("event: progress") >= 2
    assert told.rstrip().endswith("data:")
    assert "event: finished" in told
    assert "Envoi terminé" in (await clerk.get(act)).text


async def test_a_mail_stands_alone_in_a_sandbox(clerk: Person) -> None:
    answer = await clerk.get(f"/c/{COMPANY}/message/body?action_id={action_id('sent')}")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "script-src" not in answer.headers["content-security-policy"]


async def test_a_silent_service_gives_a_page_that_says_so(clerk: Person, fakes: FakeServices) -> None:
    fakes.silent.add("reporting")
    answer = await clerk.get(f"/c/{COMPANY}/home")
    assert answer.status_code == 503
    assert "Réessayer" in answer.text


PROPOSED = action_id("411CLEMENT", "R1", "letter")
UNHEARD = {"type": "action-unknown", "status": 404}


async def test_what_was_just_made_is_never_told_as_unknown(clerk: Person, fakes: FakeServices) -> None:
    """Given a company, a client and an action that their owner knows and another service has not heard of: the
    page says that it is being prepared, and asks again by itself."""
    answers = {"client": await clerk.get(f"/c/{COMPANY}/client?client_id=NEWCOMER")}
    fakes.refuse["/preview"] = UNHEARD
    answers["action"] = await clerk.get(f"/c/{COMPANY}/message?action_id={PROPOSED}&preview=true")
    fakes.refuse["/tasks"] = {"type": "company-unknown", "status": 404}
    answers["company"] = await clerk.get(f"/c/{COMPANY}/act")
    for what, answer in answers.items():
        again = answer.headers["refresh"]
        assert (answer.status_code, again.startswith("2;url=/c/")) == (503, True), what
        assert again.endswith("tries=1"), what
        assert "Encore un instant" in answer.text
        assert "introuvable" not in answer.text


async def test_a_page_that_never_gets_ready_stops_asking_and_says_so(clerk: Person, fakes: FakeServices) -> None:
    """What it waits for may never come; a window that was left open would ask for ever."""
    fakes.refuse["/preview"] = UNHEARD
    wanted = f"/c/{COMPANY}/message?action_id={PROPOSED}&preview=true"
    asked = 0
    answer = await clerk.get(wanted)
    while (again := answer.headers.get("refresh")) is not None:
        asked += 1
        assert asked <= MOST_TRIES
        answer = await clerk.get(again.partition("url=")[2])
    assert asked == MOST_TRIES
    assert answer.status_code == 503
    assert "ne se recharge plus" in answer.text
    assert f'href="{html.escape(wanted)}">Réessayer' in answer.text, "from the beginning"

    del fakes.refuse["/preview"]
    ready = await clerk.get(f"{wanted}&tries=3")
    assert ready.status_code == 200
    assert "tries=3" not in ready.text
    fakes.refuse["/preview"] = UNHEARD
    for strange in ("x", "-5", "9" * 400):
        assert "tries=1" in (await clerk.get(f"{wanted}&tries={strange}")).headers["refresh"]


async def test_what_nobody_made_is_told_as_unknown(clerk: Person, fakes: FakeServices) -> None:
    fakes.refuse["/preview"] = UNHEARD
    unknown = await clerk.get(f"/c/{COMPANY}/message?action_id={action_id('nobody')}&preview=true")
    assert (unknown.status_code, unknown.headers.get("refresh")) == (404, None)
    assert "Page introuvable" in unknown.text


@pytest.mark.parametrize(
    "path", ["client?client_id=NOBODY", "client", "nothing-here", "message?action_id=not-a-uuid"]
)
async def test_what_does_not_exist_has_a_page_of_its_own(clerk: Person, path: str) -> None:
    answer = await clerk.get(f"/c/{COMPANY}/{path}")
    assert answer.status_code in (404, 422)
    assert "Retour à l’accueil" in answer.text


async def test_texts_of_people_are_never_markup(clerk: Person) -> None:
    answer = await clerk.get(f"/c/{COMPANY}/search?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in answer.text
