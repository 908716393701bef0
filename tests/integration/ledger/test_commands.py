"""What people state, over HTTP, becomes events."""

import asyncio
from datetime import date
from typing import Any

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import DBAPIError

from contracts.ledger import DISPUTE_REASONS
from tests.integration.ledger.conftest import House, Voice, entry_id, synced


async def known_client(voice: Voice, house: House, company: str) -> None:
    """A client C1 with an open invoice I1 of 1250.40, a settled I2, and a credit P2."""
    lines = [
        synced("I1", "C1", "1250.40"),
        synced("I2", "C1", "100", lettering="AA"),
        synced("P2", "C1", "-100", lettering="AA"),
    ]
    heard = await voice.run(company, lines)
    await house.get(company, "/client", heard=heard, client_id="C1")


async def test_a_promise_is_recorded_late_the_day_after_and_broken(
    voice: Voice, house: House, company: str
) -> None:
    """Rules 10.1, 10.2, 10.5."""
    await known_client(voice, house, company)
    promised = {
        "client_id": "C1",
        "entry_id": entry_id("I1"),
        "amount": "500.25",
        "promised_on": "2026-03-12",
    }
    answer = await house.post(company, "/record-promise", promised)
    assert answer.status_code == 200, answer.text
    promise_id = answer.json()["promise_id"]

    for day, status, late in (
        ("2026-03-11", "expected", -1),
        ("2026-03-12", "expected", 0),
        ("2026-03-13", "late", 1),
    ):
        headers = house.token(company) | {"Relance-As-Of": day}
        told = await house.http.get(f"/companies/{company}/client", params={"client_id": "C1"}, headers=headers)
        (promise,) = told.json()["promises"]
        assert (promise["status"], promise["days_late"], promise["amount"]) == (status, late, "500.2500")

    for day, broken in (("2026-03-12", 0), ("2026-03-13", 1), ("2026-03-13", 0), ("2026-03-14", 0)):
        began = await house.post(company, "/day", {"as_of": day})
        assert began.json()["broken"] == broken, day

    cancelled = await house.post(company, "/cancel-promise", {"promise_id": promise_id})
    assert cancelled.status_code == 200
    again = await house.post(company, "/cancel-promise", {"promise_id": promise_id})
    assert (again.status_code, again.json()["type"]) == (409, "promise-already-cancelled")
    said = [kind for kind, _ in await house.said(company)]
    assert [kind for kind in said if kind.startswith("Promise")] == [
        "PromiseRecorded",
        "PromiseBroken",
        "PromiseCancelled",
    ]


async def test_refusals_are_problems_that_name_the_fact(voice: Voice, house: House, company: str) -> None:
    await known_client(voice, house, company)
    past = {"client_id": "C1", "entry_id": entry_id("I1"), "promised_on": "2026-03-09"}
    answer = await house.post(company, "/record-promise", past)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "promise-in-the-past",
        "title": "Promise in the past",
        "status": 409,
        "detail": "A payment cannot be promised for 2026-03-09: today is 2026-03-10.",
        "client_id": "C1",
        "entry_id": entry_id("I1"),
        "promised_on": "2026-03-09",
        "as_of": "2026-03-10",
    }
    for path, body, status, kind in [
        ("/record-promise", {"client_id": "C1", "entry_id": entry_id("I2")}, 409, "entry-already-lettered"),
        ("/record-promise", {"client_id": "C1", "entry_id": entry_id("I9")}, 404, "unknown-entry"),
        ("/record-promise", {"client_id": "C9", "entry_id": entry_id("I1")}, 404, "unknown-client"),
        ("/resume-client", {"client_id": "C1"}, 409, "client-not-stopped"),
        ("/resume-entry", {"client_id": "C1", "entry_id": entry_id("I1")}, 409, "entry-not-stopped"),
        ("/cancel-promise", {"promise_id": "00000000-0000-0000-0000-000000000001"}, 404, "unknown-promise"),
        ("/stop-client", {"client": "C1"}, 422, "invalid-request"),
        ("/record-promise", {"client_id": "C1", "entry_id": "I1"}, 422, "invalid-request"),
        ("/add-note", {"client_id": "C1", "text": ""}, 422, "invalid-request"),
    ]:
        answer = await house.post(company, path, body)
        assert (answer.status_code, answer.json()["type"]) == (status, kind), (path, body)


async def test_stops_notes_and_profile_are_told_back(voice: Voice, house: House, company: str) -> None:
    """Rules 3.5, 8.1, 8.2."""
    await known_client(voice, house, company)
    invoice = {"client_id": "C1", "entry_id": entry_id("I1")}
    for path, body in [
        ("/stop-client", {"client_id": "C1"}),
        ("/stop-entry", invoice),
        ("/add-note", {"client_id": "C1", "text": "Rappeler lundi"}),
        ("/add-note", invoice | {"text": "Facture contestée"}),
        ("/assign-profile", {"client_id": "C1", "profile": "Grand Compte"}),
    ]:
        answer = await house.post(company, path, body)
        assert answer.status_code == 200, answer.text

    client = await house.get(company, "/client", client_id="C1")
    assert client["stop"] == {"since": "2026-03-10", "by": "user:alice", "resumes_on": None}
    assert [stop["entry_id"] for stop in client["stopped_entries"]] == [entry_id("I1")]
    assert sorted((note["text"], note["author"]) for note in client["notes"]) == [
        ("Facture contestée", "user:alice"),
        ("Rappeler lundi", "user:alice"),
    ]
    assert (client["profile"], client["chosen_profile"], client["version"]) == ("Grand Compte", "Grand Compte", 2)

    statement = await house.get(company, "/statement", client_id="C1", lettered="false")
    (line,) = statement["entries"]
    assert (line["entry_id"], line["stopped"], line["open"], line["days_late"]) == (
        entry_id("I1"),
        True,
        True,
        28,
    )
    settled = await house.get(company, "/statement", client_id="C1", lettered="true", limit=1)
    more = await house.get(company, "/statement", client_id="C1", lettered="true", limit=1, after=settled["next"])
    assert {settled["entries"][0]["piece"], more["entries"][0]["piece"]} == {"I2", "P2"}
    assert more["next"] is None

    assert "Rappeler" not in str(await house.said(company)), "texts never enter an event"
    for path, body in [("/resume-client", {"client_id": "C1"}), ("/resume-entry", invoice)]:
        assert (await house.post(company, path, body)).status_code == 200
    client = await house.get(company, "/client", client_id="C1")
    assert (client["stop"], client["stopped_entries"]) == (None, [])


