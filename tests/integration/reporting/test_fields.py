"""Free fields and sales people (rules 16.1, 19.4, 22.6): columns, filters and order of the lists of clients."""

import asyncio
import csv
import io
from decimal import Decimal
from typing import Any

import pytest_asyncio
from sqlalchemy import text

from chassis.database import transaction
from chassis.eventlog import Position
from contracts.event import Event
from contracts.ledger import ClientChanged, CompanyRegistered, FieldsNamed, NamedField, PersonErased
from services.reporting.people import keep
from tests.integration.reporting.conftest import House, Names, Voices

NAMED = FieldsNamed(
    client=(
        NamedField(field="tag3", title="Région"),
        NamedField(field="tag1", title="=Enseigne"),
        NamedField(field="tag2", title="Remarque", listed=False),
    ),
    entry=(NamedField(field="tag1", title="Chantier"),),
)
PEOPLE: dict[str, dict[str, Any]] = {
    "C1": {"fields": {"tag3": "Île-de-France", "tag1": "Zoé"}, "salesperson": {"code": "4", "name": "Anne Caron"}},
    "C2": {"fields": {"tag3": "Nord", "tag2": "secret"}, "salesperson": {"code": "7", "name": "Élie Dubois"}},
    "C3": {"fields": {"tag3": "nord", "tag1": "--"}, "salesperson": None},
    "C4": {"fields": {}, "salesperson": {"code": "4", "name": "Anne Caron"}},
}


@pytest_asyncio.fixture
async def heard(house: House, voices: Voices, ledger_names: Names, company: str) -> list[Position]:
    """Four clients without entries, their fields and sales people known."""
    said: list[Event] = [CompanyRegistered(name="Essai"), NAMED]
    for client_id, told in PEOPLE.items():
        ledger_names.know(company, client_id, f"Client {client_id}", **told)
        seller = told["salesperson"]
        said.append(ClientChanged(client_id=client_id, version=1, salesperson=seller["code"] if seller else None))
    positions = await voices.say(company, *said)
    for _ in range(200):
        page = await house.get(company, "/clients", positions)
        if all(row["name"].startswith("Client") for row in page["rows"]) and page["clients"] == len(PEOPLE):
            break
        await asyncio.sleep(0.05)
    return positions


async def codes(house: House, company: str, **query: Any) -> list[str]:
    return [row["client_id"] for row in (await house.get(company, "/clients", **query))["rows"]]


async def test_listed_fields_and_sales_people_are_columns(
    house: House, company: str, heard: list[Position]
) -> None:
    """Rules 19.4, 22.6."""
    page = await house.get(company, "/clients", sort="name")
    assert page["fields"] == [
        {"field": "tag3", "title": "Région"},
        {"field": "tag1", "title": "=Enseigne"},
    ], "in the company's order, those that are listed"
    rows = {row["client_id"]: row for row in page["rows"]}
    assert rows["C1"]["fields"] == {"tag3": "Île-de-France", "tag1": "Zoé"}
    assert rows["C2"]["fields"] == {"tag3": "Nord"}
    assert rows["C2"]["salesperson"] == {"code": "7", "name": "Élie Dubois"}
    assert (rows["C3"]["salesperson"], rows["C4"]["fields"]) == (None, {})


async def test_lists_are_filtered_and_sorted_by_them(house: House, company: str, heard: list[Position]) -> None:
    for query, clients in (
        ({"tag3": "NORD"}, ["C2", "C3"]),
        ({"tag3": ["ile de france", "Nord"]}, ["C1", "C2", "C3"]),
        ({"tag3": "Nord", "tag1": "--"}, ["C3"]),
        ({"tag3": "Nor"}, []),
        ({"tag2": "secret"}, ["C2"]),
        ({"salesperson": "4"}, ["C1", "C4"]),
        ({"salesperson": ["7", "none"]}, ["C2", "C3"]),
        ({"salesperson": "7", "tag3": "nord"}, ["C2"]),
    ):
        assert await codes(house, company, **{"sort": "name", **query}) == clients, query
    assert await codes(house, company, sort="tag3") == ["C1", "C2", "C3", "C4"], "without comes last"
    assert await codes(house, company, sort="-tag3") == ["C2", "C3", "C1", "C4"]
    assert await codes(house, company, sort="salesperson") == ["C1", "C4", "C2", "C3"]


async def test_filters_offer_what_is_there(house: House, company: str, heard: list[Position]) -> None:
    options = await house.get(company, "/options")
    assert options["salespeople"] == [{"code": "4", "name": "Anne Caron"}, {"code": "7", "name": "Élie Dubois"}]
    fields = {one["title"]: one["values"] for one in options["fields"]}
    assert fields == {"Région": ["Île-de-France", "Nord"], "=Enseigne": ["--", "Zoé"]}


async def test_fields_are_columns_of_files(house: House, company: str, heard: list[Position]) -> None:
    answer = await house.ask(company, "/clients", sort="name", format="csv")
    head, first, *_ = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
    row = dict(zip(head, first, strict=True))
    assert (row["Commercial"], row["Région"]) == ("Anne Caron", "Île-de-France")
    assert row["'=Enseigne"] == "Zoé", "a title is no formula either"
    answer = await house.ask(company, "/clients", format="xlsx")
    assert answer.status_code == 200


async def test_a_later_version_replaces_and_an_erasure_forgets(
    house: House, voices: Voices, ledger_names: Names, company: str, heard: list[Position]
) -> None:
    ledger_names.know(company, "C1", "Client C1", version=2, fields={"tag3": "Sud"}, salesperson=None)
    positions = await voices.say(company, ClientChanged(client_id="C1", version=2))
    for _ in range(200):
        if await codes(house, company, tag3="Sud"):
            break
        await asyncio.sleep(0.05)
    assert await codes(house, company, tag3="Sud") == ["C1"]
    assert await codes(house, company, tag1="Zoé") == []
    assert await codes(house, company, salesperson="4") == ["C4"]
    positions = await voices.say(company, PersonErased(client_id="C1", version=3))
    await house.get(company, "/clients", positions)
    assert await codes(house, company, tag3="Sud") == []


async def test_fields_of_many_clients_are_found_by_their_index(house: House, company: str) -> None:
    """A question for one value reads the few clients that have it, not all fields of the company."""
    async with transaction(house.process.engine) as tx:
        people = [
            {
                "client_id": f"C{n:05}",
                "version": 1,
                "name": f"Client {n}",
                "fields": {f"tag{place}": f"valeur {n % (10**place)}" for place in range(1, 4)},
                "salesperson": {"code": str(n % 7), "name": f"Vendeur {n % 7}"},
            }
            for n in range(20_000)
        ]
        await keep(tx, company, people)
    async with transaction(house.process.engine) as tx:
        await tx.execute(text("analyze client_field"))
        plan = "\n".join(
            await tx.scalars(
                text(
                    "explain select client_id from client_field where company = :company and field = 'tag3'"
                    " and key = any(cast(:keys as text[]))"
                ),
                {"company": company, "keys": ["valeur 17"]},
            )
        )
        found = await tx.scalar(
            text("select count(*) from client_field where company = :company and field = 'tag3' and key = :key"),
            {"company": company, "key": "valeur 17"},
        )
    assert "client_field_key" in plan
    assert Decimal(found or 0) == 20
