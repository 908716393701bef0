"""A person's answer is said without its words, and holds back what was decided before it (rule 22.33)."""

from pathlib import Path

import pytest

from chassis.eventlog import Said
from contracts.ledger import ClientMerged, PersonErased
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import House, action, synced, until
from tests.integration.notify.test_what_comes_back import drop, sent

WORDS = "Le virement de 100 euros part vendredi"


@pytest.fixture
def reports_dir(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def settings(settings: NotifySettings, reports_dir: Path) -> NotifySettings:
    return settings.model_copy(update={"reports_dir": reports_dir, "reports_pause_seconds": 0.2})


def answer(message_id: str, sender: str, named: str = "a1", **headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    return (
        f"From: Lise <{sender}>\nTo: relance@delcourt.example\nSubject: Re: Rappel\n"
        f"Message-ID: <{named}@x.example>\nIn-Reply-To: {message_id}\n{more}"
        f"Content-Type: text/plain; charset=utf-8\n\n{WORDS}\n"
    ).encode()


async def test_an_answer_is_said_without_its_words_and_seen_to_once(
    house: House, company: str, reports_dir: Path
) -> None:
    (message_id,) = await sent(house, company, "C1")
    folder, to = reports_dir / company, f"c1@{company}.example"
    drop(folder, "1.eml", answer(message_id, to))
    drop(folder, "2.eml", b"Delivered-To: again@b.example\n" + answer(message_id, to))
    drop(folder, "3.eml", answer(message_id, to, "a2", Auto_Submitted="auto-replied"))
    drop(folder, "4.eml", answer(message_id, f"collegue@{company}-relance.example", "a3"))
    drop(folder, "5.eml", answer("<other@shop.example>", to, "a4"))
    own = (await house.get(company, "/sender"))["used"]["email"]
    drop(folder, "6.eml", answer(message_id, own, "a5"))
    await until(lambda: not [one for one in folder.iterdir() if one.is_file()])

    said = await house.said(company, "ReplyReceived")
    assert [(one["client_id"], one["message_id"], one["from_recipient"]) for one in said] == [
        ("C1", message_id, True),
        ("C1", message_id, False),
    ]
    assert WORDS not in str(said)
    assert to not in str(said)
    assert [one.name for one in (folder / "aside").iterdir()] == ["5.eml"]
    (message,) = (await house.get(company, "/messages", client_id="C1"))["messages"]
    shown = await house.get(company, "/message", action_id=message["action_id"])
    assert shown["reply"]["handled_at"] is None
    assert [(one["kind"], one["reason"], one["address"], one["text"] is not None) for one in shown["reports"]] == [
        ("reply", "other", to, True),
        ("auto_reply", "absence", to, False),
        ("reply", "other", None, True),
        ("reply", "own_people", None, False),
    ]

    handled = {"action_id": message["action_id"], "read_until": shown["reply"]["received_at"]}
    early = handled | {"read_until": "2026-01-01T00:00:00+00:00"}
    refused = await house.call(company, "POST", "/replies/handled", json=early)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "answered-again")
    for _ in range(2):
        done = await house.call(company, "POST", "/replies/handled", json=handled)
        assert done.status_code == 200, done.text
    assert len(await house.said(company, "ReplyHandled")) == 1
    assert (await house.get(company, "/message", action_id=message["action_id"]))["reply"]["handled_at"]
    # answered again: somebody has to see to it again
    drop(folder, "7.eml", answer(message_id, to, "a6"))
    await house.until_said(company, "ReplyReceived", 3)
    assert (await house.get(company, "/message", action_id=message["action_id"]))["reply"]["handled_at"] is None
    refused = await house.call(company, "POST", "/replies/handled", json=handled)
    assert refused.status_code == 409, "whoever saw the first answers did not see this one"
    reader = house.token(company, role="reader")
    assert (await house.call(company, "POST", "/replies/handled", json=handled, headers=reader)).status_code == 403


async def test_what_was_decided_before_the_answer_is_held_back_once(
    house: House, company: str, reports_dir: Path
) -> None:
    """Rule 22.33: the message waits for a server that is away; the next decision knows of the answer."""
    (message_id,) = await sent(house, company, "C1")
    await house.mails.close()
    second = synced("F2", "C1", "50")
    await house.voices.book(company, [second])
    await house.voices.due(company, action(company, "C1", [second], step="R2"))
    await until(lambda: "mail server" in house.process.health.hindered_by())
    drop(reports_dir / company, "1.eml", answer(message_id, f"c1@{company}.example"))
    await house.until_said(company, "ReplyReceived")
    await house.mails.open()
    (withheld,) = await house.until_said(company, "MessageWithheld")
    assert withheld["reason"] == "replied_since"
    await house.voices.due(company, action(company, "C1", [second], step="R2"))
    assert len(await house.until_said(company, "EmailSent", 2)) == 2


async def test_an_answer_under_a_code_that_was_merged_holds_back_what_is_written_to_the_client(
    house: House, company: str, reports_dir: Path
) -> None:
    """The client answered as C1, which is C2 by now; what was decided for C2 before waits for a server."""
    (message_id,) = await sent(house, company, "C1")
    await house.mails.close()
    second = synced("F2", "C2", "50")
    await house.voices.book(company, [second])
    merged = Said(ClientMerged(client_id="C1", into="C2"), "C1")
    await house.get(company, "/tasks", await house.voices.say(company, [merged]))
    await house.voices.due(company, action(company, "C2", [second], step="R2"))
    await until(lambda: "mail server" in house.process.health.hindered_by())
    drop(reports_dir / company, "1.eml", answer(message_id, f"c1@{company}.example"))
    await house.until_said(company, "ReplyReceived")
    await house.mails.open()
    (withheld,) = await house.until_said(company, "MessageWithheld")
    assert (withheld["client_id"], withheld["reason"]) == ("C2", "replied_since")


async def test_the_answer_of_somebody_who_was_erased_can_still_be_dismissed(
    house: House, company: str, reports_dir: Path
) -> None:
    """Its message cannot be read any more, so nobody would come to where answers are seen to."""
    (message_id,) = await sent(house, company, "C1")
    drop(reports_dir / company, "1.eml", answer(message_id, f"c1@{company}.example"))
    await house.until_said(company, "ReplyReceived")
    (message,) = (await house.get(company, "/messages", client_id="C1"))["messages"]
    erased = await house.voices.say(company, [Said(PersonErased(client_id="C1", version=2), "C1")])
    asked = {"action_id": message["action_id"], "wait": 20}
    heard = {"Relance-At-Least": ",".join(map(str, erased))}
    gone = await house.call(company, "GET", "/message", params=asked, headers=heard)
    assert (gone.status_code, gone.json()["reply_unhandled"]) == (410, True)
    done = await house.call(company, "POST", "/replies/handled", json={"action_id": message["action_id"]})
    assert done.status_code == 200, done.text
    assert len(await house.said(company, "ReplyHandled")) == 1
    gone = await house.call(company, "GET", "/message", params=asked)
    assert gone.json()["reply_unhandled"] is False