async def test_of_two_commands_at_once_only_one_passes(voice: Voice, house: House, company: str) -> None:
    """Habit 10: two commands on one client never both pass on the same state."""
    await known_client(voice, house, company)
    for path, refused in (("/stop-client", "client-already-stopped"), ("/resume-client", "client-not-stopped")):
        answers = await asyncio.gather(*(house.post(company, path, {"client_id": "C1"}) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
        assert {answer.json()["type"] for answer in answers if answer.status_code == 409} == {refused}
    events = [kind for kind, _ in await house.said(company)]
    assert (events.count("ClientStopped"), events.count("ClientResumed")) == (1, 1)


async def test_a_command_sent_twice_with_its_key_takes_effect_once(
    voice: Voice, house: House, company: str
) -> None:
    await known_client(voice, house, company)
    note = {"client_id": "C1", "text": "Une fois"}
    answers = await asyncio.gather(
        *(house.post(company, "/add-note", note, Idempotency_Key="k1") for _ in range(4))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["note_id"] for answer in answers}) == 1
    other = await house.post(company, "/add-note", note | {"text": "Autre"}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["type"]) == (409, "idempotency-key-reused")
    client = await house.get(company, "/client", client_id="C1")
    assert len(client["notes"]) == 1


async def test_a_company_is_registered_changed_and_listed(house: House, company: str) -> None:
    put = {"headers": house.token(company), "url": f"/companies/{company}"}
    unknown = await house.http.get(**put)
    assert (unknown.status_code, unknown.json()["type"]) == (404, "unknown-company")
    first = await house.http.put(**put, json={"name": "Acme"})
    again = await house.http.put(**put, json={"name": "Acme"})
    changed = await house.http.put(**put, json={"name": "Acme", "time_zone": "America/Cayenne"})
    assert first.json()["position"]
    assert again.json()["position"] is None
    assert changed.json()["position"]
    assert [kind for kind, _ in await house.said(company)] == ["CompanyRegistered", "CompanyChanged"]
    listed = await house.http.get("/companies", headers=house.token(company))
    assert listed.json()["companies"] == [
        {
            "company": company,
            "name": "Acme",
            "time_zone": "America/Cayenne",
            "currency": "EUR",
            "country": "FR",
            "fiscal_year_start": "01-01",
            "dispute_reasons": list(DISPUTE_REASONS),
        }
    ]
    for wrong in ({"name": "Acme", "time_zone": "Mars/Olympus"}, {"name": "A", "currency": "euro"}, {}):
        assert (await house.http.put(**put, json=wrong)).status_code == 422


async def test_the_day_of_a_company_begins_by_itself(voice: Voice, house: House, company: str) -> None:
    """Rule 10.2: without anyone asking, the promise breaks on the company's own day."""
    from chassis import clock
    from services.ledger.main import begin_days_that_came

    await house.http.put(f"/companies/{company}", json={"name": "Acme"}, headers=house.token(company))
    await known_client(voice, house, company)
    promised = {"client_id": "C1", "entry_id": entry_id("I1"), "promised_on": "2026-03-12"}
    assert (await house.post(company, "/record-promise", promised)).status_code == 200
    await begin_days_that_came(house.process)
    late = clock.today("Europe/Paris") > date(2026, 3, 12)
    assert ("PromiseBroken" in [kind for kind, _ in await house.said(company)]) is late


async def test_one_companys_day_that_fails_holds_up_no_other(
    voice: Voice, house: House, company: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from services.ledger import main

    begun = main.begin_day
    last = f"z-{company}"[:32]
    for one in (company, last):
        await house.http.put(f"/companies/{one}", json={"name": "Acme"}, headers=house.token(one))
    days = []
    failures = [ValueError("a day that cannot begin"), DBAPIError("update", {}, DeadlockDetected())]

    async def fails_for_the_first(say: Any, of: str, as_of: date, cause: Any) -> Any:
        days.append(of)
        if of == company:
            raise failures.pop()
        return await begun(say, of, as_of, cause)

    monkeypatch.setattr(main, "begin_day", fails_for_the_first)
    await main.begin_days_that_came(house.process)
    assert days.index(company) < days.index(last)
    assert "a day did not begin" in caplog.text
    assert company in house.process.health.hindered_by()["days"]
    assert last not in house.process.health.hindered_by()["days"]
    days.clear()
    await main.begin_days_that_came(house.process)
    assert company in days
    assert last not in days
