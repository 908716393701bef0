"""A person's data, handed out and forgotten; the whole product's part is in tests/integration/personal."""

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


async def test_nobody_unknown_is_handed_out_or_erased(house: House, company: str) -> None:
    for answer in (
        await house.post(company, "/erase-person", {"client_id": "NOBODY"}),
        await house.http.get(
            f"/companies/{company}/person-data", params={"client_id": "NOBODY"}, headers=house.token(company)
        ),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "unknown-client")
