"""Free fields and sales people (rules 19.4, 20.2, 22.6): what they hold comes by HTTP, never in an event."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.eventlog import Position, Said
from contracts.subjects import partition_of
from contracts.sync import ClientsSynced, SyncedClient
from tests.integration.ledger.conftest import House, Voice, entry_id, synced

FIELDS = {
    "client": [
        {"field": "tag2", "title": "Région", "listed": True},
        {"field": "tag1", "title": "Référence", "listed": False},
    ],
    "entry": [{"field": "tag1", "title": "Chantier", "listed": True}],
}


def client_of(code: str, **fields: str) -> dict[str, Any]:
    return {"client_id": code, "name": f"Société {code}", "fields": fields}


async def looked_after(voice: Voice, company: str, by: dict[str, str | None]) -> list[Position]:
    said = [
        Said(
            ClientsSynced(
                run_id=uuid4(),
                source="book",
                clients=(SyncedClient(client_id=code, account="411000", salesperson=seller),),
            ),
            partition=partition_of(company, code),
        )
        for code, seller in by.items()
    ]
    return await voice.say(company, said)


async def shown(house: House, company: str, client_id: str = "C1") -> dict[str, Any]:
    (known,) = (await house.post(company, "/people/query", {"client_ids": [client_id]})).json()["people"]
    return dict(known)


async def test_a_company_names_its_fields_and_others_hear_of_it(house: House, company: str) -> None:
    assert (await house.put(company, "/fields", FIELDS)).json()["position"]
    assert (await house.put(company, "/fields", FIELDS)).json()["position"] is None, "nothing changed"
    assert await house.get(company, "/fields") == FIELDS
    fewer = {"client": [{"field": "tag2", "title": "Zone", "listed": False}], "entry": []}
    await house.put(company, "/fields", fewer)
    assert await house.get(company, "/fields") == fewer
    said = [event for name, event in await house.said(company) if name == "FieldsNamed"]
    assert [[one["title"] for one in event["client"]] for event in said] == [["Région", "Référence"], ["Zone"]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"client": [{"field": "tag11", "title": "Trop"}]},
        {"entry": [{"field": "tag4", "title": "Trop"}]},
        {"client": [{"field": "tag1", "title": "Zone"}, {"field": "tag2", "title": "zone"}]},
        {"client": [{"field": "tag1", "title": "Zone"}, {"field": "tag1", "title": "Secteur"}]},
        {"client": [{"field": "tag1", "title": "  "}]},
    ],
)
async def test_a_client_has_ten_fields_an_entry_three_each_named_once(
    house: House, company: str, wrong: dict[str, Any]
) -> None:
    """Rule 22.6."""
    assert (await house.put(company, "/fields", wrong)).status_code == 422


async def test_only_administrators_name_fields(house: House, company: str) -> None:
    token = house.token(company, role="user")
    answer = await house.http.put(f"/companies/{company}/fields", json=FIELDS, headers=token)
    assert answer.status_code == 403


async def test_each_field_is_that_of_the_source_that_told_it_last(house: House, company: str) -> None:
    sage = {"source": "sage", "clients": [client_of("C1", tag1="Nord", tag2="Négoce")]}
    file = {"source": "file", "clients": [client_of("C1", tag1="Sud")]}
    await house.post(company, "/people", sage)
    await house.post(company, "/people", file)
    person = await shown(house, company)
    assert (person["fields"], person["version"]) == ({"tag1": "Sud", "tag2": "Négoce"}, 2)

    file["clients"] = [client_of("C1")]
    await house.post(company, "/people", file)
    assert (await shown(house, company))["fields"] == {"tag1": "Nord", "tag2": "Négoce"}
    assert "Négoce" not in str(await house.said(company)), "free text may be personal: no event holds it"


async def test_what_a_person_wrote_stands_until_it_is_given_back(house: House, company: str) -> None:
    sage = {"source": "sage", "clients": [client_of("C1", tag1="Nord")]}
    await house.post(company, "/people", sage)
    by_hand = {"client_id": "C1", "fields": {"tag1": " Sud ", "tag3": "Grossiste"}}
    assert (await house.put(company, "/client-fields", by_hand)).json()["position"]
    assert (await house.put(company, "/client-fields", by_hand)).json()["position"] is None, "the same again"

    sage["clients"] = [client_of("C1", tag1="Ouest", tag3="Détaillant")]
    await house.post(company, "/people", sage)
    assert (await shown(house, company))["fields"] == {"tag1": "Sud", "tag3": "Grossiste"}
    client = await house.get(company, "/client", client_id="C1")
    assert client["fields_told"] == {"tag1": "Ouest", "tag3": "Détaillant"}
    assert client["fields_by_hand"] == {"tag1": "Sud", "tag3": "Grossiste"}

    await house.put(company, "/client-fields", {"client_id": "C1", "fields": {"tag1": None, "tag3": ""}})
    client = await house.get(company, "/client", client_id="C1")
    assert (client["fields"], client["fields_by_hand"]) == ({"tag1": "Ouest", "tag3": "Détaillant"}, {})
    assert (await house.put(company, "/client-fields", {**by_hand, "client_id": "C9"})).status_code == 404


async def test_names_of_sales_people_follow_their_code(voice: Voice, house: House, company: str) -> None:
    people = {
        "source": "sage",
        "clients": [client_of("C1"), client_of("C2"), client_of("C3")],
        "salespeople": [{"code": "4", "name": "Anne Caron"}, {"code": "7", "name": "Paul Roux"}],
    }
    await house.post(company, "/people", people)
    heard = await looked_after(voice, company, {"C1": "4", "C2": "7", "C3": None})
    client = await house.get(company, "/client", heard=heard, client_id="C1")
    assert client["salesperson"] == {"code": "4", "name": "Anne Caron"}
    assert (await shown(house, company, "C3"))["salesperson"] is None
    before = {code: (await shown(house, company, code))["version"] for code in ("C1", "C2", "C3")}

    people["salespeople"] = [{"code": "4", "name": "Anne Martin"}, {"code": "7", "name": "Paul Roux"}]
    assert (await house.post(company, "/people", people)).json()["changed"] == 1
    assert (await shown(house, company))["salesperson"]["name"] == "Anne Martin"
    after = {code: (await shown(house, company, code))["version"] for code in ("C1", "C2", "C3")}
    assert after == before | {"C1": before["C1"] + 1}, "who shows the client asks for it again"
    assert "Caron" not in str(await house.said(company))


async def test_fields_of_entries_come_in_bulk(voice: Voice, house: House, company: str) -> None:
    fields = {entry_id(f"I{n}"): {"tag1": f'Chantier "{n}"', "tag3": "été"} for n in range(1000)}
    first = await house.put(company, "/entry-fields", {"fields": fields})
    assert (first.status_code, first.json()["changed"], first.json()["positions"]) == (200, 1000, [])
    fields[entry_id("I7")] = {"tag2": "Lyon"}
    fields[entry_id("I8")] = {}
    assert (await house.put(company, "/entry-fields", {"fields": fields})).json()["changed"] == 2
    asked = {"entry_ids": [entry_id("I7"), entry_id("I8"), entry_id("I9")]}
    found = (await house.post(company, "/entry-fields/query", asked)).json()["fields"]
    assert found == {entry_id("I7"): {"tag2": "Lyon"}, entry_id("I9"): {"tag1": 'Chantier "9"', "tag3": "été"}}
    assert await house.said(company) == []
    heard = await voice.run(company, [synced("I7", "C1", "10")])
    client = await house.get(company, "/client", heard=heard, client_id="C1")
    assert client["entry_fields"] == {entry_id("I7"): {"tag2": "Lyon"}}

    await house.put(company, "/fields", {"entry": [{"field": "tag3", "title": "Saison"}]})
    texts = (await house.post(company, "/labels/query", asked)).json()
    assert texts["fields"] == {entry_id("I9"): {"Saison": "été"}}, "by title, those that the company uses"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"fields": {"F1": {"tag1": "Lyon"}}}, "field-refused"),
        ({"fields": {entry_id("I1"): {"tag4": "Lyon"}}}, "field-refused"),
        ({"fields": {entry_id("I1"): {"tag1": 3}}}, "field-refused"),
        ({"fields": {entry_id("I1"): {"tag1": "L" * 501}}}, "field-refused"),
        ({"fields": {entry_id("I1"): "Lyon"}}, "field-refused"),
        ({"fields": {entry_id("I1"): None}}, "field-refused"),
        ({"fields": []}, "fields-unreadable"),
        ({"labels": {}}, "fields-unreadable"),
    ],
)
async def test_fields_that_are_none_leave_all_as_it_was(
    house: House, company: str, body: dict[str, Any], problem: str
) -> None:
    if isinstance(body.get("fields"), dict):
        body = {"fields": body["fields"] | {entry_id("I2"): {"tag1": "Lyon"}}}
    answer = await house.put(company, "/entry-fields", body)
    assert (answer.status_code, answer.json()["type"]) == (422, problem)
    found = await house.post(company, "/entry-fields/query", {"entry_ids": [entry_id("I2")]})
    assert found.json()["fields"] == {}


async def test_fields_are_handed_out_and_forgotten_with_the_person(
    voice: Voice, house: House, company: str
) -> None:
    await house.post(company, "/people", {"source": "sage", "clients": [client_of("C1", tag1="Zebulon")]})
    await house.put(company, "/client-fields", {"client_id": "C1", "fields": {"tag2": "Chez Zebulon"}})
    await house.put(company, "/entry-fields", {"fields": {entry_id("I1"): {"tag1": "Portail Zebulon"}}})
    heard = await voice.run(company, [synced("I1", "C1", "10")])
    await house.get(company, "/client", heard=heard, client_id="C1")
    data = await house.get(company, "/person-data", client_id="C1")
    assert data["sources"][0]["fields"] == {"tag1": "Zebulon"}
    assert data["fields"][0]["fields"] == {"tag2": "Chez Zebulon"}
    assert data["entry_fields"][0]["fields"] == {"tag1": "Portail Zebulon"}

    assert (await house.post(company, "/erase-person", {"client_id": "C1"})).status_code == 200
    await house.put(company, "/entry-fields", {"fields": {entry_id("I1"): {"tag1": "Portail Zebulon"}}})
    await house.put(company, "/entry-fields", {"fields": {entry_id("I2"): {"tag1": "Encore Zebulon"}}})
    await voice.run(company, [synced("I2", "C1", "20"), synced("P2", "C1", "-20", "AA")])
    await house.until_said(company, "LetteringErrorFound")
    assert "Zebulon" not in str(await house.get(company, "/person-data", client_id="C1"))


async def test_what_was_written_goes_on_under_the_code_that_stays(house: House, company: str) -> None:
    await house.post(company, "/people", {"source": "sage", "clients": [client_of("OLD"), client_of("NEW")]})
    await house.put(company, "/client-fields", {"client_id": "OLD", "fields": {"tag1": "Nord", "tag2": "Vrac"}})
    await house.put(company, "/client-fields", {"client_id": "NEW", "fields": {"tag1": "Sud"}})
    merged = await house.post(company, "/merge-clients", {"client_id": "OLD", "into": "NEW"})
    assert merged.status_code == 200, merged.text
    assert (await shown(house, company, "NEW"))["fields"] == {"tag1": "Sud", "tag2": "Vrac"}
    assert (await shown(house, company, "OLD"))["fields"] == {}
