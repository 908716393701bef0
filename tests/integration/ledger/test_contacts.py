"""Several contacts per client (rule 19.1); a person's word is never overwritten by a source (product A11)."""

from typing import Any

from tests.integration.ledger.conftest import House, Voice, synced


async def known_client(voice: Voice, house: House, company: str) -> None:
    heard = await voice.run(company, [synced("I1", "C1", "10")])
    await house.get(company, "/client", heard=heard, client_id="C1")


def shown(client: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    return [(one["name"], one["email"], one["phone"], one["by_hand"]) for one in client["contacts"]]


async def from_sage(house: House, company: str, *contacts: dict[str, str]) -> int:
    told = {"source": "sage", "contacts": [{"client_id": "C1", **one} for one in contacts], "client_ids": ["C1"]}
    answer = await house.post(company, "/contacts", told)
    assert answer.status_code == 200, answer.text
    changed: int = answer.json()["changed"]
    return changed


async def test_a_contact_written_by_hand_makes_the_client_reachable(
    voice: Voice, house: House, company: str
) -> None:
    """Rule 19.2."""
    await known_client(voice, house, company)
    wanted = {"client_id": "C1", "name": "Alice Martin", "email": "alice@example.org", "reminders_from": 2}
    answer = await house.put(company, "/contact", wanted)
    assert answer.status_code == 200, answer.text
    contact_id = answer.json()["contact_id"]
    changed = (await house.until_said(company, "ClientChanged"))[-1]
    assert (changed["has_email"], changed["has_phone"]) == (True, False)

    more = wanted | {"contact_id": contact_id, "phone": "0102030405", "in_copy": True}
    assert (await house.put(company, "/contact", more)).status_code == 200
    client = await house.get(company, "/client", client_id="C1")
    (contact,) = client["contacts"]
    assert (contact["contact_id"], contact["phone"], contact["by_hand"]) == (contact_id, "0102030405", True)
    assert (contact["notices"], contact["reminders_from"], contact["in_copy"]) == (False, 2, True)

    assert (await house.post(company, "/remove-contact", {"contact_id": contact_id})).status_code == 200
    assert (await house.get(company, "/client", client_id="C1"))["contacts"] == []
    assert (await house.until_said(company, "ClientChanged"))[-1]["has_email"] is False


async def test_a_source_replaces_what_it_said_and_nothing_else(voice: Voice, house: House, company: str) -> None:
    await known_client(voice, house, company)
    await house.put(company, "/contact", {"client_id": "C1", "name": "Zoé", "email": "zoe@example.org"})
    bob, carl = {"key": "1", "name": "Bob", "email": "bob@example.org"}, {"key": "2", "name": "Carl"}
    assert await from_sage(house, company, bob, carl) == 1
    assert await from_sage(house, company, bob, carl) == 0
    assert await from_sage(house, company, bob) == 1
    assert shown(await house.get(company, "/client", client_id="C1")) == [
        ("Bob", "bob@example.org", "", False),
        ("Zoé", "zoe@example.org", "", True),
    ]


async def test_what_a_person_corrected_survives_every_sync(voice: Voice, house: House, company: str) -> None:
    """Product A11: and what the person left alone still follows accounting."""
    await known_client(voice, house, company)
    bob = {"key": "1", "name": "Bob", "email": "bob@old.example", "phone": "01"}
    await from_sage(house, company, bob)
    (contact,) = (await house.get(company, "/client", client_id="C1"))["contacts"]
    corrected = {"client_id": "C1", "contact_id": contact["contact_id"], "name": "Bob", "phone": "01"}
    await house.put(company, "/contact", corrected | {"email": "bob@new.example", "notices": True})

    await from_sage(house, company, bob | {"email": "bob@older.example", "phone": "02"})
    (contact,) = (await house.get(company, "/client", client_id="C1"))["contacts"]
    assert (contact["email"], contact["phone"], contact["notices"]) == ("bob@new.example", "02", True)

    await from_sage(house, company)
    assert (await house.get(company, "/client", client_id="C1"))["contacts"] == []
    await from_sage(house, company, bob)
    (contact,) = (await house.get(company, "/client", client_id="C1"))["contacts"]
    assert (contact["email"], contact["notices"]) == ("bob@new.example", True)


async def test_a_contact_taken_away_is_not_brought_back(voice: Voice, house: House, company: str) -> None:
    await known_client(voice, house, company)
    await from_sage(house, company, {"key": "1", "name": "Bob"})
    (contact,) = (await house.get(company, "/client", client_id="C1"))["contacts"]
    await house.post(company, "/remove-contact", {"contact_id": contact["contact_id"]})
    await from_sage(house, company, {"key": "1", "name": "Bob"})
    assert (await house.get(company, "/client", client_id="C1"))["contacts"] == []


async def test_contacts_are_refused_where_nobody_is(voice: Voice, house: House, company: str) -> None:
    await known_client(voice, house, company)
    unknown = await house.put(company, "/contact", {"client_id": "C9", "name": "X"})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "unknown-client")
    nobody = {"contact_id": "00000000-0000-0000-0000-000000000001"}
    gone = await house.post(company, "/remove-contact", nobody)
    assert (gone.status_code, gone.json()["type"]) == (404, "unknown-contact")
    foreign = await house.put(company, "/contact", {"client_id": "C1", "name": "X", **nobody})
    assert (foreign.status_code, foreign.json()["type"]) == (404, "unknown-contact")
