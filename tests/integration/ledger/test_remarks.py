"""Disputes, stops that end, instalments, flags, expected days, mentions: over HTTP, kept, told back."""

from typing import Any

from tests.integration.ledger.conftest import House, Voice, entry_id, synced

INVOICE = {"client_id": "C1", "entry_id": entry_id("I1")}


async def known_client(voice: Voice, house: House, company: str, *more: str) -> None:
    """A registered company; its client C1 with the open invoice I1 of 1250.40, and one of 100 for each name."""
    assert (await house.put(company, "", {"name": "Acme"})).status_code == 200
    lines = [synced("I1", "C1", "1250.40"), *(synced(name, "C1", "100") for name in more)]
    heard = await voice.run(company, lines)
    await house.get(company, "/client", heard=heard, client_id="C1")


async def posted(house: House, company: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await house.post(company, path, body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_dispute_is_opened_with_its_reason_and_closed(voice: Voice, house: House, company: str) -> None:
    """Rules 11.1, 11.3."""
    await known_client(voice, house, company)
    wanted = INVOICE | {"reason": "price", "comment": "Prix du devis contesté"}
    dispute_id = (await posted(house, company, "/open-dispute", wanted))["dispute_id"]

    client = await house.get(company, "/client", client_id="C1")
    (dispute,) = client["disputes"]
    assert (dispute["entry_id"], dispute["reason"], dispute["opened_by"]) == (
        INVOICE["entry_id"],
        "price",
        "user:alice",
    )
    assert (dispute["opened_on"], dispute["closed_on"]) == ("2026-03-10", None)
    assert [(note["text"], note["entry_id"]) for note in client["notes"]] == [
        ("Prix du devis contesté", INVOICE["entry_id"])
    ]
    (line,) = (await house.get(company, "/statement", client_id="C1"))["entries"]
    assert line["dispute"] == "price"

    again = await house.post(company, "/open-dispute", INVOICE | {"reason": "quality"})
    assert (again.status_code, again.json()["type"]) == (409, "dispute-already-open")
    strange = await house.post(company, "/open-dispute", {"client_id": "C1", "reason": "weather"})
    assert (strange.status_code, strange.json()["type"]) == (409, "unknown-dispute-reason")

    await posted(house, company, "/close-dispute", {"dispute_id": dispute_id})
    (dispute,) = (await house.get(company, "/client", client_id="C1"))["disputes"]
    assert (dispute["closed_on"], dispute["closed_by"]) == ("2026-03-10", "user:alice")
    twice = await house.post(company, "/close-dispute", {"dispute_id": dispute_id})
    assert (twice.status_code, twice.json()["type"]) == (409, "dispute-already-closed")


async def test_a_refused_dispute_leaves_no_note(voice: Voice, house: House, company: str) -> None:
    await known_client(voice, house, company)
    refused = await house.post(company, "/open-dispute", INVOICE | {"reason": "weather", "comment": "Il pleut"})
    assert refused.status_code == 409
    assert (await house.get(company, "/client", client_id="C1"))["notes"] == []


async def test_a_company_edits_its_reasons(voice: Voice, house: House, company: str) -> None:
    """Rule 11.3."""
    await known_client(voice, house, company)
    own = {"name": "Acme", "dispute_reasons": ["price", "Pénalités refusées"]}
    assert (await house.put(company, "", own)).status_code == 200
    assert (await house.put(company, "", {"name": "Acme SA"})).status_code == 200
    settings = await house.get(company, "")
    assert settings["dispute_reasons"] == ["price", "Pénalités refusées"]
    await posted(house, company, "/open-dispute", {"client_id": "C1", "reason": "Pénalités refusées"})


async def test_stops_end_by_themselves_on_their_day(voice: Voice, house: House, company: str) -> None:
    """Rules 8.1, 8.2, 22.20."""
    await known_client(voice, house, company)
    await posted(house, company, "/stop-client", {"client_id": "C1", "resumes_on": "2026-03-12"})
    await posted(house, company, "/stop-entry", INVOICE | {"resumes_on": "2026-03-13"})
    client = await house.get(company, "/client", client_id="C1")
    assert client["stop"] == {"since": "2026-03-10", "by": "user:alice", "resumes_on": "2026-03-12"}

    for day, resumed in (("2026-03-11", 0), ("2026-03-12", 1), ("2026-03-12", 0), ("2026-03-13", 1)):
        assert (await posted(house, company, "/day", {"as_of": day}))["resumed"] == resumed, day
    client = await house.get(company, "/client", client_id="C1")
    assert (client["stop"], client["stopped_entries"]) == (None, [])
    past = await house.post(company, "/stop-client", {"client_id": "C1", "resumes_on": "2026-03-10"})
    assert (past.status_code, past.json()["type"]) == (409, "stop-ends-in-the-past")


async def test_instalments_are_promised_together_or_not_at_all(voice: Voice, house: House, company: str) -> None:
    """Rule 10.1."""
    await known_client(voice, house, company, "I2")
    first = {"entry_id": INVOICE["entry_id"], "amount": "600", "promised_on": "2026-03-15"}
    second = {"entry_id": INVOICE["entry_id"], "amount": "650.40", "promised_on": "2026-04-15"}
    past = {"entry_id": entry_id("I2"), "promised_on": "2026-03-01"}
    refused = await house.post(company, "/record-promises", {"client_id": "C1", "promises": [first, past]})
    assert (refused.status_code, refused.json()["type"]) == (409, "promise-in-the-past")
    told = await posted(house, company, "/record-promises", {"client_id": "C1", "promises": [first, second]})
    assert len(told["promise_ids"]) == 2
    assert (await posted(house, company, "/day", {"as_of": "2026-03-16"}))["broken"] == 1
    headers = house.token(company) | {"Relance-As-Of": "2026-03-16"}
    answer = await house.http.get(f"/companies/{company}/client", params={"client_id": "C1"}, headers=headers)
    assert [promise["status"] for promise in answer.json()["promises"]] == ["late", "expected"]


async def test_a_payment_taken_back_reopens_the_promise_it_kept(voice: Voice, house: House, company: str) -> None:
    """Rules 10.2, 22.8."""
    await known_client(voice, house, company)
    await posted(house, company, "/record-promise", INVOICE | {"promised_on": "2026-03-12"})
    paid = [synced("I1", "C1", "1250.40", "AA"), synced("P1", "C1", "-1250.40", "AA")]
    await voice.run(company, paid)
    await house.until_said(company, "PromiseKept")
    await voice.run(company, [synced("I1", "C1", "1250.40"), synced("P1", "C1", "-1250.40")])
    (reopened,) = await house.until_said(company, "PromiseReopened")
    assert (reopened["amount"], reopened["promised_on"]) == ("1250.4000", "2026-03-12")
    (promise,) = (await house.get(company, "/client", client_id="C1"))["promises"]
    assert (promise["status"], promise["ended_on"]) == ("expected", None)
    assert (await posted(house, company, "/day", {"as_of": "2026-03-13"}))["broken"] == 1
    await voice.run(company, paid)
    assert len(await house.until_said(company, "PromiseKept", 2)) == 2


async def test_flags_expected_days_and_mentions_are_told_back(voice: Voice, house: House, company: str) -> None:
    """Rules 5.7, 15.7, 16.6."""
    await known_client(voice, house, company)
    await posted(house, company, "/flag-client", {"client_id": "C1"})
    await posted(house, company, "/reposition-entry", INVOICE | {"expected_on": "2026-05-01"})
    note = {"client_id": "C1", "text": "@bob, un avis ?", "mentions": ["user:bob", "user:bob"]}
    await posted(house, company, "/add-note", note)

    client = await house.get(company, "/client", client_id="C1")
    assert client["flagged"] is True
    assert [(one["entry_id"], one["expected_on"]) for one in client["expected"]] == [
        (INVOICE["entry_id"], "2026-05-01")
    ]
    assert client["notes"][0]["mentions"] == ["user:bob"]
    (line,) = (await house.get(company, "/statement", client_id="C1"))["entries"]
    assert (line["expected_on"], line["due_date"]) == ("2026-05-01", "2026-02-10")

    await posted(house, company, "/unflag-client", {"client_id": "C1"})
    await posted(house, company, "/reposition-entry", INVOICE | {"expected_on": None})
    client = await house.get(company, "/client", client_id="C1")
    assert (client["flagged"], client["expected"]) == (False, [])
