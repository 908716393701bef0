"""A person's data, handed out and forgotten; the whole product's part is in tests/integration/personal."""

import asyncio

import pytest
from sqlalchemy import text

from chassis.database import transaction
from services.ledger import queries
from services.ledger.api.personal import FORGET, REMEMBER
from tests.integration.ledger.conftest import House, Voice, entry_id, synced

PERSON = {"client_id": "C1", "name": "Zebulon", "emails": ["z@example.org"], "phones": ["0102030405"]}


async def known_person(voice: Voice, house: House, company: str) -> None:
    """C1 with a person from a source, a contact by hand, a note and a text on its entry."""
    label = {"labels": {entry_id("I1"): "Portail de Zebulon"}}
    assert (await house.put(company, "/labels", label)).status_code == 200
    heard = await voice.run(company, [synced("I1", "C1", "10")])
    await house.get(company, "/client", heard=heard, client_id="C1")
    for path, body in (
        ("/people", {"source": "crm", "clients": [PERSON]}),
        ("/add-note", {"client_id": "C1", "text": "Zebulon rappelle"}),
    ):
        assert (await house.post(company, path, body)).status_code == 200
    contact = {"client_id": "C1", "name": "Zebulon fils", "email": "fils@example.org"}
    assert (await house.put(company, "/contact", contact)).status_code == 200


async def test_everything_kept_of_a_person_is_handed_out(voice: Voice, house: House, company: str) -> None:
    await known_person(voice, house, company)
    data = await house.get(company, "/person-data", client_id="C1")
    assert [source["source"] for source in data["sources"]] == ["crm"]
    assert [contact["name"] for contact in data["contacts"]] == ["Zebulon fils"]
    assert [note["text"] for note in data["notes"]] == ["Zebulon rappelle"]
    assert [label["label"] for label in data["labels"]] == ["Portail de Zebulon"]
    assert data["erased"] is None


async def test_an_erased_person_is_gone_and_no_source_brings_it_back(
    voice: Voice, house: House, company: str
) -> None:
    await known_person(voice, house, company)
    assert (await house.post(company, "/erase-person", {"client_id": "C1"})).status_code == 200
    (erased,) = await house.until_said(company, "PersonErased")
    last = (await house.until_said(company, "ClientChanged"))[-1]
    assert (last["version"], last["has_email"], last["has_phone"]) == (erased["version"] + 1, False, False)

    await house.post(company, "/people", {"source": "crm", "clients": [PERSON | {"name": "Zebulon II"}]})
    told = {"source": "sage", "contacts": [{"client_id": "C1", "key": "1", "name": "Zebulon III"}]}
    await house.post(company, "/contacts", told)
    await house.put(company, "/labels", {"labels": {entry_id("I2"): "Encore Zebulon"}})
    await voice.run(company, [synced("I2", "C1", "20"), synced("P2", "C1", "-20", "AA")])
    await house.until_said(company, "LetteringErrorFound")
    data = await house.get(company, "/person-data", client_id="C1")
    assert (data["sources"], data["contacts"], data["notes"], data["labels"]) == ([], [], [], [])
    client = await house.get(company, "/client", client_id="C1")
    assert (client["erased"], client["name"], client["notes"][0]["text"]) == (True, "C1", None)

    assert (await house.post(company, "/admit-person", {"client_id": "C1"})).status_code == 200
    await house.post(company, "/people", {"source": "crm", "clients": [PERSON]})
    assert (await house.get(company, "/client", client_id="C1"))["name"] == "Zebulon"
    twice = await house.post(company, "/admit-person", {"client_id": "C1"})
    assert (twice.status_code, twice.json()["type"]) == (409, "person-not-erased")


async def test_a_text_that_changes_after_the_erasure_is_not_kept(voice: Voice, house: House, company: str) -> None:
    await known_person(voice, house, company)
    other = await voice.run(company, [synced("I9", "C9", "10")])
    await house.get(company, "/client", heard=other, client_id="C9")
    assert (await house.post(company, "/erase-person", {"client_id": "C1"})).status_code == 200

    texts = {entry_id("I1"): "Portail de Zebulon, corrigé", entry_id("I9"): "Clôture"}
    told = await house.put(company, "/labels", {"labels": texts})
    assert (told.status_code, told.json()["changed"]) == (200, 1)
    listed = [{"entry_id": entry, "label": label} for entry, label in texts.items()]
    assert (await house.post(company, "/people", {"source": "book", "labels": listed})).status_code == 200
    found = await house.post(company, "/labels/query", {"entry_ids": [*texts]})
    assert found.json()["labels"] == {entry_id("I9"): "Clôture"}, "one entry has one client, the other stays"

    assert (await house.post(company, "/admit-person", {"client_id": "C1"})).status_code == 200
    assert (await house.put(company, "/labels", {"labels": texts})).json()["changed"] == 1
    assert (await house.put(company, "/labels", {"labels": {}})).json()["changed"] == 0, "nothing is no mistake"


