"""People come in bulk, change versions, and never enter an event."""

from typing import Any

import pytest

from chassis.auth import mint, read_key
from tests.integration.ledger.conftest import House, Voice, entry_id, synced


def person(client_id: str, **more: Any) -> dict[str, Any]:
    return {"client_id": client_id, "name": f"Société {client_id}", **more}


async def test_the_same_people_again_say_nothing(house: House, company: str) -> None:
    people = {"source": "book", "clients": [person(f"C{n:04}", emails=["a@b.fr"]) for n in range(2000)]}
    first = (await house.post(company, "/people", people)).json()
    assert first["changed"] == 2000
    assert len(first["positions"]) == 64, "the last position of each partition"
    again = (await house.post(company, "/people", people)).json()
    assert (again["changed"], again["positions"]) == (0, [])
    said = await house.said(company)
    assert {name for name, _ in said} == {"ClientsChanged"}, "an event per partition, not one per client"
    assert sum(len(event["clients"]) for _, event in said) == 2000

    people["clients"][7] = person("C0007", emails=["a@b.fr"], contact_name="Mme Durand")
    third = (await house.post(company, "/people", people)).json()
    assert third["changed"] == 1
    changed = (await house.said(company))[-1][1]
    assert (changed["client_id"], changed["version"], changed["has_email"]) == ("C0007", 2, True)
    assert "Durand" not in str(await house.said(company))


async def test_a_service_that_writes_to_nobody_is_told_no_address(house: House, company: str) -> None:
    """Who took over reporting would otherwise read every mail address and phone of every company."""
    clients = [person("A", emails=["a@a.fr"], phones=["0102030405"], address={"city": "Paris"})]
    await house.post(company, "/people", {"source": "book", "clients": clients})
    key = read_key(house.stack.key_file_of("reporting"))
    token = mint(key, "service:reporting", [company], "system", signer="reporting")
    asked = {"headers": {"Authorization": f"Bearer {token}"}, "json": {"client_ids": ["A"]}}
    answer = await house.http.post(f"/companies/{company}/people/query", **asked)
    assert answer.json()["people"] == [
        {"client_id": "A", "version": 1, "name": "Société A", "fields": {}, "salesperson": None}
    ]
    for path, body in (("/labels/query", {"entry_ids": []}), ("/people", {"source": "x", "clients": clients})):
        refused = await house.http.post(f"/companies/{company}{path}", json=body, headers=asked["headers"])
        assert refused.status_code == 403, path


async def test_people_are_handed_out_page_by_page(house: House, company: str) -> None:
    address = {"line1": "1 rue Noire", "postcode": "75001", "city": "Paris", "country": "FR"}
    people = {
        "source": "book",
        "clients": [
            person("B", phones=["0102030405"], address=address, language="en"),
            person("A", emails=["a@a.fr", "b@a.fr"]),
            person("é/1"),
        ],
    }
    await house.post(company, "/people", people)
    page = (await house.post(company, "/people/query", {"limit": 2})).json()
    assert [known["client_id"] for known in page["people"]] == ["A", "B"]
    assert page["people"][1] == {
        "client_id": "B",
        "version": 1,
        "name": "Société B",
        "emails": [],
        "phones": ["0102030405"],
        "address": address,
        "contact_name": None,
        "language": "en",
        "contacts": [],
        "fields": {},
        "salesperson": None,
        "unreachable": [],
    }
    rest = (await house.post(company, "/people/query", {"limit": 2, "after": page["next"]})).json()
    assert ([known["client_id"] for known in rest["people"]], rest["next"]) == (["é/1"], None)
    some = (await house.post(company, "/people/query", {"client_ids": ["A", "nobody"]})).json()
    assert [known["emails"] for known in some["people"]] == [["a@a.fr", "b@a.fr"]]


async def test_texts_of_entries_are_told_beside_them(voice: Voice, house: House, company: str) -> None:
    label = {"entry_id": entry_id("I1"), "label": "Facture Dupont mars"}
    await house.post(company, "/people", {"source": "book", "labels": [label]})
    heard = await voice.run(company, [synced("I1", "C1", "10")])
    client = await house.get(company, "/client", heard=heard, client_id="C1")
    assert client["labels"] == {entry_id("I1"): "Facture Dupont mars"}
    assert client["name"] == "C1", "accounting gave no name"
    found = await house.post(company, "/labels/query", {"entry_ids": [entry_id("I1"), entry_id("I2")]})
    assert found.json()["labels"] == {entry_id("I1"): "Facture Dupont mars"}
    statement = await house.get(company, "/statement", client_id="C1")
    assert statement["entries"][0]["label"] == "Facture Dupont mars"


async def test_a_source_without_addresses_takes_none_away(house: House, company: str) -> None:
    """A FEC knows names only; the addresses that another source gave stay."""
    await house.post(company, "/people", {"source": "contacts", "clients": [person("C1", emails=["a@b.fr"])]})
    fec = {"source": "fec", "clients": [{"client_id": "C1", "name": "Société C1"}]}
    assert (await house.post(company, "/people", fec)).json()["changed"] == 0
    second = {"source": "fec", "clients": [person("C1", emails=["c@b.fr", "a@b.fr"])]}
    assert (await house.post(company, "/people", second)).json()["changed"] == 1
    none = {"source": "contacts", "clients": [person("C1")]}
    assert (await house.post(company, "/people", none)).json()["changed"] == 0
    (known,) = (await house.post(company, "/people/query", {})).json()["people"]
    assert (sorted(known["emails"]), known["version"]) == (["a@b.fr", "c@b.fr"], 2)


async def test_texts_come_in_bulk(house: House, company: str) -> None:
    labels = {entry_id(f"I{n}"): f'Facture "{n}" \\ été' for n in range(1000)}
    first = await house.put(company, "/labels", {"labels": labels})
    assert (first.status_code, first.json()["changed"], first.json()["positions"]) == (200, 1000, [])
    labels[entry_id("I7")] = "Avoir"
    assert (await house.put(company, "/labels", {"labels": labels})).json()["changed"] == 1
    found = await house.post(company, "/labels/query", {"entry_ids": [entry_id("I7"), entry_id("I8")]})
    assert found.json()["labels"] == {entry_id("I7"): "Avoir", entry_id("I8"): 'Facture "8" \\ été'}
    assert await house.said(company) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"labels": {"F1": "Facture"}}, "label-refused"),
        ({"labels": {entry_id("I1"): "F" * 2001}}, "label-refused"),
        ({"labels": {entry_id("I1"): None}}, "label-refused"),
        ({"labels": [{"entry_id": entry_id("I1"), "label": "Facture"}]}, "labels-unreadable"),
        ({"texts": {}}, "labels-unreadable"),
        ({"labels": {entry_id("I1"): "\0"}}, "labels-unreadable"),
    ],
)
async def test_texts_that_are_none_leave_all_as_it_was(
    house: House, company: str, body: dict[str, Any], problem: str
) -> None:
    good = {entry_id("I2"): "Facture"}
    if isinstance(body.get("labels"), dict):
        body = {"labels": body["labels"] | good}
    answer = await house.put(company, "/labels", body)
    assert (answer.status_code, answer.json()["type"]) == (422, problem)
    found = await house.post(company, "/labels/query", {"entry_ids": [*good]})
    assert found.json()["labels"] == {}