async def test_nobody_unknown_is_handed_out_or_erased(house: House, company: str) -> None:
    for answer in (
        await house.post(company, "/erase-person", {"client_id": "NOBODY"}),
        await house.http.get(
            f"/companies/{company}/person-data", params={"client_id": "NOBODY"}, headers=house.token(company)
        ),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "unknown-client")


async def merged_person(voice: Voice, house: House, company: str) -> None:
    """C1 with its person became C2, and C2 became C3; each has a note, C1 a contact by hand."""
    await known_person(voice, house, company)
    heard = await voice.run(company, [synced("I2", "C2", "20"), synced("I3", "C3", "30")])
    await house.get(company, "/client", heard=heard, client_id="C3")
    for code in ("C2", "C3"):
        note = {"client_id": code, "text": f"Zebulon, {code}"}
        assert (await house.post(company, "/add-note", note)).status_code == 200
    for old, into in (("C1", "C2"), ("C2", "C3")):
        assert (await house.post(company, "/merge-clients", {"client_id": old, "into": into})).status_code == 200


@pytest.mark.parametrize("asked", ["C1", "C2", "C3"])
async def test_a_person_under_several_codes_is_handed_out_and_erased_under_all(
    voice: Voice, house: House, company: str, asked: str
) -> None:
    await merged_person(voice, house, company)
    data = await house.get(company, "/person-data", client_id=asked)
    assert data["client_ids"] == ["C1", "C2", "C3"]
    assert [source["client_id"] for source in data["sources"]] == ["C1"]
    assert [contact["name"] for contact in data["contacts"]] == ["Zebulon fils"]
    assert len(data["notes"]) == 3
    assert [label["label"] for label in data["labels"]] == ["Portail de Zebulon"]

    assert (await house.post(company, "/erase-person", {"client_id": asked})).status_code == 200
    erased = await house.until_said(company, "PersonErased", 3)
    assert [one["client_id"] for one in erased] == ["C1", "C2", "C3"]
    for code in ("C1", "C2", "C3"):
        data = await house.get(company, "/person-data", client_id=code)
        assert (data["sources"], data["contacts"], data["notes"], data["labels"]) == ([], [], [], [])
        assert data["erased"] is not None
        await house.post(company, "/people", {"source": "crm", "clients": [PERSON | {"client_id": code}]})
        assert (await house.get(company, "/client", client_id=code))["name"] == code

    assert (await house.post(company, "/admit-person", {"client_id": asked})).status_code == 200
    await house.post(company, "/people", {"source": "crm", "clients": [PERSON | {"client_id": "C1"}]})
    assert (await house.get(company, "/client", client_id="C1"))["name"] == "Zebulon"


@pytest.mark.parametrize(("old", "into"), [("C1", "C2"), ("C2", "C1")])
async def test_an_erased_person_and_one_that_is_kept_are_not_merged(
    voice: Voice, house: House, company: str, old: str, into: str
) -> None:
    await known_person(voice, house, company)
    heard = await voice.run(company, [synced("I2", "C2", "20")])
    await house.get(company, "/client", heard=heard, client_id="C2")
    assert (await house.post(company, "/erase-person", {"client_id": "C2"})).status_code == 200
    merge = {"client_id": old, "into": into}
    refused = await house.post(company, "/merge-clients", merge)
    assert (refused.status_code, refused.json()["type"]) == (409, "one-of-them-erased")
    assert (await house.post(company, "/erase-person", {"client_id": "C1"})).status_code == 200
    assert (await house.post(company, "/merge-clients", merge)).status_code == 200


async def test_people_that_come_while_a_person_is_being_erased_do_not_bring_it_back(
    voice: Voice, house: House, company: str
) -> None:
    """The erasure holds the client; the delivery beside it waits, and then sees that the person is gone."""
    await known_person(voice, house, company)
    people = {"source": "fec", "clients": [PERSON | {"name": "Zebulon II"}]}
    waiting = text("select count(*) from pg_locks where not granted and pid <> pg_backend_pid()")
    async with transaction(house.process.engine) as erasing:
        await queries.lock_clients(erasing, company, ["C1"])
        delivery = asyncio.create_task(house.post(company, "/people", people))
        async with asyncio.timeout(20):
            while True:
                if await erasing.scalar(waiting):
                    break
                await asyncio.sleep(0.01)
        of_client = {"company": company, "client_ids": ["C1"], "actor": "user:alice"}
        for statement in (*FORGET, REMEMBER):
            await erasing.execute(statement, of_client)
    assert (await delivery).status_code == 200
    assert (await house.get(company, "/person-data", client_id="C1"))["sources"] == []
    assert (await house.get(company, "/client", client_id="C1"))["name"] == "C1"
